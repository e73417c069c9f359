"""``python -m example_project.demo [--once]``, called by ``make demo``."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep
from typing import Any

import django
import requests
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import DatabaseError

from django_faceverify.faces import engine
from example_project.demo.children import PROJECT, ChildDied, Children
from example_project.demo.pictures import PORTRAITS
from example_project.demo.ports import PortInUse, claim
from example_project.demo.walkthrough import (
    NotVerified,
    compare_faces,
    wait_for_webhooks,
    walk_through,
)

WEB_PORT = 8000
SANDBOX_PORT = 8410
#: seconds in which a program must answer after its start
PATIENCE = 45.0


HOW_TO_COMPARE = f"""The sandbox compared no faces. To let it, install some 100 MB more and start again:

  {sys.executable} -m pip install '.[demo,local]'

"""


class NotReady(Exception):
    """A program runs and does not answer."""


FAILURES = (
    *(ChildDied, NotReady, NotVerified, PortInUse),
    *(DatabaseError, ImproperlyConfigured, requests.RequestException),
)


def main() -> int:
    options = read_options()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        run(options)
    except KeyboardInterrupt:
        say("\nInterrupted.")
        return 130
    except FAILURES as error:
        sys.stderr.write(f"\nThe demo has failed. {error}\n")
        return 1
    return 0


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m example_project.demo",
        description="Run the example project with the sandbox, a worker and beat.",
    )
    parser.add_argument(
        "--once", action="store_true", help="end after one verification; takes free ports"
    )
    parser.add_argument("--port", type=int, help=f"of the web server ({WEB_PORT})")
    parser.add_argument("--sandbox-port", type=int, help=f"of the sandbox ({SANDBOX_PORT})")
    return parser.parse_args()


def run(options: argparse.Namespace) -> None:
    """Start everything, show one verification, stay up unless ``--once``."""
    web_port = claim(_port(options.port, WEB_PORT, options), "web server", "--port")
    sandbox_port = claim(
        _port(options.sandbox_port, SANDBOX_PORT, options), "sandbox", "--sandbox-port"
    )
    site, sandbox = f"http://127.0.0.1:{web_port}", f"http://127.0.0.1:{sandbox_port}"
    data_folder = Path(os.environ.get("FACEVERIFY_DATA_DIR") or PROJECT / "var").resolve()
    set_environment(data_folder, sandbox)

    say("Preparing the database and the accounts ...")
    prepare_site(f"{site}/hooks/")
    say("Starting the sandbox, a Celery worker, Celery beat and the web server ...")
    with (
        TemporaryDirectory(prefix="faceverify-demo-") as scratch,
        Children(environment_of_programs(), data_folder / "log") as children,
    ):
        start_programs(children, web_port, sandbox_port, scratch)
        wait_for(f"{sandbox}/health", children)
        wait_for(f"{site}/", children)
        say("Filling the review queue (first run only) ...")
        call_command("demo_cases", stdout=StringIO())
        say("Verifying alice through the REST API ...\n")
        verification = walk_through(site, children.check)
        say(describe(verification))
        told = wait_for_webhooks(site, verification["id"], children.check)
        say(f"  webhooks received: {', '.join(told) or 'none yet'}")
        if engine.is_installed():
            say("\nComparing faces, really, with the portrait in the sandbox's register ...\n")
            for title, outcome in compare_faces(site, children.check):
                say(f"  {title}: {outcome}")
        if not options.once:
            say(where_to_click(site, sandbox, data_folder))
            stay(children)


def _port(given: int | None, usual: int, options: argparse.Namespace) -> int:
    """``--once`` is for scripts, which must not collide: a free port, unless one was given."""
    if given is not None:
        return given
    return 0 if options.once else usual


def set_environment(data_folder: Path, sandbox: str) -> None:
    """What this process and all its programs share: the demo's own provider, the sandbox."""
    for name in ("FACEVERIFY_PROVIDER", "FACEVERIFY_LIVE"):
        os.environ.pop(name, None)
    os.environ.setdefault("DJANGO_DEBUG", "1")
    os.environ.update(
        DJANGO_SETTINGS_MODULE="example_project.settings",
        FACEVERIFY_DATA_DIR=str(data_folder),
        FACEVERIFY_ENDPOINT=f"{sandbox}/face/idcardcompare",
        PYTHONUNBUFFERED="1",
    )


def environment_of_programs() -> dict[str, str]:
    """What the programs get besides: photos are looked at, if there is something to look with.

    This process fills the queue with drawn faces, some of which are none to the engine.
    """
    return {**os.environ, "FACEVERIFY_QUALITY": "1" if engine.is_installed() else "0"}


def prepare_site(receiver: str) -> None:
    django.setup()
    logging.getLogger().setLevel(logging.ERROR)
    call_command("migrate", verbosity=0, interactive=False)
    call_command("demo_accounts", stdout=StringIO())
    call_command("demo_webhook", receiver, stdout=StringIO())


def start_programs(children: Children, web_port: int, sandbox_port: int, scratch: str) -> None:
    celery = ("-m", "celery", "-A", "example_project")
    register = ("--register", str(PORTRAITS)) if engine.is_installed() else ()
    sandbox = ("manage.py", "faceverify_sandbox", "--port", str(sandbox_port))
    children.start("sandbox", *sandbox, *register)
    children.start("worker", *celery, "worker", "--hostname", f"demo-{web_port}@%h")
    children.start("beat", *celery, "beat", "--schedule", f"{scratch}/beat-schedule")
    children.start(
        "web server",
        *("-m", "gunicorn", "example_project.wsgi", "--bind", f"127.0.0.1:{web_port}"),
        *("--threads", "4", "--graceful-timeout", "5", "--no-control-socket"),
    )


def wait_for(url: str, children: Children) -> None:
    """Until the address answers; raises when it does not or when a program dies."""
    end = monotonic() + PATIENCE
    while monotonic() < end:
        children.check()
        try:
            if requests.get(url, timeout=5).ok:
                return
        except requests.ConnectionError:
            pass
        sleep(0.1)
    raise NotReady(f"{url} does not answer. See the logs in {children.log_folder}.")


def stay(children: Children) -> None:
    try:
        children.watch()
    except KeyboardInterrupt:
        say("\nStopping ...")


def describe(verification: Any) -> str:
    """What a reviewer sees of the verification, line by line."""
    thresholds = verification["thresholds"]
    attempts = verification["attempts"]
    lines = {
        "verification": verification["id"],
        "status": verification["status"],
        "similarity": verification["similarity"],
        "thresholds": f"verified from {thresholds['verify_at']}, reviewed from {thresholds['review_at']}",
        "provider": verification["provider"],
        "ID number": verification["idcard_number_mask"],
        "attempts": len(attempts),
        "session_id": attempts[-1]["session_id"],
        "billed": attempts[-1]["is_billed"],
        "duration": f"{attempts[-1]['duration_ms']} ms",
    }
    return "\n".join(f"  {name}: {value}" for name, value in lines.items())


def where_to_click(site: str, sandbox: str, data_folder: Path) -> str:
    queue = "admin/django_faceverify/verification/?status__exact=in_review"
    return f"""
Where to click (each password is the name):

  {site}/
      what there is, and what to try
  {site}/{queue}
      the review queue, as reviewer or checker
  {site}/admin/
      everything, as admin
  {site}/kyc/api/v1/verifications/
      the REST API, as alice or bob
  {sandbox}/
      the sandbox: its scenarios, and the bill of what it charged

{"" if engine.is_installed() else HOW_TO_COMPARE}All data and logs are in {data_folder}. Stop the demo with Ctrl-C."""


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
