"""The breaker and the pace: opened by the provider's faults, closed by an answer."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User

from django_faceverify import health, sweeper
from django_faceverify import verification as engine
from django_faceverify.exceptions import (
    NotSent,
    OutcomeUnknown,
    QuotaExceeded,
    Refused,
    Throttled,
)
from django_faceverify.models import ProviderHealth, Verification
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
    ScriptedProvider.script(NotSent("provider_unavailable"), fails_before_sending=True)
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
    health.admit("default")
    pauses: list[int] = []
    for _ in range(8):
        health.report_failure("default", Refused("provider_config", "14"))
        row = ProviderHealth.objects.get()
        assert row.open_until is not None
        pauses.append(row.open_count)
        ProviderHealth.objects.update(open_until=db_now(-1))
    assert pauses == list(range(1, 9))
    health.report_failure("default", Refused("provider_config", "14"))
    late = ProviderHealth.objects.filter(open_until__gt=db_now(health.LONGEST_PAUSE + 1))
    assert not late.exists()


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
