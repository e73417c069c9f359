"""Databases that a test run makes for itself on a server, and removes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import dj_database_url
import django
import pymysql
from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import ConnectionHandler

pymysql.install_as_MySQLdb()


@contextmanager
def connected(url: str) -> Iterator[BaseDatabaseWrapper]:
    """A connection as Django makes it, which also refuses versions that it does not support."""
    if not settings.configured:
        settings.configure(USE_TZ=True)
        django.setup()
    connection = ConnectionHandler({"default": dj_database_url.parse(url)})["default"]
    try:
        connection.ensure_connection()
        yield connection
    finally:
        connection.close()


@contextmanager
def new_database(server_url: str, name: str) -> Iterator[str]:
    """An empty database, until the end of the block; gives its URL."""
    with connected(server_url) as connection, connection.cursor() as cursor:
        letters = "CHARACTER SET utf8mb4" if connection.vendor == "mysql" else ""
        cursor.execute(f"CREATE DATABASE {name} {letters}")
    try:
        yield url_of(server_url, name)
    finally:
        drop_databases(server_url, name)


def drop_databases(server_url: str, part_of_name: str) -> None:
    """Drop every database with that in its name, whoever is still connected to it."""
    with connected(server_url) as connection, connection.cursor() as cursor:
        is_mysql = connection.vendor == "mysql"
        cursor.execute("SHOW DATABASES" if is_mysql else "SELECT datname FROM pg_database")
        for (name,) in cursor.fetchall():
            if part_of_name in name:
                cursor.execute(f"DROP DATABASE {name} {'' if is_mysql else 'WITH (FORCE)'}")


def url_of(server_url: str, name: str) -> str:
    return urlsplit(server_url)._replace(path=f"/{name}").geturl()
