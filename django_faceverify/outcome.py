"""What an answer, or the lack of one, does to its verification.

All of it is guarded by the fence: who no longer owns the work changes nothing.
"""

from __future__ import annotations

import random
from typing import Any

from django.db.models import F
from django.utils import timezone

from django_faceverify import ledger, lifecycle, quotas, sampling, thresholds
from django_faceverify.conf import Level, app_settings
from django_faceverify.decision import (
    Decision,
    Thresholds,
    Tries,
    decide_finding,
    decide_similarity,
    verdict_of,
)
from django_faceverify.exceptions import OutcomeUnknown, ProviderError
from django_faceverify.models import Event, Verification, VerificationAttempt
from django_faceverify.models.clock import db_now
from django_faceverify.providers.base import Comparison
from django_faceverify.providers.far import spelled
from django_faceverify.reasons import ReasonCode

#: a verification whose worker vanished this often without a record goes to a reviewer
MAX_UNRECORDED = 8
#: longest wait between two tries of a call that provably cost nothing, in seconds
LONGEST_WAIT = 300.0
#: shortest wait before anything is tried again, in seconds
SHORTEST_WAIT = 1.0

Stage = Verification.Stage


def decide(
    attempt: VerificationAttempt, level: Level, similarity: float | None, reason_code: str
) -> None:
    """Judge what was found by the level's rules and freeze them on the verification.

    The lines are those of the provider that answered, wherever the level points by now. A
    finding is the provider's verdict and comes before the thresholds.
    """
    verification = attempt.verification
    lines = thresholds.of(level, attempt.provider)
    tries = Tries(
        photos_left=level.max_photos - verification.try_count,
        submissions_left=level.max_submissions - verification.photo_count,
        counts_photo_problems=level.counts_photo_problems,
    )
    if reason_code or similarity is None:
        decision = decide_finding(reason_code, tries)
        source = Verification.Source.PROVIDER
    else:
        decision = decide_similarity(similarity, lines, tries)
        source = Verification.Source.THRESHOLD
    rates = _rates(lines)
    won = lifecycle.move(
        verification,
        decision.action,
        actor=lifecycle.SYSTEM,
        sources=(Verification.Status.PROCESSING,),
        guard={"fence": verification.fence},
        reason_code=decision.reason_code,
        data={
            "attempt": attempt.number,
            "provider": attempt.provider,
            "similarity": similarity,
            "thresholds": [lines.verify_at, lines.review_at],
            **{name: rate for name, rate in rates.items() if rate},
        },
        similarity=similarity,
        verify_at=lines.verify_at,
        review_at=lines.review_at,
        **rates,
        provider=attempt.provider,
        retry_count=0,
        unrecorded_count=0,
        **_consequences(decision, source),
    )
    if won:
        sampling.plan(attempt, level, verdict_of(similarity, reason_code, lines))


def _rates(lines: Thresholds) -> dict[str, str]:
    """The columns that say where the numbers came from; empty when the site gave them."""
    return {
        "target_far": spelled(lines.target_far) if lines.target_far else "",
        "review_far": spelled(lines.review_far) if lines.review_far else "",
        "far_table": lines.far_table,
    }


def _consequences(decision: Decision, source: Verification.Source) -> dict[str, Any]:
    """The columns that change with a decision besides status and reason."""
    changes: dict[str, Any] = {}
    if decision.counts:
        changes["try_count"] = F("try_count") + 1
    if decision.action in ("verify", "reject"):
        changes["decided_at"] = timezone.now()
        changes["decision_source"] = source
    if decision.action == "ask_again":
        changes["expires_at"] = db_now(app_settings.EXPIRES_AFTER)
    return changes


