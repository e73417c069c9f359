"""The health of a provider: a circuit breaker and a pace, shared by all workers.

Both are conditional UPDATEs of the provider's one row. Only the provider's own faults open
the breaker, never an answer about a person.
"""

from __future__ import annotations

import logging
import random
from datetime import datetime, timedelta

from django.db.models import DateTimeField, ExpressionWrapper, F
from django.db.models.functions import Greatest
from django.utils import timezone

from django_faceverify.conf import app_settings
from django_faceverify.exceptions import ProviderError, QuotaExceeded, Throttled
from django_faceverify.models import ProviderHealth, VerificationAttempt
from django_faceverify.models.clock import db_now
from django_faceverify.reasons import ReasonCode

logger = logging.getLogger("django_faceverify")

State = VerificationAttempt.State

#: faults that no second try can cure: open at once
FATAL = frozenset({ReasonCode.PROVIDER_CONFIG, ReasonCode.PROVIDER_ARREARS})
#: within so many seconds, so many faults in a row open the breaker,
SAMPLE_SECONDS, FAILURES_IN_A_ROW = 60.0, 5
#: or this share of at least so many calls
FAILURE_RATE, FAILURE_SAMPLE, MOST_SAMPLED = 0.5, 20, 200
FAILED = frozenset({State.REFUSED, State.NOT_SENT, State.UNKNOWN})
#: seconds that the breaker stays open: the first time, and at most
FIRST_PAUSE, LONGEST_PAUSE = 10.0, 600.0
#: seconds for which one probe is alone
PROBE_SECONDS = 60.0


def admit(provider: str) -> bool:
    """Let one call through if the provider is well and its pace allows it.

    Says whether it is a probe of a paused provider. Raises ``QuotaExceeded`` with the
    reason and the wait.
    """
    health = _row(provider)
    is_probe = health.open_until is not None
    if health.open_until is not None and not _wins_probe(health):
        raise QuotaExceeded(health.reason_code, _jittered(health.open_until))
    _keep_pace(provider)
    return is_probe


def close(provider: str) -> None:
    """The probe was answered: close the breaker."""
    ProviderHealth.objects.filter(provider=provider, open_until__isnull=False).update(
        open_until=None, open_count=0, reason_code="", updated_at=timezone.now()
    )


def report_failure(provider: str, error: ProviderError) -> None:
    """The provider failed: pause calls when that is fatal, or happens too often."""
    if isinstance(error, Throttled) or not (error.code in FATAL or _fails_too_often(provider)):
        return
    health = _row(provider)
    pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(health.open_count, 10))
    won = ProviderHealth.objects.filter(provider=provider, open_count=health.open_count).update(
        open_until=db_now(pause),
        open_count=F("open_count") + 1,
        reason_code=error.code,
        updated_at=timezone.now(),
    )
    if won:
        logger.error("Provider %s is paused for %d s: %s.", provider, pause, error.code)


def _row(provider: str) -> ProviderHealth:
    now = timezone.now()
    health, _ = ProviderHealth.objects.get_or_create(
        provider=provider, defaults={"next_call_at": now, "updated_at": now}
    )
    return health


def _wins_probe(health: ProviderHealth) -> bool:
    """Half open: one caller may try, and moves the gate so that the others do not."""
    return bool(
        ProviderHealth.objects.filter(
            provider=health.provider, open_until=health.open_until, open_until__lte=db_now()
        ).update(open_until=db_now(PROBE_SECONDS))
    )


def _keep_pace(provider: str) -> None:
    """A leaky bucket in one timestamp: each call moves it on by one interval."""
    limits = app_settings.limits(provider)
    if limits.calls_per_second is None:
        return
    interval = 1.0 / limits.calls_per_second
    burst = interval * (limits.burst - 1)
    moved_on = ExpressionWrapper(
        Greatest(F("next_call_at"), db_now()) + timedelta(seconds=interval),
        output_field=DateTimeField(),
    )
    if not ProviderHealth.objects.filter(provider=provider, next_call_at__lte=db_now(burst)).update(
        next_call_at=moved_on
    ):
        raise QuotaExceeded(ReasonCode.PROVIDER_THROTTLED, random.uniform(interval, 1 + interval))  # noqa: S311 (jitter)


def _fails_too_often(provider: str) -> bool:
    """What the ledger says about the last minute."""
    states = list(
        VerificationAttempt.objects.filter(
            provider=provider,
            started_at__gte=timezone.now() - timedelta(seconds=SAMPLE_SECONDS),
            finished_at__isnull=False,
        )
        .order_by("-started_at")
        .values_list("state", flat=True)[:MOST_SAMPLED]
    )
    newest = states[:FAILURES_IN_A_ROW]
    if len(newest) == FAILURES_IN_A_ROW and FAILED.issuperset(newest):
        return True
    failed = sum(state in FAILED for state in states)
    return len(states) >= FAILURE_SAMPLE and failed >= FAILURE_RATE * len(states)


def _jittered(until: datetime) -> float:
    """The rest of a pause and a random share more, so that the queue does not come at once."""
    left = max(1.0, (until - timezone.now()).total_seconds())
    return left + random.uniform(0, max(5.0, left))  # noqa: S311 (jitter, not a secret)
