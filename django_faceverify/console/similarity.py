"""A similarity beside its two thresholds: in words, and as a drawing."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from django_faceverify.models import Verification

_HUNDREDTH = Decimal("0.01")


@dataclass(frozen=True)
class Scale:
    """Numbers from 0 to 100 as decimals, never rounded up: 79.999 must not read as 80."""

    similarity: Decimal
    review_at: Decimal
    verify_at: Decimal

    @classmethod
    def of(cls, verification: Verification) -> Scale | None:
        """``None`` while nothing was compared."""
        facts = (verification.similarity, verification.review_at, verification.verify_at)
        if None in facts:
            return None
        return cls(*(floor(fact) for fact in facts if fact is not None))

    @property
    def zone(self) -> str:
        """Which of the three parts of the scale: ``above``, ``between`` or ``below``."""
        if self.similarity >= self.verify_at:
            return "above"
        return "between" if self.similarity >= self.review_at else "below"

    @property
    def number(self) -> str:
        return shown(self.similarity)

    @property
    def distance(self) -> str:
        """How far the similarity is from the lines next to it."""
        from_review = shown(abs(self.similarity - self.review_at))
        from_verify = shown(abs(self.similarity - self.verify_at))
        if self.zone == "above":
            return _("%(margin)s above the verification line") % {"margin": from_verify}
        if self.zone == "between":
            return _("%(above)s above the review line, %(below)s below verification") % {
                "above": from_review,
                "below": from_verify,
            }
        return _("%(margin)s below the review line") % {"margin": from_review}

    @property
    def lines(self) -> str:
        return _("review %(review_at)s, verified %(verify_at)s") % {
            "review_at": shown(self.review_at),
            "verify_at": shown(self.verify_at),
        }

    # Lengths in the drawing, whose width is 100. Plain text: SVG knows no decimal comma.

    @property
    def x(self) -> str:
        return str(self.similarity)

    @property
    def review_x(self) -> str:
        return str(self.review_at)

    @property
    def verify_x(self) -> str:
        return str(self.verify_at)

    @property
    def between_width(self) -> str:
        return str(self.verify_at - self.review_at)

    @property
    def above_width(self) -> str:
        return str(100 - self.verify_at)


def shown(value: Decimal) -> str:
    """One decimal, or two where one would hide something."""
    places = 1 if value == round(value, 1) else 2
    return number_format(value, places)


def floor(value: float) -> Decimal:
    """Two decimals, never more than it is."""
    return Decimal(str(value)).quantize(_HUNDREDTH, ROUND_FLOOR)
