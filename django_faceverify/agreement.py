"""How far two providers agree about the same photos: counts, shares and their uncertainty.

Read from the runs of shadows. Nothing personal is in it: words, counts, times and money.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import groupby
from math import sqrt
from typing import Any

from django.db.models import Count
from django.utils import timezone

from django_faceverify.costs import price_of
from django_faceverify.models import ShadowRun, VerificationAttempt

State, Verdict = ShadowRun.State, ShadowRun.Verdict
Billed = VerificationAttempt.Billed

#: how many days a report shows unless told, and at most
DAYS, MOST_DAYS = 90, 366
#: the newest pairs of one comparison that are read
MOST_PAIRS = 50_000
#: below so many pairs nothing should be decided by them
ENOUGH_PAIRS = 300
#: for 95 percent of a normal distribution
Z = 1.959964
#: width of a band of similarities
BAND = 10

VERDICTS = tuple(Verdict.values)


@dataclass(frozen=True)
class Share:
    """So many of so many, with the interval (Wilson, 95 %) in which the true share may lie."""

    count: int
    total: int

    @property
    def value(self) -> float:
        return self.count / self.total if self.total else 0.0

    @property
    def low(self) -> float:
        return max(0.0, self._middle - self._half) if self.total else 0.0

    @property
    def high(self) -> float:
        return min(1.0, self._middle + self._half) if self.total else 1.0

    # For pages, in percent.

    @property
    def percent(self) -> float:
        return 100 * self.value

    @property
    def low_percent(self) -> float:
        return 100 * self.low

    @property
    def high_percent(self) -> float:
        return 100 * self.high

    @property
    def _middle(self) -> float:
        return (self.value + Z**2 / (2 * self.total)) / (1 + Z**2 / self.total)

    @property
    def _half(self) -> float:
        inner = self.value * (1 - self.value) / self.total + Z**2 / (4 * self.total**2)
        return Z * sqrt(inner) / (1 + Z**2 / self.total)


@dataclass(frozen=True)
class Side:
    """What one of the two did for these pairs; times in milliseconds, money at today's price."""

    provider: str
    median_ms: int | None
    slow_ms: int | None
    billed: int
    unknown: int
    cost: Decimal


@dataclass(frozen=True)
class Pair:
    """The same photo at both providers."""

    verdicts: tuple[str, str]
    similarities: tuple[float | None, float | None]
    durations: tuple[int | None, int | None]
    billed: tuple[str, str]


