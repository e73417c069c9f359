"""What an answer means: pure rules, without database and without settings."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from django_faceverify.reasons import REASONS, Category, ReasonCode


class Zone(str, Enum):
    """The parts of the scale, from the best to the worst."""

    VERIFIED = "verified"
    IN_REVIEW = "in_review"
    MISMATCH = "mismatch"


#: what a similarity in that part says of the person
WORDS = {Zone.VERIFIED: "match", Zone.IN_REVIEW: "between", Zone.MISMATCH: "mismatch"}


@dataclass(frozen=True)
class Thresholds:
    """Two lines on the provider's scale: 0 <= ``review_at`` <= ``verify_at`` <= 100.

    Where they follow from rates of false accepts, these and the version of the table that
    says so are with them.
    """

    verify_at: float
    review_at: float
    target_far: Decimal | None = None
    review_far: Decimal | None = None
    far_table: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.review_at <= self.verify_at <= 100:
            raise ValueError("thresholds must satisfy 0 <= review_at <= verify_at <= 100")

    def zone(self, similarity: float) -> Zone:
        """Where a similarity lies; both thresholds belong to the better side."""
        if similarity >= self.verify_at:
            return Zone.VERIFIED
        return Zone.IN_REVIEW if similarity >= self.review_at else Zone.MISMATCH


@dataclass(frozen=True)
class Tries:
    """How often this person may still try: after mismatches, and in all."""

    photos_left: int
    submissions_left: int
    counts_photo_problems: bool = False


@dataclass(frozen=True)
class Decision:
    """What to do with a verification: an action of ``lifecycle`` and why.

    ``counts`` says whether the photo uses up one of the person's tries.
    """

    action: str
    reason_code: str = ""
    counts: bool = False


def decide_similarity(similarity: float, thresholds: Thresholds, tries: Tries) -> Decision:
    """Judge a similarity from 0 to 100 by the zone that it lies in.

    Raises ``ValueError`` for anything that is not a finite number in that range.
    """
    if not math.isfinite(similarity) or not 0 <= similarity <= 100:
        raise ValueError("similarity must be a finite number from 0 to 100")
    zone = thresholds.zone(similarity)
    if zone is Zone.VERIFIED:
        return Decision("verify")
    if zone is Zone.IN_REVIEW:
        return Decision("refer", ReasonCode.LOW_SIMILARITY)
    return _try_again(ReasonCode.FACE_MISMATCH, tries, counts=True)


def verdict_of(similarity: float | None, reason_code: str, thresholds: Thresholds) -> str:
    """What one answer says of the person, in one word, so that two providers can be compared.

    ``match``, ``between`` the lines, ``mismatch``, or ``finding``: there was nothing to compare.
    """
    if reason_code or similarity is None:
        is_verdict = REASONS[reason_code].category is Category.MISMATCH
        return "mismatch" if is_verdict else "finding"
    return WORDS[thresholds.zone(similarity)]


def decide_finding(reason_code: str, tries: Tries) -> Decision:
    """Judge an answer without a similarity: what the provider found instead."""
    category = REASONS[reason_code].category
    if category in (Category.MISMATCH, Category.IDENTITY):
        return _try_again(reason_code, tries, counts=True)
    if category is Category.PHOTO:
        return _try_again(reason_code, tries, counts=tries.counts_photo_problems)
    return Decision("refer", reason_code)


def _try_again(reason_code: str, tries: Tries, *, counts: bool) -> Decision:
    """Ask for another photo while there is one left; then a verdict, or a human."""
    if counts and tries.photos_left <= 1:
        if REASONS[reason_code].category is Category.PHOTO:
            return Decision("refer", ReasonCode.PHOTOS_EXHAUSTED, counts=True)
        return Decision("reject", reason_code, counts=True)
    if tries.submissions_left <= 0:
        return Decision("refer", ReasonCode.PHOTOS_EXHAUSTED, counts=counts)
    return Decision("ask_again", reason_code, counts=counts)
