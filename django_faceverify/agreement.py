"""How far two providers agree about the same photos: counts, shares and their uncertainty.

Read from the daily sums of the runs of shadows, so it costs the same for any number of pairs.
Nothing personal is in it: words, counts, times and money.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from django_faceverify.costs import cost_of
from django_faceverify.figures.report import Scope, histograms, sums
from django_faceverify.figures.scale import Share, quantile
from django_faceverify.figures.shadows import BAND, BANDS, SIDES
from django_faceverify.models import DailyFigure, ShadowRun, VerificationAttempt

Kind = DailyFigure.Kind
State, Verdict = ShadowRun.State, ShadowRun.Verdict
Billed = VerificationAttempt.Billed

#: how many days a report shows unless told, and at most
DAYS, MOST_DAYS = 90, 366
#: below so many pairs nothing should be decided by them
ENOUGH_PAIRS = 300

VERDICTS = tuple(Verdict.values)
BAND_NAMES = [f"{number * BAND}-{(number + 1) * BAND}" for number in range(BANDS)]
#: the columns by which the sums of one comparison are told apart
WHOSE = ("level", "provider", "detail")


class Whose(NamedTuple):
    """A level, its own provider, and the second one that looks on."""

    level: str
    provider: str
    second: str


@dataclass
class Side:
    """What one of the two did for these pairs; money at today's price."""

    provider: str
    billed: int = 0
    unknown: int = 0
    #: bucket of milliseconds -> calls that took so long
    latencies: Counter[int] = field(default_factory=Counter)

    def add(self, is_billed: str, calls: int) -> None:
        if is_billed == Billed.YES:
            self.billed += calls
        elif is_billed == Billed.UNKNOWN:
            self.unknown += calls

    @property
    def median_ms(self) -> int | None:
        return self._quantile(0.5)

    @property
    def slow_ms(self) -> int | None:
        """Of 100 calls, 95 are faster."""
        return self._quantile(0.95)

    @property
    def cost(self) -> Decimal:
        return cost_of(self.provider, self.billed)

    def _quantile(self, share: float) -> int | None:
        found = quantile(self.latencies, share)
        return None if found is None else round(found)


class Comparison:
    """A level's provider and its shadow, with what both said of the same photos."""

    def __init__(self, whose: Whose) -> None:
        self.level, self.provider, self.second = whose
        #: runs by their state
        self.states: dict[str, int] = {}
        #: pairs by the word of the level's own provider, and that of the second one
        self.words: Counter[tuple[str, str]] = Counter()
        #: pairs with two similarities, by the bands of both
        self.similarities: Counter[tuple[int, int]] = Counter()
        self.sides = Side(self.provider), Side(self.second)

    @property
    def pair_count(self) -> int:
        return self.words.total()

    @property
    def is_thin(self) -> bool:
        """Whether there are too few pairs to decide anything by."""
        return self.pair_count < ENOUGH_PAIRS

    @property
    def table(self) -> dict[str, dict[str, int]]:
        """Pairs by the word of the level's own provider, then by that of the second one."""
        return {one: {other: self.words[one, other] for other in VERDICTS} for one in VERDICTS}

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
        same = self.agreement.value
        if same is None:
            return None
        ones, others = Counter[str](), Counter[str]()
        for (one, other), count in self.words.items():
            ones[one] += count
            others[other] += count
        chance = sum(ones[word] * others[word] for word in VERDICTS) / self.pair_count**2
        return None if chance == 1 else (same - chance) / (1 - chance)

    @property
    def bands(self) -> list[tuple[str, list[int]]]:
        """Pairs with two similarities by bands of ten: rows of the first, columns of the second."""
        numbers = range(BANDS)
        return [
            (BAND_NAMES[row], [self.similarities[row, column] for column in numbers])
            for row in reversed(numbers)
        ]

    @property
    def not_compared(self) -> dict[str, int]:
        """Runs that brought no pair, by their state."""
        return {state: n for state, n in self.states.items() if state != State.COMPARED}

    @property
    def not_compared_labels(self) -> list[tuple[str, int]]:
        return [(str(State(state).label), n) for state, n in self.not_compared.items()]

    def side(self, name: str) -> Side:
        """The side of that name among ``SIDES``."""
        return dict(zip(SIDES, self.sides, strict=True))[name]

    def _share(self, is_meant: Callable[[str, str], bool]) -> Share:
        pairs = self.words.items()
        meant = sum(count for (one, other), count in pairs if is_meant(one, other))
        return Share(meant, self.pair_count)


def compare(scope: Scope) -> list[Comparison]:
    """The comparisons of these days, by level and by both providers."""
    found: dict[Whose, Comparison] = {}

    def of(*names: str) -> Comparison:
        whose = Whose(*names)
        return found.setdefault(whose, Comparison(whose))

    for *names, state, count in sums(scope.figures(Kind.RUN), *WHOSE, "result"):
        of(*names).states[state] = count
    for *names, one, other, count in sums(scope.figures(Kind.PAIR), *WHOSE, "source", "result"):
        of(*names).words[one, other] = count
    for key, bands in histograms(scope.figures(Kind.PAIR_BANDS), *WHOSE).items():
        for number, count in bands.items():
            of(*key).similarities[divmod(number, BANDS)] = count
    calls = scope.figures(Kind.PAIR_CALL)
    for *names, side, billed, count in sums(calls, *WHOSE, "source", "result"):
        of(*names).side(side).add(billed, count)
    for (*whose, side), latencies in histograms(calls, *WHOSE, "source").items():
        of(*whose).side(side).latencies = latencies
    return [found[whose] for whose in sorted(found)]
