"""Taking a decision back: one person proposes it, another one confirms it.

The proposal is an Event and nothing else; it counts for a day, and only for the decision
that it was made about. The case then is in review, and is decided again like any other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from django_faceverify import access, lifecycle
from django_faceverify.exceptions import Conflict, InputError, NotPermitted
from django_faceverify.models import Event, Verification
from django_faceverify.models.transactions import committed
from django_faceverify.reasons import ReasonCode, ReopenReason

Status = Verification.Status

DECIDED = (Status.VERIFIED, Status.REJECTED)
#: for how long a proposal can be confirmed
VALID_FOR = timedelta(hours=24)

PROPOSED = "reopen_requested"


@dataclass(frozen=True)
class Proposal:
    """Who wants the decision taken back, and why."""

    actor: str
    reason: str


def propose(verification: Verification, *, user: Any, reason_code: object) -> None:
    """Ask for a decided case to be opened again; ``reason_code`` is one of ``ReopenReason``.

    Raises ``PermissionDenied``, ``NotPermitted`` (one's own case), ``InputError`` or
    ``Conflict`` (not decided, destroyed, already proposed).
    """
    access.require_as_staff(user, access.OVERRIDE, verification)
    if not isinstance(reason_code, str) or reason_code not in ReopenReason.values:
        raise InputError("reopen_reason_invalid", "reason_code")

    def record() -> None:
        _lock(verification)
        if pending(verification):
            raise Conflict("already_requested")
        Event.objects.append_locked(
            verification,
            PROPOSED,
            actor=lifecycle.user_actor(user),
            data={"reason": reason_code},
        )

    committed(record)


def confirm(verification: Verification, *, user: Any) -> Verification:
    """Open the case again as another person proposed; it is then in review.

    Raises ``PermissionDenied``, ``NotPermitted`` (one's own case or proposal) or
    ``Conflict`` (nothing proposed, or no longer decided).
    """
    access.require_as_staff(user, access.OVERRIDE, verification)
    actor = lifecycle.user_actor(user)

    def reopen() -> None:
        _lock(verification)
        proposal = pending(verification)
        if proposal is None:
            raise Conflict("not_requested")
        if proposal.actor == actor:
            raise NotPermitted("same_person_twice")
        was = verification.status
        lifecycle.move(
            verification,
            "reopen",
            actor=actor,
            reason_code=ReasonCode.REOPENED,
            data={"reason": proposal.reason, "state": was},
            decided_at=None,
            decided_by=None,
            decision_source="",
        )

    committed(reopen)
    verification.refresh_from_db()
    return verification


def pending(verification: Verification) -> Proposal | None:
    """The proposal that waits for a second person, if there is one."""
    if verification.status not in DECIDED:
        return None
    told = verification.events.filter(action__in=(PROPOSED, *DECIDED)).order_by("-number")
    last = told.first()
    if last is None or last.action != PROPOSED or last.at < timezone.now() - VALID_FOR:
        return None
    return Proposal(actor=last.actor, reason=last.data["reason"])


def _lock(verification: Verification) -> None:
    """Hold the row as it is now; raises ``Conflict`` when there is nothing to take back."""
    verification.refresh_from_db(
        from_queryset=Verification.objects.select_for_update(), fields=["status", "redacted_at"]
    )
    if verification.status not in DECIDED:
        raise Conflict("not_decided")
    if verification.redacted_at is not None:
        raise Conflict("identity_destroyed")
