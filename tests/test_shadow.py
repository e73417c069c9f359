"""A second provider looks on: after the decision, once, within its own money, and without a say."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction

from django_faceverify import (
    intake,
    ledger,
    quotas,
    redaction,
    retention,
    shadow,
    sweeper,
    tasks,
)
from django_faceverify import verification as engine
from django_faceverify.conf import DAY
from django_faceverify.exceptions import (
    NotSent,
    OutcomeUnknown,
    ProtocolError,
    ProviderError,
    Refused,
    Throttled,
)
from django_faceverify.models import (
    Counter,
    ProviderHealth,
    ShadowRun,
    Verification,
    VerificationAttempt,
)
from django_faceverify.models.clock import db_now
from django_faceverify.models.keys import new_id
from django_faceverify.providers.base import Comparison
from django_faceverify.reasons import ReasonCode, RedactionReason
from tests.conftest import IDCARD_NUMBER, submitted
from tests.scripted import ScriptedProvider, similarity
from tests.shadows import SecondProvider, decided, end_lease, make_due, use_shadow

pytestmark = pytest.mark.django_db(transaction=True)

State = ShadowRun.State
LOST = OutcomeUnknown(ReasonCode.OUTCOME_UNKNOWN)


@pytest.fixture(autouse=True)
def _shadow(settings: Any) -> None:
    use_shadow(settings)


@pytest.fixture
def planned(verification: Verification) -> ShadowRun:
    """Alice's case, verified with 95, and the shadow that waits."""
    return decided(verification)


def stand(planned: ShadowRun) -> tuple[str, str]:
    planned.refresh_from_db()
    return planned.state, planned.reason_code


def shadow_attempts(verification: Verification) -> list[VerificationAttempt]:
    return list(verification.attempts.of_a_shadow().order_by("number"))


# --- the usual course ---------------------------------------------------------------------


def test_a_second_provider_sees_the_same_photo_and_decides_nothing(
    verification: Verification,
) -> None:
    planned = decided(verification, 95)
    verification.refresh_from_db()
    columns = ["status", "reason_code", "similarity", "provider", "fence", "updated_at", "stage"]
    before = Verification.objects.filter(pk=verification.pk).values(*columns).get()
    SecondProvider.script(similarity(12))
    assert sweeper.drain_shadows() == 1
    assert Verification.objects.filter(pk=verification.pk).values(*columns).get() == before
    assert stand(planned) == ("compared", "")
    assert (planned.case_verdict, planned.verdict) == ("match", "mismatch")
    assert (planned.verify_at, planned.review_at) == (60, 50), "the lines of its own scale"
    (attempt,) = shadow_attempts(verification)
    assert (attempt.role, attempt.provider, attempt.similarity) == ("shadow", "second", 12)
    assert planned.shadow_attempt_id == attempt.pk
    (first,) = ScriptedProvider.requests
    (second,) = SecondProvider.requests
    assert second.image == first.image
    assert second.session_id == attempt.session_id != first.session_id
    actions = list(verification.events.order_by("number").values_list("action", flat=True))
    assert actions == ["created", "submitted", "called", "verified", "shadow_called"]
    assert sweeper.drain_shadows() == 0


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        (similarity(95), similarity(60), ("match", "match")),
        (similarity(75), similarity(59), ("between", "between")),
        (similarity(12), similarity(49), ("mismatch", "mismatch")),
        (
            Comparison(reason_code=ReasonCode.NO_FACE),
            Comparison(similarity=3, reason_code=ReasonCode.FACE_MISMATCH),
            ("finding", "mismatch"),
        ),
    ],
)
def test_each_speaks_in_one_word_by_its_own_lines(
    verification: Verification, first: Comparison, second: Comparison, words: tuple[str, str]
) -> None:
    ScriptedProvider.script(first)
    SecondProvider.script(second)
    engine.run(verification.pk)
    assert sweeper.drain_shadows() == 1
    planned = ShadowRun.objects.get()
    assert (planned.case_verdict, planned.verdict) == words


