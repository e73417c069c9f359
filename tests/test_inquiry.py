"""A provider that can be asked, is asked what became of a call whose answer never came."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction

from django_faceverify import inquiry, intake, outcome, quotas, sweeper
from django_faceverify import verification as engine
from django_faceverify.exceptions import (
    OutcomeUnknown,
    ProtocolError,
    ProviderError,
    Refused,
    Throttled,
)
from django_faceverify.models import Verification, VerificationAttempt
from django_faceverify.models.clock import db_now
from django_faceverify.providers.base import Comparison, NeverSeen
from django_faceverify.reasons import ReasonCode
from tests.conftest import IDCARD_NUMBER, submitted
from tests.scripted import Finding, ScriptedProvider, similarity

pytestmark = pytest.mark.django_db(transaction=True)

State = VerificationAttempt.State
LOST = OutcomeUnknown(ReasonCode.OUTCOME_UNKNOWN)


@pytest.fixture(autouse=True)
def _reconcile(settings: Any) -> None:
    settings.FACEVERIFY = {**settings.FACEVERIFY, "UNKNOWN_POLICY": "reconcile"}


@pytest.fixture
def in_doubt(verification: Verification) -> Verification:
    """Alice's case, whose one call was lost; the time to ask has come."""
    ScriptedProvider.script(LOST)
    engine.run(verification.pk)
    may_be_asked(verification)
    return verification


def may_be_asked(verification: Verification) -> None:
    Verification.objects.filter(pk=verification.pk, stage="unknown").update(next_run_at=db_now())


def stand(verification: Verification) -> tuple[str, str | None, str]:
    verification.refresh_from_db()
    return verification.status, verification.stage, verification.reason_code


def actions(verification: Verification) -> list[str]:
    return list(verification.events.order_by("number").values_list("action", flat=True))


@pytest.mark.parametrize("error", [LOST, ProtocolError(ReasonCode.PROVIDER_PROTOCOL)], ids=str)
def test_nobody_is_asked_before_the_call_is_over(
    verification: Verification, error: ProviderError
) -> None:
    ScriptedProvider.script(error)
    engine.run(verification.pk)
    assert stand(verification) == ("processing", "unknown", error.code)
    assert sweeper.sweep() == 0
    assert not inquiry.ask(verification.pk)
    assert not engine.run(verification.pk), "a message that comes twice calls nobody"
    lease = Verification.objects.filter(next_run_at__gt=db_now(55), next_run_at__lt=db_now(61))
    assert lease.filter(pk=verification.pk).exists()
    assert ScriptedProvider.questions == []


def test_the_answer_that_was_lost_decides(in_doubt: Verification) -> None:
    ScriptedProvider.knows(similarity(95))
    assert sweeper.sweep() == 1
    assert sweeper.drain() == 1
    assert stand(in_doubt) == ("verified", None, "")
    attempt = in_doubt.attempts.get()
    assert (attempt.state, attempt.is_billed, attempt.similarity) == ("answered", "yes", 95)
    assert ScriptedProvider.questions == [attempt.session_id]
    assert actions(in_doubt) == ["created", "submitted", "called", "asked", "verified"]
    assert len(ScriptedProvider.requests) == 1


def test_a_finding_without_similarity_decides_too(in_doubt: Verification) -> None:
    ScriptedProvider.knows(Comparison(reason_code=ReasonCode.NO_FACE, is_billed="no"))
    inquiry.ask(in_doubt.pk)
    assert stand(in_doubt) == ("requires_input", None, "no_face")
    assert quotas.calls_today("default") == 0


def test_a_call_that_was_never_seen_is_made_again(in_doubt: Verification) -> None:
    ScriptedProvider.knows(NeverSeen())
    inquiry.ask(in_doubt.pk)
    assert stand(in_doubt) == ("processing", "waiting", "provider_unavailable")
    attempt = in_doubt.attempts.get()
    assert (attempt.state, attempt.is_billed) == (State.NOT_SENT, "no")
    assert quotas.calls_today("default") == 0
    ScriptedProvider.script(similarity(95))
    Verification.objects.update(next_run_at=db_now())
    sweeper.drain()
    assert stand(in_doubt) == ("verified", None, "")
    assert len(ScriptedProvider.requests) == 1


def test_never_seen_is_not_believed_too_early(
    in_doubt: Verification, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ScriptedProvider, "visibility_delay", 600.0)
    ScriptedProvider.knows(NeverSeen())
    inquiry.ask(in_doubt.pk)
    assert stand(in_doubt) == ("processing", "unknown", "outcome_unknown")
    assert in_doubt.attempts.get().state == State.UNKNOWN


@pytest.mark.parametrize(
    "finding",
    [None, LOST, Throttled("provider_throttled"), RuntimeError(IDCARD_NUMBER)],
    ids=["not yet", "unknown", "throttled", "bug"],
)
def test_it_is_asked_again_later_and_later(
    in_doubt: Verification, finding: Finding, caplog: pytest.LogCaptureFixture
) -> None:
    ScriptedProvider.knows(finding)
    for number in range(1, 12):
        may_be_asked(in_doubt)
        assert inquiry.ask(in_doubt.pk)
        assert stand(in_doubt) == ("processing", "unknown", "outcome_unknown")
        assert not inquiry.ask(in_doubt.pk), "it waits before it asks again"
        assert len(ScriptedProvider.questions) == number
    soon = Verification.objects.filter(next_run_at__lt=db_now(outcome.LONGEST_WAIT))
    assert soon.filter(pk=in_doubt.pk, unrecorded_count=0).exists()
    assert IDCARD_NUMBER not in caplog.text


