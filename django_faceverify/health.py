"""The health of a provider: a circuit breaker and a pace, shared by all workers.

Both are conditional UPDATEs of the provider's one row. Only the provider's own faults open
the breaker, never an answer about a person.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from django.db.models import DateTimeField, ExpressionWrapper, F, QuerySet
from django.db.models.functions import Greatest
from django.utils import timezone

from django_faceverify import journal
from django_faceverify.conf import app_settings
from django_faceverify.exceptions import ProviderError, QuotaExceeded
from django_faceverify.models import ProviderHealth, VerificationAttempt, statements
from django_faceverify.models.clock import db_now
from django_faceverify.reasons import ReasonCode

State = VerificationAttempt.State

#: faults that no second try can cure: open at once
FATAL = frozenset({ReasonCode.PROVIDER_CONFIG, ReasonCode.PROVIDER_ARREARS})
#: what is the provider's fault, whatever the photo, the keys or the storage are like
FAULTS = FATAL | {
    ReasonCode.PROVIDER_UNAVAILABLE,
    ReasonCode.PROVIDER_PROTOCOL,
    ReasonCode.OUTCOME_UNKNOWN,
}
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
    found = statements.select_first(_gates, {"pk": provider})
    open_until, reason_code = found or _new_gate(provider)
    if open_until is not None and not _wins_probe(provider, open_until):
        raise QuotaExceeded(reason_code, _jittered(open_until))
    _keep_pace(provider)
    return open_until is not None


def close(provider: str) -> None:
    """The probe was answered: close the breaker."""
    if ProviderHealth.objects.filter(provider=provider, open_until__isnull=False).update(
        open_until=None, open_count=0, reason_code="", updated_at=timezone.now()
    ):
        journal.tell("provider_resumed", provider=provider)


def report_failure(provider: str, error: ProviderError, *, is_probe: bool = False) -> None:
    """A call failed: pause the provider if that was its fault, and fatal or too frequent.

    A probe that fails makes the pause longer. Calls that were under way when it began do not.
    """
    if error.code not in FAULTS:
        return
    health = _row(provider)
    is_open = health.open_until is not None
    if is_open != is_probe or not (is_probe or error.code in FATAL or _fails_too_often(health)):
        return
    pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(health.open_count, 10))
    won = ProviderHealth.objects.filter(
        provider=provider, open_count=health.open_count, open_until__isnull=not is_open
    ).update(
        open_until=db_now(pause),
        open_count=F("open_count") + 1,
        reason_code=error.code,
        updated_at=timezone.now(),
    )
    if won:
        journal.tell("provider_paused", provider=provider, seconds=round(pause), code=error.code)


def _row(provider: str) -> ProviderHealth:
    now = timezone.now()
    health, _ = ProviderHealth.objects.get_or_create(
        provider=provider, defaults={"next_call_at": now, "updated_at": now}
    )
    return health


def _gates() -> QuerySet[ProviderHealth, tuple[datetime | None, str]]:
    return ProviderHealth.objects.order_by("pk").values_list("open_until", "reason_code")


def _new_gate(provider: str) -> tuple[datetime | None, str]:
    health = _row(provider)
    return health.open_until, health.reason_code


def _wins_probe(provider: str, open_until: datetime) -> bool:
    """Half open: one caller may try, and moves the gate so that the others do not."""
    return bool(
        ProviderHealth.objects.filter(
            provider=provider, open_until=open_until, open_until__lte=db_now()
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


def _fails_too_often(health: ProviderHealth) -> bool:
    """What the ledger says about the last minute, as far as the breaker was closed in it.

    A call that ended after its lease was lost by a worker of ours.
    """
    a_minute_ago = timezone.now() - timedelta(seconds=SAMPLE_SECONDS)
    calls = VerificationAttempt.objects.filter(
        provider=health.provider,
        started_at__gte=max(a_minute_ago, health.updated_at),
        finished_at__isnull=False,
        duration_ms__lt=(app_settings.LEASE - 1) * 1000,
    )
    recent = calls.order_by("-started_at").values_list("state", "reason_code")[:MOST_SAMPLED]
    failures = [state in FAILED and code in FAULTS for state, code in recent]
    if len(failures) >= FAILURES_IN_A_ROW and all(failures[:FAILURES_IN_A_ROW]):
        return True
    return len(failures) >= FAILURE_SAMPLE and sum(failures) >= FAILURE_RATE * len(failures)


def _jittered(until: datetime) -> float:
    """The rest of a pause and a random share more, so that the queue does not come at once."""
    left = max(1.0, (until - timezone.now()).total_seconds())
    return left + random.uniform(0, max(5.0, left))  # noqa: S311 (jitter, not a secret)
