"""Empties the database after a test that commits, by deleting the few rows that it wrote.

Django truncates every table, for which PostgreSQL makes hundreds of files, and then has
``migrate`` fill in content types and permissions again. Here those simply stay.
"""

from __future__ import annotations

from django.core.management import call_command
from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import TransactionTestCase

FILLED_BY_MIGRATE = {"django_content_type", "auth_permission"}


def install() -> None:
    """Take the place of Django's flush."""
    TransactionTestCase._fixture_teardown = empty_databases  # type: ignore[attr-defined]


def empty_databases(case: TransactionTestCase) -> None:
    for alias in case._databases_names(include_mirrors=False):  # type: ignore[attr-defined]
        if deletes_whatever_guards(connections[alias]):
            empty(connections[alias])
        else:
            call_command("flush", verbosity=0, interactive=False, database=alias)


def deletes_whatever_guards(connection: BaseDatabaseWrapper) -> bool:
    """Whether we can delete the history: on PostgreSQL only an administrator passes its triggers."""
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('is_superuser')")
        (answer,) = cursor.fetchone()
    return bool(answer == "on")


def empty(connection: BaseDatabaseWrapper) -> None:
    there = connection.introspection.django_table_names(only_existing=True, include_views=False)
    with (
        connection.constraint_checks_disabled(),
        transaction.atomic(using=connection.alias),
        connection.cursor() as cursor,
    ):
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL session_replication_role = replica")
        for table in sorted(set(there) - FILLED_BY_MIGRATE):
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")
