"""The transition table: the only way by which a verification changes its status.

Every transition is one conditional UPDATE, guarded by the status it starts from (and by the
worker's fence where there is one), and writes its Event, and what webhooks are to tell, in
the same transaction. Whoever comes second changes nothing and is told so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from django_faceverify import webhooks
from django_faceverify.models import Event, Judgement, Review, Verification, statements
from django_faceverify.models.token import TokenHolder
from django_faceverify.signals import (
    Announcement,
    verification_decided,
    verification_needs_input,
    verification_reopened,
    verification_submitted,
)

Status = Verification.Status

#: what leaves the work queue with every transition out of ``processing``
OFF_THE_QUEUE: dict[str, Any] = {"stage": None, "lease_until": None, "next_run_at": None}


@dataclass(frozen=True)
class Transition:
    """From which statuses to which, the Event's name, and the signal after the commit."""

    sources: tuple[str, ...]
    target: str
    event: str
    signal: Announcement | None = None


TRANSITIONS: dict[str, Transition] = {
    "submit": Transition(
        (Status.REQUIRES_INPUT,), Status.PROCESSING, "submitted", verification_submitted
    ),
    "verify": Transition(
        (Status.PROCESSING, Status.IN_REVIEW), Status.VERIFIED, "verified", verification_decided
    ),
    "reject": Transition(
        (Status.PROCESSING, Status.IN_REVIEW), Status.REJECTED, "rejected", verification_decided
    ),
    "refer": Transition((Status.PROCESSING,), Status.IN_REVIEW, "review_opened"),
    "ask_again": Transition(
        (Status.PROCESSING, Status.IN_REVIEW),
        Status.REQUIRES_INPUT,
        "input_required",
        verification_needs_input,
    ),
    "cancel": Transition(
        (Status.REQUIRES_INPUT, Status.PROCESSING, Status.IN_REVIEW), Status.CANCELED, "canceled"
    ),
    "expire": Transition((Status.REQUIRES_INPUT,), Status.EXPIRED, "expired"),
    "reopen": Transition(
        (Status.VERIFIED, Status.REJECTED), Status.IN_REVIEW, "reopened", verification_reopened
    ),
}

SYSTEM = "system"


def move(
    verification: Verification,
    action: str,
    *,
    actor: str,
    sources: tuple[str, ...] | None = None,
    guard: dict[str, Any] | None = None,
    reason_code: str = "",
    data: dict[str, Any] | None = None,
    **changes: Any,
) -> bool:
    """Make one transition if it is still allowed; says whether it won.

    ``sources`` narrows the statuses of the table, ``guard`` names columns that must still
    be as the caller saw them (such as the fence, by which a worker owns the work), and
    ``changes`` are further columns of the same UPDATE. Nothing moves a redacted case.
    """
    transition = TRANSITIONS[action]
    off_the_queue = {} if transition.target == Status.PROCESSING else OFF_THE_QUEUE
    ended_at = timezone.now() if transition.target in Verification.FINAL else None
    with transaction.atomic(savepoint=False):
        won = statements.update(
            Verification.objects.all,
            {
                "pk": verification.pk,
                "status__in": sources or transition.sources,
                "redacted_at": None,
                **(guard or {}),
            },
            status=transition.target,
            reason_code=reason_code,
            updated_at=timezone.now(),
            ended_at=ended_at,
            **{**off_the_queue, **changes},
        )
        if not won:
            return False
        _keep_queue_of_people(verification, transition, sources or transition.sources)
        event = Event.objects.append_locked(
            verification, transition.event, actor=actor, reason_code=reason_code, data=data
        )
        tell(
            verification,
            event,
            name=webhooks.EVENT_BY_STATUS[transition.target],
            status=transition.target,
            signal=transition.signal,
        )
    return True


def _keep_queue_of_people(
    verification: Verification, transition: Transition, sources: tuple[str, ...]
) -> None:
    """A case in review has a row in the queue of reviewers; one that leaves takes it along."""
    if transition.target == Status.IN_REVIEW:
        Review.objects.enqueue(verification.pk, since=timezone.now())
    elif Status.IN_REVIEW in sources:
        Judgement.objects.filter(verification_id=verification.pk).delete()
        Review.objects.filter(pk=verification.pk).delete()


def user_actor(user: Any) -> str:
    """How a user is named in events, or who holds a token; an anonymous one by its kind."""
    if isinstance(user, TokenHolder):
        return str(user)
    return f"user:{user.pk}" if user is not None and user.pk else "anonymous"


def tell(
    verification: Verification,
    event: Event,
    *,
    name: str,
    status: str,
    signal: Announcement | None,
) -> None:
    """Tell the site what has happened, in the transaction that appended ``event``.

    Webhooks by the ``name`` of theirs, committed with it; the signal after the commit.
    """
    if event.is_heard:
        webhooks.record(
            verification, name, status=status, reason_code=event.reason_code, at=event.at
        )
    if signal is not None:
        _announce(signal, verification.pk, status)


def _announce(signal: Announcement, verification_id: UUID, status: str) -> None:
    transaction.on_commit(
        lambda: signal.tell(sender=Verification, verification_id=verification_id, status=status),
        robust=True,
    )
