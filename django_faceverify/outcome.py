"""What an answer, or the lack of one, does to its verification.

All of it is guarded by the fence: who no longer owns the work changes nothing.
"""

from __future__ import annotations

import random
from typing import Any

from django.db.models import F
from django.utils import timezone

from django_faceverify import ledger, lifecycle, quotas
from django_faceverify.conf import Level, app_settings
from django_faceverify.decision import (
    Decision,
    Thresholds,
    Tries,
    decide_finding,
    decide_similarity,
)
from django_faceverify.exceptions import OutcomeUnknown, ProviderError
from django_faceverify.models import Verification, VerificationAttempt
from django_faceverify.models.clock import db_now
from django_faceverify.reasons import ReasonCode

#: a verification whose worker vanished this often without a record goes to a reviewer
MAX_UNRECORDED = 8
#: longest wait between two tries of a call that provably cost nothing, in seconds
LONGEST_WAIT = 300.0

Stage = Verification.Stage


def decide(
    attempt: VerificationAttempt, level: Level, similarity: float | None, reason_code: str
) -> None:
    """Judge what was found by the level's rules and freeze them on the verification."""
    verification = attempt.verification
    thresholds = Thresholds(level.verify_at, level.review_at)
    tries = Tries(
        photos_left=level.max_photos - verification.try_count,
        submissions_left=level.max_submissions - verification.photo_count,
        counts_photo_problems=level.counts_photo_problems,
    )
    if similarity is not None:
        decision = decide_similarity(similarity, thresholds, tries)
    else:
        decision = decide_finding(reason_code, tries)
    lifecycle.move(
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
            "thresholds": [thresholds.verify_at, thresholds.review_at],
        },
        similarity=similarity,
        verify_at=thresholds.verify_at,
        review_at=thresholds.review_at,
        provider=attempt.provider,
        retry_count=0,
        unrecorded_count=0,
        **_consequences(decision),
    )


def _consequences(decision: Decision) -> dict[str, Any]:
    """The columns that change with a decision besides status and reason."""
    changes: dict[str, Any] = {}
    if decision.counts:
        changes["try_count"] = F("try_count") + 1
    if decision.action in ("verify", "reject"):
        changes["decided_at"] = timezone.now()
        changes["decision_source"] = Verification.Source.THRESHOLD
    if decision.action == "ask_again":
        changes["expires_at"] = db_now(app_settings.EXPIRES_AFTER)
    return changes


def carry_on(attempt: VerificationAttempt, error: ProviderError) -> None:
    """After a call that said nothing about the person: wait and try again, or a human."""
    verification = attempt.verification
    is_spent = isinstance(error, OutcomeUnknown) and not (
        ledger.possibly_billed(attempt.photo) < app_settings.max_possibly_billed_calls
        and quotas.may_retry_unknown(attempt.provider)
    )
    if is_spent or error.code == ReasonCode.PHOTO_LOST:
        refer(verification, error.code)
    elif verification.unrecorded_count >= MAX_UNRECORDED:
        refer(verification, ReasonCode.WORKER_LOST)
    else:
        _wait(verification, error)


def _wait(verification: Verification, error: ProviderError) -> None:
    """Back to the queue, later: as the provider asked, or by a growing random wait."""
    wait = error.retry_after
    if wait is None:
        wait = random.uniform(0.5, min(LONGEST_WAIT, 2.0 ** min(verification.retry_count + 1, 10)))  # noqa: S311 (jitter, not a secret)
    Verification.objects.filter(
        pk=verification.pk, fence=verification.fence, stage=Stage.CALLING
    ).update(
        stage=Stage.WAITING,
        lease_until=None,
        next_run_at=db_now(wait),
        reason_code=error.code,
        retry_count=F("retry_count") + 1,
        unrecorded_count=verification.unrecorded_count,
        updated_at=timezone.now(),
    )


def refer(verification: Verification, reason_code: str) -> None:
    """Hand the case to a reviewer, if the caller still owns it."""
    lifecycle.move(
        verification,
        "refer",
        actor=lifecycle.SYSTEM,
        guard={"fence": verification.fence},
        reason_code=reason_code,
        unrecorded_count=verification.unrecorded_count,
    )
