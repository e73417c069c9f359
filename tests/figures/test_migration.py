"""The sums of an installation that had counted before rows became histograms."""

from __future__ import annotations

from datetime import date, timedelta
from importlib import import_module
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from django_faceverify.figures import cells
from django_faceverify.figures.cells import Cell

NAME = "0017_histograms"
MONDAY = date(2026, 3, 2)


def migrate(*target: tuple[str, str]) -> Any:
    executor = MigrationExecutor(connection)
    executor.migrate(list(target))
    return executor.loader.project_state(list(target)).apps


@pytest.mark.django_db(transaction=True)
def test_there_and_back() -> None:
    own = ("django_faceverify", NAME)
    before = import_module(f"django_faceverify.migrations.{NAME}").Migration.dependencies
    newest = MigrationExecutor(connection).loader.graph.leaf_nodes("django_faceverify")
    try:
        old = migrate(*before)
        figures = old.get_model("django_faceverify", "DailyFigure").objects
        for day, kind, detail, bucket, count in (
            (MONDAY, "comparison", "verified", 720, 2),
            (MONDAY + timedelta(days=6), "comparison", "verified", 720, 1),
            (MONDAY + timedelta(days=6), "comparison", "verified", 723, 4),
            (MONDAY, "waited", "", 7, 5),
            (MONDAY, "similarity", "", 30, 1),
            (MONDAY + timedelta(days=1), "similarity", "", 30, -1),
            (MONDAY, "opened", "", 0, 9),
            (MONDAY + timedelta(days=1), "review", "user:7", 0, 8),
            (MONDAY, "call", "face_mismatch", 0, 3),
            (MONDAY, "call", "", 0, 6),
        ):
            facts = {"day": day, "kind": kind, "detail": detail, "bucket": bucket}
            figures.create(id=uuid4(), level="live", provider="default", count=count, **facts)
        marks = old.get_model("django_faceverify", "FigureCount").objects
        marks.create(last_event=7, calls_day=MONDAY)

        new = migrate(own)
        rows = new.get_model("django_faceverify", "DailyFigure").objects
        columns = ("day", "span", "kind", "detail", "count", "buckets")
        assert list(rows.values_list(*columns).order_by("kind", "span", "day")) == [
            (MONDAY, "day", "call", "case", 9, {}),
            (MONDAY, "week", "comparison", "verified", 7, [720, 3, 0, 0, 4]),
            (MONDAY, "day", "opened", "", 9, {}),
            (MONDAY + timedelta(days=1), "day", "review", "", 8, {"user:7": 8}),
            (MONDAY, "week", "review", "", 8, {"user:7": 8}),
            (MONDAY, "day", "similarity", "", 1, [30, 1]),
            (MONDAY + timedelta(days=1), "day", "similarity", "", -1, [30, -1]),
            (MONDAY, "day", "waited", "", 5, [7, 5]),
        ]
        mark = new.get_model("django_faceverify", "FigureCount").objects.get()
        assert (mark.last_event, mark.calls_day) == (7, None)
        waited = Cell(MONDAY, "waited", "live", "default", bucket=8)
        cells.add({waited: 2})
        assert rows.get(kind="waited").buckets == [7, 5, 2], "under the same key"

        migrate(*before)
        found = figures.values_list("day", "kind", "bucket", "count").order_by(
            "kind", "bucket", "day"
        )
        assert list(found) == [
            (MONDAY, "call", 0, 9),
            (MONDAY, "comparison", 720, 3),
            (MONDAY, "comparison", 723, 4),
            (MONDAY, "opened", 0, 9),
            (MONDAY + timedelta(days=1), "review", 0, 8),
            (MONDAY, "similarity", 30, 1),
            (MONDAY + timedelta(days=1), "similarity", 30, -1),
            (MONDAY, "waited", 7, 5),
            (MONDAY, "waited", 8, 2),
        ]
    finally:
        migrate(*newest)
