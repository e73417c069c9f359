"""Whether the work is done: history, queue, retention."""

from __future__ import annotations

from datetime import timedelta

from django.db import connections, router
from django.utils import timezone

from django_faceverify import census
from django_faceverify.audit import roots, triggers
from django_faceverify.doctor.findings import OK, WARNING, Finding, Findings
from django_faceverify.models import Event, Verification

#: seconds after which waiting work means that nobody works
MAX_WAIT = 60.0
#: a site whose purge runs has counted since
MAX_CENSUS_AGE = timedelta(days=2)
HOW_TO_PURGE = "Run django_faceverify.purge by Celery's beat, or faceverify_purge."


def look_at_history() -> Findings:
    """Whether the database guards it, and whether roots are written. No chain is examined."""
    connection = connections[router.db_for_write(Event)]
    if triggers.is_expected(connection) and triggers.missing(connection):
        yield Finding(
            WARNING, "history", "triggers are missing: run manage.py faceverify_audit protect"
        )
    first = roots.first_uncovered()
    if first is not None and roots.is_overdue(first):
        yield Finding(WARNING, "history", f"days from {first.date()} on have no root: sweep")
    root = roots.newest_root()
    yield Finding(OK, "history", f"newest root: {root.day}" if root else "no root yet")


def look_at_queue() -> Findings:
    """What waits, and for how long: whether anybody works and sweeps shows there."""
    rows = Verification.objects
    queues = {
        "due": (rows.due(), "next_run_at"),
        "lost": (rows.lost(), "lease_until"),
        "overdue": (rows.overdue(), "deadline_at"),
        "abandoned": (rows.abandoned(), "expires_at"),
    }
    for name, (queryset, column) in queues.items():
        oldest = queryset.order_by(column).values_list(column, flat=True).first()
        if oldest is None:
            yield Finding(OK, "queue", f"{name}: 0")
            continue
        wait = max(0.0, (timezone.now() - oldest).total_seconds())
        text = f"{name}: {queryset.count()}, the oldest for {wait:.0f} s"
        if wait <= MAX_WAIT:
            yield Finding(OK, "queue", text)
        else:
            yield Finding(
                WARNING, "queue", f"{text}. Run Celery's beat and a worker, or faceverify_sweep."
            )


def look_at_retention() -> Findings:
    """Is the census taken, which a purge does, and what did it find?"""
    found = census.last()
    if found is None:
        yield Finding(WARNING, "retention", f"nothing was ever purged. {HOW_TO_PURGE}")
        return
    text = f"{found.person_count} persons with stored photos, {found.percent} % of "
    text += f"{census.FILING_LIMIT}, from which on a site in mainland China has to file"
    yield Finding(WARNING if found.warning_at else OK, "retention", text)
    if timezone.now() - found.at > MAX_CENSUS_AGE:
        yield Finding(WARNING, "retention", f"no purge since {found.at:%Y-%m-%d}. {HOW_TO_PURGE}")
