"""What a vendor has published about its scale: how many strangers pass at which similarity."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

#: as long as the column that keeps it with a decision
MAX_VERSION = 50


@dataclass(frozen=True, kw_only=True)
class FarTable:
    """A vendor's own figures, with where and when they were published.

    A row is a rate of false accepts and the lowest similarity at which it holds, the weakest
    first. ``version`` is ours, and names these very figures for good: it stands with every
    decision made by them. Raises ``ValueError`` for rows that contradict each other.
    """

    version: str
    source: str
    published: date
    rows: tuple[tuple[Decimal, float], ...]

    def __post_init__(self) -> None:
        rates = [rate for rate, _ in self.rows]
        scores = [score for _, score in self.rows]
        if not rates or rates != sorted(set(rates), reverse=True) or not rates[-1] > 0:
            raise ValueError("rates must fall from row to row and be above 0")
        if scores != sorted(set(scores)) or not 0 <= scores[0] <= scores[-1] <= 100:
            raise ValueError("similarities must rise from row to row, from 0 to 100")
        if not 0 < len(self.version) <= MAX_VERSION:
            raise ValueError(f"a version has 1 to {MAX_VERSION} characters")

    def score_at(self, far: Decimal) -> float | None:
        """The lowest similarity that is published to be at least as strict; ``None`` if none is.

        A rate between two rows takes the stricter one: nobody has measured what is between.
        """
        return next((score for rate, score in self.rows if rate <= far), None)

    @property
    def strictest(self) -> Decimal:
        """The lowest rate that can be asked for."""
        return self.rows[-1][0]


def spelled(far: Decimal) -> str:
    """A rate as vendors write it: ``1e-4``."""
    return f"{far.normalize():e}"
