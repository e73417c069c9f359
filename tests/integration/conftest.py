"""Builds worlds: a database and a broker by name, and everything around them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.databases import new_database
from tests.integration.brokers import Broker, FilesystemBroker, RabbitBroker, RedisBroker
from tests.integration.world import World
from tests.services import require

BuildWorld = Callable[..., World]
MakeDatabase = Callable[[str], str]


@pytest.fixture(autouse=True)
def _databases_of_our_own(django_db_blocker: Any) -> Iterator[None]:
    """The database of the settings is not used here, so there is none to protect."""
    with django_db_blocker.unblock():
        yield


@pytest.fixture
def make_database(tmp_path: Path) -> Iterator[MakeDatabase]:
    """An empty database on the server of that name (or in a file); gives its URL."""
    with ExitStack() as stack:

        def make(server: str) -> str:
            if server == "sqlite":
                return f"sqlite:///{tmp_path / 'db.sqlite3'}"
            name = f"faceverify_{uuid.uuid4().hex[:12]}"
            return stack.enter_context(new_database(require(server), name))

        yield make


@pytest.fixture
def build_world(tmp_path: Path, make_database: MakeDatabase) -> Iterator[BuildWorld]:
    """Start a world with this database and this broker; all of it ends with the test."""
    with ExitStack() as stack:

        def build(
            database: str = "sqlite", broker: str | Broker = "filesystem", endpoint: str = ""
        ) -> World:
            if isinstance(broker, str):
                broker = make_broker(broker, tmp_path)
            world = World(tmp_path, broker, make_database(database), endpoint)
            stack.callback(world.end)
            world.begin()
            return world

        yield build


def make_broker(name: str, folder: Path) -> Broker:
    if name == "filesystem":
        return FilesystemBroker(folder)
    return {"redis": RedisBroker, "rabbitmq": RabbitBroker}[name]()