@dataclass(frozen=True)
class Comparison:
    """A level's provider and its shadow, with what both said of the same photos."""

    level: str
    provider: str
    second: str
    pairs: list[Pair]
    states: dict[str, int]

    @property
    def pair_count(self) -> int:
        return len(self.pairs)

    @property
    def is_thin(self) -> bool:
        """Whether there are too few pairs to decide anything by."""
        return self.pair_count < ENOUGH_PAIRS

    @property
    def table(self) -> dict[str, dict[str, int]]:
        """Pairs by the word of the level's own provider, then by that of the second one."""
        found = Counter(pair.verdicts for pair in self.pairs)
        return {one: {other: found[one, other] for other in VERDICTS} for one in VERDICTS}

    @property
    def table_rows(self) -> list[tuple[str, list[int]]]:
        return [(str(Verdict(one).label), [*row.values()]) for one, row in self.table.items()]

    @property
    def agreement(self) -> Share:
        """Both said the same word."""
        return self._share(lambda one, other: one == other)

    @property
    def only_first(self) -> Share:
        """The level's own provider verified, and the second one would not have."""
        return self._share(lambda one, other: one == Verdict.MATCH != other)

    @property
    def only_second(self) -> Share:
        """The second provider would have verified, and the level's own did not."""
        return self._share(lambda one, other: other == Verdict.MATCH != one)

    @property
    def both(self) -> Share:
        """Both verify."""
        return self._share(lambda one, other: one == other == Verdict.MATCH)

    @property
    def kappa(self) -> float | None:
        """Cohen's kappa: agreement beyond chance; ``None`` where chance alone explains all."""
        if not self.pairs:
            return None
        ones = Counter(pair.verdicts[0] for pair in self.pairs)
        others = Counter(pair.verdicts[1] for pair in self.pairs)
        chance = sum(ones[word] * others[word] for word in VERDICTS) / self.pair_count**2
        return None if chance == 1 else (self.agreement.value - chance) / (1 - chance)

    @property
    def bands(self) -> list[tuple[str, list[int]]]:
        """Pairs with two similarities by bands of ten: rows of the first, columns of the second."""
        found = Counter(
            (_band(one), _band(other))
            for pair in self.pairs
            for one, other in [pair.similarities]
            if one is not None and other is not None
        )
        numbers = range(100 // BAND)
        return [
            (BAND_NAMES[row], [found[row, column] for column in numbers])
            for row in reversed(numbers)
        ]

    @property
    def sides(self) -> tuple[Side, Side]:
        return self._side(0, self.provider), self._side(1, self.second)

    @property
    def not_compared(self) -> dict[str, int]:
        """Runs that brought no pair, by their state."""
        return {state: n for state, n in self.states.items() if state != State.COMPARED}

    @property
    def not_compared_labels(self) -> list[tuple[str, int]]:
        return [(str(State(state).label), n) for state, n in self.not_compared.items()]

    def _share(self, is_meant: Callable[[str, str], bool]) -> Share:
        return Share(sum(is_meant(*pair.verdicts) for pair in self.pairs), self.pair_count)

    def _side(self, index: int, provider: str) -> Side:
        times = sorted(
            milliseconds
            for pair in self.pairs
            if (milliseconds := pair.durations[index]) is not None
        )
        billed = Counter(pair.billed[index] for pair in self.pairs)
        return Side(
            provider=provider,
            median_ms=_quantile(times, 0.5),
            slow_ms=_quantile(times, 0.95),
            billed=billed[Billed.YES],
            unknown=billed[Billed.UNKNOWN],
            cost=billed[Billed.YES] * price_of(provider),
        )


BAND_NAMES = [f"{low}-{low + BAND}" for low in range(0, 100, BAND)]


def compare(days: int = DAYS, level: str | None = None) -> list[Comparison]:
    """The comparisons of the last so many days, by level and by both providers."""
    first = timezone.now() - timedelta(days=max(1, min(days, MOST_DAYS)))
    runs = ShadowRun.objects.filter(created_at__gte=first)
    if level is not None:
        runs = runs.filter(level=level)
    keys = ("level", "attempt__provider", "provider")
    counts = runs.values_list(*keys, "state").annotate(Count("pk")).order_by(*keys, "state")
    return [
        Comparison(
            level=name,
            provider=one,
            second=other,
            pairs=[
                _pair(row)
                for row in _newest(runs.filter(level=name, attempt__provider=one, provider=other))
            ],
            states={state: count for *_, state, count in group},
        )
        for (name, one, other), group in groupby(counts, key=lambda row: row[:3])
    ]


def _newest(runs: Any) -> Iterable[tuple[Any, ...]]:
    compared = runs.filter(state=State.COMPARED).order_by("-created_at")
    columns = ("similarity", "duration_ms", "is_billed")
    return compared.values_list(  # type: ignore[no-any-return]
        "case_verdict",
        "verdict",
        *(f"attempt__{column}" for column in columns),
        *(f"shadow_attempt__{column}" for column in columns),
    )[:MOST_PAIRS]


def _pair(row: tuple[Any, ...]) -> Pair:
    one, other, *facts = row
    return Pair(
        verdicts=(one, other),
        similarities=(facts[0], facts[3]),
        durations=(facts[1], facts[4]),
        billed=(facts[2], facts[5]),
    )


def _band(similarity: float) -> int:
    """The number of a band; 100 belongs to the highest."""
    return min(int(similarity // BAND), 100 // BAND - 1)


def _quantile(values: list[int], share: float) -> int | None:
    """The smallest of the sorted values that so large a share does not exceed."""
    if not values:
        return None
    return values[max(0, -int(-share * len(values) // 1) - 1)]
