"""What a worker does for one verification. Read ``run`` first.

The row is the queue and a message is only a wake-up: losing, doubling, delaying or
reordering messages can neither lose a verification nor pay for one twice. An attempt is
committed before its call in two steps, ``intent`` with the claim and ``sending`` directly
before the first byte leaves, so that a crash in between is known not to have cost anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS
from django.db.models import F, QuerySet
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from django_faceverify import (
    consent,
    health,
    journal,
    ledger,
    lifecycle,
    outcome,
    quotas,
    thresholds,
)
from django_faceverify.audit import policy
from django_faceverify.conf import Level, app_settings
from django_faceverify.exceptions import (
    NotSent,
    OutcomeUnknown,
    ProviderError,
    QuotaExceeded,
    SealBroken,
    TargetOutOfReach,
)
from django_faceverify.models import Event, Photo, Verification, VerificationAttempt, statements
from django_faceverify.models.clock import db_now
from django_faceverify.models.event import Link
from django_faceverify.models.transactions import committed, hand_back_connection
from django_faceverify.providers import providers
from django_faceverify.providers.base import Comparison, ComparisonRequest
from django_faceverify.reasons import REASONS, Category, ReasonCode

#: seconds before the lease ends within which no request is begun any more
LEASE_MARGIN = 5.0

State = VerificationAttempt.State
Stage = Verification.Stage

# Made once: a compiled statement is found by its expressions.
ONE_MORE_CLAIM, ONE_MORE_UNRECORDED = F("fence") + 1, F("unrecorded_count") + 1

PHOTO_COLUMNS = [column.attname for column in Photo._meta.concrete_fields]
VERIFICATION_COLUMNS = [column.attname for column in Verification._meta.concrete_fields]


class Overtaken(Exception):
    """This worker may not send: its attempt was taken over, or its lease is nearly over."""


@dataclass
class Claim:
    """A worker's right to make one call: the row, its photo, and the attempt it wrote."""

    verification: Verification
    photo: Photo
    attempt: VerificationAttempt
    level: Level
    is_probe: bool
    is_sent: bool = False

    def mark_sending(self) -> None:
        """The second write-ahead step; after it, the call may have cost money."""
        seconds = providers[self.attempt.provider].timeout + LEASE_MARGIN
        if not ledger.mark_sending(self.attempt, seconds):
            raise Overtaken
        self.is_sent = True
        hand_back_connection()


def run(verification_id: UUID | str) -> bool:
    """Claim the verification, call the provider, record the answer, decide, announce.

    Returns whether there was anything to do. Safe to call at any time, any number of times
    and from any number of workers: only one of them makes the call.
    """
    policy.note()
    claim = claim_call(verification_id)
    if claim is None:
        return False
    answer = call(claim)
    if answer is not None:
        record(claim, answer)
    return True


def claim_call(verification_id: UUID | str) -> Claim | None:
    """Win the row for one lease and write the attempt ahead of its call.

    ``None`` when there is nothing to do: not due, somebody else's, or decided.
    """
    try:
        return committed(lambda: _win(verification_id), durable=True, survives_reconnect=True)
    except QuotaExceeded as limit:
        _park(verification_id, limit)
        return None


def _win(verification_id: UUID | str) -> Claim | None:
    won = statements.update(
        Verification.objects.due,
        {"pk": verification_id, "unrecorded_count__lt": outcome.MAX_UNRECORDED},
        stage=Stage.CALLING,
        fence=ONE_MORE_CLAIM,
        unrecorded_count=ONE_MORE_UNRECORDED,
        lease_until=db_now(app_settings.LEASE),
        next_run_at=None,
    )
    if not won:
        return None
    verification, photo, last = _work_of(verification_id)
    if consent.lacks_guardian(verification):
        outcome.ask_again(verification, ReasonCode.UNDER_AGE)
        return None
    if not _may_cost_money_again(verification, photo):
        outcome.refer(verification, ReasonCode.OUTCOME_UNKNOWN)
        return None
    level = app_settings.level(verification.level)
    is_probe = health.admit(level.provider)
    attempt = ledger.write_intent(verification, photo, level.provider)
    Event.objects.append_locked(
        verification,
        "called",
        actor=lifecycle.SYSTEM,
        data={
            "attempt": attempt.number,
            "session_id": attempt.session_id,
            "provider": attempt.provider,
        },
        last=last,
    )
    quotas.admit_call(verification, level.provider)
    return Claim(verification, photo, attempt, level, is_probe)


def _newest_photos() -> QuerySet[Photo, tuple[Any, ...]]:
    return Photo.objects.order_by("-number", "-verification__events__number").values_list(
        *PHOTO_COLUMNS,
        *(f"verification__{column}" for column in VERIFICATION_COLUMNS),
        "verification__events__number",
        "verification__events__mac",
    )


def _work_of(verification_id: UUID | str) -> tuple[Verification, Photo, Link]:
    """The case that was just won, its newest photo, and the end of its history: in one look."""
    row = statements.select_first(_newest_photos, {"verification_id": verification_id})
    assert row is not None  # noqa: S101 (nothing is processing without a photo)
    of_photo, of_verification, link = (
        row[: len(PHOTO_COLUMNS)],
        row[len(PHOTO_COLUMNS) : -2],
        row[-2:],
    )
    photo = Photo.from_db(DEFAULT_DB_ALIAS, PHOTO_COLUMNS, of_photo)
    photo.verification = Verification.from_db(
        DEFAULT_DB_ALIAS, VERIFICATION_COLUMNS, of_verification
    )
    return photo.verification, photo, Link(*link)


