"""What a value of the settings means that is more than a number or a text."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from django_faceverify.conf.defaults import DAY, SHORTEST_CLOCK, TARGET_KEYS


def clock_seconds(value: Any) -> float | None:
    """A clock of retention in seconds; ``ValueError`` when it is none."""
    if value is None:
        return None
    if isinstance(value, timedelta):
        value = value.total_seconds()
    elif isinstance(value, int | float) and 0 < value < SHORTEST_CLOCK:
        raise ValueError("looks like days")
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 <= value <= 100 * 366 * DAY:
        raise ValueError("not a time to keep something")
    return float(value)


def rate(value: Any) -> Decimal:
    """A false accept rate, such as ``"1e-4"``; ``ValueError`` when it is none."""
    if isinstance(value, bool) or not isinstance(value, str | float | Decimal):
        raise ValueError("not a rate")
    try:
        found = Decimal(str(value)).normalize()
    except InvalidOperation:
        raise ValueError("not a rate") from None
    if not found.is_finite() or not 0 < found < 1:
        raise ValueError("not a rate")
    return found


def are_targets(thresholds: Mapping[str, Any]) -> bool:
    """Whether one ``THRESHOLDS`` says rates instead of numbers."""
    return any(key in thresholds for key in TARGET_KEYS)
