"""The ledger of calls: each step once, and never back."""

from __future__ import annotations

import pytest
from django.db import connection

from django_faceverify import ledger
from django_faceverify import verification as engine
from django_faceverify.exceptions import NotSent, OutcomeUnknown, Throttled
from django_faceverify.models import Verification, VerificationAttempt
from tests.scripted import similarity

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def attempt(verification: Verification) -> VerificationAttempt:
    claim = engine.claim_call(verification.pk)
    assert claim is not None
    return claim.attempt


def test_an_attempt_is_sent_once(attempt: VerificationAttempt) -> None:
    assert ledger.mark_sending(attempt, 25.0)
    assert not ledger.mark_sending(attempt, 25.0)


def test_an_attempt_is_not_sent_when_the_lease_is_nearly_over(
    attempt: VerificationAttempt,
) -> None:
    assert not ledger.mark_sending(attempt, 61.0)
    assert ledger.mark_sending(attempt, 25.0)


def test_the_first_word_stands(attempt: VerificationAttempt) -> None:
    ledger.mark_sending(attempt, 25.0)
    assert ledger.finish(attempt, similarity(95))
    assert not ledger.finish(attempt, similarity(12))
    ledger.keep_as_evidence(attempt, similarity(12))
    attempt.refresh_from_db()
    assert (attempt.state, attempt.similarity, attempt.is_billed) == ("answered", 95, "yes")
    assert attempt.duration_ms is not None


def test_what_was_given_up_cannot_be_sent(attempt: VerificationAttempt) -> None:
    assert ledger.give_up(attempt, "intent", NotSent("provider_unavailable"))
    assert not ledger.mark_sending(attempt, 25.0)
    assert not ledger.give_up(attempt, "sending", OutcomeUnknown("outcome_unknown"))


def test_a_late_answer_is_kept(attempt: VerificationAttempt) -> None:
    ledger.mark_sending(attempt, 25.0)
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
    ledger.finish(second, OutcomeUnknown("outcome_unknown"))
    assert ledger.possibly_billed(photo) == 1


def test_what_is_under_way_is_found_through_an_index(attempt: VerificationAttempt) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("plans of small tables read them whole elsewhere")
    ledger.mark_sending(attempt, 25.0)
    assert list(ledger.abandoned(-1)) == [attempt]
    plan = ledger.abandoned(60).explain()
    assert "faceverify_attempt_state (state=? AND started_at<?)" in plan, plan
