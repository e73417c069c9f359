"""The safety net: every row that waits for something has a due time, and this finds it.

Any number of sweepers may run at once, from Celery beat, from cron or by hand.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from math import ceil
from time import monotonic
from typing import Any, TypeVar
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from django_faceverify import figures, journal, ledger, lifecycle, reviewing, shadow
from django_faceverify.audit import policy, roots
from django_faceverify.conf import app_settings
from django_faceverify.inquiry import ask
from django_faceverify.models import Review, ShadowRun, Verification
from django_faceverify.models.clock import db_now
from django_faceverify.reasons import ReasonCode
from django_faceverify.verification import close_abandoned, give_up, run

Result = TypeVar("Result")
Queue = Callable[[], QuerySet[Verification]]
Step = Callable[[UUID], bool]

#: rows of one kind that one sweep moves; the next sweep goes on
BATCH = 500
#: drains to start for any backlog, so that hints never outnumber the work
MAX_DRAINS = 8
ROWS_PER_DRAIN = 25
#: seconds that one drain may work
DRAIN_SECONDS = 20.0
#: wait of a row that could not even be claimed, such as one whose level is gone
POSTPONE_SECONDS = 60.0


def sweep() -> int:
    """Move on everything whose time has come; returns how many drains the rest deserves."""
    policy.note()
    for verification in _oldest(Verification.objects.lost(), "lease_until"):
        _safely(give_up, verification)
    for verification in _oldest(Verification.objects.overdue(), "deadline_at"):
        _safely(_refer_overdue, verification)
    for verification in _oldest(Verification.objects.unconsented(), "next_run_at"):
        _safely(_ask_for_consent, verification)
    for verification in _oldest(Verification.objects.abandoned(), "expires_at"):
        _safely(_expire, verification)
    for lost in ShadowRun.objects.lost().order_by("due_at")[:BATCH]:
        _safely(shadow.give_up, lost)
    for void in ShadowRun.objects.void().order_by("due_at")[:BATCH]:
        _safely(shadow.drop, void)
    for pk in Review.objects.due().order_by("due_at").values_list("pk", flat=True)[:BATCH]:
        _safely(reviewing.apply, pk)
    for attempt in ledger.abandoned(2 * app_settings.LEASE)[:BATCH]:
        _safely(close_abandoned, attempt)
    _safely(_write_root, "audit_root")
    _safely(_count_figures, "figures")
    due = sum(queue()[: MAX_DRAINS * ROWS_PER_DRAIN].count() for queue, _ in _work())
    return min(MAX_DRAINS, ceil(due / ROWS_PER_DRAIN))


def drain(seconds: float = DRAIN_SECONDS) -> int:
    """Call and ask for what is due, oldest first, for so long at most; returns how many."""
    end, count, is_work_left = monotonic() + seconds, 0, True
    while is_work_left:
        is_work_left = False
        for queue, step in _work():
            ids = list(queue().order_by("next_run_at").values_list("pk", flat=True)[:20])
            if ids and monotonic() < end:
                is_work_left = True
                # Several drains at once: each takes another of the oldest.
                count += _do_safely(queue, step, random.choice(ids))  # noqa: S311 (spreads work, not a secret)
    return count


def is_shadow_due() -> bool:
    """Whether a second provider may be called now: when nobody waits for a decision."""
    return ShadowRun.objects.due().exists() and not Verification.objects.due().exists()


def drain_shadows(seconds: float = DRAIN_SECONDS) -> int:
    """Call second providers, oldest first, as long as nobody waits for a decision."""
    end, count = monotonic() + seconds, 0
    while monotonic() < end and is_shadow_due():
        rows = ShadowRun.objects.due()
        shadow_id = rows.order_by("due_at").values_list("pk", flat=True).first()
        if shadow_id is None:
            break
        did_something = _safely(shadow.run, shadow_id)
        if did_something is None:
            rows.filter(pk=shadow_id).update(due_at=db_now(POSTPONE_SECONDS))
        count += bool(did_something)
    return count


def _work() -> tuple[tuple[Queue, Step], ...]:
    """What there is to do, and how; calls and questions take turns."""
    return (Verification.objects.due, run), (Verification.objects.in_doubt, ask)


def _do_safely(queue: Queue, step: Step, verification_id: UUID) -> bool:
    """Work on one row; one that cannot be done comes later, so that the others need not wait."""
    did_something = _safely(step, verification_id)
    if did_something is None:
        queue().filter(pk=verification_id).update(next_run_at=db_now(POSTPONE_SECONDS))
    return bool(did_something)


def _safely(step: Callable[[Any], Result], row: Any) -> Result | None:
    """Whatever one row does, the others are not to wait for ever behind it."""
    try:
        return step(row)
    except Exception as error:  # noqa: BLE001 (its text may be about a person; its kind is not)
        journal.tell("step_failed", step=step.__name__, row=row, error=error)
        return None


def _refer_overdue(verification: Verification) -> None:
    lifecycle.move(
        verification,
        "refer",
        actor=lifecycle.SYSTEM,
        guard={"fence": verification.fence, "deadline_at": verification.deadline_at},
        sources=(Verification.Status.PROCESSING,),
        reason_code=ReasonCode.DEADLINE_PASSED,
    )


def _ask_for_consent(verification: Verification) -> None:
    """Nobody may be asked about this person: the case goes back to them, and is not lost."""
    with transaction.atomic():
        # A consent may be coming in: it is written under the same lock.
        Verification.objects.select_for_update().get(pk=verification.pk)
        if Verification.objects.unconsented().filter(pk=verification.pk).exists():
            lifecycle.move(
                verification,
                "ask_again",
                actor=lifecycle.SYSTEM,
                sources=(Verification.Status.PROCESSING,),
                reason_code=ReasonCode.CONSENT_REQUIRED,
                expires_at=db_now(app_settings.EXPIRES_AFTER),
            )


def _expire(verification: Verification) -> None:
    lifecycle.move(
        verification,
        "expire",
        actor=lifecycle.SYSTEM,
        guard={"expires_at": verification.expires_at},
        reason_code=ReasonCode.NOT_STARTED_IN_TIME,
    )


def _write_root(_: str) -> None:
    roots.write_due_root()


def _count_figures(_: str) -> None:
    figures.advance(interval=figures.INTERVAL)


def _oldest(queryset: QuerySet[Verification], column: str) -> QuerySet[Verification]:
    return queryset.order_by(column)[:BATCH]
