"""What other thresholds would have done with the cases of some weeks, and what people said.

Each case counts once, by its last similarity, in buckets of a tenth of a point. Nothing is
changed: no setting is written. What is not in the figures cannot be asked: cases that have
not been compared, and what people would say about cases that they never saw.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from itertools import accumulate

from django_faceverify.conf import THRESHOLD_DEFAULTS, app_settings
from django_faceverify.decision import Thresholds, Zone
from django_faceverify.exceptions import InvalidProvider
from django_faceverify.figures.report import Scope, histograms
from django_faceverify.figures.scale import TENTHS, Share, week_of
from django_faceverify.models import DailyFigure, Verification
from django_faceverify.providers import providers
from django_faceverify.thresholds import known

Source = Verification.Source

#: most whole weeks that one question may ask for
MOST_WEEKS = 52
#: decisions by people below which a share of them says little
FEW_DECISIONS = 30
#: cases below which the counts themselves say little
FEW_CASES = 200
#: points of a band in the table of what people decided
BAND = 2
#: how far the neighbourhood of a candidate reaches, in points
NEIGHBOURS = 5

#: the highest bucket of similarities
SCALE = 100 * TENTHS

#: what a person can decide about a case in review
DECISIONS = ("verified", "rejected", "input_required")


class Caution(str, Enum):
    """What the reader of an answer has to know."""

    NO_CASES = "no_cases"
    FEW_CASES = "few_cases"
    NO_DECISIONS_ABOVE = "no_decisions_above"
    FEW_DECISIONS_ABOVE = "few_decisions_above"
    NO_DECISIONS_BELOW = "no_decisions_below"
    FEW_DECISIONS_BELOW = "few_decisions_below"
    BELOW_FLOOR = "below_floor"


@dataclass(frozen=True)
class Pile:
    """Cases of one bucket with the same fate.

    ``zone`` is where the case fell when it was judged; ``by_provider`` says that this was
    the provider's own verdict. ``decided`` is what a person decided since, if anybody did:
    ``verified``, ``rejected``, ``input_required`` or nothing.
    """

    tenths: int
    zone: Zone
    by_provider: bool
    decided: str
    count: int

    def under(self, thresholds: Thresholds) -> Zone:
        """Where these thresholds put it. They never overrule the provider's own verdict."""
        return self.zone if self.by_provider else thresholds.zone(self.tenths / TENTHS)


@dataclass(frozen=True)
class Question:
    """Which cases, and which thresholds to try on them."""

    scope: Scope
    candidate: Thresholds

    def __post_init__(self) -> None:
        if not self.scope.provider:
            raise ValueError("similarities of two providers cannot be compared: name one")
        first, week = self.scope.first, week_of(self.scope.last)
        if first != week_of(first):
            raise ValueError("must begin on a Monday: similarities are counted by the week")
        if not timedelta() <= week - first <= timedelta(weeks=MOST_WEEKS):
            raise ValueError(f"must be about 0 to {MOST_WEEKS} whole weeks and this one")
        for line in (self.candidate.verify_at, self.candidate.review_at):
            if not is_on_grid(line):
                raise ValueError("thresholds must be multiples of 0.1: cases are counted so")


@dataclass(frozen=True)
class Band:
    """Cases with a similarity from ``low`` to below ``high`` (the last band holds 100)."""

    low: float
    high: float
    cases: int
    verified: int
    rejected: int
    asked_again: int

    @property
    def undecided(self) -> int:
        """Those that no person has decided."""
        return self.cases - self.verified - self.rejected - self.asked_again

    @property
    def accepted(self) -> Share:
        """Verified by people, of those that people verified or rejected."""
        return Share(self.verified, self.verified + self.rejected)


@dataclass(frozen=True)
class Trial:
    """What one pair of thresholds would have done.

    ``wrongly_verified``: of the cases that it would verify and that people have decided,
    those that people rejected. ``wrongly_refused``: of those that it would turn down and
    that people have decided, those that people verified.
    """

    thresholds: Thresholds
    zones: dict[Zone, int]
    wrongly_verified: Share
    wrongly_refused: Share

    @property
    def total(self) -> int:
        return sum(self.zones.values())


@dataclass(frozen=True)
class Answer:
    """``moved`` counts cases by where they fell and where the candidate would put them."""

    question: Question
    was: dict[Zone, int]
    trial: Trial
    moved: dict[tuple[Zone, Zone], int]
    by_provider: int
    bands: list[Band]
    neighbours: list[Trial]
    cautions: list[Caution]

    @property
    def total(self) -> int:
        return self.trial.total

    @property
    def changed(self) -> int:
        return sum(count for (before, after), count in self.moved.items() if before != after)


def ask(question: Question) -> Answer:
    """Replay the candidate; one query."""
    return replay(question, piles(question.scope))


def piles(scope: Scope) -> list[Pile]:
    rows = scope.figures(DailyFigure.Kind.COMPARISON)
    return [
        Pile(bucket, zone, source == Source.PROVIDER, decided, count)
        for (result, source, decided), counts in histograms(
            rows, "result", "source", "detail"
        ).items()
        for zone in [Zone(result)]
        for bucket, count in counts.items()
    ]


