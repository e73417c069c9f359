"""A row of the figures becomes a histogram, and what needs no days is counted by the week.

The rows that are there are added up accordingly, so nothing that was counted is lost. Calls
are told apart by their role from now on: all of the past count as calls of the case until
the next sweeps have counted the ledger again, which they do by themselves. Days from which
calls were purged since stay as they are.
"""

import json
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

from django.db import migrations, models

ROW = UUID("5e0ff1a7-2f0e-4f0b-9d4c-0d6a5a1f2c53")
COLUMNS = ("day", "kind", "level", "provider", "source", "result", "detail")
ON_A_SCALE = ("similarity", "comparison", "waited", "latency")
BY_PERSON = ("review", "taken_back")
WEEKLY = ("reason", "similarity", "review", "taken_back")


def gather(apps: Any, schema_editor: Any) -> None:
    # a worker that still runs begins by moving the mark, and so cannot count meanwhile
    marks = apps.get_model("django_faceverify", "FigureCount").objects
    marks.using(schema_editor.connection.alias).update(calls_day=None)
    figures = apps.get_model("django_faceverify", "DailyFigure").objects.using(
        schema_editor.connection.alias
    )
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for *facts, bucket, count in figures.values_list(*COLUMNS, "bucket", "count").iterator():
        whole = dict(zip(COLUMNS, facts, strict=True))
        kind, key = whole["kind"], str(bucket) if whole["kind"] in ON_A_SCALE else None
        if kind in BY_PERSON:
            key, whole["detail"] = whole["detail"], ""
        if kind == "call":
            whole["detail"] = "case"
        days = {} if kind == "comparison" else {"day": whole["day"]}
        if kind == "comparison" or kind in WEEKLY:
            days["week"] = whole["day"] - timedelta(days=whole["day"].weekday())
        for span, day in days.items():
            empty = {**whole, "day": day, "span": span, "count": 0, "buckets": {}}
            row = rows.setdefault((span, day, *list(whole.values())[1:]), empty)
            row["count"] += count
            if key is not None:
                row["buckets"][key] = row["buckets"].get(key, 0) + count
    for row in rows.values():
        if row["kind"] in ON_A_SCALE:
            places = {int(key): number for key, number in row["buckets"].items()}
            first, last = min(places), max(places)
            row["buckets"] = [first, *(places.get(n, 0) for n in range(first, last + 1))]
    rewrite(figures, ((facts, row) for facts, row in rows.items() if row["count"]))


def spread(apps: Any, schema_editor: Any) -> None:
    figures = apps.get_model("django_faceverify", "DailyFigure").objects.using(
        schema_editor.connection.alias
    )
    figures.filter(kind__in=("run", "pair", "pair_bands", "pair_call")).delete()
    figures.filter(kind__in=WEEKLY, span="week").delete()
    rows: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
    for *facts, count, buckets in figures.values_list(*COLUMNS, "count", "buckets"):
        whole = dict(zip(COLUMNS, facts, strict=True))
        if isinstance(buckets, list) and buckets:
            first, *counts = buckets
            buckets = {place: number for place, number in enumerate(counts, first) if number}
        for key, number in (buckets or {"0": count}).items():
            row = whole | {"bucket": 0, "count": number}
            row |= {"detail": key} if whole["kind"] in BY_PERSON else {"bucket": int(key)}
            rows.append(((*(row[name] for name in COLUMNS), row["bucket"]), row))
    rewrite(figures, rows)


def rewrite(figures: Any, rows: Iterable[tuple[tuple[Any, ...], dict[str, Any]]]) -> None:
    """Under keys that are made from the facts, as the counting makes them."""
    made = [
        figures.model(id=uuid5(ROW, json.dumps([str(fact) for fact in facts])), **row)
        for facts, row in rows
    ]
    figures.all().delete()
    figures.bulk_create(made, batch_size=500)


class Migration(migrations.Migration):
    dependencies = [("django_faceverify", "0016_review_filters")]

    operations = [
        migrations.AddField(
            model_name="dailyfigure",
            name="span",
            field=models.CharField(
                choices=[("day", "day"), ("week", "week")],
                default="day",
                max_length=4,
                verbose_name="span",
            ),
        ),
        migrations.AddField(
            model_name="dailyfigure",
            name="buckets",
            field=models.JSONField(
                blank=True,
                default=dict,
                verbose_name="count by place on the scale, or by person",
            ),
        ),
        migrations.RunPython(gather, spread),
        migrations.RemoveField(model_name="dailyfigure", name="bucket"),
        migrations.AlterField(
            model_name="dailyfigure",
            name="kind",
            field=models.CharField(
                choices=[
                    ("opened", "opened"),
                    ("ended", "ended"),
                    ("reason", "reason"),
                    ("similarity", "similarity"),
                    ("comparison", "comparison"),
                    ("review", "review"),
                    ("taken_back", "taken back"),
                    ("waited", "waited"),
                    ("call", "call"),
                    ("latency", "latency"),
                    ("run", "run of a shadow"),
                    ("pair", "verdicts of two providers"),
                    ("pair_bands", "similarities of two providers"),
                    ("pair_call", "call for a pair"),
                ],
                max_length=12,
                verbose_name="kind",
            ),
        ),
    ]
