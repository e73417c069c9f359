"""What the calls of one day add to the figures: one pass over an index of the ledger."""

from __future__ import annotations

import math
from collections import Counter
from datetime import date, datetime, time, timedelta

from django.db.models import Count, F, FloatField, Value
from django.db.models.functions import Cast, Ceil, Greatest, Ln

from django_faceverify.figures.cases import Cell
from django_faceverify.figures.scale import GROWTH
from django_faceverify.models import DailyFigure, VerificationAttempt
from django_faceverify.quotas import BOOKS

Kind = DailyFigure.Kind
State = VerificationAttempt.State

KINDS = (Kind.CALL, Kind.LATENCY)
#: states whose duration is the provider's; the others waited for nobody, or in vain
ANSWERED = frozenset({State.ANSWERED, State.REFUSED, State.THROTTLED})


def cells_of(day: date) -> Counter[Cell]:
    """The calls that began on that day of the books, as they stand now.

    An attempt has no level of its own, so neither do these cells.
    """
    begins = datetime.combine(day, time(), BOOKS)
    milliseconds = Greatest(Cast(F("duration_ms"), FloatField()), Value(1.0))
    rows = (
        VerificationAttempt.objects.filter(
            started_at__gte=begins, started_at__lt=begins + timedelta(days=1)
        )
        .annotate(bucket=Ceil(Ln(milliseconds) / Value(math.log(GROWTH))))
        .values_list("provider", "state", "is_billed", "reason_code", "bucket")
        .annotate(count=Count("pk"))
        .order_by()
    )
    cells: Counter[Cell] = Counter()
    for provider, state, is_billed, reason_code, bucket, count in rows:
        told = {"source": is_billed, "result": state, "detail": reason_code}
        cells[Cell(day, Kind.CALL.value, "", provider, **told)] += count
        if state in ANSWERED and bucket is not None:
            cells[Cell(day, Kind.LATENCY.value, "", provider, bucket=int(bucket))] += count
    return cells
