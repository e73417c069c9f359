"""How many people's faces lie here, and what a filing with an authority asks for.

Counting reads every case that holds photos, so it is done once a day by ``retention``;
everybody else reads the last result, which is one row.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min
from django.utils import timezone

from django_faceverify.models import Photo, RetentionDay, Verification

#: persons with stored faces from which on a site in mainland China has to file
FILING_LIMIT = 100_000
#: percent of it at which to say so
WARN_AT = (50, 80, 100)


@dataclass(frozen=True, kw_only=True)
class Census:
    """Persons are different ID numbers (by the blind index) with at least one stored photo.

    While keys are rotated a person may be counted once under each key.
    """

    at: datetime
    person_count: int
    photo_count: int
    oldest_photo_at: datetime | None

    @property
    def percent(self) -> int:
        """How much of the number of persons from which on a site has to file; rounded down."""
        return 100 * self.person_count // FILING_LIMIT

    @property
    def warning_at(self) -> int | None:
        """The highest of ``WARN_AT`` that is reached, if any."""
        return max((mark for mark in WARN_AT if self.percent >= mark), default=None)


def take() -> Census:
    """Count now. Photos that are only an address are not stored here, and not counted."""
    photos = Photo.objects.filter(
        verification__holds__in=(Verification.Holding.PHOTOS, Verification.Holding.KEPT),
        purged_at=None,
    ).exclude(file_name="")
    counted = photos.aggregate(
        persons=Count("verification__idcard_number_index", distinct=True),
        photos=Count("pk"),
        oldest=Min("submitted_at"),
    )
    return Census(
        at=timezone.now(),
        person_count=counted["persons"],
        photo_count=counted["photos"],
        oldest_photo_at=counted["oldest"],
    )


def last() -> Census | None:
    """What the last census of ``retention`` found; ``None`` before the first."""
    day = RetentionDay.objects.filter(person_count__isnull=False).order_by("-day").first()
    return None if day is None else of_day(day)


def of_day(day: RetentionDay) -> Census | None:
    """What was counted on that day; ``None`` when nothing was."""
    if day.person_count is None:
        return None
    return Census(
        at=day.updated_at,
        person_count=day.person_count,
        photo_count=day.stored_photo_count or 0,
        oldest_photo_at=day.oldest_photo_at,
    )
