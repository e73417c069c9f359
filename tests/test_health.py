"""The breaker and the pace: opened by the provider's faults, closed by an answer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from django_faceverify import health, sweeper
from django_faceverify import verification as engine
from django_faceverify.exceptions import (
    NotSent,
    OutcomeUnknown,
    QuotaExceeded,
    Refused,
    Throttled,
)
from django_faceverify.models import ProviderHealth, Verification, VerificationAttempt
from django_faceverify.models.clock import db_now
from django_faceverify.providers.base import Comparison
from tests.conftest import submitted
from tests.scripted import ScriptedProvider, similarity
from tests.test_quotas import limit

pytestmark = pytest.mark.django_db(transaction=True)


def is_open() -> bool:
    return ProviderHealth.objects.filter(open_until__gt=db_now()).exists()


def pause_is_over() -> None:
    ProviderHealth.objects.update(open_until=db_now(-1))
    Verification.objects.filter(stage="waiting").update(next_run_at=db_now())


@pytest.mark.parametrize("code", ["provider_config", "provider_arrears"])
def test_a_refused_account_stops_all_calls_at_once(alice: User, code: str) -> None:
    ScriptedProvider.script(Refused(code, "3"), similarity(95))
    first, second = submitted(alice), submitted(alice)
    engine.run(first.pk)
    assert is_open()
    engine.run(second.pk)
    assert len(ScriptedProvider.requests) == 1
    second.refresh_from_db()
    assert (second.stage, second.reason_code) == ("waiting", code)
    pause_is_over()
    sweeper.drain()
    assert Verification.objects.filter(status="verified").count() == 2
    assert not is_open()


def test_failures_in_a_row_open_it(alice: User) -> None:
    ScriptedProvider.script(NotSent("provider_unavailable"))
    for _ in range(health.FAILURES_IN_A_ROW):
        assert not is_open()
        engine.run(submitted(alice).pk)
    assert is_open()


def test_an_answer_between_failures_keeps_it_closed(alice: User) -> None:
    unknown = OutcomeUnknown("outcome_unknown")
    ScriptedProvider.script(*[unknown] * 4, similarity(12), *[unknown] * 4, similarity(95))
    for _ in range(9):
        engine.run(submitted(alice).pk)
    assert not is_open()


def test_a_person_s_own_trouble_is_not_the_provider_s(alice: User) -> None:
    ScriptedProvider.script(Comparison(reason_code="no_face"))
    for _ in range(8):
        engine.run(submitted(alice).pk)
    assert not is_open()


def test_being_throttled_is_no_fault(alice: User) -> None:
    ScriptedProvider.script(Throttled("provider_throttled", "15"))
    for _ in range(8):
        engine.run(submitted(alice).pk)
    assert not is_open()


def test_one_probe_at_a_time(alice: User) -> None:
    ScriptedProvider.script(Refused("provider_config", "14"))
    engine.run(submitted(alice).pk)
    ProviderHealth.objects.update(open_until=db_now(-1))
    health.admit("default")
    with pytest.raises(QuotaExceeded, match="provider_config"):
        health.admit("default")


def test_each_pause_is_longer_up_to_a_limit(alice: User) -> None:
    error = Refused("provider_config", "14")
    health.admit("default")
    for number in range(10):
        health.report_failure("default", error, is_probe=number > 0)
        pause = min(health.LONGEST_PAUSE, health.FIRST_PAUSE * 2**number)
        rows = ProviderHealth.objects.filter(open_count=number + 1, open_until__lte=db_now(pause))
        assert rows.filter(open_until__gt=db_now(pause - 5)).exists()
        pause_is_over()
        assert health.admit("default"), "the next one is a probe"


def test_calls_under_way_do_not_make_the_pause_longer(alice: User) -> None:
    """Thirty workers learn of the same outage, and the provider is back in a moment."""
    claims = [engine.claim_call(submitted(alice).pk) for _ in range(30)]
    for claim in claims:
        assert claim
        engine.record(claim, NotSent("provider_unavailable"))
    assert ProviderHealth.objects.get().open_count == 1
    assert not ProviderHealth.objects.filter(open_until__gt=db_now(health.FIRST_PAUSE)).exists()


def test_failures_from_before_a_pause_are_forgiven_after_it(alice: User) -> None:
    down = NotSent("provider_unavailable")
    ScriptedProvider.script(*[down] * 5, similarity(95), down, similarity(95))
    cases = [submitted(alice) for _ in range(7)]
    for case in cases[:5]:
        engine.run(case.pk)
    assert is_open()
    pause_is_over()
    engine.run(cases[5].pk)
    assert not ProviderHealth.objects.filter(open_until__isnull=False).exists()
    engine.run(cases[6].pk)
    assert not is_open()


def test_what_is_wrong_on_our_side_does_not_pause_the_provider(alice: User, settings: Any) -> None:
    cases = [submitted(alice) for _ in range(8)]
    other = {"other": "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8="}
    settings.FACEVERIFY = {**settings.FACEVERIFY, "KEYS": other}
    for case in cases:
        engine.run(case.pk)
    assert set(Verification.objects.values_list("reason_code", flat=True)) == {"seal_broken"}
    assert not is_open()


def test_workers_that_die_are_not_the_provider_s_fault(alice: User, settings: Any) -> None:
    settings.FACEVERIFY = {**settings.FACEVERIFY, "LEASE": 30, "UNKNOWN_POLICY": "retry"}
    for _ in range(8):
        assert engine.claim_call(submitted(alice).pk)
    started_at = timezone.now() - timedelta(seconds=31)
    VerificationAttempt.objects.update(started_at=started_at)
    Verification.objects.update(lease_until=db_now(-1))
    sweeper.sweep()
    assert VerificationAttempt.objects.filter(state="not_sent").count() == 8
    ScriptedProvider.script(NotSent("provider_unavailable"))
    engine.run(submitted(alice).pk)
    assert not is_open()


def test_the_pace_is_kept_across_workers(alice: User, settings: Any) -> None:
    limit(settings, CALLS_PER_SECOND=0.01, BURST=2)
    for _ in range(2):
        health.admit("default")
    with pytest.raises(QuotaExceeded) as wait:
        health.admit("default")
    assert wait.value.code == "provider_throttled"
    ProviderHealth.objects.update(next_call_at=db_now(-1))
    health.admit("default")


def test_a_thundering_queue_is_spread(alice: User) -> None:
    ScriptedProvider.script(Refused("provider_arrears", "3"))
    cases = [submitted(alice) for _ in range(8)]
    for case in cases:
        engine.run(case.pk)
    moments = set(Verification.objects.values_list("next_run_at", flat=True))
    assert len(moments) == len(cases)
    assert len(ScriptedProvider.requests) == 1
