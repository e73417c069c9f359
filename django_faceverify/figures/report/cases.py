"""What became of the cases: volume, outcomes, similarities and reasons."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django_faceverify.conf import app_settings
from django_faceverify.decision import Thresholds, Zone
from django_faceverify.figures.cases import SYSTEM
from django_faceverify.figures.report.scope import Scope, histograms, sums
from django_faceverify.figures.scale import Share
from django_faceverify.models import DailyFigure, Verification
from django_faceverify.thresholds import known

Kind = DailyFigure.Kind
Source = Verification.Source


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
    rows = scope.totals(Kind.SIMILARITY)
    for (source, result), counts in histograms(rows, "source", "result").items():
        zone = "refused" if source == Source.PROVIDER else Zone(result).value
        for bucket, count in counts.items():
            setattr(bands[bucket], zone, getattr(bands[bucket], zone) + count)
        lowest = min([lowest, *counts])
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
    rows = scope.totals(Kind.REASON).exclude(detail="")
    lines = [
        ReasonLine(action, code, source != SYSTEM, count)
        for action, code, source, count in sums(rows, "result", "detail", "source")
        if count
    ]
    return sorted(lines, key=lambda line: (-line.count, line.action, line.reason_code))
