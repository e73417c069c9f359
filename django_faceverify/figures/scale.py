"""Scales on which things are counted, and what can be said from such counts.

Durations are counted in buckets whose width grows with the value (the idea of DDSketch), so
that a few hundred of them hold any duration and every quantile is within 2.5 %.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_FLOOR, Decimal
from operator import add

#: each bucket of durations ends at so many times the end of the one before
GROWTH = 1.05
#: buckets of similarities to one point
TENTHS = 10
#: how many standard deviations hold 95 %
Z_95 = 1.959964


def bucket_of(value: float) -> int:
    """The bucket of a duration in any unit; what is below one counts as one."""
    return math.ceil(math.log(max(1.0, value)) / math.log(GROWTH))


def value_of(bucket: int) -> float:
    """The value that stands for a bucket: no value in it is further off than 2.5 %."""
    return float(2 * GROWTH**bucket / (GROWTH + 1))


def quantile(counts: Mapping[int, int], share: float) -> float | None:
    """The value below which that share of all lies (nearest rank); ``None`` without any."""
    rank = max(1, math.ceil(share * sum(counts.values())))
    seen = 0
    for bucket in sorted(counts):
        seen += counts[bucket]
        if seen >= rank:
            return value_of(bucket)
    return None


def tenths(similarity: float) -> int:
    """The bucket of a similarity, 0 to 1000: never more than it is.

    By its decimal digits, as thresholds are written: 79.9 is in 799, whatever binary says.
    """
    return int((Decimal(str(similarity)) * TENTHS).to_integral_value(ROUND_FLOOR))


def points(similarity: float) -> int:
    """The one-point band of a similarity, 0 to 99; exactly 100 belongs to the last."""
    return min(99, tenths(similarity) // TENTHS)


def packed(counts: Mapping[int, int]) -> list[int]:
    """A histogram as it is kept: its first place, and the counts from there to the last.

    A list is read and added up several times faster than a table, and it is as long for
    few observations as for many.
    """
    places = [place for place, count in counts.items() if count]
    if not places:
        return []
    first, last = min(places), max(places)
    return [first, *(counts.get(place, 0) for place in range(first, last + 1))]


def unpacked(histogram: Sequence[int]) -> dict[int, int]:
    return {place: count for place, count in enumerate(histogram[1:], sum(histogram[:1])) if count}


def pile_up(total: list[int], histogram: Sequence[int]) -> None:
    """Add a packed histogram to counts from place 0 on."""
    if not histogram:
        return
    first, *counts = histogram
    last = first + len(counts)
    total.extend([0] * (last - len(total)))
    total[first:last] = map(add, total[first:last], counts)


def week_of(day: date) -> date:
    """The Monday of its week."""
    return day - timedelta(days=day.weekday())


@dataclass(frozen=True)
class Share:
    """So many of so many, and between which bounds the true share is with 95 %."""

    count: int
    total: int

    @property
    def value(self) -> float | None:
        return self.count / self.total if self.total else None

    @property
    def low(self) -> float:
        return self.interval[0]

    @property
    def high(self) -> float:
        return self.interval[1]

    # For pages, in percent.

    @property
    def percent(self) -> float | None:
        return None if self.value is None else 100 * self.value

    @property
    def low_percent(self) -> float:
        return 100 * self.low

    @property
    def high_percent(self) -> float:
        return 100 * self.high

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's score interval; from 0 to 1 without any observation.

        With p = count / n and z = 1.96:
        (p + z²/2n ± z·sqrt(p(1-p)/n + z²/4n²)) / (1 + z²/n).
        """
        n = self.total
        if n == 0:
            return 0.0, 1.0
        p, z2 = self.count / n, Z_95**2
        middle = p + z2 / (2 * n)
        reach = Z_95 * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
        scale = 1 + z2 / n
        low, high = (middle - reach) / scale, (middle + reach) / scale
        return max(0.0, low) if self.count else 0.0, min(1.0, high) if self.count < n else 1.0
