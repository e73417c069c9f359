"""The example project as a site behind real programs: server, worker, beat and sandbox."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import requests

from django_faceverify.sandbox import scenario_number
from example_project.demo.__main__ import start_programs, wait_for
from example_project.demo.children import Children
from example_project.demo.pictures import portrait
from tests.private_servers import free_port

ROOT = Path(__file__).parent.parent.parent
CONSENT = '{"text_version": "demo-1", "granted": true}'
TIMEOUT = 30
#: seconds in which the worker must have decided a case
PATIENCE = 60.0
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Site:
    """Where the API is; whoever has an account has their name as password."""

    api: str

    def ask(self, method: str, address: str, who: str = "", **more: Any) -> requests.Response:
        auth = (who, who) if who else None
        return requests.request(method, f"{self.api}/{address}", auth=auth, timeout=TIMEOUT, **more)

    def open_case(self, who: str, scenario: str = "001", *, with_photo: bool = False) -> str:
        """A new case of somebody's, with or without a photo; gives its id."""
        fields = {"idcard_name": "张三", "idcard_number": scenario_number(scenario)}
        more: dict[str, Any] = {"json": fields}
        if with_photo:
            more = {
                "data": {**fields, "consent": CONSENT},
                "files": {"image": ("a.jpg", portrait("grace_hopper.jpg"), "image/jpeg")},
            }
        response = self.ask("POST", "verifications/", who, **more)
        assert response.status_code in (201, 202), response.text
        return str(response.json()["id"])

    def is_processing(self) -> bool:
        rows = self.ask("GET", "verifications/?status=processing", "admin").json()["results"]
        return bool(rows)

    def settle(self) -> None:
        """Wait until the worker has seen to every case."""
        end = monotonic() + PATIENCE
        while self.is_processing() and monotonic() < end:
            sleep(0.2)


@contextmanager
def running_example(folder: Path) -> Iterator[Site]:
    """The example project with all its programs, until the end of the block."""
    port, sandbox_port = free_port(), free_port()
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "example_project.settings",
        "DJANGO_DEBUG": "0",
        "DATABASE_URL": "",
        "FACEVERIFY_DATA_DIR": str(folder),
        "FACEVERIFY_ENDPOINT": f"http://127.0.0.1:{sandbox_port}/face/idcardcompare",
        "PYTHONUNBUFFERED": "1",
    }
    for command in (
        ("migrate", "--verbosity=0"),
        ("demo_accounts",),
        ("demo_webhook", f"http://127.0.0.1:{port}/hooks/"),
    ):
        arguments = [sys.executable, "manage.py", *command]
        subprocess.run(arguments, cwd=ROOT, env=environment, check=True, capture_output=True)
    kept = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        with Children(environment, folder / "log") as children:
            start_programs(children, port, sandbox_port, str(folder))
            wait_for(f"http://127.0.0.1:{sandbox_port}/health", children)
            wait_for(f"http://127.0.0.1:{port}/", children)
            yield Site(f"http://127.0.0.1:{port}/kyc/api/v1")
            children.check()
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
