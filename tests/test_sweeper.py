"""The safety net: lost, overdue and abandoned rows are found, waiting ones are worked off."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

from django_faceverify import intake, sweeper
from django_faceverify.audit import policy
from django_faceverify.models import AuditRoot, PolicyVersion, Verification
from django_faceverify.models.clock import db_now
from tests.audit.conftest import in_the_future
from tests.conftest import submitted

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_photo_without_an_answer_in_time_goes_to_a_human(verification: Verification) -> None:
    Verification.objects.filter(pk=verification.pk).update(deadline_at=db_now(-1))
    assert sweeper.sweep() == 0
    verification.refresh_from_db()
    assert (verification.status, verification.reason_code) == ("in_review", "deadline_passed")


def test_a_case_without_a_photo_expires(alice: User, idcard: dict[str, Any]) -> None:
    case = intake.create(user=alice, **idcard)
    sweeper.sweep()
    case.refresh_from_db()
    assert case.status == "requires_input"
    Verification.objects.filter(pk=case.pk).update(expires_at=db_now(-1))
    sweeper.sweep()
    case.refresh_from_db()
    assert (case.status, case.reason_code) == ("expired", "not_started_in_time")


def test_drain_works_off_everything_due_and_stops(alice: User) -> None:
    cases = [submitted(alice).pk for _ in range(5)]
    assert sweeper.drain() == 5
    assert Verification.objects.filter(pk__in=cases, status="verified").count() == 5
    assert sweeper.drain() == 0


def test_hints_stay_few_for_any_backlog(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    submitted(alice)
    submitted(alice)
    assert sweeper.sweep() == 1
    monkeypatch.setattr(sweeper, "ROWS_PER_DRAIN", 1)
    assert sweeper.sweep() == 2
    monkeypatch.setattr(sweeper, "MAX_DRAINS", 1)
    assert sweeper.sweep() == 1


def test_a_row_that_cannot_run_does_not_stop_the_others(
    alice: User, caplog: pytest.LogCaptureFixture
) -> None:
    stuck, fine = submitted(alice), submitted(alice)
    Verification.objects.filter(pk=stuck.pk).update(level="gone")
    assert sweeper.drain() == 1
    fine.refresh_from_db()
    assert fine.status == "verified"
    assert "KeyError" in caplog.text
    assert not Verification.objects.due().exists()


def test_it_writes_the_root_of_a_day_that_is_over(alice: User) -> None:
    submitted(alice)
    sweeper.sweep()
    assert not AuditRoot.objects.exists()
    with in_the_future(days=1, hours=2):
        sweeper.sweep()
        sweeper.sweep()
    assert AuditRoot.objects.get().event_count == 2


def test_it_records_the_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy._Memory, "settings", None)
    sweeper.sweep()
    sweeper.sweep()
    assert PolicyVersion.objects.get().number == 1


@pytest.mark.parametrize("queue", ["lost", "overdue", "in_doubt", "due", "abandoned"])
def test_every_queue_is_found_through_an_index(db: None, queue: str) -> None:
    """Of the columns that say what a row waits for, so that ended cases cost nothing."""
    if connection.vendor != "sqlite":
        pytest.skip("plans of small tables read them whole elsewhere")
    plan = getattr(Verification.objects, queue)().explain()
    column = "status" if queue == "abandoned" else "stage"
    assert "django_faceverify_verification USING INDEX faceverify_" in plan, plan
    assert f"({column}=?" in plan, plan
