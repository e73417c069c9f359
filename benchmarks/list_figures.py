"""Counts the made-up cases: ``python -m benchmarks.list_figures``, after ``list_rows``.

The histories of made-up cases are empty, so what they would have added to the daily sums is
worked out from the cases themselves, in one pass: 3 in 100 of the verified and rejected are
taken for cases that one of fifty reviewers has decided. A second provider gets one in ten of
the calls. The calls and the pairs are counted by the app.
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.list_settings")
django.setup()

# Django has to be set up before these can be imported.
from django.db import connection, transaction  # noqa: E402
from django.db.models import Count, F, Value  # noqa: E402
from django.db.models.functions import Floor, TruncDate  # noqa: E402

from benchmarks.list_rows import Row, slices, write  # noqa: E402
from django_faceverify import figures  # noqa: E402
from django_faceverify.figures import cells  # noqa: E402
from django_faceverify.figures.cells import Cell  # noqa: E402
from django_faceverify.figures.scale import TENTHS, bucket_of  # noqa: E402
from django_faceverify.models import (  # noqa: E402
    DailyFigure,
    ShadowRun,
    Verification,
    VerificationAttempt,
)
from django_faceverify.quotas import BOOKS  # noqa: E402

Kind = DailyFigure.Kind

#: of the verified and rejected, those that a person decided; of these, those taken back
REVIEWED_SHARE, TAKEN_BACK_SHARE = 0.03, 0.01
REVIEWERS = [f"user:{number}" for number in range(1, 51)]
#: of the calls, those that a second provider sees, too
SHADOW_SHARE = 0.1
SLICE = 20_000
ZONES = {"verified": "verified", "rejected": "mismatch", "in_review": "in_review"}
#: how the cases of a status got there
ACTIONS = {"in_review": "review_opened", "requires_input": "input_required"}


class Case(NamedTuple):
    """What the sums of a case have in common; the day is that of the books."""

    day: date
    level: str
    provider: str


def main() -> None:
    if DailyFigure.objects.exists():
        return  # a database that was kept
    begin = time.monotonic()
    chance = random.Random(1)  # noqa: S311 (no secret)
    with transaction.atomic():
        trust_keys()
        add_shadows(chance)
        cells.insert(Counted(chance).cells)
    figures.advance(float("inf"), settled=0)
    with connection.cursor() as cursor:
        for model in (DailyFigure, ShadowRun, VerificationAttempt):
            cursor.execute(f"ANALYZE {connection.ops.quote_name(model._meta.db_table)}")
    print(f"figures in {time.monotonic() - begin:.0f} s")  # noqa: T201 (its output)


class Counted:
    """What all cases would have added: each group of those that are alike at once."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.cells: Counter[Cell] = Counter()
        for day, level, provider, status, reason, tenth, count in alike():
            self.group(Case(day, level, provider), status, reason, tenth, count)

    def group(self, case: Case, status: str, reason: str, tenth: int | None, count: int) -> None:
        self.add(case, Kind.OPENED, count)
        is_decided = status in {"verified", "rejected"}
        reviewed = 0
        if is_decided and tenth is not None:
            reviewed = sum(self.chance.random() < REVIEWED_SHARE for _ in range(count))
        for _ in range(reviewed):
            self.review(case, status)
        count -= reviewed
        if status in Verification.FINAL:
            source = "threshold" if is_decided else ""
            self.add(case, Kind.ENDED, count, source=source, result=status)
        if status != "processing":
            told = {"source": "system", "result": ACTIONS.get(status, status), "detail": reason}
            self.add(case, Kind.REASON, count, **told)
        if tenth is not None:
            self.compare(case, ZONES[status], tenth, count)

    def review(self, case: Case, status: str) -> None:
        """A person has decided a case between the lines."""
        tenth, actor = self.chance.randrange(700, 800), self.chance.choice(REVIEWERS)
        side = "with" if (tenth >= 750) == (status == "verified") else "against"
        waited = bucket_of(3600 * self.chance.lognormvariate(0, 1.5))
        self.compare(case, "in_review", tenth, 1, decided=status)
        self.add(case, Kind.ENDED, 1, source="reviewer", result=status)
        for source, action in (("system", "review_opened"), ("person", status)):
            self.add(case, Kind.REASON, 1, source=source, result=action, detail="low_similarity")
        self.add(case, Kind.REVIEW, 1, source=side, result=status, bucket=actor)
        self.add(case, Kind.WAITED, 1, bucket=waited)
        if self.chance.random() < TAKEN_BACK_SHARE:
            self.add(case, Kind.TAKEN_BACK, 1, result="different", bucket=actor)

    def compare(self, case: Case, zone: str, tenth: int, count: int, decided: str = "") -> None:
        told = {"source": "threshold", "result": zone}
        self.add(case, Kind.SIMILARITY, count, **told, bucket=min(99, tenth // TENTHS))
        self.add(case, Kind.COMPARISON, count, **told, detail=decided, bucket=tenth)

    def add(self, case: Case, kind: Kind, count: int, **told: Any) -> None:
        day, level, provider = case
        self.cells[Cell(day, kind.value, level, provider, **told)] += count


def alike() -> Iterator[tuple[Any, ...]]:
    """Day, level, provider, status, reason and tenth of a point; and how many are alike."""
    rows = (
        Verification.objects.annotate(
            day=TruncDate("created_at", tzinfo=BOOKS),
            tenth=Floor(F("similarity") * Value(float(TENTHS))),
        )
        .values_list("day", "level", "provider", "status", "reason_code", "tenth")
        .annotate(count=Count("pk"))
        .order_by()
    )
    for *facts, tenth, count in rows.iterator():
        yield (*facts, None if tenth is None else int(tenth), count)


def trust_keys() -> None:
    """Foreign keys are not looked up for each row: they were read from the table just now."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")


# --- the second provider -------------------------------------------------------------------


def add_shadows(chance: random.Random) -> None:
    rows = VerificationAttempt.objects.filter(provider="default", state="answered")
    columns = ("verification_id", "photo_id", "pk", "similarity", "finished_at")
    found = rows.order_by("started_at").values_list(*columns).iterator(SLICE)
    chosen = (facts for facts in found if chance.random() < SHADOW_SHARE)
    for some in slices((shadow(chance, *facts) for facts in chosen), SLICE):
        write(VerificationAttempt, [attempt for attempt, _ in some])
        write(ShadowRun, [run for _, run in some])


def shadow(
    chance: random.Random, case: UUID, photo: UUID, own: UUID, similarity: float, at: datetime
) -> tuple[Row, Row]:
    """A call to the second provider, and the run that it was made for."""
    seen = min(100.0, max(0.0, similarity + chance.gauss(0, 6)))
    milliseconds = int(chance.lognormvariate(6.5, 0.5))
    began = at + timedelta(seconds=5)
    ended = began + timedelta(milliseconds=milliseconds)
    key, attempt = uuid4().hex, uuid4().hex
    is_billed = "yes" if chance.random() < 0.98 else "unknown"
    moments = [_text(moment) for moment in (began, ended)]
    call: Row = [
        attempt, case.hex, photo.hex, "shadow", "1", "second", attempt, "answered", is_billed,
        "", "0", "OK", "", f"{seen:.4f}", "200", *moments, str(milliseconds),
    ]  # fmt: skip
    run: Row = [
        key, case.hex, photo.hex, own.hex, attempt, "default", "second", _word(similarity),
        _word(seen), "80", "70", "compared", "", "1", "0", moments[0],
        _text(at + timedelta(days=1)), _text(at),
    ]  # fmt: skip
    return call, run


def _word(similarity: float) -> str:
    return "match" if similarity >= 80 else "between" if similarity >= 70 else "mismatch"


def _text(moment: datetime) -> str:
    """As ``list_rows`` writes moments: in UTC, without saying so."""
    return str(moment.astimezone(timezone.utc).replace(tzinfo=None))


if __name__ == "__main__":
    main()
