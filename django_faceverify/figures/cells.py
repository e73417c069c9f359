"""The cells that are counted, and the rows that hold them: a row is a histogram of its cells."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID, uuid5

from django.db.models import Q, QuerySet, Sum

from django_faceverify.figures.scale import packed, unpacked, week_of
from django_faceverify.models import DailyFigure

Kind, Span = DailyFigure.Kind, DailyFigure.Span

#: kinds that are counted by the week as well: nobody asks for their days one by one, and most
#: of a range is whole weeks
WEEKLY = (Kind.REASON, Kind.SIMILARITY, Kind.REVIEW, Kind.TAKEN_BACK)
#: kinds that are counted by the week alone
ONLY_WEEKLY = (Kind.COMPARISON,)
#: rows that are looked up by one statement; SQLite takes no more than 999 values in some builds
ROWS = 500
#: the name space of the rows' keys
ROW = UUID("5e0ff1a7-2f0e-4f0b-9d4c-0d6a5a1f2c53")


class Cell(NamedTuple):
    """What is counted, and on which day; the bucket is a place on a scale, or a person."""

    day: date
    kind: str
    level: str
    provider: str
    source: str = ""
    result: str = ""
    detail: str = ""
    bucket: int | str | None = None


def add(cells: Mapping[Cell, int]) -> None:
    """Move the sums by so much. Whoever calls this has locked the mark, so nobody else does."""
    sums = _sums(cells)
    keys = list(sums)
    for start in range(0, len(keys), ROWS):
        stored = DailyFigure.objects.filter(pk__in=keys[start : start + ROWS])
        for key, count, buckets in stored.values_list("pk", "count", "buckets"):
            is_histogram = isinstance(buckets, list)
            sums[key].add(count, unpacked(buckets) if is_histogram else buckets)
        stored.delete()
    _write(sums.values())


def insert(cells: Mapping[Cell, int]) -> None:
    """Write sums of which there is none yet."""
    _write(_sums(cells).values())


def replace_all(cells: Mapping[Cell, int], kept: Iterable[date]) -> None:
    """Write everything anew, but for the days to be kept and the weeks that hold one of them."""
    days = set(kept)
    dates = {Span.DAY: days, Span.WEEK: {week_of(day) for day in days}}
    is_kept = Q()
    for span, some in dates.items():
        is_kept |= Q(span=span, day__in=some)
    DailyFigure.objects.exclude(is_kept).delete()
    _write(one for one in _sums(cells).values() if one.day not in dates[one.span])


def shrunken(rows: QuerySet[DailyFigure], cells: Mapping[Cell, int]) -> set[tuple[date, str]]:
    """Days and kinds of which the cells hold less than these rows do."""
    left: Counter[tuple[date, str]] = Counter()
    for cell, count in cells.items():
        left[cell.day, cell.kind] += count
    of_days = rows.filter(span=Span.DAY)
    counted = of_days.values_list("day", "kind").annotate(sum=Sum("count")).order_by()
    return {(day, kind) for day, kind, count in counted if left[day, kind] < count}


@dataclass
class _Sum:
    """A row while it is added up."""

    key: UUID
    span: DailyFigure.Span
    day: date
    cell: Cell
    count: int = 0
    buckets: Counter[Any] = field(default_factory=Counter)

    def add(self, count: int, buckets: Mapping[Any, int]) -> None:
        self.count += count
        self.buckets.update(buckets)

    @property
    def row(self) -> DailyFigure:
        facts = self.cell._replace(day=self.day)._asdict()
        del facts["bucket"]
        left = {bucket: count for bucket, count in self.buckets.items() if count}
        is_on_scale = any(isinstance(bucket, int) for bucket in left)
        buckets = packed(left) if is_on_scale else left
        return DailyFigure(
            id=self.key, span=self.span.value, **facts, count=self.count, buckets=buckets
        )


def _sums(cells: Mapping[Cell, int]) -> dict[UUID, _Sum]:
    sums: dict[UUID, _Sum] = {}
    keys: dict[tuple[str, ...], UUID] = {}
    for cell, count in cells.items():
        buckets = {} if cell.bucket is None else {cell.bucket: count}
        for span in _spans(cell.kind) if count else ():
            day = week_of(cell.day) if span == Span.WEEK else cell.day
            whole = (span.value, str(day), *cell[1:-1])
            if whole not in keys:
                keys[whole] = _key(whole)
                sums[keys[whole]] = _Sum(keys[whole], span, day, cell)
            sums[keys[whole]].add(count, buckets)
    return sums


def _spans(kind: str) -> tuple[DailyFigure.Span, ...]:
    if kind in ONLY_WEEKLY:
        return (Span.WEEK,)
    return (Span.DAY, Span.WEEK) if kind in WEEKLY else (Span.DAY,)


def _write(sums: Iterable[_Sum]) -> None:
    DailyFigure.objects.bulk_create([one.row for one in sums if one.count], batch_size=ROWS)


def _key(whole: tuple[str, ...]) -> UUID:
    """The primary key of a row, made from everything that tells it apart."""
    return uuid5(ROW, json.dumps(whole))
