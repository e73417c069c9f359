"""The ledger of calls: what was about to be paid, what was, and what nobody knows.

Every step is a compare-and-swap on an attempt's state, so that of two writers one wins and
the other learns it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from django_faceverify.exceptions import ProviderError
from django_faceverify.models import Photo, Verification, VerificationAttempt, statements
from django_faceverify.models.clock import db_now
from django_faceverify.providers.base import Comparison

State = VerificationAttempt.State

#: what the column holds; an attempt may be given up weeks later
MAX_DURATION_MS = 2**31 - 1


def write_intent(verification: Verification, photo: Photo, provider: str) -> VerificationAttempt:
    """Write an attempt ahead of its call; provably nothing was sent while it stands so."""
    attempt = VerificationAttempt(
        verification=verification,
        photo=photo,
        number=verification.fence,
        provider=provider,
        started_at=timezone.now(),
    )
    statements.insert(attempt)
    return attempt


def mark_sending(attempt: VerificationAttempt, seconds: float) -> bool:
    """The second step, directly before the first byte; from here on it may cost money.

    Only while the claim still holds by the database's clock, and long enough for a call
    of so many seconds: not when the worker was paused, nor when the case was canceled or
    the consent has gone.
    """
    return bool(
        statements.update(
            _held_for(seconds), {"pk": attempt.pk, "state": State.INTENT}, state=State.SENDING
        )
    )


@functools.lru_cache(maxsize=16)
def _held_for(seconds: float) -> Callable[[], QuerySet[VerificationAttempt]]:
    """Attempts whose worker owns the row for so many seconds more, with a consent."""

    def rows() -> QuerySet[VerificationAttempt]:
        calling = Verification.objects.processing(Verification.Stage.CALLING).consented()
        held = calling.filter(
            pk=OuterRef("verification_id"),
            fence=OuterRef("number"),
            lease_until__gt=db_now(seconds),
        )
        return VerificationAttempt.objects.filter(Exists(held))

    return rows


def finish(attempt: VerificationAttempt, answer: Comparison | ProviderError) -> bool:
    """Write down how a call that is under way ended; says whether this was the first word."""
    return _swap(attempt, (State.INTENT, State.SENDING), **_facts(attempt, answer))


def keep_as_evidence(attempt: VerificationAttempt, answer: Comparison | ProviderError) -> bool:
    """An answer that came after its attempt was given up as unknown still says something."""
    return _swap(attempt, (State.UNKNOWN,), **_facts(attempt, answer))


def give_up(attempt: VerificationAttempt, state: str, error: ProviderError) -> bool:
    """Judge an attempt whose worker is gone, if it still stands where it was left."""
    return _swap(attempt, (state,), **_facts(attempt, error))


def abandoned(seconds: float) -> QuerySet[VerificationAttempt]:
    """Attempts under way for so long that nobody can be behind them any more."""
    return VerificationAttempt.objects.filter(
        finished_at__isnull=True, started_at__lt=db_now(-seconds)
    ).order_by("started_at")


def possibly_billed(photo: Photo) -> int:
    """How many calls for this photo cost money or may have; counted under the row's lock."""
    return photo.attempts.filter(state__in=VerificationAttempt.POSSIBLY_BILLED).count()


def _facts(attempt: VerificationAttempt, answer: Comparison | ProviderError) -> dict[str, Any]:
    finished_at = timezone.now()
    milliseconds = int((finished_at - attempt.started_at).total_seconds() * 1000)
    facts: dict[str, Any] = {
        "provider_code": answer.provider_code,
        "provider_message": answer.provider_message,
        "http_status": answer.http_status or None,
        "is_billed": answer.is_billed,
        "finished_at": finished_at,
        "duration_ms": min(max(0, milliseconds), MAX_DURATION_MS),
    }
    if isinstance(answer, ProviderError):
        return facts | {"state": answer.attempt_state, "reason_code": answer.code}
    return facts | {
        "state": State.ANSWERED,
        "similarity": answer.similarity,
        "reason_code": answer.reason_code,
        "provider_session_id": answer.provider_session_id,
    }


def _swap(attempt: VerificationAttempt, states: tuple[str, ...], **facts: Any) -> bool:
    where = {"pk": attempt.pk, "state__in": states}
    return bool(statements.update(VerificationAttempt.objects.all, where, **facts))
