"""A site that runs as a real one does, and whatever its processes write.

Everything that the site may write lies under ``site``; the sandbox, which is the far side
of the wire, has a folder of its own beside it, and so has what we do ourselves.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import redis
import requests

from tests.canary.wire import Wire
from tests.databases import connected
from tests.integration.world import ROOT, Process
from tests.private_servers import free_port, program

PATIENCE = 40.0  # seconds; the only limit, never an expectation

#: what everything that is secret begins with, so that one search finds all of it
NAME = "欧阳金丝雀"
BIRTH_MONTH = "198703"
NUMBER = f"000000{BIRTH_MONTH}"
WORDS = "canary-7f3a9c"
PASSWORD = f"{WORDS}-password"
CREDENTIALS = {
    "FACEVERIFY_SECRET_ID": f"{WORDS}-secret-id",
    "FACEVERIFY_SECRET_KEY": f"{WORDS}-secret-key",
}
PEOPLE = ("alice", "bob", "reviewer", "checker", "admin")


class World:
    """Web server, worker, beat, sandbox; ``database_url`` is empty for SQLite."""

    def __init__(self, folder: Path, database_url: str = "", broker_url: str = "") -> None:
        self.site = folder / "site"
        self.outside = folder / "outside"
        self.data = self.site / "data"
        self.photos = self.data / "photos"
        self.temporary = self.site / "tmp"
        self.logs = self.site / "logs"
        for path in (self.site, self.outside, self.data, self.temporary, self.logs):
            path.mkdir()
        (self.data / "results").mkdir()
        self.database_url = database_url
        self.broker_url = broker_url
        self.processes: dict[str, Process] = {}
        self.wire: Wire | None = None
        self.broker_witness: threading.Thread | None = None

    def begin(self) -> None:
        if self.broker_url:
            self.watch_broker()
        sandbox = Process(
            *("django_faceverify.sandbox", "--port", "0"),
            *("--secret-id", CREDENTIALS["FACEVERIFY_SECRET_ID"]),
            *("--secret-key", CREDENTIALS["FACEVERIFY_SECRET_KEY"]),
            environment={"TMPDIR": str(self.outside)},
            log=self.outside / "sandbox.log",
            talks=True,
        )
        self.processes["sandbox"] = sandbox
        self.wire = Wire(sandbox.read_line().split()[-1].decode())
        self.manage("migrate", "--verbosity", "0")
        self.manage("shell", "-c", MAKE_PEOPLE)
        self.start_web()
        self.start_worker()
        self.start("beat", *CELERY, "beat", "--loglevel", "DEBUG")

    @property
    def environment(self) -> dict[str, str]:
        assert self.wire is not None
        return {
            **CREDENTIALS,
            "DJANGO_SETTINGS_MODULE": "tests.canary.settings",
            "FACEVERIFY_DATA_DIR": str(self.data),
            "CANARY_PHOTOS": str(self.photos),
            "DATABASE_URL": self.database_url,
            "CELERY_BROKER_URL": self.broker_url,
            "FACEVERIFY_ENDPOINT": self.wire.url,
            "FACEVERIFY_TIMEOUT": "2",
            "TMPDIR": str(self.temporary),
            "PYTHONUNBUFFERED": "1",
        }

    def start(self, name: str, *command: str) -> None:
        self.processes[name] = Process(
            *command, environment=self.environment, log=self.logs / f"{name}.log"
        )

    def start_web(self) -> None:
        port = free_port()
        self.address = f"http://127.0.0.1:{port}"
        self.start(
            "web",
            *("gunicorn", "example_project.wsgi", "--bind", f"127.0.0.1:{port}", "--threads", "4"),
            *("--log-level", "debug", "--access-logfile", "-", "--no-control-socket"),
        )
        self.wait_until(self.is_answering, "the web server answers")

    def is_answering(self) -> bool:
        with suppress(requests.ConnectionError):
            return requests.get(self.address, timeout=5).ok
        return False

    def start_worker(self) -> None:
        self.start("worker", *CELERY, "worker", "--loglevel", "DEBUG", "--task-events")

    def kill(self, name: str) -> None:
        self.processes.pop(name).kill()

    def manage(self, *command: str, given: str = "", codes: tuple[int, ...] = (0,)) -> str:
        """Run a command of the site; what it says goes into the site's logs."""
        done = subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=ROOT,
            env={**os.environ, **self.environment},
            input=given.encode(),
            capture_output=True,
            check=False,
        )
        output = done.stdout + done.stderr
        with (self.logs / "commands.log").open("ab") as log:
            log.write(output)
        assert done.returncode in codes, output.decode()[-3000:]
        return output.decode()

    @property
    def calls(self) -> int:
        """How often the provider was called."""
        assert self.wire is not None
        return self.wire.calls

    def end_pauses(self) -> None:
        """Let the times be over for which the site leaves a failing provider alone."""
        url = self.database_url or f"sqlite:///{self.data / 'db.sqlite3'}"
        with connected(url) as connection, connection.cursor() as cursor:
            cursor.execute("DELETE FROM django_faceverify_providerhealth")

    def wait_until(self, is_true: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not is_true():
            for process in self.processes.values():
                process.assert_well()
            assert time.monotonic() < deadline, f"in vain: {what}"
            time.sleep(0.1)

    def watch_broker(self) -> None:
        """Write down every command that Redis is given."""
        client: Any = redis.Redis.from_url(self.broker_url)
        monitor = client.monitor()
        monitor.__enter__()
        path = self.site / "redis-monitor.log"

        def write() -> None:
            with path.open("ab") as log, suppress(Exception):
                while True:
                    log.write(str(monitor.next_command()).encode() + b"\n")
                    log.flush()

        self.broker_witness = threading.Thread(target=write, daemon=True)
        self.broker_witness.start()

    def keep_broker(self, name: str) -> None:
        """What lies in the broker just now; the messages of files lie under ``data`` anyway."""
        target = self.site / f"broker-{name}"
        if not self.broker_url:
            target.write_bytes(
                b"\n".join(
                    path.read_bytes()
                    for path in (self.data / "broker").rglob("*")
                    if path.is_file()
                )
            )
            return
        client: Any = redis.Redis.from_url(self.broker_url)
        with target.open("wb") as file:
            for key in client.scan_iter():
                kind = client.type(key)
                value: Any = {
                    b"list": lambda key: client.lrange(key, 0, -1),
                    b"set": client.smembers,
                    b"hash": client.hgetall,
                    b"zset": lambda key: client.zrange(key, 0, -1),
                    b"string": client.get,
                }[kind](key)
                file.write(key + b" " + str(value).encode() + b"\n")

    def dump_database(self) -> list[Path]:
        """Have the server write everything to its files; gives the folders to look into."""
        if not self.database_url:
            return []
        parts = urlsplit(self.database_url)
        place = ["-h", str(parts.hostname), *self._port_option(parts.port)]
        if parts.scheme.startswith("postgres"):
            command = [program("pg_dump"), "-U", "postgres", "--inserts", *place, parts.path[1:]]
            asked, flush = "SHOW data_directory", "CHECKPOINT"
        else:
            command = [
                *(program("mariadb-dump"), "-u", "root", *place),
                *("--skip-ssl", "--protocol=tcp", parts.path[1:]),
            ]
            asked, flush = "SELECT @@datadir", "FLUSH TABLES"
        with (self.site / "dump.sql").open("wb") as file:
            subprocess.run(command, stdout=file, check=True)
        with connected(self.database_url) as connection, connection.cursor() as cursor:
            cursor.execute(flush)
            cursor.execute(asked)
            folder = Path(cursor.fetchone()[0])
        assert folder.is_dir()
        return [folder]

    def _port_option(self, port: int | None) -> list[str]:
        letter = "-p" if self.database_url.startswith("postgres") else "-P"
        return [letter, str(port)]

    def end(self) -> None:
        for process in self.processes.values():
            process.kill()
        if self.wire is not None:
            self.wire.end()


CELERY = ("celery", "-A", "example_project")

MAKE_PEOPLE = f"""
from django.contrib.auth.models import User
from example_project.accounts import DemoTolerantHasher, ensure_accounts
ensure_accounts()
for user in User.objects.all():
    user.password = DemoTolerantHasher().encode_cheaply("{PASSWORD}-" + user.username)
    user.save()
"""