def replay(question: Question, cases: list[Pile]) -> Answer:
    was: Counter[Zone] = Counter()
    moved: Counter[tuple[Zone, Zone]] = Counter()
    for pile in cases:
        was[pile.zone] += pile.count
        moved[pile.zone, pile.under(question.candidate)] += pile.count
    tally = Tally(cases)
    trial = tally.under(question.candidate)
    return Answer(
        question=question,
        was={zone: was[zone] for zone in Zone},
        trial=trial,
        moved={(before, after): moved[before, after] for before in Zone for after in Zone},
        by_provider=sum(pile.count for pile in cases if pile.by_provider),
        bands=_bands(pile for pile in cases if not pile.by_provider),
        neighbours=[tally.under(one) for one in _neighbours(question.candidate)],
        cautions=list(_cautions(question, trial)),
    )


class Tally:
    """Piles added up along the scale, so that trying two lines costs the same for any of them."""

    def __init__(self, cases: Iterable[Pile]) -> None:
        self.refused: Counter[Zone] = Counter()
        #: by what people decided, and by bucket
        counts = {decided: [0] * (SCALE + 1) for decided in ("", *DECISIONS)}
        for pile in cases:
            if pile.by_provider:
                self.refused[pile.zone] += pile.count
            else:
                counts[pile.decided][pile.tenths] += pile.count
        #: the same for all buckets below one
        self.below = {decided: [0, *accumulate(by_bucket)] for decided, by_bucket in counts.items()}

    def under(self, thresholds: Thresholds) -> Trial:
        """What these thresholds, which lie on the grid, would have done."""
        verify_at, review_at = (
            round(line * TENTHS) for line in (thresholds.verify_at, thresholds.review_at)
        )
        spans = {
            Zone.VERIFIED: (verify_at, SCALE + 1),
            Zone.IN_REVIEW: (review_at, verify_at),
            Zone.MISMATCH: (0, review_at),
        }

        def decided(zone: Zone, *decisions: str) -> int:
            start, end = spans[zone]
            return sum(self.below[one][end] - self.below[one][start] for one in decisions)

        def share(zone: Zone, wrong: str) -> Share:
            return Share(decided(zone, wrong), decided(zone, "verified", "rejected"))

        return Trial(
            thresholds=thresholds,
            zones={zone: self.refused[zone] + decided(zone, "", *DECISIONS) for zone in Zone},
            wrongly_verified=share(Zone.VERIFIED, "rejected"),
            wrongly_refused=share(Zone.MISMATCH, "verified"),
        )


def thresholds_of(provider: str, level: str = "") -> Thresholds:
    """What the settings say now, for the level or for the first one with that provider."""
    for name in (level,) if level else app_settings.LEVELS:
        rules = app_settings.level(name)
        lines = known(rules) if level or rules.provider == provider else None
        if lines is not None:
            return Thresholds(lines.verify_at, lines.review_at)
    usual = THRESHOLD_DEFAULTS
    return Thresholds(usual["verify_at"], usual["review_at"])


def snippet(question: Question) -> str:
    """The setting that makes the candidate the rule; for the site's developer to write."""
    verify_at, review_at = question.candidate.verify_at, question.candidate.review_at
    where = (
        f'["LEVELS"]["{question.scope.level}"]'
        if question.scope.level
        else f'["PROVIDERS"]["{question.scope.provider}"]'
    )
    lines = f'{{"verify_at": {verify_at:g}, "review_at": {review_at:g}}}'
    return f'FACEVERIFY{where}["THRESHOLDS"] = {lines}'


def is_on_grid(line: float) -> bool:
    return round(line * TENTHS) / TENTHS == line


def _bands(cases: Iterable[Pile]) -> list[Band]:
    """From the lowest band with a case to the top; empty ones between are kept."""
    counts: Counter[tuple[int, str]] = Counter()
    for pile in cases:
        counts[min(pile.tenths // TENTHS, 99) // BAND, pile.decided] += pile.count
    if not counts:
        return []
    lowest = min(number for number, _ in counts)
    return [
        Band(
            low=number * BAND,
            high=(number + 1) * BAND,
            cases=sum(counts[number, fate] for fate in ("", *DECISIONS)),
            verified=counts[number, "verified"],
            rejected=counts[number, "rejected"],
            asked_again=counts[number, "input_required"],
        )
        for number in range(lowest, 100 // BAND)
    ]


def _neighbours(candidate: Thresholds) -> list[Thresholds]:
    """The same line of review, and other lines of verification around the candidate's."""
    lines = (round(candidate.verify_at + step, 1) for step in range(-NEIGHBOURS, NEIGHBOURS + 1))
    return [
        Thresholds(line, candidate.review_at)
        for line in lines
        if candidate.review_at <= line <= 100
    ]


def _cautions(question: Question, trial: Trial) -> Iterable[Caution]:
    if not trial.total:
        yield Caution.NO_CASES
        return
    if trial.total < FEW_CASES:
        yield Caution.FEW_CASES
    for share, none, few in (
        (trial.wrongly_verified, Caution.NO_DECISIONS_ABOVE, Caution.FEW_DECISIONS_ABOVE),
        (trial.wrongly_refused, Caution.NO_DECISIONS_BELOW, Caution.FEW_DECISIONS_BELOW),
    ):
        if share.total < FEW_DECISIONS:
            yield few if share.total else none
    if question.candidate.review_at < _floor(question.scope.provider):
        yield Caution.BELOW_FLOOR


def _floor(provider: str) -> float:
    """Where the provider itself begins to say no; nothing for one that is gone."""
    try:
        return providers[provider].lowest_threshold
    except InvalidProvider:
        return 0.0
