"""System checks of what is counted and paced: quotas, throttles, polling."""

from __future__ import annotations

from typing import Any

from django_faceverify.checks.findings import Messages, error, unknown_keys
from django_faceverify.checks.values import is_number
from django_faceverify.conf import (
    POLLING_DEFAULTS,
    QUOTA_DEFAULTS,
    THROTTLE_DEFAULTS,
    app_settings,
)

#: limits that are not from 0
LOWEST_LIMIT = {"BURST": 1, "CALLS_PER_SECOND": 0.001, "STREAM_SECONDS": 1}
#: what cannot be without a limit
ALWAYS_LIMITED = {"BURST", "PRICE", *POLLING_DEFAULTS}


def of_site() -> Messages:
    """What the site limits for everybody."""
    known: dict[str, dict[str, Any]] = {
        "QUOTAS": QUOTA_DEFAULTS,
        "THROTTLES": THROTTLE_DEFAULTS,
        "POLLING": POLLING_DEFAULTS,
    }
    for key, defaults in known.items():
        yield from numbers(app_settings.raw.get(key, {}), defaults, f"FACEVERIFY[{key!r}]")


def numbers(given: Any, known: dict[str, Any], where: str) -> Messages:
    """A dict of limits: known keys, and numbers from 0 or None for no limit."""
    if not isinstance(given, dict):
        yield error("E060", f"{where} must be a dict.", f"Keys: {', '.join(known)}.")
        return
    yield from unknown_keys(given, known, where, "E061")
    for key, value in given.items():
        if value is None and key not in ALWAYS_LIMITED:
            continue
        lowest = LOWEST_LIMIT.get(key, 0)
        if not is_number(value, lowest):
            yield error(
                "E062",
                f"{where}[{key!r}] must be a number from {lowest:g}, or None for no limit.",
                f"The default is {known.get(key)!r}.",
            )
