"""Keeps the figures up to date: the history is read once, in the order of its ids.

Any number of counters may run at once, from the sweep or by hand, and each may be killed at
any line: how far the history was counted and what was counted are one transaction, which
begins by moving the mark and so is won by one of them.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from time import monotonic
from typing import Any, NamedTuple
from uuid import UUID

from django.utils import timezone

from django_faceverify.figures import calls, cases, cells, shadows
from django_faceverify.figures.cases import Fact
from django_faceverify.figures.cells import Cell
from django_faceverify.models import (
    DailyFigure,
    Event,
    FigureCount,
    Verification,
    VerificationAttempt,
)
from django_faceverify.models.transactions import committed
from django_faceverify.quotas import BOOKS

Kind = DailyFigure.Kind
State = VerificationAttempt.State

#: events that are counted in one transaction
BATCH = 2000
#: seconds for which the sweep counts at most, and leaves the rest to the next
SECONDS = 1.0
#: seconds between two counts by the sweep
INTERVAL = 60.0
#: seconds that an event rests first: ids are given before the commit, so that one with a
#: lower id may appear later; one from further ahead was written by a clock that was wrong
SETTLED = 60.0
#: days after which the calls of a day are not counted again: all answers have come by then
CALLS_SETTLE = 7
#: kinds of which nothing is ever taken away again
GROWING = (Kind.OPENED, Kind.REASON, Kind.CALL)
#: kinds that are counted from the ledger, a day at a time
LEDGER = (*calls.KINDS, *shadows.KINDS)


@dataclass(frozen=True)
class Counted:
    """What one count did; ``is_done`` says whether it has reached the present."""

    event_count: int
    is_done: bool


class Step(NamedTuple):
    """An event as the counting meets it."""

    pk: int
    case: UUID
    action: str
    at: datetime


def advance(
    seconds: float = SECONDS, *, settled: float = SETTLED, interval: float = 0.0
) -> Counted:
    """Count on where the last count ended, for so long at most.

    ``settled`` is for how many seconds an event must have rested; with ``interval`` nothing
    is done when the last count is younger than that.
    """
    mark = _mark()
    now = timezone.now()
    fresh = now - timedelta(seconds=interval)
    if mark.counted_at is not None and fresh < mark.counted_at <= now:
        return Counted(0, True)
    end, number = monotonic() + seconds, 0
    if not _count_ledger(mark, end):
        return Counted(0, False)

    def has_rested(step: Step) -> bool:
        return abs(timezone.now() - step.at) >= timedelta(seconds=settled)

    while batch := _batch(mark.last_event, has_rested):
        if number and monotonic() >= end:
            return Counted(number, False)
        added = _added_by(batch, mark.last_event)
        if _move(mark, partial(cells.add, added), last_event=batch[-1].pk):
            number += len(batch)
    FigureCount.objects.filter(pk=mark.pk).update(counted_at=timezone.now())
    return Counted(number, True)


def rebuild() -> list[date]:
    """Count everything again, and return the days that were kept as they are.

    Those are the days from which cases were purged since: of what was counted then, less
    is left. What is kept holds the history up to the mark, so that is how far it is read
    again; another counter may move the mark meanwhile. Then the rest is counted as ever.
    """
    mark, found, last_event = _mark(), Counter[Cell](), 0

    def read() -> None:
        nonlocal last_event
        while batch := _batch(last_event, lambda step: step.pk <= mark.last_event):
            found.update(_added_by(batch, last_event))
            last_event = batch[-1].pk

    read()
    begin = _first_call_day()
    for day in _days(begin, _today()) if begin else ():
        found.update(_of_the_ledger(day))

    def replace() -> list[date]:
        FigureCount.objects.filter(pk=mark.pk).update(calls_day=_today())
        mark.refresh_from_db()
        read()
        rows = DailyFigure.objects.filter(kind__in=GROWING)
        kept = sorted({day for day, _ in cells.shrunken(rows, found)})
        cells.replace_all(found, kept)
        return kept

    kept = committed(replace)
    advance(float("inf"), settled=0)
    return kept


def _mark() -> FigureCount:
    mark = FigureCount.objects.first()
    if mark is None:
        FigureCount.objects.bulk_create([FigureCount()], ignore_conflicts=True)
        mark = FigureCount.objects.get()
    return mark


# --- the history ---------------------------------------------------------------------------


def _batch(after: int, is_ready: Callable[[Step], bool]) -> list[Step]:
    """The next events, up to the first one that is not ready to be counted."""
    rows = Event.objects.filter(pk__gt=after).order_by("pk")
    steps = rows.values_list("pk", "verification_id", "action", "at")[:BATCH]
    return list(itertools.takewhile(is_ready, itertools.starmap(Step, steps)))


def _added_by(batch: list[Step], before: int) -> Counter[Cell]:
    """How the events of a batch move the figures: the cases with them less without them."""
    ids, last = {step.case for step in batch if step.action in cases.COUNTED}, batch[-1].pk
    levels = dict(_in_chunks(Verification.objects.values_list("pk", "level"), "pk__in", ids))
    histories: dict[UUID, list[tuple[int, Fact]]] = defaultdict(list)
    events = Event.objects.filter(pk__lte=last, action__in=cases.COUNTED).order_by("number")
    columns = ("verification_id", "pk", "at", "action", "actor", "reason_code", "data")
    for verification_id, pk, *facts in _in_chunks(
        events.values_list(*columns), "verification__in", ids
    ):
        histories[verification_id].append((pk, Fact(*facts)))
    verdicts: dict[UUID, set[int]] = defaultdict(set)
    answered = VerificationAttempt.objects.of_the_case().filter(state=State.ANSWERED)
    answers = answered.exclude(reason_code="")
    for verification_id, number in _in_chunks(
        answers.values_list("verification_id", "number"), "verification__in", ids
    ):
        verdicts[verification_id].add(number)
    added: Counter[Cell] = Counter()
    for verification_id, history in histories.items():
        level, own = levels[verification_id], verdicts[verification_id]
        added.update(cases.cells_of(level, (fact for _, fact in history), own))
        added.subtract(cases.cells_of(level, (fact for pk, fact in history if pk <= before), own))
    return added


def _in_chunks(rows: Any, lookup: str, ids: Collection[UUID]) -> Iterator[Any]:
    """Rows of many cases, in statements of a bounded length."""
    keys = sorted(ids)
    for start in range(0, len(keys), 500):
        yield from rows.filter(**{lookup: keys[start : start + 500]})


# --- the ledger ----------------------------------------------------------------------------


def _count_ledger(mark: FigureCount, end: float) -> bool:
    """Count today's calls, and those of older days that may have changed; says if all are.

    With them the runs of second providers.

    On the first count of a day the last days are counted again, since an answer may come
    late. A day that is yet to come was counted by a clock that was wrong.
    """
    today = _today()
    counted = min(mark.calls_day, today) if mark.calls_day else None
    if counted is None:
        first = _first_call_day() or today
    else:
        first = min(counted - timedelta(days=CALLS_SETTLE - 1), today) if counted < today else today
    for day in _days(first, today):
        replace = partial(_replace, day, _of_the_ledger(day))
        _move(mark, replace, calls_day=max(day, counted or day))
        is_new = counted is None or day > counted
        if is_new and day < today and monotonic() >= end:
            return False
    return True


def _of_the_ledger(day: date) -> Counter[Cell]:
    """What the calls of a day add, and what two providers said about the same photos."""
    return calls.cells_of(day) + shadows.cells_of(day)


def _replace(day: date, found: Counter[Cell]) -> None:
    """Count a day of the ledger anew. One that has settled only ever loses what is purged."""
    rows = DailyFigure.objects.filter(day=day, kind__in=LEDGER)
    has_settled = day <= _today() - timedelta(days=CALLS_SETTLE)
    kept = {kind for _, kind in cells.shrunken(rows, found)} if has_settled else set()
    rows.exclude(kind__in=kept).delete()
    cells.insert({cell: count for cell, count in found.items() if cell.kind not in kept})


def _first_call_day() -> date | None:
    first = VerificationAttempt.objects.order_by("started_at").values_list("started_at", flat=True)
    started_at = first.first()
    return started_at.astimezone(BOOKS).date() if started_at else None


def _today() -> date:
    return timezone.now().astimezone(BOOKS).date()


def _days(first: date, last: date) -> Iterator[date]:
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)


# --- the mark ------------------------------------------------------------------------------


def _move(mark: FigureCount, write: Callable[[], None], **progress: Any) -> bool:
    """Move the mark, and write what was counted; says whether no other counter has been faster."""

    def move() -> bool:
        unmoved = FigureCount.objects.filter(pk=mark.pk, last_event=mark.last_event)
        if not unmoved.update(**progress):
            return False
        write()
        return True

    has_won = committed(move)
    mark.refresh_from_db()
    return has_won
