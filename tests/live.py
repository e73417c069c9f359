"""A live server whose threads have connections of their own, on SQLite too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connections
from pytest_django.live_server_helper import LiveServer


@pytest.fixture
def own_connections(transactional_db: None, tmp_path: Path) -> Iterator[None]:
    """Moves an SQLite in memory into a file for one test; other databases stay where they are.

    A database in memory is one connection for all threads. One thread then waits in SQLite for
    the connection and holds Python's lock, while the other one holds the connection and waits
    for Python's lock, in order to call one of the functions that Django adds to SQLite. Neither
    ever goes on, and no timeout helps, because nothing in Python runs.
    """
    memory = connections["default"]
    if not getattr(memory, "is_in_memory_db", lambda: False)():
        yield
        return
    facts = connections.settings["default"]
    name, file = facts["NAME"], str(tmp_path / "live.sqlite3")
    with memory.cursor() as cursor:
        cursor.execute("VACUUM INTO %s", [file])
    facts["NAME"] = file
    connections["default"] = connections.create_connection("default")
    yield
    connections["default"].close()
    facts["NAME"] = name
    connections["default"] = memory


@pytest.fixture
def live_server(own_connections: None) -> Iterator[LiveServer]:
    """Takes the place of pytest-django's, which lives for the session and shares a connection."""
    server = LiveServer("localhost")
    yield server
    server.stop()