def _may_cost_money_again(verification: Verification, photo: Photo) -> bool:
    """Whether the policy allows one more call for this photo; the first claim has no past."""
    if verification.fence == 1:
        return True
    return ledger.possibly_billed(photo) < app_settings.max_possibly_billed_calls


def _park(verification_id: UUID | str, limit: QuotaExceeded) -> None:
    """Leave it on the queue until the limit lets it through, and say why it waits."""
    Verification.objects.due().filter(pk=verification_id).update(
        next_run_at=db_now(limit.retry_after), reason_code=limit.code, updated_at=timezone.now()
    )


@sensitive_variables("request")
def call(claim: Claim) -> Comparison | ProviderError | None:
    """Make the one call; its errors are answers too. ``None`` when it may not be sent.

    Nothing is paid for an answer that could not be judged.
    """
    try:
        provider = providers[claim.attempt.provider]
        thresholds.of(claim.level, provider.alias)
        request = _request(claim)
        hand_back_connection()
        return provider.compare(request, about_to_send=claim.mark_sending)
    except ProviderError as error:
        return error
    except Overtaken:
        return None
    except SealBroken as error:
        return NotSent(error.code)
    except TargetOutOfReach:
        return NotSent(ReasonCode.PROVIDER_CONFIG)
    except Exception as error:  # noqa: BLE001 (a provider's bug must not carry a face into a log)
        _tell("call_failed", claim.attempt, error=error)
        if claim.is_sent:
            return OutcomeUnknown(ReasonCode.OUTCOME_UNKNOWN)
        return NotSent(ReasonCode.PROVIDER_UNAVAILABLE)


def record(claim: Claim, answer: Comparison | ProviderError) -> None:
    """Write the answer down, once, and let it act on the verification.

    The first writer wins. An answer that comes after the attempt was given up as unknown
    is kept on it as evidence, and decides if the verification has only waited since.
    """
    committed(lambda: _record(claim, answer), durable=True, survives_reconnect=True)
    if isinstance(answer, ProviderError):
        _tell("attempt_ended", claim.attempt, state=answer.attempt_state, code=answer.code)
    else:
        _tell("attempt_ended", claim.attempt, state=State.ANSWERED, code=answer.reason_code or "ok")


def _tell(event: str, attempt: VerificationAttempt, **facts: object) -> None:
    journal.tell(
        event,
        verification=attempt.verification_id,
        session_id=attempt.session_id,
        provider=attempt.provider,
        **facts,
    )


def _record(claim: Claim, answer: Comparison | ProviderError) -> None:
    claim.verification.unrecorded_count = 0
    if not book(claim, answer):
        outcome.resolve(claim.attempt, claim.level, answer, event="answered_late")
    elif isinstance(answer, Comparison):
        outcome.decide(claim.attempt, claim.level, answer.similarity, answer.reason_code)
    elif REASONS[answer.code].category is Category.PHOTO:
        outcome.decide(claim.attempt, claim.level, None, answer.code)
    else:
        outcome.carry_on(claim.attempt, answer)


def book(claim: Claim, answer: Comparison | ProviderError) -> bool:
    """Write an answer down in the ledger, the day's money and the provider's health.

    Says whether it was the first word about the call; if not, nothing is changed.
    """
    if not ledger.finish(claim.attempt, answer):
        return False
    quotas.give_back(claim.attempt, answer.is_billed)
    if isinstance(answer, ProviderError):
        health.report_failure(claim.attempt.provider, answer, is_probe=claim.is_probe)
    elif claim.is_probe:
        health.close(claim.attempt.provider)
    return True


def give_up(verification: Verification) -> None:
    """Take a verification back from a worker that did not return within its lease."""
    committed(lambda: _give_up(verification), survives_reconnect=True)


def _give_up(verification: Verification) -> None:
    calls = VerificationAttempt.objects.of_the_case().filter(verification=verification)
    attempt = calls.filter(number=verification.fence).first()
    if attempt is None:
        return
    attempt.verification = verification
    error = judge_abandoned(attempt)
    if error is not None:
        outcome.carry_on(attempt, error)


def close_abandoned(attempt: VerificationAttempt) -> None:
    """Judge an attempt whose worker is gone and whose case has ended without it."""
    committed(lambda: judge_abandoned(attempt), survives_reconnect=True)


def judge_abandoned(attempt: VerificationAttempt) -> ProviderError | None:
    """What became of a call nobody is behind: ``intent`` was never sent, ``sending`` may be."""
    errors: dict[str, ProviderError] = {
        State.INTENT: NotSent(ReasonCode.PROVIDER_UNAVAILABLE),
        State.SENDING: OutcomeUnknown(ReasonCode.OUTCOME_UNKNOWN),
    }
    for state, error in errors.items():
        if ledger.give_up(attempt, state, error):
            quotas.give_back(attempt, error.is_billed)
            _tell("worker_lost", attempt, state=error.attempt_state)
            return error
    return None


@sensitive_variables()
def _request(claim: Claim) -> ComparisonRequest:
    """Open what is sealed, for the length of one call."""
    verification, photo = claim.verification, claim.photo
    return ComparisonRequest(
        session_id=claim.attempt.session_id,
        idcard_name=verification.idcard_name.unseal(),
        idcard_number=verification.idcard_number.unseal(),
        url=photo.url.unseal() if photo.url else None,
        image=None if photo.url else photo.read(),
    )
