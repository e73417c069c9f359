"""A crash at every boundary of a shadow: the case stays as decided, and nobody pays twice."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from django_faceverify import shadow, sweeper
from django_faceverify import verification as engine
from django_faceverify.models import ShadowRun, Verification
from django_faceverify.models.clock import db_now
from tests.crash.billing import BETWEEN, LOST_ANSWER, MATCH, THROTTLED, BillingProvider, Reply
from tests.crash.boundaries import Life
from tests.crash.test_crash_points import boundaries, ending, moments, waiting

pytestmark = pytest.mark.django_db(transaction=True)

#: what the second provider does; the first always finds the same person
SCRIPTS: dict[str, tuple[Reply, ...]] = {
    "between": (BETWEEN,),
    "lost_answer": (LOST_ANSWER, MATCH),
    "throttled": (THROTTLED, MATCH),
}


@pytest.fixture(autouse=True)
def _look_on(settings: Any) -> None:
    base = settings.FACEVERIFY
    text = {"TEXT": {"en": "I agree to both."}, "PROVIDERS": ["second"]}
    settings.FACEVERIFY = {
        **base,
        "PROVIDERS": {**base["PROVIDERS"], "second": base["PROVIDERS"]["default"]},
        "LEVELS": {"default": {"LIVE": False, "SHADOW": {"PROVIDER": "second", "SHARE": 1}}},
        "CONSENT": {"TEXTS": {"demo-1": text}},
    }


def decided(script: str) -> ShadowRun:
    """A case that is verified, and its shadow, which waits; the bill begins anew."""
    ShadowRun.objects.all().delete()
    verification = waiting("match")
    engine.run(verification.pk)
    BillingProvider.begin(*SCRIPTS[script])
    return ShadowRun.objects.get()


def recover() -> None:
    for _ in range(4):
        ShadowRun.objects.filter(state__in=("waiting", "calling")).update(due_at=db_now(-1))
        sweeper.sweep()
        sweeper.drain_shadows()


def assert_paid_once(run: ShadowRun, case: str) -> None:
    run.refresh_from_db()
    assert run.state in ("compared", "unknown"), f"{case}: {run.state}"
    assert len(BillingProvider.bill) <= 1, f"{case}: paid twice"
    attempts = run.verification.attempts.of_a_shadow()
    assert not attempts.filter(state__in=("intent", "sending")).exists(), case
    billed = attempts.filter(session_id__in=BillingProvider.bill).exclude(is_billed="no")
    assert billed.count() == len(BillingProvider.bill), f"{case}: paid for and not in the ledger"
    assert ending(run.verification) == ("verified", ""), case


@pytest.mark.parametrize("is_asked", [False, True], ids=["killed", "asked"])
@pytest.mark.parametrize("script", SCRIPTS)
def test_a_worker_dies_anywhere_in_a_shadow(script: str, is_asked: bool) -> None:
    sample = decided(script)
    passed = boundaries(lambda: shadow.run(sample.pk))
    for moment, case in moments(passed, f"shadow {script} {is_asked}", one_of=4):
        run = decided(script)
        Life(moment, is_asked=is_asked).spend(partial(shadow.run, run.pk))
        attempt = run.verification.attempts.of_a_shadow().first()
        was_sending = attempt is not None and attempt.state == "sending"
        recover()
        assert_paid_once(run, case)
        if was_sending:
            assert run.state == "unknown", f"{case}: called again after it was sent"


def test_a_sweeper_dies_anywhere_over_a_lost_shadow() -> None:
    def lost() -> ShadowRun:
        run = decided("between")
        claim = shadow.claim_call(run.pk)
        assert claim is not None
        claim.mark_sending()
        ShadowRun.objects.update(due_at=db_now(-1))
        return run

    lost()
    for moment, case in moments(boundaries(sweeper.sweep), "sweep of a shadow", one_of=2):
        run = lost()
        Life(moment).spend(sweeper.sweep)
        recover()
        assert_paid_once(run, case)
        assert run.state == "unknown", case
        assert BillingProvider.bill == [], case


def test_a_worker_dies_anywhere_while_it_decides_and_plans() -> None:
    """At worst the sample is lost; the case comes to its end as it would without a shadow."""
    sample = waiting("match")
    for moment, case in moments(boundaries(lambda: engine.run(sample.pk)), "plan", one_of=4):
        ShadowRun.objects.all().delete()
        verification = waiting("match")
        Life(moment).spend(partial(engine.run, verification.pk))
        Verification.objects.filter(stage="calling").update(lease_until=db_now(-1))
        sweeper.sweep()
        Verification.objects.filter(stage="waiting").update(next_run_at=db_now(-1))
        sweeper.drain()
        recover()
        verification.refresh_from_db()
        assert verification.status in ("verified", "in_review"), case
        of_the_case = verification.attempts.of_the_case().values_list("session_id", flat=True)
        assert len(set(of_the_case) & set(BillingProvider.bill)) <= 1, case
        assert ShadowRun.objects.count() <= 1, case
