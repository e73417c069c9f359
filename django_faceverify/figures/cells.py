"""The cells that are counted, and the rows that hold them: a row is a histogram of its cells."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import NamedTuple
from uuid import UUID, uuid5

from django.db.models import Q, QuerySet, Sum

from django_faceverify.figures.scale import week_of
from django_faceverify.models import DailyFigure

Kind = DailyFigure.Kind

#: kinds that are counted by the week and dated by its Monday: nobody asks for their days
WEEKLY = (Kind.COMPARISON,)
#: rows that are looked up by one statement; SQLite takes no more than 999 values in some builds
ROWS = 500
#: the name space of the rows' keys
ROW = UUID("5e0ff1a7-2f0e-4f0b-9d4c-0d6a5a1f2c53")


class Cell(NamedTuple):
    """What is counted, and when. Cells that differ in the bucket alone share a row."""

    day: date
    kind: str
    level: str
    provider: str
    source: str = ""
    result: str = ""
    detail: str = ""
    bucket: int | None = None


def dated(kind: str, day: date) -> date:
    """Under which date something of that day is counted."""
    return week_of(day) if kind in WEEKLY else day


def add(cells: Mapping[Cell, int]) -> None:
    """Move the sums by so much. Whoever calls this has locked the mark, so nobody else does."""
    rows = {row.pk: row for row in _rows(cells)}
    keys = list(rows)
    for start in range(0, len(keys), ROWS):
        stored = DailyFigure.objects.filter(pk__in=keys[start : start + ROWS])
        for key, count, buckets in stored.values_list("pk", "count", "buckets"):
            rows[key].add(count, buckets)
        stored.delete()
    _write(rows.values())


def insert(cells: Mapping[Cell, int]) -> None:
    """Write sums of which there is none yet."""
    _write(_rows(cells))


def delete_except(days: Iterable[date]) -> None:
    """Forget everything but these days, and the weeks that hold one of them."""
    kept = list(days)
    weekly = Q(kind__in=WEEKLY)
    of_days = ~weekly & ~Q(day__in=kept)
    of_weeks = weekly & ~Q(day__in=[week_of(day) for day in kept])
    DailyFigure.objects.filter(of_days | of_weeks).delete()


def shrunken(rows: QuerySet[DailyFigure], cells: Mapping[Cell, int]) -> set[tuple[date, str]]:
    """Days and kinds of which the cells hold less than these rows do."""
    left: Counter[tuple[date, str]] = Counter()
    for cell, count in cells.items():
        left[cell.day, cell.kind] += count
    counted = rows.values_list("day", "kind").annotate(sum=Sum("count")).order_by()
    return {(day, kind) for day, kind, count in counted if left[day, kind] < count}


def _rows(cells: Mapping[Cell, int]) -> Iterable[DailyFigure]:
    rows: dict[Cell, DailyFigure] = {}
    for cell, count in cells.items():
        if not count:
            continue
        whole = cell._replace(bucket=None)
        if whole not in rows:
            facts = {name: part for name, part in whole._asdict().items() if name != "bucket"}
            rows[whole] = DailyFigure(id=_key(whole), **facts, count=0)
        rows[whole].add(count, {} if cell.bucket is None else {str(cell.bucket): count})
    return rows.values()


def _write(rows: Iterable[DailyFigure]) -> None:
    DailyFigure.objects.bulk_create(_filled(rows), batch_size=ROWS)


def _filled(rows: Iterable[DailyFigure]) -> Iterator[DailyFigure]:
    for row in rows:
        row.buckets = {bucket: count for bucket, count in row.buckets.items() if count}
        if row.count:
            yield row


def _key(cell: Cell) -> UUID:
    """The primary key of a row, made from everything that tells it apart."""
    return uuid5(ROW, json.dumps([str(part) for part in cell[:-1]]))
