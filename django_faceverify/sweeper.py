"""The safety net: every row that waits for something has a due time, and this finds it.

Any number of sweepers may run at once, from Celery beat, from cron or by hand.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from math import ceil
from time import monotonic
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import QuerySet

from django_faceverify import ledger, lifecycle
from django_faceverify.conf import app_settings
from django_faceverify.models import Verification
from django_faceverify.models.clock import db_now
from django_faceverify.reasons import ReasonCode
from django_faceverify.verification import close_abandoned, give_up, run

Result = TypeVar("Result")

logger = logging.getLogger("django_faceverify")

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
    for verification in _oldest(Verification.objects.lost(), "lease_until"):
        _safely(give_up, verification)
    for verification in _oldest(Verification.objects.overdue(), "deadline_at"):
        _safely(_refer_overdue, verification)
    for verification in _oldest(Verification.objects.abandoned(), "expires_at"):
        _safely(_expire, verification)
    for attempt in ledger.abandoned(2 * app_settings.LEASE)[:BATCH]:
        _safely(close_abandoned, attempt)
    due = Verification.objects.due()[: MAX_DRAINS * ROWS_PER_DRAIN].count()
    return min(MAX_DRAINS, ceil(due / ROWS_PER_DRAIN))


def drain(seconds: float = DRAIN_SECONDS) -> int:
    """Run due verifications, oldest first, for so long at most; returns how many."""
    end, count = monotonic() + seconds, 0
    while monotonic() < end:
        ids = list(
            Verification.objects.due().order_by("next_run_at").values_list("pk", flat=True)[:20]
        )
        if not ids:
            break
        # Several drains at once: each takes another of the oldest.
        count += _run_safely(random.choice(ids))  # noqa: S311 (spreads work, not a secret)
    return count


def _run_safely(verification_id: UUID) -> bool:
    """Run one row; one that cannot be run comes later, so that the others need not wait."""
    did_something = _safely(run, verification_id)
    if did_something is None:
        Verification.objects.due().filter(pk=verification_id).update(
            next_run_at=db_now(POSTPONE_SECONDS)
        )
    return bool(did_something)


def _safely(step: Callable[[Any], Result], row: Any) -> Result | None:
    """Whatever one row does, the others are not to wait for ever behind it."""
    try:
        return step(row)
    except Exception as error:  # noqa: BLE001 (its text may be about a person; its kind is not)
        logger.error("%s of %s failed: %s.", step.__name__, row, type(error).__name__)
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


def _expire(verification: Verification) -> None:
    lifecycle.move(
        verification,
        "expire",
        actor=lifecycle.SYSTEM,
        guard={"expires_at": verification.expires_at},
        reason_code=ReasonCode.NOT_STARTED_IN_TIME,
    )


def _oldest(queryset: QuerySet[Verification], column: str) -> QuerySet[Verification]:
    return queryset.order_by(column)[:BATCH]
