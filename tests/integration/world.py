"""A world for one test: database, broker, provider, site and workers, all real processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from tests.integration.brokers import Broker

ROOT = Path(__file__).parent.parent.parent
PATIENCE = 240.0  # seconds; the only limit, never an expectation
SWEEP_EVERY = 0.5  # seconds


class Process:
    """A program and whatever it starts; ``kill`` ends all of them at once, unasked."""

    def __init__(
        self,
        *command: str,
        environment: dict[str, str] | None = None,
        log: Path,
        talks: bool = False,
    ) -> None:
        self.log = log
        pipe = subprocess.PIPE if talks else None
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *command],
                cwd=ROOT,
                env={**os.environ, **(environment or {})},
                stdin=pipe or subprocess.DEVNULL,
                stdout=pipe or output,
                stderr=output,
                start_new_session=True,
            )

    def assert_well(self) -> None:
        """It runs, or it was we who ended it."""
        assert self._process.poll() in (None, -signal.SIGKILL), self.log.read_text()[-5000:]

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()

    @property
    def stdin(self) -> IO[bytes]:
        assert self._process.stdin is not None
        return self._process.stdin

    @property
    def stdout(self) -> IO[bytes]:
        assert self._process.stdout is not None
        return self._process.stdout

    def read_line(self) -> bytes:
        line = self.stdout.readline()
        assert line, f"it ended: {self.log.read_text()}"
        return line


class Site(Process):
    """Asks the process of ``tests.integration.site`` to do something: ``site("sweep")``."""

    def __call__(self, action: str, **facts: Any) -> Any:
        self.ask(action, **facts)
        return self.answer()

    def ask(self, action: str, **facts: Any) -> None:
        self.stdin.write(json.dumps({"action": action, **facts}).encode() + b"\n")
        self.stdin.flush()

    def answer(self) -> Any:
        answer = json.loads(self.read_line())
        assert "error" not in answer, answer["error"]
        return answer["result"]


class Provider(Process):
    """The sandbox on the far side of the wire, and its own witness of what was asked."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            *("django_faceverify.sandbox", "--port", "0"), log=folder / "provider.log", talks=True
        )
        self.url = self.read_line().split()[-1].decode()

    @property
    def faceid_url(self) -> str:
        return self.url.replace("/face/idcardcompare", "/")

    @property
    def calls(self) -> dict[str, int]:
        """How often each session id was called."""
        return {line["session_id"]: line["count"] for line in self._get("/calls")}

    @property
    def billed(self) -> list[str]:
        """The session ids on the bill, one for each line."""
        return [line["session_id"] for line in self._get("/bill")]

    def _get(self, path: str) -> list[dict[str, Any]]:
        address = self.url.replace("/face/idcardcompare", path)
        with urllib.request.urlopen(address, timeout=10) as answer:
            lines: list[dict[str, Any]] = json.load(answer)["lines"]
        return lines


class World:
    """What belongs together in one test."""

    site: Site
    provider: Provider
    #: a second provider that looks on at every case, by its dotted path; none without
    shadow = ""
    #: which wire format the site speaks; the sandbox understands both
    backend = "django_faceverify.providers.qcloud.QcloudProvider"
    shadow_endpoint = ""

    def __init__(self, folder: Path, broker: Broker, database_url: str, endpoint: str = "") -> None:
        self.folder = folder
        self.broker = broker
        self.database_url = database_url
        self.endpoint = endpoint
        self.processes: list[Process] = []

    def begin(self) -> None:
        """Start the site, on an empty database, and the sandbox unless there is an endpoint."""
        if not self.endpoint:
            self.provider = Provider(self.folder)
            self.processes.append(self.provider)
            self.endpoint = self.provider.url
        self.site = self.start_site()
        self.site("migrate")

    def start_site(self) -> Site:
        site = Site(
            "tests.integration.site",
            environment=self.environment(),
            log=self.folder / "site.log",
            talks=True,
        )
        self.processes.append(site)
        return site

    def start_worker(self, *, endpoint: str = "", timeout: float = 20) -> Process:
        worker = Process(
            *("celery", "-A", "tests.integration.worker_app", "worker"),
            *("--concurrency", "2", "--loglevel", "DEBUG"),
            *("--without-gossip", "--without-mingle", "--without-heartbeat"),
            environment=self.environment(endpoint, timeout),
            log=self.folder / "worker.log",
        )
        self.processes.append(worker)
        return worker

    def environment(self, endpoint: str = "", timeout: float = 20) -> dict[str, str]:
        return {
            "TMPDIR": str(self.folder),
            "DJANGO_SETTINGS_MODULE": "tests.integration.settings",
            "DATABASE_URL": self.database_url,
            "STORY_FOLDER": str(self.folder),
            "STORY_BROKER_URL": self.broker.url,
            "STORY_BROKER_OPTIONS": json.dumps(self.broker.options),
            "STORY_QUEUE": self.broker.queue,
            "STORY_PROVIDER": self.backend,
            "STORY_ENDPOINT": endpoint or self.endpoint,
            "STORY_SHADOW": self.shadow,
            "STORY_SHADOW_ENDPOINT": self.shadow_endpoint,
            "STORY_TIMEOUT": str(timeout),
        }

    def cases(self) -> dict[str, Any]:
        """All verifications by their references, see ``site.report``."""
        cases: dict[str, Any] = self.site("report")
        return cases

    def is_at_rest(self, *references: str) -> bool:
        """Whether nothing is left to do for these verifications, or for any."""
        cases = self.cases()
        chosen = [cases[reference] for reference in references] or list(cases.values())
        return all(case["status"] != "processing" for case in chosen)

    def sweep_until(self, is_true: Callable[[], bool], what: str) -> None:
        """What a scheduler does, with little patience, until that is true."""
        next_sweep_at = 0.0

        def sweep_and_look() -> bool:
            nonlocal next_sweep_at
            if time.monotonic() >= next_sweep_at:
                next_sweep_at = time.monotonic() + SWEEP_EVERY
                self.site("end_waits")
                self.site("send_sweep")
            return is_true()

        self.wait_until(sweep_and_look, what)

    def log_text(self) -> str:
        return "".join(process.log.read_text() for process in self.processes)

    def wait_until(self, is_true: Callable[[], bool], what: str) -> None:
        """Look again and again, for a while that is too long for any machine."""
        deadline = time.monotonic() + PATIENCE
        while not is_true():
            for process in self.processes:
                process.assert_well()
            assert time.monotonic() < deadline, f"in vain: {what}"
            time.sleep(0.1)

    def end(self) -> None:
        for process in self.processes:
            process.kill()
        self.broker.remove()
