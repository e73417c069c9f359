"""What calls cost, by day, provider and role, as our own ledger has it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta, timezone
from decimal import Decimal

from django.db.models import Count, DateTimeField, ExpressionWrapper, F, Q
from django.db.models.functions import TruncDate

from django_faceverify.conf import app_settings
from django_faceverify.models import VerificationAttempt
from django_faceverify.quotas import this_day

Billed = VerificationAttempt.Billed

#: moments moved on so far have the days of the books in UTC; a MySQL server whose tables of
#: time zones are empty can compute no other
BOOKS_AHEAD = timedelta(hours=8)
#: a report reads all attempts of its days
MOST_DAYS = 366


@dataclass(frozen=True, kw_only=True)
class DayCost:
    """Calls to one provider in one role on one day; those under way count as unknown."""

    day: date
    provider: str
    role: str
    billed: int
    free: int
    unknown: int

    @property
    def is_shadow(self) -> bool:
        """Whether they were for a comparison of providers, and decided nothing."""
        return self.role == VerificationAttempt.Role.SHADOW

    @property
    def cost(self) -> Decimal:
        """At today's price, in the currency of the provider's contract."""
        return self.billed * price_of(self.provider)


def price_of(provider: str) -> Decimal:
    """What one billed call costs."""
    return Decimal(str(app_settings.limits(provider).price))


def cost_by_day(days: int) -> list[DayCost]:
    """The last so many days, today included, newest first; days without a call are left out."""
    days = max(1, min(days, MOST_DAYS))
    first = this_day().ends_at - timedelta(days=days)
    moved_on = ExpressionWrapper(F("started_at") + BOOKS_AHEAD, output_field=DateTimeField())
    rows = (
        VerificationAttempt.objects.filter(started_at__gte=first)
        .annotate(day=TruncDate(moved_on, tzinfo=timezone.utc))
        .values("day", "provider", "role")
        .annotate(
            billed=Count("pk", filter=Q(is_billed=Billed.YES)),
            free=Count("pk", filter=Q(is_billed=Billed.NO)),
            unknown=Count("pk", filter=Q(is_billed=Billed.UNKNOWN)),
        )
        .order_by("-day", "provider", "role")
    )
    return [DayCost(**row) for row in rows]
