"""The processes of a chaos run, and everything that can be done to them."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from tests.chaos.brokers import Corner
from tests.chaos.database import Database
from tests.databases import connected

ROOT = Path(__file__).parent.parent.parent

#: processes of the worker's pool. One that was killed is missed for ten seconds (billiard's
#: LOST_WORKER_TIMEOUT), so with few of them a run would measure that.
CONCURRENCY = 8
#: in which a worker should be there, on however busy a machine
START_SECONDS = 60.0
#: in which a pool whose processes were killed one by one works again
PROGRESS_SECONDS = 15.0


class World:
    """Provider, site, scheduler and worker as processes, with one database and one broker."""

    def __init__(
        self, folder: Path, database: Database, broker: Corner, policy: str, seed: str
    ) -> None:
        self.folder = folder
        self.database = database
        self.broker = broker
        self.policy = policy
        self.fate = random.Random(seed)
        self.endpoint = ""
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def begin(self, seed: str) -> None:
        """Start everything but the site."""
        self.run("django", "migrate", "--verbosity", "0")
        provider = self.start("provider", "tests.chaos.provider", self.folder / "bill", seed)
        assert provider.stdout
        self.endpoint = provider.stdout.readline().decode().strip()
        self.start_worker()
        self.start_scheduler()
        self.wait_for_worker()

    def wait_for_worker(self) -> None:
        """Until its pool stands, or for so long as even a busy machine should not need."""
        deadline = time.monotonic() + START_SECONDS
        while not self.is_worker_ready() and time.monotonic() < deadline:
            self.supervise()
            time.sleep(0.1)

    def wait_for_charges(self, count: int) -> None:
        """Until so much is done: on a busy machine, kills alone would leave nothing to kill."""
        deadline = time.monotonic() + PROGRESS_SECONDS
        while self.count_charges() < count and time.monotonic() < deadline:
            self.supervise()
            time.sleep(0.1)

    def count_charges(self) -> int:
        bill = self.folder / "bill"
        return bill.read_bytes().count(b"\n") if bill.exists() else 0

    def is_worker_ready(self) -> bool:
        ready = self.folder / "ready"
        return ready.exists() and ready.read_text() == str(self.processes["worker"].pid)

    def start_worker(self) -> None:
        self.start(
            "worker",
            *("celery", "-A", "tests.chaos.worker_app", "worker", "--pool", "prefork"),
            *("--concurrency", CONCURRENCY, "--loglevel", "WARNING"),
            *("--without-gossip", "--without-mingle", "--without-heartbeat"),
        )

    def start_scheduler(self) -> None:
        self.start("scheduler", "tests.crash.program", "tests.chaos.scheduler")

    def start_site(self, count: int, seconds: float, seed: str) -> None:
        self.start("site", "tests.crash.program", "tests.chaos.site", count, seconds, seed)

    def start(self, name: str, *command: object) -> subprocess.Popen[bytes]:
        """Run a program of ours in a session of its own, so that its whole tree can be killed."""
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", *map(str, command)],
                cwd=ROOT,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if name == "provider" else log,
                stderr=log,
                start_new_session=True,
            )
        self.processes[name] = process
        return process

    def run(self, *command: object) -> str:
        """Run a program of ours to its end; gives what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", *map(str, command)],
            cwd=ROOT,
            env=self.environment(),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def environment(self) -> dict[str, str]:
        world = {
            "folder": str(self.folder),
            "broker_url": self.broker.url,
            "broker_options": self.broker.options,
            "queue": self.broker.queue,
            "endpoint": self.endpoint or "http://127.0.0.1:9/",
            "policy": self.policy,
        }
        return {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.chaos.settings",
            "DATABASE_URL": self.database.url,
            "CHAOS_WORLD": json.dumps(world),
        }

    def supervise(self) -> None:
        """Start again what has ended, as a site's init system does.

        A worker ends by itself when a child is killed before the pool stands.
        """
        for name, start in (("worker", self.start_worker), ("scheduler", self.start_scheduler)):
            if self.processes[name].poll() is not None:
                start()

    # What can go wrong

    def kill_child(self) -> None:
        """One process of the pool dies, with whatever it was doing."""
        with suppress(psutil.NoSuchProcess):
            pool = psutil.Process(self.processes["worker"].pid).children()
            if pool:
                self.fate.choice(pool).kill()

    def kill_worker(self) -> None:
        """The machine with the worker is gone; another one takes its place."""
        self.kill_tree("worker")
        self.start_worker()

    def kill_scheduler(self) -> None:
        self.kill_tree("scheduler")
        self.start_scheduler()

    def wipe_broker(self) -> None:
        self.broker.wipe()

    def crash_database(self) -> None:
        """The database is gone without a goodbye, and back after a second or two."""
        self.database.crash()

    def break_provider(self) -> None:
        """The provider is down for a while: what calls it meanwhile does not know its end."""
        self.processes["provider"].send_signal(signal.SIGUSR1)

    def cut_database(self) -> None:
        """Every connection to the database breaks, in the midst of whatever it was doing."""
        with connected(self.database.url) as connection, connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    def kill_tree(self, name: str) -> None:
        process = self.processes.pop(name)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdout:
            process.stdout.close()

    def end(self) -> None:
        for name in list(self.processes):
            self.kill_tree(name)

    # What can be seen

    def is_site_done(self) -> bool:
        return self.processes["site"].poll() is not None

    def last_words(self) -> str:
        """The ends of all logs, for whoever wonders why it came to nothing."""
        logs = sorted(self.folder.glob("*.log"))
        return "\n".join(f"=== {log.stem}\n{log.read_text()[-2000:]}" for log in logs)

    def count_unfinished(self) -> int:
        with connected(self.database.url) as connection, connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM django_faceverify_verification WHERE status = 'processing'"
            )
            row: Any = cursor.fetchone()
        return int(row[0])
