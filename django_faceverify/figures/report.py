"""The figures for people to read: each function is one query over the daily sums.

What is about now (the queue, today's calls) is asked of the tables themselves, through an
index and up to a bound.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum
from django.utils import timezone

from django_faceverify import costs, quotas
from django_faceverify.conf import app_settings
from django_faceverify.decision import Thresholds, Zone
from django_faceverify.figures.cases import SYSTEM
from django_faceverify.figures.scale import Share, quantile
from django_faceverify.models import (
    DailyFigure,
    FigureCount,
    Verification,
    VerificationAttempt,
)
from django_faceverify.thresholds import known

Kind = DailyFigure.Kind
Source, Status = Verification.Source, Verification.Status
Billed, State = VerificationAttempt.Billed, VerificationAttempt.State

#: cases in review are counted up to so many
QUEUE_LIMIT = 10_000
#: the queue by age: younger than so many hours, each
AGES = (1, 4, 24, 72)


@dataclass(frozen=True)
class Scope:
    """Of which days, level and provider; an empty name is all of them."""

    first: date
    last: date
    level: str = ""
    provider: str = ""

    @classmethod
    def of_last(cls, days: int, *, level: str = "", provider: str = "") -> Scope:
        """So many days of the books, today included."""
        today = timezone.now().astimezone(quotas.BOOKS).date()
        return cls(today - timedelta(days=days - 1), today, level, provider)

    @property
    def days(self) -> Iterator[date]:
        for number in range((self.last - self.first).days + 1):
            yield self.first + timedelta(days=number)

    def figures(self, *kinds: str) -> QuerySet[DailyFigure]:
        """Of cases, by the provider that answered last."""
        rows = self.calls(*kinds)
        return rows.filter(level=self.level) if self.level else rows

    def calls(self, *kinds: str) -> QuerySet[DailyFigure]:
        """The same for kinds that know no level."""
        rows = DailyFigure.objects.filter(kind__in=kinds, day__range=(self.first, self.last))
        return rows.filter(provider=self.provider) if self.provider else rows


def sums(rows: QuerySet[DailyFigure], *columns: str) -> Iterator[tuple[Any, ...]]:
    """The rows added up by some columns, each with its sum at the end."""
    added = rows.values_list(*columns).annotate(sum=Sum("count")).order_by(*columns)
    return added.iterator()


def counted_at() -> datetime | None:
    """When everything was last counted; ``None`` before the first count."""
    return FigureCount.objects.values_list("counted_at", flat=True).first()


# --- cases ---------------------------------------------------------------------------------


@dataclass
class DayOfCases:
    """``by_rule`` are those of the verified and rejected that nobody had to look at."""

    day: date
    opened: int = 0
    verified: int = 0
    rejected: int = 0
    canceled: int = 0
    expired: int = 0
    by_rule: int = 0

    @property
    def passed(self) -> Share:
        """Verified, of those that were decided."""
        return Share(self.verified, self.verified + self.rejected)

    @property
    def automatic(self) -> Share:
        return Share(self.by_rule, self.verified + self.rejected)


def cases_by_day(scope: Scope) -> list[DayOfCases]:
    """Each case on the day it was opened, and on the day of its last end."""
    days = {day: DayOfCases(day) for day in scope.days}
    rows = scope.figures(Kind.OPENED, Kind.ENDED)
    for day, kind, source, result, count in sums(rows, "day", "kind", "source", "result"):
        line = days[day]
        if kind == Kind.OPENED:
            line.opened += count
            continue
        setattr(line, result, getattr(line, result) + count)
        if source in (Source.THRESHOLD, Source.PROVIDER):
            line.by_rule += count
    return list(days.values())


def whole(days: list[DayOfCases]) -> DayOfCases:
    """All days in one line, under the date of the first."""
    total = DayOfCases(days[0].day)
    for name in ("opened", "verified", "rejected", "canceled", "expired", "by_rule"):
        setattr(total, name, sum(getattr(day, name) for day in days))
    return total


@dataclass
class SimilarityBand:
    """Cases whose last similarity lies from ``low`` to below one more; 100 is in the last.

    The zones are those of the thresholds that were in force; ``refused`` are those that
    the provider itself turned down.
    """

    low: int
    mismatch: int = 0
    in_review: int = 0
    verified: int = 0
    refused: int = 0


def similarities(scope: Scope) -> list[SimilarityBand]:
    """From the lowest band with a case to the top; empty ones between are kept."""
    bands, lowest = [SimilarityBand(low) for low in range(100)], 100
    rows = scope.figures(Kind.SIMILARITY)
    for bucket, source, result, count in sums(rows, "bucket", "source", "result"):
        zone = "refused" if source == Source.PROVIDER else Zone(result).value
        setattr(bands[bucket], zone, getattr(bands[bucket], zone) + count)
        lowest = min(lowest, bucket)
    return bands[lowest:]


def thresholds_now(scope: Scope) -> list[Thresholds]:
    """The lines of the settings, each pair once, for the levels that the scope holds."""
    levels = [app_settings.level(name) for name in app_settings.LEVELS]
    in_force = [
        known(level)
        for level in levels
        if scope.level in ("", level.name) and scope.provider in ("", level.provider)
    ]
    pairs = {(lines.verify_at, lines.review_at) for lines in in_force if lines is not None}
    return [Thresholds(*pair) for pair in sorted(pairs)]


@dataclass(frozen=True)
class ReasonLine:
    """So many events with this reason; ``action`` is what happened to the case."""

    action: str
    reason_code: str
    by_person: bool
    count: int


def reasons(scope: Scope) -> list[ReasonLine]:
    """The most frequent first; events without a reason are left out."""
    rows = scope.figures(Kind.REASON).exclude(detail="")
    lines = [
        ReasonLine(action, code, source != SYSTEM, count)
        for action, code, source, count in sums(rows, "result", "detail", "source")
        if count
    ]
    return sorted(lines, key=lambda line: (-line.count, line.action, line.reason_code))


# --- calls ---------------------------------------------------------------------------------


@dataclass
class Calls:
    """Calls of a day, or to a provider; what is under way is ``open``."""

    answered: int = 0
    refused: int = 0
    throttled: int = 0
    not_sent: int = 0
    unknown: int = 0
    open: int = 0
    billed: int = 0
    free: int = 0
    perhaps: int = 0
    cost: Decimal = Decimal(0)
    #: bucket of milliseconds -> calls that were answered in it
    latencies: Counter[int] = field(default_factory=Counter)

    def add(self, provider: str, state: str, is_billed: str, count: int) -> None:
        name = "open" if state in (State.INTENT, State.SENDING) else str(state)
        setattr(self, name, getattr(self, name) + count)
        billed = {Billed.YES: "billed", Billed.NO: "free"}.get(Billed(is_billed), "perhaps")
        setattr(self, billed, getattr(self, billed) + count)
        if is_billed == Billed.YES:
            self.cost += count * costs.price_of(provider)

    @property
    def total(self) -> int:
        return self.failed.total

    @property
    def failed(self) -> Share:
        """Calls that brought no answer about a person."""
        failed = self.refused + self.throttled + self.not_sent + self.unknown
        return Share(failed, failed + self.answered + self.open)

    @property
    def median(self) -> float | None:
        """Milliseconds."""
        return quantile(self.latencies, 0.5)

    @property
    def p95(self) -> float | None:
        """Milliseconds."""
        return quantile(self.latencies, 0.95)


@dataclass(frozen=True)
class CallReport:
    by_day: dict[date, Calls]
    by_provider: dict[str, Calls]


def calls(scope: Scope) -> CallReport:
    """Of all levels: an attempt has none."""
    by_day = {day: Calls() for day in scope.days}
    by_provider: dict[str, Calls] = defaultdict(Calls)
    for name in app_settings.PROVIDERS:
        if scope.provider in ("", name):
            by_provider[name] = Calls()
    rows = scope.calls(Kind.CALL)
    for day, provider, billed, state, count in sums(rows, "day", "provider", "source", "result"):
        for line in (by_day[day], by_provider[provider]):
            line.add(provider, state, billed, count)
    rows = scope.calls(Kind.LATENCY)
    for day, provider, bucket, count in sums(rows, "day", "provider", "bucket"):
        for line in (by_day[day], by_provider[provider]):
            line.latencies[bucket] += count
    return CallReport(by_day, dict(by_provider))


@dataclass(frozen=True)
class Budget:
    """What of ``CALLS_PER_DAY`` is left today; ``None`` without a limit."""

    provider: str
    limit: int | None
    used: int

    @property
    def left(self) -> int | None:
        return None if self.limit is None else max(0, self.limit - self.used)


def budgets(providers: list[str]) -> dict[str, Budget]:
    used = quotas.calls_today_by_provider(providers)
    return {
        name: Budget(name, app_settings.limits(name).calls_per_day, used[name])
        for name in providers
    }


# --- people --------------------------------------------------------------------------------


@dataclass(frozen=True)
class QueueAge:
    """Cases in review that were opened at least ``from_hours`` ago, and below ``to_hours``."""

    from_hours: int
    to_hours: int | None
    count: int


def queue(scope: Scope) -> list[QueueAge]:
    """The queue as it is now, the oldest ``QUEUE_LIMIT`` cases of it."""
    rows = Verification.objects.filter(status=Status.IN_REVIEW)
    if scope.level:
        rows = rows.filter(level=scope.level)
    if scope.provider:
        rows = rows.filter(provider=scope.provider)
    oldest = rows.order_by("created_at").values("created_at")[:QUEUE_LIMIT]
    now = timezone.now()
    older = {
        f"from_{hours}": Count("created_at", filter=Q(created_at__lte=now - timedelta(hours=hours)))
        for hours in (0, *AGES)
    }
    found = oldest.aggregate(**older)
    spans = zip((0, *AGES), (*AGES, None), strict=True)
    return [
        QueueAge(start, stop, found[f"from_{start}"] - (found[f"from_{stop}"] if stop else 0))
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
    for day, bucket, count in sums(scope.figures(Kind.WAITED), "day", "bucket"):
        days[day].seconds[bucket] += count
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
    rows = scope.figures(Kind.REVIEW, Kind.TAKEN_BACK).exclude(detail=SYSTEM)
    for kind, actor, result, side, count in sums(rows, "kind", "detail", "result", "source"):
        line = people.setdefault(actor, Reviewing(actor))
        setattr(line, result, getattr(line, result) + count)
        if kind == Kind.REVIEW and side:
            setattr(line, f"{side}_score", getattr(line, f"{side}_score") + count)
    return sorted(people.values(), key=lambda line: (-line.decisions, line.actor))
