"""Which figures are asked for, and how they are added up."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet, Sum
from django.utils import timezone

from django_faceverify import quotas
from django_faceverify.figures.scale import pile_up, week_of
from django_faceverify.models import DailyFigure, FigureCount

Span = DailyFigure.Span


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
        today = _today()
        return cls(today - timedelta(days=days - 1), today, level, provider)

    @classmethod
    def of_weeks(cls, weeks: int, *, level: str = "", provider: str = "") -> Scope:
        """So many whole weeks of the books, and this one as far as it has come."""
        today = _today()
        return cls(week_of(today) - timedelta(weeks=weeks), today, level, provider)

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

    def totals(self, *kinds: str) -> QuerySet[DailyFigure]:
        """Of cases, for kinds that are counted by the week as well: nobody may ask for days.

        Whole weeks as such, and the days before and after them.
        """
        first, past = (
            week_of(self.first + timedelta(days=6)),
            week_of(self.last + timedelta(days=1)),
        )
        past = max(first, past)
        weeks = Q(span=Span.WEEK, day__gte=first, day__lt=past)
        days = Q(span=Span.DAY) & (Q(day__lt=first) | Q(day__gte=past))
        return self.figures(*kinds).filter(weeks | days)


def sums(rows: QuerySet[DailyFigure], *columns: str) -> Iterator[tuple[Any, ...]]:
    """The rows added up by some columns, each with its sum at the end."""
    added = rows.values_list(*columns).annotate(sum=Sum("count")).order_by(*columns)
    return added.iterator()


def histograms(rows: QuerySet[DailyFigure], *columns: str) -> dict[tuple[Any, ...], Counter[int]]:
    """How often each bucket, for rows that are alike in those columns."""
    added: defaultdict[tuple[Any, ...], list[int]] = defaultdict(list)
    for *facts, buckets in rows.values_list(*columns, "buckets").order_by().iterator():
        pile_up(added[tuple(facts)], buckets)
    return {
        facts: Counter({place: count for place, count in enumerate(counts) if count})
        for facts, counts in added.items()
    }


def by_person(rows: QuerySet[DailyFigure], *columns: str) -> dict[tuple[Any, ...], Counter[str]]:
    """The same for decisions: how many by each member of the staff."""
    added: defaultdict[tuple[Any, ...], Counter[str]] = defaultdict(Counter)
    for *facts, buckets in rows.values_list(*columns, "buckets").order_by().iterator():
        added[tuple(facts)].update(buckets)
    return dict(added)


def counted_at() -> datetime | None:
    """When everything was last counted; ``None`` before the first count."""
    return FigureCount.objects.values_list("counted_at", flat=True).first()


def _today() -> date:
    return timezone.now().astimezone(quotas.BOOKS).date()
