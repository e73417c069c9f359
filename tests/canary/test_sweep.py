"""A running site writes nothing about anybody that a stranger could read.

Everybody who goes through the site has a name, a number, a face and words that are nowhere
else. Then every file that the site wrote is searched for them, in every form.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from django_faceverify.photo import canonicalize
from tests.canary.forms import Searcher, Secret
from tests.canary.journey import ALL_ECHOES, FEW_ECHOES, LARGE, SMALL, Journey
from tests.canary.world import NAME, NUMBER, WORDS, World
from tests.databases import connected, url_of
from tests.private_servers import Unavailable, private_server
from tests.services import SERVICES, required

pytestmark = pytest.mark.services

#: where a key is kept for a living
KEYS = ("sealing.key", "secret.key")


@pytest.fixture(autouse=True)
def _databases_of_our_own(django_db_blocker: Any) -> Iterator[None]:
    with django_db_blocker.unblock():
        yield


@pytest.fixture
def build_world(tmp_path: Path) -> Iterator[Callable[..., World]]:
    """A running site; servers are private ones, whose every file may be looked at."""
    with ExitStack() as stack:

        def start(name: str) -> str:
            service = SERVICES[name]
            assert service.launch is not None
            try:
                return stack.enter_context(
                    private_server(service.launch, service.usual_url, service.probe)
                )
            except Unavailable as error:
                if name in required():
                    pytest.fail(f"{name} is required, but {error}")
                pytest.skip(f"{name} is not available: {error}")

        def build(database: str, broker: str) -> World:
            database_url = ""
            if database != "sqlite":
                server = start(database)
                with connected(server) as connection, connection.cursor() as cursor:
                    log_statements(connection.vendor, cursor)
                    letters = " CHARACTER SET utf8mb4" if connection.vendor == "mysql" else ""
                    cursor.execute(f"CREATE DATABASE canary{letters}")
                database_url = url_of(server, "canary")
            broker_url = "" if broker == "filesystem" else start(broker)
            world = World(tmp_path, database_url, broker_url)
            stack.callback(world.end)
            world.begin()
            return world

        yield build


def log_statements(vendor: str, cursor: Any) -> None:
    """As administrators do when they look for slow queries: each with its parameters."""
    if vendor == "postgresql":
        cursor.execute("ALTER SYSTEM SET log_statement = 'all'")
        cursor.execute("ALTER SYSTEM SET log_min_error_statement = 'debug5'")
        cursor.execute("SELECT pg_reload_conf()")
    else:
        cursor.execute("SET GLOBAL general_log = 1")


def secrets(world: World) -> list[Secret]:
    """What the journey carried, and what the site must keep to itself."""
    photos = {"small": SMALL, "large": LARGE}
    canonical = {
        f"canonical {name}": canonicalize(photo, max_bytes=4_000_000).data
        for name, photo in photos.items()
    }
    return [
        Secret("name", text=NAME),
        Secret("number", text=NUMBER),
        Secret("words", text=WORDS),
        *(Secret(name, picture=data) for name, data in (photos | canonical).items()),
        *(Secret(name, text=(world.data / name).read_text().strip()) for name in KEYS),
    ]


@pytest.mark.parametrize(
    ("database", "broker", "echoes"),
    [
        ("sqlite", "filesystem", FEW_ECHOES),
        ("postgresql", "redis", ALL_ECHOES),
        ("mariadb", "filesystem", ALL_ECHOES),
    ],
)
def test_no_file_of_the_site_tells_anything(
    database: str, broker: str, echoes: list[str], build_world: Callable[..., World]
) -> None:
    world = build_world(database, broker)
    journey = Journey(world)
    journey.every_outcome()
    journey.corrected()
    journey.wrong_input()
    journey.cut_upload()
    journey.staff()
    journey.admin()
    journey.endings()
    journey.commands()
    journey.failing_storage()
    journey.failing_database()
    journey.every_fault()
    journey.provider_down()
    journey.echoing_provider(echoes)
    journey.killed_web_server()
    journey.killed_worker()
    world.keep_broker("at-the-end")

    searcher = Searcher(secrets(world))
    sweep = searcher.search_tree(world.site, spared=lambda path: path.name in KEYS)
    for folder in world.dump_database():
        sweep += searcher.search_tree(folder.parent)
    sweep += searcher.search_tree(world.site, spared=lambda path: path.name != "dump.sql")

    assert_the_site_was_talkative(world)
    assert not sweep.finds, "\n".join(map(str, sweep.finds))
    assert searcher.search_tree(world.outside).finds, "the export outside is in clear"
    print(f"{sweep.file_count} files, {sweep.byte_count} bytes")  # noqa: T201 (with pytest -s)


def assert_the_site_was_talkative(world: World) -> None:
    """There was something to be found in each place that was looked into."""
    assert "DEBUG" in (world.logs / "web.log").read_text()
    assert "django_faceverify.verify" in (world.logs / "worker.log").read_text()
    assert "faceverify.sweep" in (world.logs / "beat.log").read_text()
    mails = list((world.data / "mail").iterdir())
    assert any("Traceback" in mail.read_text("utf-8") for mail in mails)
    assert list((world.data / "cache").glob("*"))
    assert list(world.photos.rglob("*"))
    assert (world.site / "broker-without-worker").stat().st_size