def carry_on(attempt: VerificationAttempt, error: ProviderError) -> None:
    """After a call that said nothing about the person: wait and try again, or a human."""
    verification = attempt.verification
    is_unknown = isinstance(error, OutcomeUnknown)
    will_ask = is_unknown and app_settings.UNKNOWN_POLICY == "reconcile"
    if (
        is_unknown and not will_ask and not _may_call_again(attempt)
    ) or error.code == ReasonCode.PHOTO_LOST:
        refer(verification, error.code)
    elif verification.unrecorded_count >= MAX_UNRECORDED:
        refer(verification, ReasonCode.WORKER_LOST)
    elif will_ask:
        # A lease is longer than any call: nobody can still be sending when it is over.
        _wait(verification, error, Stage.UNKNOWN, app_settings.LEASE)
    else:
        seconds = error.retry_after or growing_wait(verification.retry_count)
        _wait(verification, error, Stage.WAITING, seconds)


def _may_call_again(attempt: VerificationAttempt) -> bool:
    """Whether one more call may be paid for, though this one perhaps was."""
    is_allowed = ledger.possibly_billed(attempt.photo) < app_settings.max_possibly_billed_calls
    return is_allowed and quotas.may_retry_unknown(attempt.provider)


def resolve(
    attempt: VerificationAttempt, level: Level, answer: Comparison | ProviderError, *, event: str
) -> None:
    """An attempt given up as unknown is known after all: late, or because the provider was asked.

    It decides if the case has only waited since, and is kept as evidence in any case.
    """
    if not ledger.keep_as_evidence(attempt, answer) or isinstance(answer, OutcomeUnknown):
        return
    quotas.give_back(attempt, answer.is_billed)
    Event.objects.append(
        attempt.verification,
        event,
        actor=lifecycle.SYSTEM,
        data={"attempt": attempt.number, "session_id": attempt.session_id},
    )
    if isinstance(answer, Comparison):
        decide(attempt, level, answer.similarity, answer.reason_code)
    else:
        carry_on(attempt, answer)


def ask_later(verification: Verification) -> None:
    """The provider does not know yet: ask again, later and later, until the deadline."""
    rows = Verification.objects.processing(Stage.UNKNOWN).filter(
        pk=verification.pk, fence=verification.fence, deadline_at__gt=db_now()
    )
    if not rows.update(
        next_run_at=db_now(growing_wait(verification.retry_count)),
        retry_count=F("retry_count") + 1,
        unrecorded_count=verification.unrecorded_count,
        updated_at=timezone.now(),
    ):
        refer(verification, ReasonCode.OUTCOME_UNKNOWN, stage=Stage.UNKNOWN)


def growing_wait(retry_count: int) -> float:
    """A random wait in seconds, up to a bound that doubles with each."""
    bound = min(LONGEST_WAIT, 2.0 ** min(retry_count + 1, 10))
    return random.uniform(SHORTEST_WAIT, bound)  # noqa: S311 (jitter, not a secret)


def _wait(verification: Verification, error: ProviderError, stage: str, seconds: float) -> None:
    """Back to the queue, or to those that the provider is asked about, for some seconds."""
    Verification.objects.filter(
        pk=verification.pk, fence=verification.fence, stage__in=(Stage.CALLING, Stage.UNKNOWN)
    ).update(
        stage=stage,
        lease_until=None,
        next_run_at=db_now(seconds),
        reason_code=error.code,
        retry_count=F("retry_count") + 1,
        unrecorded_count=verification.unrecorded_count,
        updated_at=timezone.now(),
    )


def ask_again(verification: Verification, reason_code: str) -> None:
    """Give the case back to the person without a call, if the caller still owns it."""
    lifecycle.move(
        verification,
        "ask_again",
        actor=lifecycle.SYSTEM,
        sources=(Verification.Status.PROCESSING,),
        guard={"fence": verification.fence},
        reason_code=reason_code,
        expires_at=db_now(app_settings.EXPIRES_AFTER),
        unrecorded_count=0,
    )


def refer(verification: Verification, reason_code: str, **guard: Any) -> None:
    """Hand the case to a reviewer, if the caller still owns it."""
    lifecycle.move(
        verification,
        "refer",
        actor=lifecycle.SYSTEM,
        guard={"fence": verification.fence, **guard},
        reason_code=reason_code,
        unrecorded_count=verification.unrecorded_count,
    )
