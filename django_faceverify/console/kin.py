"""Other cases that belong to a case: about the same ID number, or with the same photo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from django_faceverify.models import Photo, Verification

#: the newest of each kind
SHOWN = 10
PHOTOS_SHOWN = 3


@dataclass(frozen=True)
class Kin:
    """The newest other cases, found by the blind index and by the digest of a picture.

    ``photos`` are the newest of those about the same number, as far as they are kept here.
    """

    by_number: list[Verification]
    by_photo: list[Verification]
    photos: list[Photo]

    @classmethod
    def of(
        cls,
        verification: Verification,
        photos: Sequence[Photo],
        visible: QuerySet[Verification],
    ) -> Kin:
        """Among the cases that somebody may see."""
        others = visible.exclude(pk=verification.pk).only(
            "status", "level", "reason_code", "created_at", "idcard_number_mask", "is_live"
        )
        by_number: list[Verification] = []
        if verification.idcard_number_index:
            same = others.filter(idcard_number_index=verification.idcard_number_index)
            by_number = list(same.order_by("-created_at")[:SHOWN])
        digests = [photo.sha256 for photo in photos if photo.sha256]
        by_photo: list[Verification] = []
        if digests:
            found = Photo.objects.filter(sha256__in=digests).exclude(verification=verification)
            keys = set(found.order_by().values_list("verification_id", flat=True)[: 5 * SHOWN])
            by_photo = list(others.filter(pk__in=keys).order_by("-created_at")[:SHOWN])
        return cls(by_number, by_photo, _photos_of(by_number))


def _photos_of(cases: list[Verification]) -> list[Photo]:
    """The newest that can still be looked at."""
    if not cases:
        return []
    kept = Photo.objects.filter(verification__in=cases, purged_at=None).exclude(file_name="")
    return list(kept.order_by("-submitted_at")[:PHOTOS_SHOWN])
