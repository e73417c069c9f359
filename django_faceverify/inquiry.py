"""What became of a call whose answer never came: a provider that can be asked, is asked.

A question costs nothing and changes nothing, so that one too many does no harm. Like a call,
it is made outside any transaction, by whoever won the row for one lease.
"""

from __future__ import annotations

from uuid import UUID

from django.db.models import F
from django.utils import timezone

from django_faceverify import journal, outcome
from django_faceverify.audit import policy
from django_faceverify.conf import app_settings
from django_faceverify.exceptions import InvalidProvider, NotSent
from django_faceverify.models import Verification, VerificationAttempt
from django_faceverify.models.clock import db_now
from django_faceverify.models.transactions import committed, hand_back_connection
from django_faceverify.providers import providers
from django_faceverify.providers.base import Comparison, NeverSeen, Provider
from django_faceverify.reasons import ReasonCode

Stage = Verification.Stage
State = VerificationAttempt.State

#: what the provider's records say: an answer, nothing was done, or nothing yet
Finding = Comparison | NotSent | None


def ask(verification_id: UUID | str) -> bool:
    """Ask the provider about the verification's last call, and act on what it knows.

    Returns whether there was anything to do. Safe to call at any time, any number of times.
    """
    policy.note()
    attempt = committed(lambda: _win(verification_id), durable=True, survives_reconnect=True)
    if attempt is None:
        return False
    provider = _askable(attempt.provider)
    if provider is None:
        committed(lambda: _cannot_be_asked(attempt.verification), survives_reconnect=True)
        return True
    finding = _find(attempt, provider)
    journal.tell(
        "provider_asked",
        verification=attempt.verification_id,
        session_id=attempt.session_id,
        provider=attempt.provider,
        state=_state(finding),
    )
    committed(lambda: _settle(attempt, finding), survives_reconnect=True)
    return True


def _win(verification_id: UUID | str) -> VerificationAttempt | None:
    """Win the right to ask; the row is due again only when the lease is over."""
    won = (
        Verification.objects.in_doubt()
        .filter(pk=verification_id)
        .update(next_run_at=db_now(app_settings.LEASE), unrecorded_count=F("unrecorded_count") + 1)
    )
    if not won:
        return None
    verification = Verification.objects.get(pk=verification_id)
    if verification.unrecorded_count > outcome.MAX_UNRECORDED:
        outcome.refer(verification, ReasonCode.WORKER_LOST)
        return None
    verification.unrecorded_count -= 1  # to be written when this asker has come back
    calls = VerificationAttempt.objects.of_the_case().filter(verification=verification)
    attempt = calls.select_related("photo").get(number=verification.fence)
    attempt.verification = verification
    return attempt


def _askable(alias: str) -> Provider | None:
    """The provider of that alias, if it is still there and can be asked."""
    try:
        provider = providers[alias]
    except InvalidProvider:
        return None
    return provider if provider.can_be_asked else None


def _cannot_be_asked(verification: Verification) -> None:
    """The settings have changed since: a human takes over."""
    outcome.refer(verification, ReasonCode.OUTCOME_UNKNOWN, stage=Stage.UNKNOWN)


def _find(attempt: VerificationAttempt, provider: Provider) -> Finding:
    """What the provider knows; its errors, and a "never seen" too early, are "not yet"."""
    hand_back_connection()
    try:
        finding = provider.find(attempt.session_id)
    except Exception as error:  # noqa: BLE001 (whatever it is, nothing is known yet)
        journal.tell(
            "question_failed", session_id=attempt.session_id, provider=attempt.provider, error=error
        )
        return None
    if not isinstance(finding, NeverSeen):
        return finding
    age = timezone.now() - (attempt.finished_at or timezone.now())
    if age.total_seconds() < provider.visibility_delay:
        return None
    return NotSent(ReasonCode.PROVIDER_UNAVAILABLE)


def _state(finding: Finding) -> str:
    """What the attempt becomes."""
    if finding is None:
        return State.UNKNOWN
    return finding.attempt_state if isinstance(finding, NotSent) else State.ANSWERED


def _settle(attempt: VerificationAttempt, finding: Finding) -> None:
    """Let what was found act on the case; a late answer may have been faster."""
    if finding is None:
        outcome.ask_later(attempt.verification)
        return
    level = app_settings.level(attempt.verification.level)
    outcome.resolve(attempt, level, finding, event="asked")
