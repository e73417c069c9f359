"""The ledger of calls: each step once, and never back."""

from __future__ import annotations

import pytest

from django_faceverify import ledger
from django_faceverify.exceptions import NotSent, OutcomeUnknown, Throttled
from django_faceverify.models import Verification, VerificationAttempt
from tests.scripted import similarity

pytestmark = pytest.mark.django_db


@pytest.fixture
def attempt(verification: Verification) -> VerificationAttempt:
    return ledger.write_intent(verification, verification.photos.get(), "default")


def test_an_attempt_is_sent_once(attempt: VerificationAttempt) -> None:
    assert ledger.mark_sending(attempt)
    assert not ledger.mark_sending(attempt)


def test_the_first_word_stands(attempt: VerificationAttempt) -> None:
    ledger.mark_sending(attempt)
    assert ledger.finish(attempt, similarity(95))
    assert not ledger.finish(attempt, similarity(12))
    ledger.keep_as_evidence(attempt, similarity(12))
    attempt.refresh_from_db()
    assert (attempt.state, attempt.similarity, attempt.is_billed) == ("answered", 95, "yes")
    assert attempt.duration_ms is not None


def test_what_was_given_up_cannot_be_sent(attempt: VerificationAttempt) -> None:
    assert ledger.give_up(attempt, "intent", NotSent("provider_unavailable"))
    assert not ledger.mark_sending(attempt)
    assert not ledger.give_up(attempt, "sending", OutcomeUnknown("outcome_unknown"))


def test_a_late_answer_is_kept(attempt: VerificationAttempt) -> None:
    ledger.mark_sending(attempt)
    ledger.give_up(attempt, "sending", OutcomeUnknown("outcome_unknown"))
    ledger.keep_as_evidence(attempt, similarity(95))
    attempt.refresh_from_db()
    assert (attempt.state, attempt.similarity) == ("answered", 95)


def test_only_what_may_cost_money_counts(attempt: VerificationAttempt) -> None:
    photo = attempt.photo
    assert ledger.possibly_billed(photo) == 1
    ledger.finish(attempt, Throttled("provider_throttled"))
    assert ledger.possibly_billed(photo) == 0
    attempt.verification.fence += 1
    second = ledger.write_intent(attempt.verification, photo, "default")
    assert second.number == attempt.number + 1
    ledger.mark_sending(second)
    ledger.finish(second, OutcomeUnknown("outcome_unknown"))
    assert ledger.possibly_billed(photo) == 1
