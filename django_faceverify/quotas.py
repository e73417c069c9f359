"""Limits and money: how much of what is still allowed, decided by the database.

Every limit is one conditional UPDATE of one row, inside the transaction that needs it: of
two that want the last place, one gets it. What is refused waits and says why; nothing is
dropped. Days are those of the provider's books (Asia/Shanghai).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import F
from django.utils import timezone

from django_faceverify.conf import app_settings
from django_faceverify.exceptions import QuotaExceeded
from django_faceverify.models import Counter, Verification, VerificationAttempt
from django_faceverify.models.limits import Take
from django_faceverify.reasons import ReasonCode

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


@dataclass(frozen=True)
class Limit:
    """What is counted under ``scope``: so many in a window at most; ``None`` is no limit."""

    scope: str
    window: Window
    most: int | None
    reason: str = "too_many_photos"


def this_minute() -> Window:
    start = timezone.now().astimezone(BOOKS).replace(second=0, microsecond=0)
    return Window(f"{start:%Y%m%dT%H%M}", start + timedelta(minutes=1))


def this_hour() -> Window:
    start = timezone.now().astimezone(BOOKS).replace(minute=0, second=0, microsecond=0)
    return Window(f"{start:%Y%m%dT%H}", start + timedelta(hours=1))


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
    today = this_day()
    of_idcard = Limit(f"photos/idcard/{index}", today, quotas.photos_per_idcard_day)
    if verification.user_id is None:
        _require(of_idcard)
        return
    user = f"user/{verification.user_id}"
    _require(of_idcard, Limit(f"photos/{user}", today, quotas.photos_per_user_day))
    month = this_month()
    if take(f"seen/{user}/{index}", month, 1):
        _require(Limit(f"idcards/{user}", month, quotas.idcards_per_user_month))


def admit_call(verification: Verification, provider: str) -> None:
    """Count a call about this person, and its money; raises ``QuotaExceeded`` with the wait.

    All workers meet at the row of the money, so it comes last, and the call of this last.
    """
    quotas, index, today = app_settings.quotas, verification.idcard_number_index, this_day()
    person = ReasonCode.IDENTITY_RATE_LIMITED
    _require(
        Limit(
            f"calls/minute/{provider}/{index}",
            this_minute(),
            quotas.calls_per_idcard_minute,
            person,
        ),
        Limit(f"calls/day/{provider}/{index}", today, quotas.calls_per_idcard_day, person),
        Limit(
            _budget(provider),
            today,
            app_settings.limits(provider).calls_per_day,
            ReasonCode.BUDGET_SPENT,
        ),
    )


def admit_reveal(actor: str) -> None:
    """Count an identity that is about to be shown; raises ``QuotaExceeded`` for one too many."""
    limit = app_settings.quotas.reveals_per_reviewer_hour
    _require(Limit(_reveals(actor), this_hour(), limit, "too_many_reveals"))


def reveals_this_hour(actor: str) -> int:
    return used(_reveals(actor), this_hour())


def admit_search(actor: str) -> None:
    """Count a search by ID number; raises ``QuotaExceeded`` for one too many."""
    limit = app_settings.quotas.searches_per_reviewer_hour
    _require(Limit(f"searches/{actor}", this_hour(), limit, "too_many_searches"))


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
    return Counter.objects.take([Take(scope, window.name, limit, amount)]) is None


def used(scope: str, window: Window) -> int:
    """How much of a limit is used in this window."""
    counter = Counter.objects.filter(scope=scope, window=window.name).first()
    return counter.used if counter else 0


def calls_today(provider: str) -> int:
    """Calls of today that count against the provider's budget."""
    return used(_budget(provider), this_day())


def calls_today_by_provider(providers: Sequence[str]) -> dict[str, int]:
    """The same for several providers in one query."""
    scopes = [_budget(provider) for provider in providers]
    found = Counter.objects.filter(scope__in=scopes, window=this_day().name)
    counts = dict(found.values_list("scope", "used"))
    return {provider: counts.get(_budget(provider), 0) for provider in providers}


def _day_of(moment: datetime) -> Window:
    start = moment.astimezone(BOOKS).replace(hour=0, minute=0, second=0, microsecond=0)
    return Window(f"{start:%Y%m%d}", start + timedelta(days=1))


def _reveals(actor: str) -> str:
    return f"reveals/{actor}"


def _budget(provider: str) -> str:
    return f"budget/{provider}"


def _require(*limits: Limit) -> None:
    """Use up one of each; the transaction of the caller is undone when one is full."""
    by_scope = {limit.scope: limit for limit in limits if limit.most is not None}
    refused = Counter.objects.take(
        [
            Take(scope, limit.window.name, limit.most)
            for scope, limit in by_scope.items()
            if limit.most is not None
        ]
    )
    if refused:
        limit = by_scope[refused.scope]
        raise QuotaExceeded(limit.reason, limit.window.seconds_left)
