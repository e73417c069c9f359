"""A root for each day: one MAC over all its events, chained to the root before.

Each event is read once for its root, however many there are in all. A root is written when
its day is over and every transaction of that day must have ended; the line that it writes
into the log, kept on another machine, is what nobody can take back.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from django_faceverify import journal, sealing
from django_faceverify.audit.links import leaf_of
from django_faceverify.models import AuditRoot, Event, PolicyVersion

#: days are counted in UTC, whatever the site's time zone becomes
DAY = timedelta(days=1)
#: after the end of a day, no transaction of that day is still open
SETTLED = timedelta(hours=1)
BATCH = 2000

USE = "audit/root"


def write_due_root() -> AuditRoot | None:
    """Write the root of the oldest day that is over and has none; ``None`` if there is none.

    Any number may do so at once: one of them writes it. Costs two short queries when nothing
    is due, and one look at each event of the day otherwise.
    """
    last = newest_root()
    first = _events_after(last).order_by("pk").values_list("at", flat=True).first()
    if first is None:
        return None
    day = _day_of(first) if last is None else max(_day_of(first), last.day + DAY)
    if timezone.now() < _end_of(day) + SETTLED:
        return None
    return _write(day, last)


def newest_root() -> AuditRoot | None:
    return AuditRoot.objects.order_by("-day").first()


def first_uncovered() -> datetime | None:
    """When the oldest event was written that no root covers."""
    return _events_after(newest_root()).order_by("pk").values_list("at", flat=True).first()


def is_overdue(at: datetime) -> bool:
    """Whether an event of that time should have had its root for a day already."""
    return timezone.now() > _end_of(_day_of(at)) + SETTLED + DAY


def _write(day: date, last: AuditRoot | None) -> AuditRoot | None:
    policy = PolicyVersion.objects.order_by("-number").first()
    tally = sealing.Tally(USE, sealing.primary_key_id())
    last_event, cases = 0, set()
    for page in _events_of(day, last):
        for pk, verification_id, number, mac in page:
            cases.add(verification_id)
            tally.add(*leaf_of(verification_id, pk, number, mac))
            last_event = pk
    root = AuditRoot(
        day=day,
        last_event=last_event,
        event_count=tally.count,
        case_count=len(cases),
        policy_number=policy.number if policy else 0,
        made_at=timezone.now(),
    )
    parts = root.sealed_parts(last.mac if last else "", policy.mac if policy else "", tally.total())
    root.mac = sealing.mac(USE, *parts)
    try:
        with transaction.atomic():
            root.save(force_insert=True)
    except IntegrityError:
        return None  # somebody else was faster
    journal.tell("root_written", day=root.day, mac=root.mac)
    return root


def _events_of(day: date, last: AuditRoot | None) -> Iterator[list[tuple[int, UUID, int, str]]]:
    """All events since the root before, up to the newest of that day, in the order of their keys.

    Keys run a little ahead of the times: what lies between two events of the day is covered too.
    """
    end, waiting = _end_of(day), []
    for *event, at in _paged(_events_after(last), "verification_id", "number", "mac", "at"):
        if at >= end + SETTLED:
            break
        waiting.append(tuple(event))
        if at < end:
            yield waiting
            waiting = []


def _events_after(root: AuditRoot | None) -> QuerySet[Event]:
    return Event.objects.filter(pk__gt=root.last_event) if root else Event.objects.all()


def _paged(events: QuerySet[Event], *columns: str) -> Iterator[tuple]:  # type: ignore[type-arg]  # as long as the columns
    """Rows by primary key, a page at a time: not all drivers stream."""
    after = 0
    while rows := list(
        events.filter(pk__gt=after).order_by("pk").values_list("pk", *columns)[:BATCH]
    ):
        yield from rows
        after = rows[-1][0]


def _day_of(at: datetime) -> date:
    return at.astimezone(timezone.get_fixed_timezone(0)).date()


def _end_of(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=timezone.get_fixed_timezone(0)) + DAY
