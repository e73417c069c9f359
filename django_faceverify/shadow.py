"""What a worker does for one shadow: a second provider is asked about a photo, and decides nothing.

The call is made with the engine's own means: won by a conditional UPDATE for one lease, written
ahead in two steps, within the second provider's money, pace and limits. What differs: a call
that may have been paid for is never made again, and nobody waits for its answer.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import F

from django_faceverify import consent, health, ledger, lifecycle, outcome, quotas, thresholds
from django_faceverify import verification as engine
from django_faceverify.audit import policy
from django_faceverify.conf import app_settings
from django_faceverify.decision import verdict_of
from django_faceverify.exceptions import OutcomeUnknown, ProviderError, QuotaExceeded
from django_faceverify.models import Event, ShadowRun
from django_faceverify.models.clock import db_now
from django_faceverify.models.transactions import committed
from django_faceverify.providers.base import Comparison
from django_faceverify.reasons import REASONS, Category, ReasonCode

State = ShadowRun.State

#: calls that provably cost nothing and brought no answer; after so many, the sample is dropped
MAX_TRIES = 5


@dataclass
class ShadowClaim(engine.Claim):
    """A worker's right to make the one call of a shadow."""

    shadow: ShadowRun = field(kw_only=True)


def run(shadow_id: UUID) -> bool:
    """Claim the run, call the second provider, record what it says.

    Returns whether there was anything to do. Safe to call at any time, any number of times.
    """
    policy.note()
    claim = claim_call(shadow_id)
    if claim is None:
        return False
    answer = engine.call(claim)
    if answer is not None:
        record(claim, answer)
    return True


def claim_call(shadow_id: UUID) -> ShadowClaim | None:
    """Win the run for one lease and write its attempt ahead of the call; ``None`` if nothing is due."""
    try:
        return committed(lambda: _win(shadow_id), durable=True, survives_reconnect=True)
    except QuotaExceeded as limit:
        ShadowRun.objects.due().filter(pk=shadow_id).update(
            due_at=db_now(limit.retry_after), reason_code=limit.code
        )
        return None


def record(claim: ShadowClaim, answer: Comparison | ProviderError) -> None:
    """Write the answer down, once; the case does not hear of it."""
    committed(lambda: _record(claim, answer), durable=True, survives_reconnect=True)


def give_up(shadow: ShadowRun) -> None:
    """Take a run back from a worker that did not return within its lease."""
    committed(lambda: _give_up(shadow), survives_reconnect=True)


def drop(shadow: ShadowRun) -> None:
    """End a run for which no call may be made any more, and say why."""
    rows = ShadowRun.objects.void().filter(pk=shadow.pk)
    rows.update(state=State.DROPPED, reason_code=_why_void(shadow))


def _win(shadow_id: UUID) -> ShadowClaim | None:
    won = (
        ShadowRun.objects.due()
        .filter(pk=shadow_id)
        .update(state=State.CALLING, fence=F("fence") + 1, due_at=db_now(app_settings.LEASE))
    )
    if not won:
        return None
    shadow = ShadowRun.objects.select_related("verification", "photo", "attempt").get(pk=shadow_id)
    if not _is_wanted(shadow) or _is_corrected(shadow):
        _end(shadow, State.DROPPED, reason_code="")
        return None
    if consent.lacks_guardian(shadow.verification, shadow.provider):
        _end(shadow, State.DROPPED, reason_code=ReasonCode.UNDER_AGE)
        return None
    verification, photo = shadow.verification, shadow.photo
    photo.verification = verification
    is_probe = health.admit(shadow.provider)
    attempt = ledger.write_intent(verification, photo, shadow.provider, shadow)
    Event.objects.append(
        verification,
        "shadow_called",
        actor=lifecycle.SYSTEM,
        data={"session_id": attempt.session_id, "provider": attempt.provider},
    )
    quotas.admit_call(verification, shadow.provider)
    level = app_settings.level(shadow.level)
    return ShadowClaim(verification, photo, attempt, level, is_probe, shadow=shadow)


def _is_wanted(shadow: ShadowRun) -> bool:
    """Whether the settings still say so: switched off is switched off, for the planned as well."""
    if shadow.level not in app_settings.LEVELS:
        return False
    now = app_settings.level(shadow.level).shadow
    return now is not None and now.provider == shadow.provider and now.share > 0


def _is_corrected(shadow: ShadowRun) -> bool:
    """Whether the first provider was asked about another name or number than the case has now."""
    later = shadow.verification.events.filter(action="submitted", at__gt=shadow.attempt.started_at)
    return later.filter(data__corrected=True).exists()


def _record(claim: ShadowClaim, answer: Comparison | ProviderError) -> None:
    if not engine.book(claim, answer):
        # Given up in the meantime, as unknown: the answer is kept, and says what it cost.
        if not ledger.keep_as_evidence(claim.attempt, answer):
            return
        quotas.give_back(claim.attempt, answer.is_billed)
    if isinstance(answer, Comparison):
        _compare(claim, answer)
    else:
        _carry_on(claim.shadow, answer)


def _compare(claim: ShadowClaim, answer: Comparison) -> None:
    lines = thresholds.of(claim.level, claim.attempt.provider)
    _end(
        claim.shadow,
        State.COMPARED,
        reason_code=answer.reason_code,
        shadow_attempt=claim.attempt,
        verdict=verdict_of(answer.similarity, answer.reason_code, lines),
        verify_at=lines.verify_at,
        review_at=lines.review_at,
    )


def _carry_on(shadow: ShadowRun, error: ProviderError) -> None:
    """After a call without an answer: once more if it provably cost nothing, else never."""
    if isinstance(error, OutcomeUnknown):
        _end(shadow, State.UNKNOWN, reason_code=error.code)
        return
    is_hopeless = REASONS[error.code].category is Category.PHOTO
    if is_hopeless or shadow.retry_count + 1 >= MAX_TRIES:
        _end(shadow, State.DROPPED, reason_code=error.code)
        return
    seconds = error.retry_after or outcome.growing_wait(shadow.retry_count)
    _owned(shadow).update(
        state=State.WAITING,
        due_at=db_now(seconds),
        retry_count=F("retry_count") + 1,
        reason_code=error.code,
    )


def _give_up(shadow: ShadowRun) -> None:
    attempts = shadow.verification.attempts.of_a_shadow()
    attempt = attempts.filter(number=shadow.fence).first()
    error = engine.judge_abandoned(attempt) if attempt else None
    # Without an error somebody else has judged the attempt: nothing will be sent for it again.
    _carry_on(shadow, error or OutcomeUnknown(ReasonCode.OUTCOME_UNKNOWN))


def _end(shadow: ShadowRun, state: str, **facts: Any) -> None:
    _owned(shadow).update(state=state, **facts)


def _owned(shadow: ShadowRun) -> Any:
    """The row, as long as nobody has claimed it since."""
    return ShadowRun.objects.filter(pk=shadow.pk, fence=shadow.fence).exclude(
        state__in=(State.COMPARED, State.DROPPED)
    )


def _why_void(shadow: ShadowRun) -> str:
    if shadow.photo.purged_at or shadow.verification.redacted_at:
        return ReasonCode.PHOTO_LOST
    if ShadowRun.objects.permitted().filter(pk=shadow.pk).exists():
        return ReasonCode.DEADLINE_PASSED
    return ReasonCode.CONSENT_REQUIRED
