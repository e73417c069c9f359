"""What the second providers add to the figures: the runs of one day as they stand now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any

from django.db.models import Count, F, QuerySet
from django.db.models.functions import Floor

from django_faceverify.figures.calls import latency_bucket, span_of
from django_faceverify.figures.cells import Cell
from django_faceverify.models import DailyFigure, ShadowRun

Kind = DailyFigure.Kind

KINDS = (Kind.RUN, Kind.PAIR, Kind.PAIR_BANDS, Kind.PAIR_CALL)
#: points of a band of similarities, and how many there are
BAND, BANDS = 10, 10
#: the call that decided, and the one that looked on: where they hang on a run
SIDES = {"first": "attempt", "second": "shadow_attempt"}
#: by what every cell is told apart: the level, its provider, and the second one
WHOSE = ("level", "attempt__provider", "provider")


def cells_of(day: date) -> Counter[Cell]:
    """The runs that were planned on that day of the books, and what both said in them."""
    runs = ShadowRun.objects.filter(created_at__range=span_of(day))
    pairs = runs.filter(state=ShadowRun.State.COMPARED)
    cells: Counter[Cell] = Counter()

    def add(kind: Kind, whose: Any, count: int, **told: Any) -> None:
        level, provider, second = whose
        cells[Cell(day, kind.value, level, provider, detail=second, **told)] += count

    for *whose, state, count in _counted(runs, "state"):
        add(Kind.RUN, whose, count, result=state)
    for *whose, one, other, count in _counted(pairs, "case_verdict", "verdict"):
        add(Kind.PAIR, whose, count, source=one, result=other)
    for *whose, one, other, count in _counted(_with_bands(pairs), "one", "other"):
        if one is not None and other is not None:
            add(Kind.PAIR_BANDS, whose, count, bucket=_band(one) * BANDS + _band(other))
    for side, attempt in SIDES.items():
        timed = pairs.annotate(bucket=latency_bucket(f"{attempt}__duration_ms"))
        for *whose, billed, bucket, count in _counted(timed, f"{attempt}__is_billed", "bucket"):
            place = None if bucket is None else int(bucket)
            add(Kind.PAIR_CALL, whose, count, source=side, result=billed, bucket=place)
    return cells


def _counted(runs: QuerySet[ShadowRun], *columns: str) -> Iterator[tuple[Any, ...]]:
    rows = runs.values_list(*WHOSE, *columns).annotate(count=Count("pk")).order_by()
    return rows.iterator()


def _with_bands(pairs: QuerySet[ShadowRun]) -> QuerySet[ShadowRun]:
    one, other = (Floor(F(f"{attempt}__similarity") / float(BAND)) for attempt in SIDES.values())
    return pairs.annotate(one=one, other=other)


def _band(number: float) -> int:
    """The number of a band; 100 belongs to the highest."""
    return min(int(number), BANDS - 1)
