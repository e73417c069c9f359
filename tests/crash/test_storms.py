"""Many processes at one row, doubled and dropped messages, stopped workers, no broker."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.databases import new_database
from tests.private_servers import free_port
from tests.services import require

pytestmark = pytest.mark.services

ROOT = Path(__file__).parent.parent.parent
#: above the provider's timeout and the engine's margin, and short enough to be waited for
SHORTEST_LEASE = 6


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def database_url(
    request: pytest.FixtureRequest, tmp_path: Path, django_db_blocker: Any
) -> Iterator[str]:
    """An empty database of each kind, for many processes."""
    with ExitStack() as stack:
        stack.enter_context(django_db_blocker.unblock())  # what it protects is not used here
        if request.param == "sqlite":
            yield f"sqlite:///{tmp_path / 'db.sqlite3'}"
        else:
            name = f"faceverify_{uuid.uuid4().hex[:12]}"
            yield stack.enter_context(new_database(require(request.param), name))


@pytest.fixture
def bill(tmp_path: Path) -> Path:
    path = tmp_path / "bill"
    path.touch()
    return path


def program(*arguments: object, settings: str, **environment: object) -> Any:
    """Run a program of ours to its end; gives what it printed last."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.crash.program", *map(str, arguments)],
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": settings,
            **{name: str(value) for name, value in environment.items()},
        },
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def crowd(*arguments: object, database_url: str, bill: Path, **environment: object) -> Any:
    """What a crowd of processes reports, none of which may have met an error."""
    outcome = program(
        "tests.crash.crowd",
        *arguments,
        settings="tests.crash.crowd_settings",
        DATABASE_URL=database_url,
        FACEVERIFY_TEST_BILL=bill,
        **environment,
    )
    assert [report for report in outcome["reports"] if "error" in report] == []
    return outcome


def charged(bill: Path) -> list[str]:
    return bill.read_text().split()


def test_a_raced_claim_is_won_once(database_url: str, bill: Path) -> None:
    outcome = crowd("claim", "--processes", 16, "--rows", 40, database_url=database_url, bill=bill)
    wins = Counter(pk for report in outcome["reports"] for pk in report["won"])
    assert wins == dict.fromkeys(outcome["ids"], 1)


def test_a_raced_question_is_asked_once(database_url: str, bill: Path) -> None:
    outcome = crowd(
        *("ask", "--processes", 16, "--rows", 40),
        database_url=database_url,
        bill=bill,
        FACEVERIFY_TEST_POLICY="reconcile",
    )
    wins = Counter(pk for report in outcome["reports"] for pk in report["won"])
    assert wins == dict.fromkeys(outcome["ids"], 1)


def test_fifty_deliveries_of_each_message_are_one_call(database_url: str, bill: Path) -> None:
    outcome = crowd("deliver", "--processes", 4, "--rows", 40, database_url=database_url, bill=bill)
    assert_each_called_once_and_verified(outcome, bill)


def test_without_any_message_the_sweeper_finishes_alone(database_url: str, bill: Path) -> None:
    outcome = crowd("drain", "--processes", 4, "--rows", 100, database_url=database_url, bill=bill)
    assert sum(report["count"] for report in outcome["reports"]) == 100
    assert_each_called_once_and_verified(outcome, bill)


def assert_each_called_once_and_verified(outcome: Any, bill: Path) -> None:
    assert set(map(tuple, outcome["rows"])) == {("verified", None)}
    assert sorted(charged(bill)) == sorted(session for session, _ in outcome["attempts"])
    assert len(charged(bill)) == len(outcome["ids"])


@pytest.mark.parametrize("sweep", [(), ("--sweep",)], ids=["unnoticed", "taken over"])
def test_a_worker_stopped_for_longer_than_its_lease_does_not_send(
    tmp_path: Path, bill: Path, sweep: tuple[str, ...]
) -> None:
    outcome = crowd(
        *("stop", "--processes", 10, "--rows", 10, *sweep),
        database_url=f"sqlite:///{tmp_path / 'db.sqlite3'}",
        bill=bill,
        FACEVERIFY_TEST_LEASE=SHORTEST_LEASE,
    )
    assert charged(bill) == []
    assert len(outcome["attempts"]) == 10
    assert {state for _, state in outcome["attempts"]} == {"not_sent" if sweep else "intent"}


@pytest.mark.parametrize("scheme", ["redis", "amqp"])
def test_a_submit_without_a_broker_is_quick_and_loses_nothing(tmp_path: Path, scheme: str) -> None:
    outcome = program(
        "tests.crash.brokerless",
        settings="example_project.settings",
        CELERY_BROKER_URL=f"{scheme}://127.0.0.1:{free_port()}//",
        DATABASE_URL="",
        FACEVERIFY_DATA_DIR=tmp_path,
        FACEVERIFY_PROVIDER="tests.crash.billing.BillingProvider",
    )
    assert outcome["seconds"] < 5
    assert outcome["accepted"] == ["processing"] * 3
    assert outcome["finally"] == ["verified"] * 3
