"""A site behind a real server, in processes of its own; its provider's bill is a file."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from tests.private_servers import free_port

ROOT = Path(__file__).parent.parent
START_SECONDS = 60.0


@dataclass(frozen=True)
class Site:
    """Where it is, and with which environment its commands run; ``alice`` has an account."""

    url: str
    environment: dict[str, str]

    def manage(self, *arguments: str) -> None:
        subprocess.run(
            [sys.executable, "-m", "django", *arguments],
            cwd=ROOT,
            env=self.environment,
            check=True,
            capture_output=True,
            timeout=120,
        )


@contextmanager
def running_site(*server: str, database_url: str, bill: Path) -> Iterator[Site]:
    """A site until the end of the block; ``{port}`` in the server's arguments is replaced."""
    port = str(free_port())
    site = Site(
        f"http://127.0.0.1:{port}",
        {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.crash.crowd_settings",
            "DATABASE_URL": database_url,
            "FACEVERIFY_TEST_BILL": str(bill),
        },
    )
    site.manage("migrate", "--verbosity=0")
    make = "from django.contrib.auth.models import User; User.objects.create_user"
    site.manage("shell", "--no-imports", "-c", f"{make}('alice', password='alice')")
    process = subprocess.Popen(
        [sys.executable, "-m", *(word.replace("{port}", port) for word in server)],
        cwd=ROOT,
        env=site.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(site.url, process)
        yield site
    finally:
        process.terminate()
        process.wait(30)


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_SECONDS
    while True:
        assert process.poll() is None, "the server did not start"
        try:
            requests.get(f"{url}/kyc/", timeout=5)
        except requests.ConnectionError:
            assert time.monotonic() < end, "the server does not answer"
            time.sleep(0.1)
        else:
            return
