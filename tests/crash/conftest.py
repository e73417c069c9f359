"""The crash tests talk to a provider that keeps a bill."""

from __future__ import annotations

from typing import Any

import pytest

from django_faceverify import health
from tests.crash.billing import MATCH, BillingProvider

#: more than any of these tests comes to
ENOUGH = 1_000_000
#: seconds of a lease: none runs out by itself, however slow the machine is
LONG_LEASE = 12 * 3600


@pytest.fixture(autouse=True)
def _billing_provider(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is paid within a budget that lasts, and is never paused for its many faults."""
    use_policy(settings, "review")
    monkeypatch.setattr(health, "FAILURES_IN_A_ROW", ENOUGH)
    monkeypatch.setattr(health, "FAILURE_SAMPLE", ENOUGH)
    BillingProvider.begin(MATCH)


def use_policy(settings: Any, policy: str) -> None:
    """What is done about an answer that never came, and who answers."""
    provider = {
        "BACKEND": "tests.crash.billing.BillingProvider",
        "THRESHOLDS": {"verify_at": 80, "review_at": 70},
        "LIMITS": {"CALLS_PER_DAY": ENOUGH},
    }
    settings.FACEVERIFY = {
        **settings.FACEVERIFY,
        "PROVIDERS": {"default": provider},
        "UNKNOWN_POLICY": policy,
        "LEASE": LONG_LEASE,
        "QUOTAS": {**settings.FACEVERIFY["QUOTAS"], "RETRIES_OF_UNKNOWN_DAY": ENOUGH},
    }
