"""Limits and money: the last place is given once, what waits says why, nothing is lost."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from django_faceverify import intake, quotas, sweeper
from django_faceverify import verification as engine
from django_faceverify.conf import QUOTA_DEFAULTS
from django_faceverify.exceptions import OutcomeUnknown, QuotaExceeded, Throttled
from django_faceverify.models import Counter, Verification
from django_faceverify.models.clock import db_now
from django_faceverify.providers.base import Comparison
from tests.conftest import IDCARD_NUMBER, draw_jpeg, submitted
from tests.scripted import ScriptedProvider, similarity

pytestmark = pytest.mark.django_db(transaction=True)


def allow(settings: Any, **changes: Any) -> None:
    quotas_ = {**settings.FACEVERIFY["QUOTAS"], **changes}
    settings.FACEVERIFY = {**settings.FACEVERIFY, "QUOTAS": quotas_}


def limit(settings: Any, **changes: Any) -> None:
    entry = settings.FACEVERIFY["PROVIDERS"]["default"]
    limits = {**entry.get("LIMITS", {}), **changes}
    settings.FACEVERIFY = {
        **settings.FACEVERIFY,
        "PROVIDERS": {"default": {**entry, "LIMITS": limits}},
    }


def window(name: str = "now") -> quotas.Window:
    return quotas.Window(name, timezone.now() + timedelta(minutes=1))


# --- one counter --------------------------------------------------------------------------


def test_the_last_place_is_given_once() -> None:
    assert [quotas.take("x", window(), 2) for _ in range(4)] == [True, True, False, False]
    assert Counter.objects.get().used == 2


def test_a_new_window_begins_again_on_the_same_row() -> None:
    assert quotas.take("x", window("monday"), 1)
    assert not quotas.take("x", window("monday"), 1)
    assert quotas.take("x", window("tuesday"), 1)
    assert (Counter.objects.get().window, Counter.objects.get().used) == ("tuesday", 1)


def test_no_limit_counts_nothing_and_none_allows_nothing() -> None:
    assert quotas.take("x", window(), None)
    assert not quotas.take("x", window(), 0)
    assert not Counter.objects.exists()


def test_the_books_are_those_of_shanghai(monkeypatch: pytest.MonkeyPatch) -> None:
    late = datetime.fromisoformat("2026-11-22T23:59:30+08:00")
    monkeypatch.setattr(timezone, "now", lambda: late)
    assert quotas.this_day().name == "20261122"
    assert quotas.this_day().seconds_left == 30
    assert quotas.this_minute().name == "20261122T2359"
    assert quotas.this_month().name == "202611"
    monkeypatch.setattr(timezone, "now", lambda: late + timedelta(seconds=31))
    assert quotas.this_day().name == "20261123"


# --- photos -------------------------------------------------------------------------------


def test_one_id_number_is_tried_only_so_often_by_anybody(
    alice: User, bob: User, settings: Any
) -> None:
    allow(settings, PHOTOS_PER_IDCARD_DAY=2)
    submitted(alice)
    submitted(bob)
    count = Verification.objects.count()
    with pytest.raises(QuotaExceeded) as refusal:
        submitted(bob)
    assert refusal.value.code == "too_many_photos"
    assert 1 <= refusal.value.retry_after <= 86_400
    assert Verification.objects.count() == count, "a refusal stores nothing"
    submitted(bob, idcard_number="000000199001010029")


def test_one_account_sends_only_so_many_photos(alice: User, settings: Any) -> None:
    allow(settings, PHOTOS_PER_USER_DAY=2)
    ScriptedProvider.script(similarity(12))
    case = submitted(alice)
    engine.run(case.pk)
    case.refresh_from_db()
    intake.submit(case, intake.Submission(image=draw_jpeg(seed=2)), user=alice)
    engine.run(case.pk)
    case.refresh_from_db()
    with pytest.raises(QuotaExceeded):
        intake.submit(case, intake.Submission(image=draw_jpeg(seed=3)), user=alice)
    case.refresh_from_db()
    assert (case.status, case.photo_count) == ("requires_input", 2)


def test_one_account_names_only_so_many_people(alice: User, settings: Any) -> None:
    allow(settings, IDCARDS_PER_USER_MONTH=2)
    submitted(alice)
    submitted(alice)
    submitted(alice, idcard_number="000000199001010029")
    with pytest.raises(QuotaExceeded):
        submitted(alice, idcard_number="000000199001010037")


# --- calls and money ----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["CALLS_PER_IDCARD_MINUTE", "CALLS_PER_IDCARD_DAY"])
def test_calls_about_one_person_wait(alice: User, settings: Any, name: str) -> None:
    allow(settings, **{name: 1})
    first, second = submitted(alice), submitted(alice)
    engine.run(first.pk)
    engine.run(second.pk)
    second.refresh_from_db()
    assert (second.status, second.stage) == ("processing", "waiting")
    assert second.reason_code == "identity_rate_limited"
    assert second.next_run_at is not None
    assert second.next_run_at > timezone.now()
    assert second.unrecorded_count == 0
    assert len(ScriptedProvider.requests) == 1


def test_when_the_money_is_spent_work_waits(alice: User, settings: Any) -> None:
    limit(settings, CALLS_PER_DAY=2)
    for _ in range(3):
        submitted(alice)
    sweeper.drain()
    assert len(ScriptedProvider.requests) == 2
    (parked,) = Verification.objects.filter(status="processing")
    assert parked.reason_code == "budget_spent"
    limit(settings, CALLS_PER_DAY=3)
    Verification.objects.filter(pk=parked.pk).update(next_run_at=db_now())
    sweeper.drain()
    parked.refresh_from_db()
    assert parked.status == "verified"


def test_a_call_that_cost_nothing_is_given_back(verification: Verification) -> None:
    ScriptedProvider.script(Throttled("provider_throttled", "15"), similarity(95))
    engine.run(verification.pk)
    assert quotas.calls_today("default") == 0
    Verification.objects.update(next_run_at=db_now())
    engine.run(verification.pk)
    assert quotas.calls_today("default") == 1


def test_a_photo_that_was_free_to_judge_is_given_back(verification: Verification) -> None:
    ScriptedProvider.script(Comparison(reason_code="no_face", is_billed="no"))
    engine.run(verification.pk)
    assert quotas.calls_today("default") == 0


def test_calls_that_may_be_paid_twice_have_a_budget(alice: User, settings: Any) -> None:
    allow(settings, RETRIES_OF_UNKNOWN_DAY=1)
    settings.FACEVERIFY = {**settings.FACEVERIFY, "UNKNOWN_POLICY": "retry"}
    ScriptedProvider.script(OutcomeUnknown("outcome_unknown"))
    first, second = submitted(alice), submitted(alice)
    engine.run(first.pk)
    engine.run(second.pk)
    first.refresh_from_db()
    second.refresh_from_db()
    assert first.status == "processing"
    assert second.status == "in_review"


def test_counters_name_nobody(alice: User, settings: Any) -> None:
    allow(settings, **QUOTA_DEFAULTS)
    engine.run(submitted(alice).pk)
    scopes = " ".join(Counter.objects.values_list("scope", flat=True))
    assert IDCARD_NUMBER not in scopes
    assert "calls/day/default/" in scopes
