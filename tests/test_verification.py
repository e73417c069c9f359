"""One verification from claim to decision, and everything that can go wrong between."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from django_faceverify import intake, outcome, sweeper
from django_faceverify import verification as engine
from django_faceverify.exceptions import (
    NotSent,
    OutcomeUnknown,
    ProtocolError,
    ProviderError,
    Refused,
    Throttled,
)
from django_faceverify.models import Verification, VerificationAttempt
from django_faceverify.models.clock import db_now
from django_faceverify.providers.base import Comparison
from django_faceverify.reasons import ReasonCode
from django_faceverify.transport import parse_retry_after
from tests.conftest import IDCARD_NAME, IDCARD_NUMBER, draw_jpeg, submitted
from tests.scripted import ScriptedProvider, similarity

pytestmark = pytest.mark.django_db(transaction=True)

Status = Verification.Status
State = VerificationAttempt.State


def due_now(verification: Verification) -> None:
    """Let the wait of a parked verification be over."""
    Verification.objects.filter(pk=verification.pk, stage="waiting").update(next_run_at=db_now())


def lose_worker(verification: Verification) -> None:
    """Let the lease of a claimed verification be over."""
    Verification.objects.filter(pk=verification.pk).update(lease_until=db_now(-1))


def test_a_match_is_verified_and_explained(verification: Verification) -> None:
    assert engine.run(verification.pk)
    verification.refresh_from_db()
    assert verification.status == Status.VERIFIED
    assert verification.similarity == 95
    assert (verification.verify_at, verification.review_at) == (80, 70)
    assert verification.provider == "default"
    assert verification.decision_source == "threshold"
    assert verification.decided_at is not None
    assert verification.stage is None
    attempt = verification.attempts.get()
    assert (attempt.state, attempt.is_billed) == (State.ANSWERED, "yes")
    assert ScriptedProvider.requests[0].session_id == attempt.session_id
    actions = verification.events.order_by("number").values_list("action", flat=True)
    assert list(actions) == ["created", "submitted", "called", "verified"]


def test_the_verdict_of_the_provider_comes_before_our_thresholds(alice: User) -> None:
    """It says no at a similarity that our thresholds would verify: no it is, to the end."""
    verdict = Comparison(similarity=99.0, reason_code=ReasonCode.FACE_MISMATCH)
    ScriptedProvider.script(verdict)
    case = submitted(alice)
    engine.run(case.pk)
    case.refresh_from_db()
    assert (case.status, case.reason_code) == ("requires_input", "face_mismatch")
    assert case.similarity == 99
    for _ in range(2):
        intake.submit(case, intake.Submission(image=draw_jpeg()), user=alice)
        engine.run(case.pk)
        case.refresh_from_db()
    assert (case.status, case.decision_source) == ("rejected", "provider")


def test_the_provider_gets_what_the_person_gave(verification: Verification) -> None:
    engine.run(verification.pk)
    (request,) = ScriptedProvider.requests
    assert (request.idcard_name, request.idcard_number) == (IDCARD_NAME, IDCARD_NUMBER)
    assert request.image is not None
    assert request.image.startswith(b"\xff\xd8\xff")
    assert request.url is None


def test_running_twice_calls_once(verification: Verification) -> None:
    assert engine.run(verification.pk)
    assert not engine.run(verification.pk)
    assert len(ScriptedProvider.requests) == 1


def test_between_the_thresholds_a_human_decides(verification: Verification) -> None:
    ScriptedProvider.script(similarity(72))
    engine.run(verification.pk)
    verification.refresh_from_db()
    assert (verification.status, verification.reason_code) == ("in_review", "low_similarity")
    assert verification.decided_at is None


def test_a_mismatch_asks_again_and_then_rejects(alice: User) -> None:
    ScriptedProvider.script(similarity(12))
    case = submitted(alice)
    for tries in (1, 2):
        engine.run(case.pk)
        case.refresh_from_db()
        assert (case.status, case.reason_code) == ("requires_input", "face_mismatch")
        assert case.try_count == tries
        engine_submit(case, alice, seed=tries)
    engine.run(case.pk)
    case.refresh_from_db()
    assert (case.status, case.reason_code) == ("rejected", "face_mismatch")
    assert len(ScriptedProvider.requests) == 3


def engine_submit(case: Verification, user: User, seed: int) -> None:
    intake.submit(case, intake.Submission(image=draw_jpeg(seed=seed)), user=user)


def test_a_photo_problem_is_not_a_try(verification: Verification) -> None:
    ScriptedProvider.script(Comparison(reason_code=ReasonCode.NO_FACE, is_billed="no"))
    engine.run(verification.pk)
    verification.refresh_from_db()
    assert (verification.status, verification.reason_code) == ("requires_input", "no_face")
    assert verification.try_count == 0
    assert verification.similarity is None


def test_a_photo_that_cannot_be_sent_is_asked_for_again(verification: Verification) -> None:
    ScriptedProvider.script(NotSent(ReasonCode.IMAGE_TOO_LARGE))
    engine.run(verification.pk)
    verification.refresh_from_db()
    assert (verification.status, verification.reason_code) == ("requires_input", "image_too_large")
    attempt = verification.attempts.get()
    assert (attempt.state, attempt.is_billed) == (State.NOT_SENT, "no")


def test_a_registry_gap_goes_to_a_human(verification: Verification) -> None:
    ScriptedProvider.script(Comparison(reason_code=ReasonCode.ID_PHOTO_POOR))
    engine.run(verification.pk)
    verification.refresh_from_db()
    assert (verification.status, verification.reason_code) == ("in_review", "id_photo_poor")


@pytest.mark.parametrize(
    "error",
    [
        Throttled(ReasonCode.PROVIDER_THROTTLED, "15"),
        Refused(ReasonCode.PROVIDER_UNAVAILABLE, "-5802"),
        NotSent(ReasonCode.PROVIDER_UNAVAILABLE),
    ],
    ids=lambda error: f"{type(error).__name__}-{error.code}",
)
def test_a_call_that_cost_nothing_is_made_again(
    verification: Verification, error: ProviderError
) -> None:
    ScriptedProvider.script(error, similarity(95))
    engine.run(verification.pk)
    verification.refresh_from_db()
    assert (verification.status, verification.stage) == ("processing", "waiting")
    assert verification.reason_code == error.code
    assert not engine.run(verification.pk), "it waits before it tries again"
    due_now(verification)
    engine.run(verification.pk)
    verification.refresh_from_db()
    assert verification.status == Status.VERIFIED
    states = verification.attempts.order_by("number").values_list("state", flat=True)
    assert list(states) == [error.attempt_state, "answered"]


def test_many_waits_do_not_overflow(verification: Verification) -> None:
    Verification.objects.filter(pk=verification.pk).update(retry_count=5000)
    ScriptedProvider.script(Refused(ReasonCode.PROVIDER_UNAVAILABLE, "-5802"))
    engine.run(verification.pk)
    soon = Verification.objects.filter(next_run_at__lte=db_now(outcome.LONGEST_WAIT))
    assert soon.filter(pk=verification.pk, retry_count=5001).exists()


def test_a_worker_without_the_key_leaves_the_case_on_the_queue(
    verification: Verification, settings: Any
) -> None:
    keys = settings.FACEVERIFY["KEYS"]
    other = {"other": "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8="}
    settings.FACEVERIFY = {**settings.FACEVERIFY, "KEYS": other}
    engine.run(verification.pk)
    verification.refresh_from_db()
    assert (verification.status, verification.reason_code) == ("processing", "seal_broken")
    settings.FACEVERIFY = {**settings.FACEVERIFY, "KEYS": keys}
    due_now(verification)
    engine.run(verification.pk)
    verification.refresh_from_db()
    assert verification.status == Status.VERIFIED


def test_retry_after_is_kept(verification: Verification) -> None:
    ScriptedProvider.script(Throttled("provider_throttled", "15", "", 429, 3000.0))
    engine.run(verification.pk)
    later = Verification.objects.filter(next_run_at__gt=db_now(2900), next_run_at__lt=db_now(3001))
    assert later.filter(pk=verification.pk).exists()


@pytest.mark.parametrize(
    "header",
    [
        *("0", "1", "120", "3600", "86400", "9" * 400, "-1", "-" + "9" * 400, "1.5", "", "soon"),
        *("NaN", "inf", "\xff\xfe", "١٢", "30, 60", "Wed, 21 Oct 2015 07:28:00 GMT"),
        *("Fri, 31 Dec 9999 23:59:59 GMT", "Sun, 06 Nov 0000 08:49:37 GMT", None),
    ],
    ids=lambda value: str(value)[:32],
)
def test_whatever_a_provider_asks_for_the_wait_is_from_a_second_to_an_hour(
    verification: Verification, header: str | None
) -> None:
    wait = parse_retry_after(header)
    ScriptedProvider.script(Throttled("provider_throttled", "15", "", 429, wait))
    engine.run(verification.pk)
    rows = Verification.objects.filter(pk=verification.pk, stage="waiting")
    assert not rows.filter(next_run_at__lt=F("updated_at") + timedelta(seconds=0.9)).exists()
    assert rows.filter(next_run_at__lte=db_now(3600)).exists()


@pytest.mark.parametrize(
    "error",
    [OutcomeUnknown(ReasonCode.OUTCOME_UNKNOWN), ProtocolError(ReasonCode.PROVIDER_PROTOCOL)],
    ids=lambda error: error.code,
)
def test_a_lost_answer_is_not_paid_for_twice(
    verification: Verification, error: OutcomeUnknown
) -> None:
    ScriptedProvider.script(error)
    engine.run(verification.pk)
    verification.refresh_from_db()
    assert (verification.status, verification.reason_code) == ("in_review", error.code)
    attempt = verification.attempts.get()
    assert (attempt.state, attempt.is_billed) == (State.UNKNOWN, "unknown")


def test_policy_retry_allows_one_more_call(verification: Verification, settings: object) -> None:
    settings.FACEVERIFY = {**settings.FACEVERIFY, "UNKNOWN_POLICY": "retry"}  # type: ignore[attr-defined]
    ScriptedProvider.script(OutcomeUnknown("outcome_unknown"))
    engine.run(verification.pk)
    verification.refresh_from_db()
    assert verification.stage == "waiting"
    due_now(verification)
    engine.run(verification.pk)
    verification.refresh_from_db()
    assert (verification.status, len(ScriptedProvider.requests)) == ("in_review", 2)


def test_a_bug_in_a_provider_is_contained(
    verification: Verification, caplog: pytest.LogCaptureFixture
) -> None:
    ScriptedProvider.script(RuntimeError(f"{IDCARD_NAME} {IDCARD_NUMBER}"))
    engine.run(verification.pk)
    verification.refresh_from_db()
    assert verification.status == Status.IN_REVIEW
    assert verification.attempts.get().state == State.UNKNOWN
    assert IDCARD_NUMBER not in caplog.text
    assert "RuntimeError" in caplog.text


def test_a_worker_lost_before_sending_cost_nothing(verification: Verification) -> None:
    claim = engine.claim_call(verification.pk)
    assert claim is not None
    lose_worker(verification)
    sweeper.sweep()
    verification.refresh_from_db()
    assert verification.stage == "waiting"
    assert verification.attempts.get().state == State.NOT_SENT
    with pytest.raises(engine.Overtaken):
        claim.mark_sending()
    due_now(verification)
    engine.run(verification.pk)
    verification.refresh_from_db()
    assert verification.status == Status.VERIFIED


def test_a_worker_lost_while_sending_leaves_it_to_a_human(verification: Verification) -> None:
    claim = engine.claim_call(verification.pk)
    assert claim is not None
    claim.mark_sending()
    lose_worker(verification)
    sweeper.sweep()
    verification.refresh_from_db()
    assert (verification.status, verification.reason_code) == ("in_review", "outcome_unknown")


def test_a_late_answer_saves_the_second_payment(verification: Verification, settings: Any) -> None:
    settings.FACEVERIFY = {**settings.FACEVERIFY, "UNKNOWN_POLICY": "retry"}
    claim = engine.claim_call(verification.pk)
    assert claim is not None
    claim.mark_sending()
    lose_worker(verification)
    sweeper.sweep()
    engine.record(claim, similarity(95))
    verification.refresh_from_db()
    assert verification.status == Status.VERIFIED
    assert not engine.run(verification.pk)


def test_a_caller_s_transaction_cannot_undo_a_claim(verification: Verification) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        engine.run(verification.pk)
    assert ScriptedProvider.requests == []


def test_a_case_that_is_canceled_meanwhile_is_not_paid_for(
    verification: Verification, alice: User
) -> None:
    claim = engine.claim_call(verification.pk)
    assert claim is not None
    intake.cancel(verification, user=alice)
    assert engine.call(claim) is None
    assert ScriptedProvider.requests == []


def test_the_attempt_of_a_canceled_case_is_closed(verification: Verification, alice: User) -> None:
    claim = engine.claim_call(verification.pk)
    assert claim is not None
    claim.mark_sending()
    intake.cancel(verification, user=alice)
    VerificationAttempt.objects.update(started_at=timezone.now() - timedelta(days=60))
    sweeper.sweep()
    attempt = verification.attempts.get()
    assert (attempt.state, attempt.is_billed) == (State.UNKNOWN, "unknown")
    assert attempt.duration_ms == 2**31 - 1


def test_a_late_answer_is_evidence_only(verification: Verification) -> None:
    claim = engine.claim_call(verification.pk)
    assert claim is not None
    claim.mark_sending()
    lose_worker(verification)
    sweeper.sweep()
    engine.record(claim, similarity(95))
    verification.refresh_from_db()
    assert verification.status == Status.IN_REVIEW
    attempt = verification.attempts.get()
    assert (attempt.state, attempt.similarity) == (State.ANSWERED, 95)


def test_a_worker_paused_too_long_does_not_send(
    verification: Verification,
) -> None:
    claim = engine.claim_call(verification.pk)
    assert claim is not None
    lose_worker(verification)
    assert engine.call(claim) is None
    assert ScriptedProvider.requests == []


def test_work_that_keeps_killing_its_worker_goes_to_a_human(verification: Verification) -> None:
    for _ in range(outcome.MAX_UNRECORDED):
        assert engine.claim_call(verification.pk) is not None
        lose_worker(verification)
        sweeper.sweep()
        due_now(verification)
    verification.refresh_from_db()
    assert (verification.status, verification.reason_code) == ("in_review", "worker_lost")


def test_a_canceled_case_keeps_its_status_when_the_answer_comes(
    verification: Verification, alice: User
) -> None:
    claim = engine.claim_call(verification.pk)
    assert claim is not None
    claim.mark_sending()
    intake.cancel(verification, user=alice)
    engine.record(claim, similarity(95))
    verification.refresh_from_db()
    assert verification.status == Status.CANCELED
    assert verification.attempts.get().state == State.ANSWERED


def test_a_photo_that_is_gone_goes_to_a_human(verification: Verification) -> None:
    from django_faceverify.models.photo import discard_photo

    discard_photo(verification.photos.get().file_name)
    engine.run(verification.pk)
    verification.refresh_from_db()
    assert (verification.status, verification.reason_code) == ("in_review", "photo_lost")
    assert ScriptedProvider.requests == []
