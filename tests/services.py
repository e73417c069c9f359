"""The servers and programs that some tests need: which there are, and where.

A service is used where ``FACEVERIFY_TEST_<NAME>_URL`` says, or at its usual port on this
machine; where only its programs are installed, the test runner starts a private one. Names
in ``FACEVERIFY_TEST_REQUIRE`` must not be missing: what skips a test otherwise fails it then.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
import redis
from amqp import Connection as AMQPConnection

from django_faceverify.faces import engine
from tests.databases import connected
from tests.private_servers import (
    Launch,
    Unavailable,
    launch_mariadb,
    launch_postgresql,
    launch_rabbitmq,
    launch_redis,
    private_server,
)

REQUIRE = "FACEVERIFY_TEST_REQUIRE"


@dataclass(frozen=True)
class Service:
    """One service: how it is asked whether it is there, and how a private one is started."""

    name: str
    usual_url: str
    probe: Callable[[str], None]
    launch: Launch | None = None

    @property
    def variable(self) -> str:
        return f"FACEVERIFY_TEST_{self.name.upper()}_URL"

    def find(self) -> str:
        """The URL at which it answers; ``Unavailable`` when it does not."""
        url = os.environ.get(self.variable) or self.usual_url
        try:
            self.probe(url)
        except Exception as error:  # noqa: BLE001 (drivers raise what they like)
            raise Unavailable(f"{place(url)}: {first_line(error)}") from None
        return url

    @contextmanager
    def running(self) -> Iterator[str]:
        """The URL of one that answers, for so long a private one if need be."""
        with ExitStack() as stack:
            try:
                url = self.find()
            except Unavailable as absence:
                if self.launch is None or os.environ.get(self.variable):
                    raise
                try:
                    url = stack.enter_context(
                        private_server(self.launch, self.usual_url, self.probe)
                    )
                except Unavailable as error:
                    raise Unavailable(f"{absence}; {error}") from None
            yield url


def required() -> set[str]:
    """The services that must not be missing; ``Unavailable`` for a name that is none."""
    names = {name.strip() for name in os.environ.get(REQUIRE, "").split(",") if name.strip()}
    if unknown := names - set(SERVICES):
        raise Unavailable(
            f"{REQUIRE} names {', '.join(sorted(unknown))}; known are {', '.join(SERVICES)}."
        )
    return names


def require(name: str) -> str:
    """For a test: where a service is; without it the test is skipped, or fails if required."""
    try:
        return SERVICES[name].find()
    except Unavailable as error:
        if name in required():
            pytest.fail(f"{name} is required, but {error}")
        pytest.skip(f"{name} is not available: {error}")


def place(url: str) -> str:
    """Host and port of a URL, without the password that may stand in it."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port}" if parts.hostname else url or "this machine"


def first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def probe_database(url: str) -> None:
    with connected(url):
        pass


def probe_redis(url: str) -> None:
    with redis.Redis.from_url(url, socket_connect_timeout=3) as client:
        client.ping()


def probe_rabbitmq(url: str) -> None:
    parts = urlsplit(url)
    with AMQPConnection(
        f"{parts.hostname}:{parts.port or 5672}",
        userid=parts.username or "guest",
        password=parts.password or "guest",
        virtual_host=parts.path[1:] or "/",
        connect_timeout=3,
    ):
        pass


def probe_chromium(path: str) -> None:
    names = (path,) if path else ("chromium", "chromium-browser", "google-chrome")
    program = next(filter(None, map(shutil.which, names)), None)
    if program is None:
        raise Unavailable(f"there is no {' or '.join(names)}")
    subprocess.run([program, "--version"], check=True, capture_output=True, timeout=30)


def probe_engine(_: str) -> None:
    if missing := engine.missing_packages():
        raise Unavailable(f"not installed is: {', '.join(missing)}")


SERVICES = {
    service.name: service
    for service in (
        Service(
            "postgresql",
            "postgresql://postgres@127.0.0.1:5432/postgres",
            probe_database,
            launch_postgresql,
        ),
        Service("mariadb", "mysql://root@127.0.0.1:3306/mysql", probe_database, launch_mariadb),
        Service("redis", "redis://127.0.0.1:6379/0", probe_redis, launch_redis),
        Service("rabbitmq", "amqp://guest:guest@127.0.0.1:5672//", probe_rabbitmq, launch_rabbitmq),
        Service("chromium", "", probe_chromium),
        Service("local", "", probe_engine),  # the extra: an engine that compares faces
    )
}
