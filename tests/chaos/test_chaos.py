"""The short form of the chaos run; the long one is for people: see ``python -m tests.chaos``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.services import require

pytestmark = pytest.mark.services

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize(
    ("policy", "broker"), [("review", "redis"), ("retry", "rabbitmq"), ("reconcile", "redis")]
)
def test_nothing_is_lost_or_paid_twice_in_chaos(
    policy: str, broker: str, django_db_blocker: pytest.FixtureRequest
) -> None:
    with django_db_blocker.unblock():  # type: ignore[attr-defined]  # only to look who is there
        require("postgresql")
        require(broker)
    run = subprocess.run(
        [
            *(sys.executable, "-m", "tests.chaos", "--policy", policy, "--broker", broker),
            *("--verifications", "200", "--kills", "20"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=1500,
    )
    assert run.returncode == 0, run.stdout + run.stderr
