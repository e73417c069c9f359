"""Limits and money: how much of what is still allowed, decided by the database.

Every limit is one conditional UPDATE of one row, inside the transaction that needs it: of
two that want the last place, one gets it. What is refused waits and says why; nothing is
dropped. Days are those of the provider's books (Asia/Shanghai).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import F
from django.utils import timezone

from django_faceverify.conf import app_settings
from django_faceverify.exceptions import QuotaExceeded
from django_faceverify.models import Counter, Verification, VerificationAttempt

#: the clock by which the registry's daily limits begin anew
BOOKS = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True)
class Window:
    """A stretch of time with a name; the counters of another name count as empty."""

    name: str
    ends_at: datetime

    @property
    def seconds_left(self) -> float:
        return max(1.0, (self.ends_at - timezone.now()).total_seconds())


def this_minute() -> Window:
    start = timezone.now().astimezone(BOOKS).replace(second=0, microsecond=0)
    return Window(f"{start:%Y%m%dT%H%M}", start + timedelta(minutes=1))


def this_day() -> Window:
    return _day_of(timezone.now())


def this_month() -> Window:
    start = (
        timezone.now().astimezone(BOOKS).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    )
    return Window(f"{start:%Y%m}", (start + timedelta(days=32)).replace(day=1))


def admit_submission(verification: Verification) -> None:
    """Count a photo that is about to be stored; raises ``QuotaExceeded`` for one too many.

    The person is told when to come back, not which of the limits it was.
    """
    quotas, index = app_settings.quotas, verification.idcard_number_index
    _require(f"photos/idcard/{index}", this_day(), quotas.photos_per_idcard_day)
    if verification.user_id is None:
        return
    user = f"user/{verification.user_id}"
    _require(f"photos/{user}", this_day(), quotas.photos_per_user_day)
    month = this_month()
    if take(f"seen/{user}/{index}", month, 1):
        _require(f"idcards/{user}", month, quotas.idcards_per_user_month)


def admit_person(verification: Verification, provider: str) -> None:
    """Count a call about this person; raises ``QuotaExceeded`` with the wait."""
    quotas = app_settings.quotas
    index = verification.idcard_number_index
    for name, window, limit in (
        ("minute", this_minute(), quotas.calls_per_idcard_minute),
        ("day", this_day(), quotas.calls_per_idcard_day),
    ):
        _require(f"calls/{name}/{provider}/{index}", window, limit, reason="identity_rate_limited")


def admit_cost(provider: str) -> None:
    """Count a call against the day's money; raises ``QuotaExceeded`` with the wait."""
    limit = app_settings.limits(provider).calls_per_day
    _require(_budget(provider), this_day(), limit, reason="budget_spent")


def give_back(attempt: VerificationAttempt, is_billed: str) -> None:
    """A call that provably cost nothing does not use up the money of its day."""
    if is_billed == "no":
        day = _day_of(attempt.started_at)
        Counter.objects.filter(scope=_budget(attempt.provider), window=day.name, used__gt=0).update(
            used=F("used") - 1
        )


def may_retry_unknown(provider: str) -> bool:
    """Whether the day's allowance for calls that may be paid twice has room for one more."""
    return take(f"retries/{provider}", this_day(), app_settings.quotas.retries_of_unknown_day)


def take(scope: str, window: Window, limit: int | None, amount: int = 1) -> bool:
    """Use up a part of a limit if it is still there; ``None`` is no limit."""
    if limit is None:
        return True
    if amount > limit:
        return False
    return (
        _add(scope, window, limit, amount)
        or _begin(scope, window, amount)
        or _add(scope, window, limit, amount)
    )


def used(scope: str, window: Window) -> int:
    """How much of a limit is used in this window."""
    counter = Counter.objects.filter(scope=scope, window=window.name).first()
    return counter.used if counter else 0


def calls_today(provider: str) -> int:
    """Calls of today that count against the provider's budget."""
    return used(_budget(provider), this_day())


def _day_of(moment: datetime) -> Window:
    start = moment.astimezone(BOOKS).replace(hour=0, minute=0, second=0, microsecond=0)
    return Window(f"{start:%Y%m%d}", start + timedelta(days=1))


def _budget(provider: str) -> str:
    return f"budget/{provider}"


def _require(
    scope: str, window: Window, limit: int | None, reason: str = "too_many_photos"
) -> None:
    if not take(scope, window, limit):
        raise QuotaExceeded(reason, window.seconds_left)


def _add(scope: str, window: Window, limit: int, amount: int) -> bool:
    """Add within the current window."""
    return bool(
        Counter.objects.filter(scope=scope, window=window.name, used__lte=limit - amount).update(
            used=F("used") + amount, updated_at=timezone.now()
        )
    )


def _begin(scope: str, window: Window, amount: int) -> bool:
    """Begin a new window on the row of an old one, or a new row; says whether it was us."""
    now = timezone.now()
    began = (
        Counter.objects.filter(scope=scope)
        .exclude(window=window.name)
        .update(window=window.name, used=amount, updated_at=now)
    )
    if began:
        return True
    # An upsert locks the row at once; "insert or ignore" would share it, and deadlock.
    target = connection.features.supports_update_conflicts_with_target
    Counter.objects.bulk_create(
        [Counter(scope=scope, window=window.name, used=0, updated_at=now)],
        update_conflicts=True,
        update_fields=["updated_at"],
        unique_fields=["scope"] if target else None,
    )
    return False