def test_after_the_deadline_a_human_takes_over(in_doubt: Verification) -> None:
    Verification.objects.update(deadline_at=db_now(-1))
    assert sweeper.sweep() == 1, "it is asked once more"
    sweeper.drain()
    assert stand(in_doubt) == ("in_review", None, "outcome_unknown")
    assert len(ScriptedProvider.questions) == 1


def test_nobody_is_asked_within_a_transaction(in_doubt: Verification) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        inquiry.ask(in_doubt.pk)
    assert ScriptedProvider.questions == []


def test_two_sweepers_do_not_both_ask(in_doubt: Verification) -> None:
    assert inquiry._win(in_doubt.pk)
    assert inquiry._win(in_doubt.pk) is None
    assert not inquiry.ask(in_doubt.pk)
    assert sweeper.drain() == 0


def test_an_asker_who_dies_is_followed_by_another(in_doubt: Verification) -> None:
    ScriptedProvider.knows(similarity(95))
    assert inquiry._win(in_doubt.pk)
    may_be_asked(in_doubt)
    assert inquiry.ask(in_doubt.pk)
    assert stand(in_doubt) == ("verified", None, "")


def test_a_question_that_keeps_killing_its_asker_goes_to_a_human(in_doubt: Verification) -> None:
    for _ in range(outcome.MAX_UNRECORDED):
        assert inquiry._win(in_doubt.pk)
        may_be_asked(in_doubt)
    assert sweeper.drain() == 0
    assert stand(in_doubt) == ("in_review", None, "worker_lost")


def test_a_slow_asker_does_not_undo_what_another_found(in_doubt: Verification) -> None:
    slow = inquiry._win(in_doubt.pk)
    assert slow
    may_be_asked(in_doubt)
    ScriptedProvider.knows(NeverSeen())
    inquiry.ask(in_doubt.pk)
    for finding in (None, similarity(95)):
        inquiry._settle(slow, finding)
        assert stand(in_doubt)[:2] == ("processing", "waiting")
    assert in_doubt.attempts.get().state == State.NOT_SENT


def test_a_worker_lost_while_sending_is_asked_about(verification: Verification) -> None:
    claim = engine.claim_call(verification.pk)
    assert claim is not None
    claim.mark_sending()
    Verification.objects.update(lease_until=db_now(-1))
    sweeper.sweep()
    assert stand(verification)[:2] == ("processing", "unknown")
    ScriptedProvider.knows(similarity(12))
    may_be_asked(verification)
    sweeper.drain()
    assert stand(verification) == ("requires_input", None, "face_mismatch")


@pytest.mark.parametrize(
    ("late", "expected"),
    [
        (similarity(95), ("verified", None, "")),
        (
            Refused(ReasonCode.PROVIDER_UNAVAILABLE),
            ("processing", "waiting", "provider_unavailable"),
        ),
        (LOST, ("processing", "unknown", "outcome_unknown")),
    ],
    ids=["answer", "refusal", "lost"],
)
def test_a_late_answer_saves_the_question(
    verification: Verification,
    late: Comparison | ProviderError,
    expected: tuple[str, str | None, str],
) -> None:
    claim = engine.claim_call(verification.pk)
    assert claim is not None
    claim.mark_sending()
    Verification.objects.update(lease_until=db_now(-1))
    sweeper.sweep()
    engine.record(claim, late)
    assert stand(verification) == expected
    assert quotas.calls_today("default") == (0 if isinstance(late, Refused) else 1)
    assert ("answered_late" in actions(verification)) == (late is not LOST)


def test_a_case_that_is_canceled_is_not_asked_about(in_doubt: Verification) -> None:
    in_doubt.refresh_from_db()
    intake.cancel(in_doubt, user=None)
    assert not inquiry.ask(in_doubt.pk)
    assert sweeper.sweep() == 0


@pytest.mark.parametrize("gone", ["provider", "capability"])
def test_a_provider_that_cannot_be_asked_any_more_leaves_it_to_a_human(
    in_doubt: Verification, gone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if gone == "provider":
        in_doubt.attempts.update(provider="gone")
    monkeypatch.setattr(ScriptedProvider, "can_be_asked", gone == "provider")
    assert inquiry.ask(in_doubt.pk)
    assert stand(in_doubt) == ("in_review", None, "outcome_unknown")
    assert ScriptedProvider.questions == []


def test_another_policy_keeps_what_the_old_one_began(in_doubt: Verification, settings: Any) -> None:
    settings.FACEVERIFY = {**settings.FACEVERIFY, "UNKNOWN_POLICY": "review"}
    ScriptedProvider.knows(similarity(95))
    sweeper.drain()
    assert stand(in_doubt) == ("verified", None, "")


def test_questions_and_calls_take_turns(in_doubt: Verification) -> None:
    waiting = submitted(None)
    ScriptedProvider.script(similarity(95))
    ScriptedProvider.knows(similarity(72))
    assert sweeper.drain() == 2
    assert stand(in_doubt)[0] == "in_review"
    assert stand(waiting)[0] == "verified"
