"""The queue of reviewers: which cases wait, in buckets and behind filters, oldest first.

Nothing here counts a whole table or skips rows: a page begins after the last row of the one
before, and a count ends at ``MOST_COUNTED``. A bucket is read in piles, each of which an index
holds oldest first behind any filter.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from django_faceverify import reviewing
from django_faceverify.conf import DAY, app_settings
from django_faceverify.console.filters import moment_in
from django_faceverify.models import Judgement, Review
from django_faceverify.models.review import BANDS, NO_SIMILARITY, ReviewQuerySet
from django_faceverify.reasons import REASONS, FixableBy, ReasonCode

#: cases on a page
PAGE = 25
MOST_COUNTED = 1000
#: cases that somebody else may snatch away before one is won
CLAIM_TRIES = 20
#: decisions of one's own that are listed because they can still be undone
UNDOABLE_SHOWN = 5

BUCKETS: dict[str, str | Promise] = {
    "unassigned": gettext_lazy("Nobody's yet"),
    "mine": gettext_lazy("Mine"),
    "second": gettext_lazy("Waiting for a second person"),
    "overdue": gettext_lazy("Overdue"),
}

OLDEST_FIRST = ("since", "pk")

#: the stages of each bucket; an index holds each stage, but not two of them, oldest first. What
#: is claimed is little, and found by its person.
PILES: dict[str, tuple[tuple[Review.Stage, ...], ...]] = {
    "unassigned": ((Review.Stage.FIRST,),),
    "mine": (Review.OPEN,),
    "second": ((Review.Stage.SECOND,),),
    "overdue": ((Review.Stage.FIRST,), (Review.Stage.SECOND,)),
}

AGES: dict[str, tuple[int, str | Promise]] = {
    "hour": (3600, gettext_lazy("more than an hour")),
    "day": (DAY, gettext_lazy("more than a day")),
    "days": (3 * DAY, gettext_lazy("more than three days")),
}

#: why a case may be in review
REASON_CHOICES = [
    (code.value, code.label)
    for code in ReasonCode
    if REASONS[code].fixable_by is FixableBy.REVIEWER
]


@dataclass(frozen=True)
class Choice:
    """One filter as a list to choose from."""

    name: str
    label: str
    options: list[tuple[str, Any]]
    chosen: str


@dataclass(frozen=True)
class Selection:
    """A bucket and its filters, as an address holds them; unknown words choose nothing."""

    bucket: str = "unassigned"
    level: str = ""
    reason: str = ""
    provider: str = ""
    band: str = ""
    age: str = ""

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Selection:
        known: dict[str, Container[str]] = {
            "bucket": BUCKETS,
            "level": app_settings.LEVELS,
            "reason": dict(REASON_CHOICES),
            "provider": app_settings.PROVIDERS,
            "band": BANDS,
            "age": AGES,
        }
        chosen = {name: str(given.get(name, "")) for name in known}
        return cls(**{name: word for name, word in chosen.items() if word in known[name]})

    @property
    def query(self) -> str:
        """For an address."""
        return urlencode({name: word for name, word in vars(self).items() if word})

    def in_bucket(self, bucket: str) -> Selection:
        return replace(self, bucket=bucket)

    @property
    def choices(self) -> list[Choice]:
        """The filters beside the bucket."""
        levels = [(name, name) for name in app_settings.LEVELS]
        providers = [(alias, alias) for alias in app_settings.PROVIDERS]
        bands = [(name, _("no similarity") if name == NO_SIMILARITY else name) for name in BANDS]
        ages = [(name, label) for name, (_seconds, label) in AGES.items()]
        return [
            Choice("level", _("level"), levels, self.level),
            Choice("reason", _("reason"), REASON_CHOICES, self.reason),
            Choice("provider", _("provider"), providers, self.provider),
            Choice("band", _("similarity"), bands, self.band),
            Choice("age", _("waiting for"), ages, self.age),
        ]

    def piles(self, user: Any, bucket: str) -> list[ReviewQuerySet]:
        """The rows of a bucket that pass the filters."""
        return [
            self._within(bucket, reviewing.waiting_for(user, stages), user)
            for stages in PILES[bucket]
        ]

    def _within(self, bucket: str, rows: ReviewQuerySet, user: Any) -> ReviewQuerySet:
        rows = rows.filter(**self.columns)
        if self.age:
            rows = rows.waiting_since(AGES[self.age][0])
        if bucket == "mine":
            return rows.claimed_by(user)
        if bucket == "unassigned":
            return rows.unopened()
        if bucket == "overdue":
            rows = rows.waiting_since(app_settings.review.overdue_after)
        return rows.free_for(user)

    @property
    def columns(self) -> dict[str, str]:
        """What is chosen, by the column of a row."""
        chosen = {
            "level": self.level,
            "reason_code": self.reason,
            "provider": self.provider,
            "band": self.band,
        }
        return {column: word for column, word in chosen.items() if word}


@dataclass(frozen=True)
class Mark:
    """A moment and a case: where a page ends, or which version of a case was seen."""

    since: datetime
    key: UUID

    @classmethod
    def read(cls, text: str) -> Mark | None:
        """What an address holds; ``None`` for anything else."""
        moment, _tilde, key = text.partition("~")
        since = moment_in(moment)
        try:
            return cls(since, UUID(key)) if since else None
        except ValueError:
            return None

    @classmethod
    def at(cls, row: Review) -> Mark:
        return cls(row.since, row.verification_id)

    def __str__(self) -> str:
        return f"{self.since.isoformat()}~{self.key}"

    def behind(self, rows: QuerySet[Review]) -> QuerySet[Review]:
        # The first condition is for the index; the second one orders those of one moment.
        later = Q(since__gt=self.since) | Q(since=self.since, pk__gt=self.key)
        return rows.filter(later, since__gte=self.since)


@dataclass(frozen=True)
class Bucket:
    """A tab of the queue page."""

    name: str
    label: str | Promise
    count: str
    query: str
    is_chosen: bool


class Queue:
    """The queue as one person sees it; ``visible`` are the cases that they may see at all."""

    def __init__(
        self, user: Any, selection: Selection, visible: QuerySet[Any], after: Mark | None = None
    ) -> None:
        self.user = user
        self.selection = selection
        self.visible = visible
        self.after = after

    @property
    def buckets(self) -> Iterator[Bucket]:
        for name, label in BUCKETS.items():
            yield Bucket(
                name,
                label,
                _counted(sum(self._count(pile) for pile in self._piles(name))),
                self.selection.in_bucket(name).query,
                name == self.selection.bucket,
            )

    @property
    def page(self) -> list[Review]:
        return self._found[:PAGE]

    @property
    def next_mark(self) -> str:
        """Empty on the last page."""
        return str(Mark.at(self._found[PAGE - 1])) if len(self._found) > PAGE else ""

    def claim_next(self) -> UUID | None:
        """Claim the oldest case (behind the mark) that nobody else takes meanwhile.

        What is kept for this person comes first, and what is kept for others last: it is theirs
        while anything else waits, so that nobody is without work while somebody has two cases.
        """
        cases = Review.objects
        mine, others = cases.kept_for(self.user), cases.kept()
        for some in (mine, cases.not_kept_for_others(self.user), others):
            found = reviewing.claim_next(self._first(some), user=self.user)
            if found is not None:
                return found
        return None

    def keep_next(self, current: UUID | None) -> UUID | None:
        """Keep the case for this person that comes after the one they work on."""
        others = Review.objects.exclude(pk=current)
        waiting = [*self._first(others.kept_for(self.user)), *self._first(others.unclaimed())]
        return reviewing.keep_next(waiting, user=self.user)

    def _first(self, some: QuerySet[Review]) -> list[UUID]:
        return [row.pk for row in self._oldest(CLAIM_TRIES, some.only("since"))]

    @cached_property
    def _found(self) -> list[Review]:
        sealed = ("idcard_name", "idcard_number", "review_note")
        hidden = [f"verification__{name}" for name in sealed]
        rows = Review.objects.select_related("verification", "claimed_by").defer(*hidden)
        return self._oldest(PAGE + 1, rows)

    def _oldest(self, most: int, rows: QuerySet[Review]) -> list[Review]:
        """The first of these rows in all piles."""
        found: list[Review] = []
        for pile in self._piles(self.selection.bucket):
            behind = self.after.behind(pile) if self.after else pile
            found += (rows & behind).order_by(*OLDEST_FIRST)[:most]
        return sorted(found, key=lambda row: (row.since, row.pk))[:most]

    def _count(self, pile: ReviewQuerySet) -> int:
        # The order keeps the database to the index: without it, it may hope to find enough
        # rows sooner by reading the table from its beginning.
        return pile.order_by(*OLDEST_FIRST)[: MOST_COUNTED + 1].count()

    def _piles(self, bucket: str) -> list[ReviewQuerySet]:
        piles = self.selection.piles(self.user, bucket)
        is_narrowed = bool(self.visible.query.where)
        keys = self.visible.values("pk")
        return [pile.filter(pk__in=keys) for pile in piles] if is_narrowed else piles


def undoable(user: Any) -> QuerySet[Judgement]:
    """This person's judgements that are not in force yet, the newest first."""
    mine = Judgement.objects.filter(reviewer=user).select_related("verification__review")
    return mine.order_by("-made_at")


def _counted(count: int) -> str:
    return _("more than 1,000") if count > MOST_COUNTED else str(count)
