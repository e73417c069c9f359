"""Limits and money: counters by window, and the health of each provider."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

from django.db import connection, models
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

#: ``excluded`` is the row that would be inserted
TAKE = """
INSERT INTO django_faceverify_counter AS held (scope, "window", used, updated_at)
VALUES {rows}
ON CONFLICT (scope) DO UPDATE SET
    used = excluded.used + CASE WHEN held."window" = excluded."window" THEN held.used ELSE 0 END,
    "window" = excluded."window",
    updated_at = excluded.updated_at
WHERE held."window" <> excluded."window"
    OR held.used + excluded.used <= CASE excluded.scope {limits} END
RETURNING scope
"""


class Take(NamedTuple):
    """One use of a limit: so much of ``scope``, whose ``window`` may hold ``limit`` at most."""

    scope: str
    window: str
    limit: int
    amount: int = 1


class CounterQuerySet(models.QuerySet["Counter"]):
    """Takes from counters; the last place of a limit is given once."""

    def take(self, takes: Sequence[Take]) -> Take | None:
        """Use up all of them, or return one for which there is no room.

        Then the others may have been counted: the caller's transaction has to be undone. The
        rows are locked in the order given.
        """
        too_much = next((take for take in takes if take.amount > take.limit), None)
        if too_much or not takes:
            return too_much
        features = connection.features
        if (
            features.supports_update_conflicts_with_target
            and features.can_return_rows_from_bulk_insert
        ):
            return self._take_at_once(takes)
        return next((take for take in takes if not self._take_by_steps(take)), None)

    def _take_at_once(self, takes: Sequence[Take]) -> Take | None:
        """All in one statement, which Django cannot say: an upsert with a condition.

        PostgreSQL and SQLite leave alone, and do not return, a row that is full.
        """
        now = connection.ops.adapt_datetimefield_value(timezone.now())
        rows = [(take.scope, take.window, take.amount, now) for take in takes]
        limits = [(take.scope, take.limit) for take in takes]
        with connection.cursor() as cursor:
            cursor.execute(
                TAKE.format(
                    rows=", ".join(["(%s, %s, %s, %s)"] * len(takes)),
                    limits=" ".join(["WHEN %s THEN %s"] * len(takes)),
                ),
                list(itertools.chain(*rows, *limits)),
            )
            taken = {scope for (scope,) in cursor.fetchall()}
        return next((take for take in takes if take.scope not in taken), None)

    def _take_by_steps(self, take: Take) -> bool:
        """For databases without such a statement."""
        scope, window, limit, amount = take
        return (
            self._add(scope, window, limit, amount)
            or self._begin(scope, window, amount)
            or self._add(scope, window, limit, amount)
        )

    def _add(self, scope: str, window: str, limit: int, amount: int) -> bool:
        """Add within the current window."""
        return bool(
            self.filter(scope=scope, window=window, used__lte=limit - amount).update(
                used=F("used") + amount, updated_at=timezone.now()
            )
        )

    def _begin(self, scope: str, window: str, amount: int) -> bool:
        """Begin a new window on the row of an old one, or a new row; says whether it was us."""
        now = timezone.now()
        old = self.filter(scope=scope).exclude(window=window)
        if old.update(window=window, used=amount, updated_at=now):
            return True
        # An upsert locks the row at once; "insert or ignore" would share it, and deadlock.
        self.bulk_create(
            [Counter(scope=scope, window=window, used=0, updated_at=now)],
            update_conflicts=True,
            update_fields=["updated_at"],
        )
        return False


class Counter(models.Model):
    """How much of one limit is used in its current window.

    ``scope`` names the limit and its holder without personal data (a user id, a blind
    index). One row serves all windows: a take in a new window starts again at one.
    """

    scope = models.CharField(_("scope"), max_length=190, primary_key=True)
    window = models.CharField(_("window"), max_length=20)
    used = models.BigIntegerField(_("used"), default=0)
    updated_at = models.DateTimeField(_("updated at"))

    objects = CounterQuerySet.as_manager()

    class Meta:
        verbose_name = _("counter")
        verbose_name_plural = _("counters")
        indexes = [models.Index(fields=["updated_at"], name="faceverify_counter_updated")]

    def __str__(self) -> str:
        return f"{self.scope} {self.window}: {self.used}"


class ProviderHealth(models.Model):
    """Whether a provider may be called now: its circuit breaker and its pace.

    Open while ``open_until`` is set; when that has passed, one probe is let through. A call
    may start when ``next_call_at`` is not further ahead than the allowed burst.
    """

    provider = models.CharField(_("provider"), max_length=50, primary_key=True)
    open_until = models.DateTimeField(_("open until"), null=True, blank=True)
    open_count = models.PositiveIntegerField(_("times opened in a row"), default=0)
    reason_code = models.CharField(_("reason"), max_length=40, blank=True)
    next_call_at = models.DateTimeField(_("next call at"))
    updated_at = models.DateTimeField(_("updated at"))

    class Meta:
        verbose_name = _("provider health")
        verbose_name_plural = _("provider health")

    def __str__(self) -> str:
        return self.provider
