"""What one case adds to the figures: a pure rule over its history.

The history only grows, so what a case has added before can be said again at any time: the
figures move by the difference between two readings of it. A case is counted once, as it
stands: its last comparison, its last end, and what people last decided about it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, NamedTuple

from django_faceverify.decision import Thresholds, Zone
from django_faceverify.figures.cells import Cell
from django_faceverify.figures.scale import bucket_of, points, tenths
from django_faceverify.models import DailyFigure, Verification
from django_faceverify.quotas import BOOKS

Kind = DailyFigure.Kind
Source = Verification.Source

#: who decided, where it was no member of the staff
SYSTEM = "system"
#: how a comparison that the provider did not like has ended, by the event that says so
VERDICTS = {
    "verified": Zone.VERIFIED,
    "review_opened": Zone.IN_REVIEW,
    "input_required": Zone.MISMATCH,
    "rejected": Zone.MISMATCH,
}
#: events that end a case
ENDS = frozenset({"verified", "rejected", "canceled", "expired"})
#: events by which somebody decides a case in review
DECISIONS = frozenset({"verified", "rejected", "input_required"})
#: all events that count; a case is not read again for any other
COUNTED = ENDS | DECISIONS | {"created", "review_opened", "reopened"}


class Fact(NamedTuple):
    """An event, as far as it counts."""

    at: datetime
    action: str
    actor: str
    reason_code: str
    data: dict[str, Any]

    @property
    def day(self) -> date:
        return self.at.astimezone(BOOKS).date()


@dataclass(frozen=True)
class Comparison:
    """A similarity that was judged; by the thresholds, or by the provider's own verdict."""

    day: date
    similarity: float
    thresholds: Thresholds
    source: str
    zone: str
    #: what a person has decided about it since
    decided: str = ""

    def is_with(self, decision: str) -> bool:
        """Whether verifying or rejecting lies on its side of the middle between the lines."""
        middle = (self.thresholds.verify_at + self.thresholds.review_at) / 2
        return (self.similarity >= middle) == (decision == "verified")


@dataclass(frozen=True)
class Deed:
    """A case was verified or rejected; ``fate`` is what became of that when it was reopened."""

    day: date
    actor: str
    decision: str
    fate: str = ""


class _Case:
    """A case while its history is read."""

    def __init__(self, verdicts: Collection[int]) -> None:
        self.verdicts = verdicts
        self.provider = ""
        self.opened: date | None = None
        self.ended: tuple[date, str, str] | None = None
        self.comparison: Comparison | None = None
        self.in_review_since: datetime | None = None
        self.deeds: list[Deed] = []
        self.reasons: list[tuple[date, str, str, str]] = []
        self.reviews: list[tuple[date, str, str, str]] = []
        self.waits: list[tuple[date, int]] = []

    def read(self, fact: Fact) -> None:
        if fact.action == "created":
            self.opened = fact.day
        if "thresholds" in fact.data:
            self._judged(fact)
        if fact.action == "reopened":
            self._reopened(fact)
        if fact.action in DECISIONS and self.in_review_since is not None:
            self._reviewed(fact, self.in_review_since)
        if fact.action in ("verified", "rejected"):
            self._decided(fact)
        if fact.action in ENDS:
            self.ended = (fact.day, fact.action, self._source(fact))
        if fact.action in COUNTED - {"created", "reopened"}:
            source = SYSTEM if fact.actor == SYSTEM else "person"
            self.reasons.append((fact.day, source, fact.action, fact.reason_code))
            self.in_review_since = None
        if fact.action in ("review_opened", "reopened"):
            self.in_review_since = fact.at

    def _judged(self, fact: Fact) -> None:
        """An answer of the provider was judged."""
        self.provider = fact.data.get("provider", "")
        similarity = fact.data.get("similarity")
        if similarity is None:
            return
        thresholds = Thresholds(*fact.data["thresholds"])
        is_verdict = fact.data.get("attempt") in self.verdicts
        self.comparison = Comparison(
            day=fact.day,
            similarity=similarity,
            thresholds=thresholds,
            source=Source.PROVIDER if is_verdict else Source.THRESHOLD,
            zone=(VERDICTS[fact.action] if is_verdict else thresholds.zone(similarity)).value,
        )

    def _reopened(self, fact: Fact) -> None:
        """What was decided does not stand any more."""
        self.ended = None
        if self.deeds:
            self.deeds[-1] = replace(self.deeds[-1], fate="open")
        if self.comparison is not None:
            self.comparison = replace(self.comparison, decided="")

    def _reviewed(self, fact: Fact, since: datetime) -> None:
        """A person has decided a case in review."""
        side = ""
        if self.comparison is not None:
            self.comparison = replace(self.comparison, decided=fact.action)
            if fact.action in ENDS:
                side = "with" if self.comparison.is_with(fact.action) else "against"
        self.reviews.append((fact.day, fact.actor, fact.action, side))
        self.waits.append((fact.day, bucket_of((fact.at - since).total_seconds())))

    def _decided(self, fact: Fact) -> None:
        if self.deeds and self.deeds[-1].fate == "open":
            before = self.deeds[-1]
            fate = "same" if before.decision == fact.action else "different"
            self.deeds[-1] = replace(before, fate=fate)
        self.deeds.append(Deed(fact.day, fact.actor, fact.action))

    def _source(self, fact: Fact) -> str:
        """By whose rule it ended; empty for what is no decision."""
        if fact.action not in ("verified", "rejected"):
            return ""
        if fact.actor != SYSTEM:
            return Source.REVIEWER.value
        if fact.data.get("similarity") is None or fact.data.get("attempt") in self.verdicts:
            return Source.PROVIDER.value
        return Source.THRESHOLD.value

    def cells(self, level: str) -> Iterable[Cell]:
        """Everything that it adds one to."""

        def cell(day: date, kind: Kind, **more: Any) -> Cell:
            return Cell(day, kind.value, level, self.provider, **more)

        if self.opened is not None:
            yield cell(self.opened, Kind.OPENED)
        if self.ended is not None:
            day, status, source = self.ended
            yield cell(day, Kind.ENDED, source=source, result=status)
        for day, source, action, reason_code in self.reasons:
            yield cell(day, Kind.REASON, source=source, result=action, detail=reason_code)
        if self.comparison is not None:
            told: dict[str, Any] = {
                "source": str(self.comparison.source),
                "result": self.comparison.zone,
            }
            similarity, day = self.comparison.similarity, self.comparison.day
            yield cell(day, Kind.SIMILARITY, **told, bucket=points(similarity))
            told |= {"detail": self.comparison.decided, "bucket": tenths(similarity)}
            yield cell(day, Kind.COMPARISON, **told)
        for day, actor, action, side in self.reviews:
            yield cell(day, Kind.REVIEW, source=side, result=action, bucket=actor)
        for day, bucket in self.waits:
            yield cell(day, Kind.WAITED, bucket=bucket)
        for deed in self.deeds:
            if deed.fate:
                yield cell(deed.day, Kind.TAKEN_BACK, result=deed.fate, bucket=deed.actor)


def cells_of(level: str, history: Iterable[Fact], verdicts: Collection[int] = ()) -> Counter[Cell]:
    """What a case with this history adds, all of it or the beginning of it.

    ``verdicts`` are the numbers of its attempts in which the provider gave a verdict of its
    own instead of leaving the judgement to the thresholds.
    """
    case = _Case(verdicts)
    for fact in history:
        case.read(fact)
    return Counter(case.cells(level))
