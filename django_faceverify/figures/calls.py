"""What the calls of one day add to the figures: one pass over an index of the ledger."""

from __future__ import annotations

import math
from collections import Counter
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Case, Count, F, FloatField, Value, When
from django.db.models.functions import Cast, Ceil, Ln

from django_faceverify.figures.cells import Cell
from django_faceverify.figures.scale import GROWTH
from django_faceverify.models import DailyFigure, VerificationAttempt
from django_faceverify.quotas import BOOKS

Kind = DailyFigure.Kind
State = VerificationAttempt.State

KINDS = (Kind.CALL, Kind.LATENCY)
#: states whose duration is the provider's; the others waited for nobody, or in vain
ANSWERED = frozenset({State.ANSWERED, State.REFUSED, State.THROTTLED})


def span_of(day: date) -> tuple[datetime, datetime]:
    """The first and the last moment of a day of the books."""
    begins = datetime.combine(day, time(), BOOKS)
    return begins, begins + timedelta(days=1) - timedelta(microseconds=1)


def latency_bucket(column: str) -> Any:
    """``scale.bucket_of`` a column of milliseconds, for the database; ``NULL`` of none."""
    grown = Ceil(Ln(Cast(F(column), FloatField())) / Value(math.log(GROWTH)))
    return Case(When(**{f"{column}__lte": 1}, then=Value(0.0)), default=grown)


def cells_of(day: date) -> Counter[Cell]:
    """The calls that began on that day of the books, as they stand now.

    An attempt has no level of its own, so neither do these cells.
    """
    rows = (
        VerificationAttempt.objects.filter(started_at__range=span_of(day))
        .annotate(bucket=latency_bucket("duration_ms"))
        .values_list("provider", "role", "state", "is_billed", "bucket")
        .annotate(count=Count("pk"))
        .order_by()
    )
    cells: Counter[Cell] = Counter()
    for provider, role, state, is_billed, bucket, count in rows:
        told = {"source": is_billed, "result": state, "detail": role}
        cells[Cell(day, Kind.CALL.value, "", provider, **told)] += count
        if state in ANSWERED and bucket is not None:
            cells[Cell(day, Kind.LATENCY.value, "", provider, bucket=int(bucket))] += count
    return cells
