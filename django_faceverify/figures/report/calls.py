"""What the calls brought, how long they took, and what they cost."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from django_faceverify import quotas
from django_faceverify.conf import app_settings
from django_faceverify.costs import cost_of
from django_faceverify.figures.report.scope import Scope, histograms, sums
from django_faceverify.figures.scale import Share, quantile
from django_faceverify.models import DailyFigure, VerificationAttempt

Kind = DailyFigure.Kind
Billed, State = VerificationAttempt.Billed, VerificationAttempt.State


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
        self.cost += cost_of(provider, count if is_billed == Billed.YES else 0)

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
    for (day, provider), counts in histograms(scope.calls(Kind.LATENCY), "day", "provider").items():
        for line in (by_day[day], by_provider[provider]):
            line.latencies.update(counts)
    return CallReport(by_day, dict(by_provider))


@dataclass(frozen=True)
class DayCost:
    """Calls to one provider in one role on one day; those under way count as unknown."""

    day: date
    provider: str
    role: str
    calls: Calls

    @property
    def is_shadow(self) -> bool:
        """Whether they were for a comparison of providers, and decided nothing."""
        return self.role == VerificationAttempt.Role.SHADOW


def cost_by_day(scope: Scope) -> list[DayCost]:
    """The newest day first; days without a call are left out."""
    found: defaultdict[tuple[date, str, str], Calls] = defaultdict(Calls)
    rows = scope.calls(Kind.CALL)
    columns = ("day", "provider", "detail", "source", "result")
    for day, provider, role, billed, state, count in sums(rows, *columns):
        found[day, provider, role].add(provider, state, billed, count)
    lines = [DayCost(*facts, calls) for facts, calls in found.items()]
    return sorted(lines, key=lambda line: (-line.day.toordinal(), line.provider, line.role))


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
