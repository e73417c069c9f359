"""The work of people: what waits for them, how long it waited, and what they decided."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.db.models import Count, Q
from django.utils import timezone

from django_faceverify.figures.cases import SYSTEM
from django_faceverify.figures.report.scope import Scope, by_person, histograms
from django_faceverify.figures.scale import Share, quantile
from django_faceverify.models import DailyFigure, Review

Kind = DailyFigure.Kind

#: cases of each stage of the queue are counted up to so many
QUEUE_LIMIT = 10_000
#: the queue by age: younger than so many hours, each
AGES = (1, 4, 24, 72)


@dataclass(frozen=True)
class QueueAge:
    """Cases that came to review at least ``from_hours`` ago, and below ``to_hours``."""

    from_hours: int
    to_hours: int | None
    count: int


def queue(scope: Scope) -> list[QueueAge]:
    """The queue as it is now: the oldest ``QUEUE_LIMIT`` cases of each of its stages."""
    asked = {"level": scope.level, "provider": scope.provider}
    rows = Review.objects.filter(**{column: name for column, name in asked.items() if name})
    now = timezone.now()
    older = {
        f"{hours}": Count("since", filter=Q(since__lte=now - timedelta(hours=hours)))
        for hours in (0, *AGES)
    }
    found = Counter[str]()
    for stage in Review.Stage:  # an index holds each of them, but not the whole, oldest first
        oldest = rows.filter(stage=stage).order_by("since").values("since")
        found.update(oldest[:QUEUE_LIMIT].aggregate(**older))
    spans = zip((0, *AGES), (*AGES, None), strict=True)
    return [
        QueueAge(start, stop, found[f"{start}"] - (found[f"{stop}"] if stop else 0))
        for start, stop in spans
    ]


@dataclass
class Waiting:
    """How long the cases that people decided on a day had been in review."""

    day: date
    seconds: Counter[int] = field(default_factory=Counter)

    @property
    def count(self) -> int:
        return sum(self.seconds.values())

    @property
    def median(self) -> float | None:
        return quantile(self.seconds, 0.5)

    @property
    def p95(self) -> float | None:
        return quantile(self.seconds, 0.95)


def waiting(scope: Scope) -> list[Waiting]:
    days = {day: Waiting(day) for day in scope.days}
    for (day,), counts in histograms(scope.figures(Kind.WAITED), "day").items():
        days[day].seconds.update(counts)
    return list(days.values())


@dataclass
class Reviewing:
    """What one member of the staff decided, and what became of it.

    ``with_score`` and ``against_score`` are the verified and rejected cases with a
    similarity: verified in the upper half between the two lines (or above) and rejected in
    the lower half (or below) is with the score. The last three are decisions that were
    taken back by two people: not decided again yet, decided again the same, or differently.
    """

    actor: str
    verified: int = 0
    rejected: int = 0
    input_required: int = 0
    with_score: int = 0
    against_score: int = 0
    open: int = 0
    same: int = 0
    different: int = 0

    @property
    def decisions(self) -> int:
        return self.verified + self.rejected + self.input_required

    @property
    def agreement(self) -> Share:
        return Share(self.with_score, self.with_score + self.against_score)

    @property
    def overturned(self) -> Share:
        """Decided differently, of those that were taken back and decided again."""
        return Share(self.different, self.same + self.different)

    def add(self, other: Reviewing) -> None:
        for name in vars(other):
            if name != "actor":
                setattr(self, name, getattr(self, name) + getattr(other, name))


def reviewing(scope: Scope) -> list[Reviewing]:
    """Each reviewer, the busiest first; decisions that only rules took are not in it."""
    people: dict[str, Reviewing] = {}
    rows = scope.totals(Kind.REVIEW, Kind.TAKEN_BACK)
    for (kind, result, side), counts in by_person(rows, "kind", "result", "source").items():
        names = [result, f"{side}_score"] if kind == Kind.REVIEW and side else [result]
        for actor, count in counts.items():
            line = people.setdefault(actor, Reviewing(actor))
            for name in names:
                setattr(line, name, getattr(line, name) + count)
    people.pop(SYSTEM, None)
    return sorted(people.values(), key=lambda line: (-line.decisions, line.actor))