def test_only_the_first_photo_of_a_case_is_compared(
    verification: Verification, jpeg: bytes
) -> None:
    planned = decided(verification, 12)
    verification.refresh_from_db()
    intake.submit(verification, intake.Submission(image=jpeg), user=None)
    ScriptedProvider.script(similarity(95))
    engine.run(verification.pk)
    verification.refresh_from_db()
    assert verification.status == "verified"
    assert ShadowRun.objects.get() == planned
    assert planned.case_verdict == "mismatch"
    sweeper.drain_shadows()
    assert [attempt.photo_id for attempt in shadow_attempts(verification)] == [planned.photo_id]


def test_numbers_of_attempts_do_not_meet(verification: Verification, jpeg: bytes) -> None:
    """The second claim of the case has the number that the shadow had before."""
    decided(verification, 12)
    sweeper.drain_shadows()
    verification.refresh_from_db()
    intake.submit(verification, intake.Submission(image=jpeg), user=None)
    engine.run(verification.pk)
    rows = verification.attempts.order_by("started_at").values_list("role", "number")
    assert list(rows) == [("case", 1), ("shadow", 1), ("case", 2)]


def test_while_somebody_waits_for_a_decision_no_second_provider_is_called(
    alice: User, verification: Verification
) -> None:
    planned = decided(verification)
    other = submitted(alice)
    assert not sweeper.is_shadow_due()
    assert sweeper.drain_shadows() == 0
    assert stand(planned) == ("waiting", "")
    sweeper.drain()
    other.refresh_from_db()
    assert other.status == "verified"
    assert sweeper.drain_shadows() == 2


