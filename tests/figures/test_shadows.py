"""What the runs of second providers add, day by day."""

from __future__ import annotations

from typing import Any

import pytest

from django_faceverify import figures
from django_faceverify.figures import shadows
from django_faceverify.figures.cells import Cell
from django_faceverify.figures.scale import bucket_of
from django_faceverify.models import DailyFigure, FigureCount, ShadowRun, Verification
from django_faceverify.quotas import BOOKS
from tests.shadow_runs import tell, write_runs

pytestmark = pytest.mark.django_db


def count_all() -> None:
    figures.advance(float("inf"), settled=0)


def test_what_a_day_adds(verification: Verification) -> None:
    runs = write_runs(
        verification,
        [("match", 95.0, "between", 55.0), ("match", 100.0, "finding", None)],
    )
    tell(runs[0].attempt, duration_ms=1)
    tell(runs[0].shadow_attempt, duration_ms=None, is_billed="unknown")
    day = runs[0].created_at.astimezone(BOOKS).date()

    def cell(kind: str, **told: Any) -> Cell:
        return Cell(day, kind, "default", "default", detail="second", **told)

    hundred = bucket_of(100)
    assert shadows.cells_of(day) == {
        cell("run", result="compared"): 2,
        cell("pair", source="match", result="between"): 1,
        cell("pair", source="match", result="finding"): 1,
        cell("pair_bands", bucket=95): 1,
        cell("pair_call", source="first", result="yes", bucket=0): 1,
        cell("pair_call", source="first", result="yes", bucket=hundred): 1,
        cell("pair_call", source="second", result="unknown"): 1,
        cell("pair_call", source="second", result="yes", bucket=hundred): 1,
    }


def test_calls_without_a_time_share_the_row_of_the_others(verification: Verification) -> None:
    runs = write_runs(verification, [("match", 95.0, "match", 85.0)] * 3)
    tell(runs[0].shadow_attempt, duration_ms=None)
    count_all()
    row = DailyFigure.objects.get(kind="pair_call", source="second")
    assert (row.count, row.buckets) == (3, [bucket_of(100), 2])


def test_a_run_that_ends_later_is_counted_again(verification: Verification) -> None:
    (run,) = write_runs(verification, [("match", 95.0, "match", 85.0)])
    ShadowRun.objects.update(state="waiting", verdict="")
    count_all()
    assert not DailyFigure.objects.filter(kind="pair").exists()
    ShadowRun.objects.update(state="compared", verdict="match")
    count_all()
    assert DailyFigure.objects.get(kind="pair").count == 1
    assert DailyFigure.objects.get(kind="run").result == "compared"
    assert FigureCount.objects.get().calls_day == run.created_at.astimezone(BOOKS).date()
