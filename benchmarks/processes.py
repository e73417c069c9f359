"""What a run starts: its own PostgreSQL and Redis, the stub, Celery workers. All end with it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg
import redis

from benchmarks.certificates import Certificates, make_certificates
from tests.private_servers import (
    Server,
    free_port,
    launch_postgresql,
    launch_redis,
    private_server,
)

ROOT = Path(__file__).parent.parent
STOP_SECONDS = 20.0
START_SECONDS = 20.0


class Failed(Exception):
    """A process did not do what it was started for; the text says what it said."""


@dataclass
class Stub:
    """The running stub, and how to talk to it."""

    port: int
    tls_port: int
    certificates: Certificates

    def endpoint(self, *, is_tls: bool) -> str:
        where = f"https://127.0.0.1:{self.tls_port}" if is_tls else f"http://127.0.0.1:{self.port}"
        return f"{where}/face/idcardcompare"

    def environment(self, *, is_tls: bool) -> dict[str, str]:
        """How the measured site finds it; the second bundle is for ``requests``."""
        environment = {"BENCHMARK_ENDPOINT": self.endpoint(is_tls=is_tls)}
        if is_tls:
            bundle = str(self.certificates.bundle)
            environment |= {"BENCHMARK_CA_BUNDLE": bundle, "REQUESTS_CA_BUNDLE": bundle}
        return environment

    def set_latency(self, milliseconds: int) -> None:
        """Forget all calls and answer after that time."""
        self._ask("PUT", f"/latency/{milliseconds}")

    def stats(self) -> dict[str, Any]:
        return self._ask("GET", "/stats")

    def record(self) -> dict[str, Any]:
        return self._ask("GET", "/record")

    def _ask(self, method: str, path: str) -> dict[str, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request(method, path)
            answer: dict[str, Any] = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        return answer


@dataclass
class Machine:
    """Everything that stays up from the first run to the last."""

    folder: Path
    database_url: str
    broker_url: str
    stub: Stub
    postgresql: psutil.Process
    redis: psutil.Process

    def environment(self) -> dict[str, str]:
        """The environment of every process of the measured site."""
        return {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "benchmarks.settings",
            "BENCHMARK_FOLDER": str(self.folder),
            "BENCHMARK_DATABASE_URL": self.database_url,
            "BENCHMARK_BROKER_URL": self.broker_url,
        }

    def worker_log(self) -> str:
        return (self.folder / "worker.log").read_text()[-4000:]

    def python(self, *arguments: str, **environment: str) -> str:
        """Run a program of the site to its end; returns what it printed."""
        done = subprocess.run(  # noqa: S603 (our own programs)
            [sys.executable, *arguments],
            cwd=ROOT,
            env={**self.environment(), **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise Failed(f"{' '.join(arguments)} failed:\n{done.stderr}")
        return done.stdout

    def query(self, sql: str) -> list[Any]:
        """The rows of one query; no connection is left open."""
        with psycopg.connect(self.database_url) as connection:
            return connection.execute(sql.encode()).fetchall()


def end_what_was_started() -> None:
    """When this program is told to end, go the way of Ctrl-C, through every ``finally``."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@contextmanager
def running_machine() -> Iterator[Machine]:
    """Start the servers and the stub, and make the site's tables."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmark-")))
        database_url = stack.enter_context(
            private_server(
                _launch_postgresql,
                "postgresql://postgres@127.0.0.1:5432/postgres",
                lambda url: psycopg.connect(url).close(),
            )
        )
        broker_url = stack.enter_context(
            private_server(launch_redis, "redis://127.0.0.1:6379/0", _probe_redis)
        )
        stub = stack.enter_context(running_stub(folder))
        machine = Machine(
            folder,
            database_url,
            broker_url,
            stub,
            _postmaster(database_url),
            psutil.Process(_redis_process_id(broker_url)),
        )
        machine.python("-m", "django", "migrate", "--run-syncdb", "--verbosity=0")
        yield machine


@contextmanager
def running_stub(folder: Path) -> Iterator[Stub]:
    stub = Stub(free_port(), free_port(), make_certificates(folder))
    command = ["-m", "benchmarks.stub", str(stub.port), str(stub.tls_port)]
    with running_python(folder / "stub.log", *command, str(stub.certificates.chain)):
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                stub.stats()
            except OSError:
                if time.monotonic() > deadline:
                    raise Failed((folder / "stub.log").read_text()) from None
                time.sleep(0.05)
            else:
                break
        yield stub


@contextmanager
def running_worker(
    machine: Machine, *, pool: str, concurrency: int, **environment: str
) -> Iterator[psutil.Process]:
    """A Celery worker of the site, until the end of the block."""
    command = ("-m", "celery", "-A", "benchmarks", "worker", "-l", "WARNING")
    slots = ("--pool", pool, "--concurrency", str(concurrency))
    site = {
        **machine.environment(),
        **environment,
        "BENCHMARK_CONCURRENCY": str(concurrency),
    }
    log = machine.folder / "worker.log"
    with running_python(log, *command, *slots, environment=site) as process:
        yield process


@contextmanager
def running_python(
    log: Path, *arguments: str, environment: dict[str, str] | None = None
) -> Iterator[psutil.Process]:
    """A program in a session of its own, of which nothing lives on after the block."""
    with log.open("w") as output:
        process = subprocess.Popen(  # noqa: S603 (our own programs)
            [sys.executable, *arguments],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
        with suppress(ProcessLookupError):  # what outlives its parent
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _launch_postgresql(server: Server) -> list[str]:
    """As a real site runs it; background work does not fall into a run by chance."""
    return [
        *launch_postgresql(server),
        *("-c", "fsync=on", "-c", "full_page_writes=on"),
        *("-c", "autovacuum=off", "-c", "checkpoint_timeout=1h", "-c", "max_wal_size=8GB"),
        *("-c", "max_connections=300"),
    ]


def _postmaster(database_url: str) -> psutil.Process:
    """The parent of all of PostgreSQL's processes."""
    with psycopg.connect(database_url) as connection:
        backend = psutil.Process(connection.info.backend_pid)
        parent = backend.parent()
    assert parent is not None  # noqa: S101 (a backend always has one)
    return parent


def _probe_redis(url: str) -> None:
    _redis_process_id(url)


def _redis_process_id(url: str) -> int:
    with redis.Redis.from_url(url) as client:
        process_id: int = client.info("server")["process_id"]
    return process_id