def test_the_sweep_sends_one_hint_at_most(
    planned: ShadowRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(tasks.call_shadows, "apply_async", lambda **kwargs: sent.append(kwargs))
    tasks.sweep()
    assert sent == [{"expires": tasks.DRAIN_EXPIRES, "retry": False}]
    tasks.call_shadows()
    assert stand(planned) == ("compared", "")
    tasks.sweep()
    assert len(sent) == 1


# --- who is not sampled -------------------------------------------------------------------


def test_off_by_default(settings: Any, verification: Verification) -> None:
    use_shadow(settings, share=0)
    engine.run(verification.pk)
    assert not ShadowRun.objects.exists()


def test_a_consent_that_does_not_name_it_is_none(settings: Any, verification: Verification) -> None:
    settings.FACEVERIFY = {
        **settings.FACEVERIFY,
        "CONSENT": {"TEXTS": {"demo-1": {"TEXT": {"en": "I agree."}}}},
    }
    engine.run(verification.pk)
    verification.refresh_from_db()
    assert verification.status == "verified"
    assert not ShadowRun.objects.exists()


def test_without_any_consent_there_is_no_shadow(settings: Any, verification: Verification) -> None:
    settings.FACEVERIFY["CONSENT"]["REQUIRED"] = False
    verification.consents.all().delete()
    engine.run(verification.pk)
    assert not ShadowRun.objects.exists()


def test_a_call_without_an_answer_is_not_compared(verification: Verification) -> None:
    ScriptedProvider.script(NotSent(ReasonCode.IMAGE_TOO_LARGE))
    engine.run(verification.pk)
    verification.refresh_from_db()
    assert verification.reason_code == "image_too_large"
    assert not ShadowRun.objects.exists()


def test_what_goes_wrong_while_planning_disturbs_nobody(
    settings: Any, verification: Verification, caplog: pytest.LogCaptureFixture
) -> None:
    del settings.FACEVERIFY["PROVIDERS"]["second"]
    settings.FACEVERIFY = {**settings.FACEVERIFY}
    engine.run(verification.pk)
    verification.refresh_from_db()
    assert verification.status == "verified"
    assert "shadow_not_planned" in caplog.text
    assert IDCARD_NUMBER not in caplog.text


# --- what happens in between --------------------------------------------------------------


def _withdraw(planned: ShadowRun) -> None:
    intake.withdraw_consent(planned.verification, user=None)


def _withdraw_only(planned: ShadowRun) -> None:
    planned.verification.consents.update(withdrawn_at=db_now())


def _destroy_photos(planned: ShadowRun) -> None:
    redaction.destroy_photos(
        planned.verification, reason_code=RedactionReason.RETENTION_OVER, rule="PHOTO"
    )


def _redact(planned: ShadowRun) -> None:
    redaction.redact(planned.verification, actor="system", reason_code="retention_over")


@pytest.mark.parametrize(
    ("happen", "reason"),
    [
        (_withdraw_only, "consent_required"),
        (_withdraw, "photo_lost"),
        (_destroy_photos, "photo_lost"),
        (_redact, "photo_lost"),
    ],
)
def test_who_has_gone_is_not_shown_to_anybody(planned: ShadowRun, happen: Any, reason: str) -> None:
    happen(planned)
    assert not sweeper.is_shadow_due()
    assert not shadow.run(planned.pk)
    sweeper.sweep()
    assert stand(planned) == ("dropped", reason)
    assert SecondProvider.requests == []


@pytest.mark.parametrize("happen", [_withdraw_only, _destroy_photos, _redact])
def test_not_even_when_the_call_was_about_to_leave(planned: ShadowRun, happen: Any) -> None:
    claim = shadow.claim_call(planned.pk)
    assert claim is not None
    happen(planned)
    assert engine.call(claim) is None or SecondProvider.requests == []
    assert not ledger.mark_sending(claim.attempt, 1)
    assert SecondProvider.requests == []
    end_lease()
    sweeper.sweep()
    sweeper.sweep()
    (attempt,) = shadow_attempts(planned.verification)
    assert (attempt.state, attempt.is_billed) == ("not_sent", "no")


def test_switched_off_holds_for_the_planned_as_well(settings: Any, planned: ShadowRun) -> None:
    settings.FACEVERIFY["LEVELS"]["default"]["SHADOW"] = None
    settings.FACEVERIFY = {**settings.FACEVERIFY}
    assert sweeper.drain_shadows() == 0
    assert stand(planned) == ("dropped", "")
    assert SecondProvider.requests == []


def test_a_child_is_shown_to_nobody_else_by_its_own_consent(
    monkeypatch: pytest.MonkeyPatch, planned: ShadowRun
) -> None:
    """Its guardian has agreed to a text that does not name the second provider."""
    monkeypatch.setattr("django_faceverify.identity.age", lambda number: 13)
    consents = planned.verification.consents
    own = consents.get()
    own.pk, own.given_by, own.text_version = new_id(), "guardian", "demo-0"
    own.save(force_insert=True)
    sweeper.drain_shadows()
    assert SecondProvider.requests == []
    assert stand(planned) == ("dropped", "under_age")
    assert not shadow_attempts(planned.verification)


def test_a_guardian_may_agree_to_the_second_as_well(
    monkeypatch: pytest.MonkeyPatch, planned: ShadowRun
) -> None:
    monkeypatch.setattr("django_faceverify.identity.age", lambda number: 13)
    planned.verification.consents.update(given_by="guardian")
    sweeper.drain_shadows()
    assert stand(planned) == ("compared", "")


def test_a_photo_is_not_compared_with_what_was_corrected_since(
    verification: Verification, jpeg: bytes
) -> None:
    """The two would be asked about different people."""
    planned = decided(verification, 12)
    verification.refresh_from_db()
    photo = intake.Submission(image=jpeg)
    intake.submit(verification, photo, user=None, idcard_name="李四")
    engine.run(verification.pk)
    sweeper.drain_shadows()
    assert SecondProvider.requests == []
    assert stand(planned) == ("dropped", "")


def test_after_the_deadline_it_is_dropped(planned: ShadowRun) -> None:
    ShadowRun.objects.update(deadline_at=db_now(-1))
    assert sweeper.drain_shadows() == 0
    sweeper.sweep()
    assert stand(planned) == ("dropped", "deadline_passed")


def test_it_goes_with_its_case(planned: ShadowRun) -> None:
    sweeper.drain_shadows()
    redaction.redact(planned.verification, actor="system", reason_code="retention_over")
    Verification.objects.update(redacted_at=db_now(-4 * 366 * DAY))
    assert retention.purge().counts["case_count"] == 1
    assert not ShadowRun.objects.exists()
    assert not VerificationAttempt.objects.exists()


# --- answers that do not come -------------------------------------------------------------


@pytest.mark.parametrize("error", [LOST, ProtocolError(ReasonCode.PROVIDER_PROTOCOL)], ids=str)
@pytest.mark.parametrize("policy", ["review", "retry", "reconcile"])
def test_a_call_that_may_be_paid_is_never_made_again(
    settings: Any, verification: Verification, error: ProviderError, policy: str
) -> None:
    settings.FACEVERIFY = {**settings.FACEVERIFY, "UNKNOWN_POLICY": policy}
    planned = decided(verification)
    SecondProvider.script(error, similarity(95))
    sweeper.drain_shadows()
    assert stand(planned) == ("unknown", error.code)
    make_due()
    sweeper.sweep()
    assert sweeper.drain_shadows() == 0
    assert len(SecondProvider.requests) == 1
    assert SecondProvider.questions == []
    verification.refresh_from_db()
    assert verification.status == "verified"


@pytest.mark.parametrize(
    "error",
    [
        Throttled(ReasonCode.PROVIDER_THROTTLED),
        Refused(ReasonCode.IDENTITY_RATE_LIMITED),
        NotSent(ReasonCode.PROVIDER_THROTTLED),
    ],
    ids=str,
)
def test_a_call_that_cost_nothing_is_made_again_a_few_times(
    planned: ShadowRun, error: ProviderError
) -> None:
    SecondProvider.script(error)
    for number in range(1, shadow.MAX_TRIES):
        sweeper.drain_shadows()
        assert stand(planned) == ("waiting", error.code)
        assert not sweeper.is_shadow_due(), "it waits before it tries again"
        assert planned.retry_count == number
        make_due()
    sweeper.drain_shadows()
    assert stand(planned) == ("dropped", error.code)
    assert len(shadow_attempts(planned.verification)) == shadow.MAX_TRIES
    assert quotas.calls_today("second") == 0


def test_a_photo_that_the_second_does_not_take_is_dropped(planned: ShadowRun) -> None:
    SecondProvider.script(NotSent(ReasonCode.IMAGE_TOO_LARGE))
    sweeper.drain_shadows()
    assert stand(planned) == ("dropped", "image_too_large")


def test_a_bug_of_the_second_provider_is_no_bug_of_ours(planned: ShadowRun) -> None:
    SecondProvider.script(RuntimeError(IDCARD_NUMBER))
    sweeper.drain_shadows()
    assert stand(planned) == ("unknown", "outcome_unknown")


# --- workers that die ---------------------------------------------------------------------


def test_a_worker_that_died_before_sending_has_cost_nothing(planned: ShadowRun) -> None:
    assert shadow.claim_call(planned.pk)
    sweeper.sweep()
    assert stand(planned)[0] == "calling", "its lease still runs"
    end_lease()
    sweeper.sweep()
    assert stand(planned) == ("waiting", "provider_unavailable")
    make_due()
    assert sweeper.drain_shadows() == 1
    assert stand(planned)[0] == "compared"
    states = [attempt.state for attempt in shadow_attempts(planned.verification)]
    assert states == ["not_sent", "answered"]
    assert len(SecondProvider.requests) == 1


def test_a_worker_that_died_while_sending_is_not_replaced(planned: ShadowRun) -> None:
    claim = shadow.claim_call(planned.pk)
    assert claim is not None
    claim.mark_sending()
    end_lease()
    sweeper.sweep()
    assert stand(planned) == ("unknown", "outcome_unknown")
    (attempt,) = shadow_attempts(planned.verification)
    assert (attempt.state, attempt.is_billed) == ("unknown", "unknown")
    make_due()
    assert sweeper.drain_shadows() == 0


def test_an_answer_after_all_is_kept_and_compared(planned: ShadowRun) -> None:
    claim = shadow.claim_call(planned.pk)
    assert claim is not None
    claim.mark_sending()
    end_lease()
    sweeper.sweep()
    shadow.record(claim, similarity(55))
    assert stand(planned) == ("compared", "")
    assert planned.verdict == "between"
    (attempt,) = shadow_attempts(planned.verification)
    assert (attempt.state, attempt.similarity) == ("answered", 55)


def test_a_worker_whose_lease_is_over_sends_nothing(planned: ShadowRun) -> None:
    claim = shadow.claim_call(planned.pk)
    assert claim is not None
    end_lease()
    assert engine.call(claim) is None
    assert SecondProvider.requests == []


def test_an_attempt_that_somebody_else_has_judged_ends_the_run(planned: ShadowRun) -> None:
    claim = shadow.claim_call(planned.pk)
    assert claim is not None
    claim.mark_sending()
    engine.close_abandoned(claim.attempt)
    end_lease()
    sweeper.sweep()
    assert stand(planned) == ("unknown", "outcome_unknown")


def test_of_two_workers_one_calls(planned: ShadowRun) -> None:
    assert shadow.claim_call(planned.pk)
    assert shadow.claim_call(planned.pk) is None
    assert len(shadow_attempts(planned.verification)) == 1


def test_a_claim_that_is_rolled_back_leaves_nothing(planned: ShadowRun) -> None:
    with transaction.atomic():
        assert shadow._win(planned.pk)
        transaction.set_rollback(True)
    assert stand(planned) == ("waiting", "")
    assert shadow_attempts(planned.verification) == []
    assert quotas.calls_today("second") == 0


# --- money, pace, health ------------------------------------------------------------------


def test_its_own_budget_is_used_and_no_other(alice: User, settings: Any) -> None:
    use_shadow(settings, second={"LIMITS": {"CALLS_PER_DAY": 1}})
    first, second = submitted(alice), submitted(alice)
    decided(first)
    decided(second)
    assert sweeper.drain_shadows() == 1
    assert (quotas.calls_today("default"), quotas.calls_today("second")) == (2, 1)
    waiting = ShadowRun.objects.get(state="waiting")
    assert waiting.reason_code == "budget_spent"
    assert len(VerificationAttempt.objects.of_a_shadow()) == 1


def test_limits_of_one_person_hold_for_the_second_provider_too(alice: User, settings: Any) -> None:
    use_shadow(settings)
    quota = {**settings.FACEVERIFY["QUOTAS"], "CALLS_PER_IDCARD_DAY": 1}
    first, second = submitted(alice), submitted(alice, idcard_number="000000199003070010")
    third = submitted(alice)
    for case in (first, second, third):
        decided(case)
    settings.FACEVERIFY = {**settings.FACEVERIFY, "QUOTAS": quota}
    assert sweeper.drain_shadows() == 2
    assert ShadowRun.objects.get(state="waiting").reason_code == "identity_rate_limited"


def test_a_photo_is_not_used_up_by_a_shadow(verification: Verification) -> None:
    planned = decided(verification)
    sweeper.drain_shadows()
    assert ledger.possibly_billed(planned.photo) == 1
    verification.refresh_from_db()
    assert (verification.photo_count, verification.try_count) == (1, 0)
    assert not Counter.objects.filter(scope__startswith="photos/", used__gt=1).exists()


def test_a_second_provider_that_is_down_pauses_alone(planned: ShadowRun) -> None:
    SecondProvider.script(Refused(ReasonCode.PROVIDER_CONFIG))
    sweeper.drain_shadows()
    paused = ProviderHealth.objects.filter(open_until__isnull=False)
    assert [row.provider for row in paused] == ["second"]
    make_due()
    assert sweeper.drain_shadows() == 0, "it is not called while it is paused"
    assert stand(planned) == ("waiting", "provider_config")
    assert len(SecondProvider.requests) == 1


def test_a_probe_that_is_answered_ends_the_pause(planned: ShadowRun) -> None:
    SecondProvider.script(Refused(ReasonCode.PROVIDER_CONFIG), similarity(95))
    sweeper.drain_shadows()
    ProviderHealth.objects.filter(provider="second").update(open_until=db_now(-1))
    make_due()
    assert sweeper.drain_shadows() == 1
    assert not ProviderHealth.objects.filter(open_until__isnull=False).exists()
