"""Makes up the sums of a second provider that looked on, for the picture of the agreement.

On the database of a running demo:

    DJANGO_SETTINGS_MODULE=example_project.settings python docs/pictures/pairs.py
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

import django

django.setup()

# Django has to be set up before these can be imported.
from django.db import transaction  # noqa: E402
from django.utils import timezone  # noqa: E402

from django_faceverify.decision import WORDS, Thresholds  # noqa: E402
from django_faceverify.figures import cells  # noqa: E402
from django_faceverify.figures.cells import Cell  # noqa: E402
from django_faceverify.figures.scale import bucket_of  # noqa: E402
from django_faceverify.figures.shadows import BAND, BANDS, KINDS  # noqa: E402
from django_faceverify.models import DailyFigure  # noqa: E402

#: the newest week is counted by the demo itself
FIRST, LAST = 60, 8
PAIRS_A_DAY = 24
FIRST_LINES, SECOND_LINES = Thresholds(80, 70), Thresholds(70, 60)


class Pair(NamedTuple):
    """Two similarities and two times of the same photo."""

    similarities: tuple[float, float]
    milliseconds: tuple[float, float]


def main() -> None:
    chance = random.Random(7)  # noqa: S311 (no secret)
    today = timezone.now().date()
    found = Counter(
        cell
        for days in range(LAST, FIRST)
        for _ in range(PAIRS_A_DAY)
        for cell in cells_of(today - timedelta(days=days), pair(chance), chance)
    )
    with transaction.atomic():
        DailyFigure.objects.filter(kind__in=KINDS, detail="faceid").delete()
        cells.insert(found)


def pair(chance: random.Random) -> Pair:
    """Most people are who they say; the second service is a little stricter on its scale."""
    is_same = chance.random() < 0.93
    one = chance.gauss(89, 6) if is_same else chance.gauss(38, 16)
    similarities = one, one - 9 + chance.gauss(0, 5)
    return Pair(
        (_clamped(similarities[0]), _clamped(similarities[1])),
        (1000 * chance.lognormvariate(-0.2, 0.3), 1000 * chance.lognormvariate(-0.6, 0.35)),
    )


def _clamped(similarity: float) -> float:
    return min(100.0, max(0.0, similarity))


def cells_of(day: date, found: Pair, chance: random.Random) -> Iterator[Cell]:
    def cell(kind: DailyFigure.Kind, source: str = "", result: str = "", **told: int) -> Cell:
        facts = {"source": source, "result": result, "detail": "faceid"}
        return Cell(day, kind.value, "default", "default", **facts, **told)

    if chance.random() < 0.01:
        yield cell(DailyFigure.Kind.RUN, result="unknown")
        return
    yield cell(DailyFigure.Kind.RUN, result="compared")
    one, other = found.similarities
    words = WORDS[FIRST_LINES.zone(one)], WORDS[SECOND_LINES.zone(other)]
    yield cell(DailyFigure.Kind.PAIR, *words)
    bands = [min(int(similarity // BAND), BANDS - 1) for similarity in (one, other)]
    yield cell(DailyFigure.Kind.PAIR_BANDS, bucket=bands[0] * BANDS + bands[1])
    for side, milliseconds in zip(("first", "second"), found.milliseconds, strict=True):
        yield cell(DailyFigure.Kind.PAIR_CALL, side, "yes", bucket=bucket_of(milliseconds))


if __name__ == "__main__":
    main()
