"""System checks of ``WEBHOOKS``: how messages are delivered."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from django_faceverify.checks.findings import Messages, error, unknown_keys, warning
from django_faceverify.checks.values import is_number
from django_faceverify.conf import WEBHOOK_DEFAULTS, app_settings

WHERE = "FACEVERIFY['WEBHOOKS']"


def of_delivery() -> Messages:
    """Known keys, and values that make sense."""
    given = app_settings.raw.get("WEBHOOKS", {})
    if not isinstance(given, dict):
        yield error("E080", f"{WHERE} must be a dict.", f"Keys: {', '.join(WEBHOOK_DEFAULTS)}.")
        return
    yield from unknown_keys(given, WEBHOOK_DEFAULTS, WHERE, "E081")
    for key, is_valid in WEBHOOK_VALUES.items():
        if not is_valid({**WEBHOOK_DEFAULTS, **given}[key]):
            yield error(
                "E082",
                f"{WHERE}[{key!r}] has the wrong type or range.",
                f"The default is {WEBHOOK_DEFAULTS[key]!r}.",
            )
    if given.get("ALLOW_LOOPBACK") is True and not app_settings.is_debug:
        yield warning(
            "W083",
            f"{WHERE}['ALLOW_LOOPBACK'] lets webhooks reach this machine, in clear.",
            "It is for development: leave it out before you go live.",
        )


def _are_ports(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(
        isinstance(port, int) and 0 < port < 65536 for port in value
    )


#: what each value of ``WEBHOOKS`` must be
WEBHOOK_VALUES: dict[str, Callable[[Any], bool]] = {
    "TIMEOUT": lambda value: is_number(value, 0.1, 60),
    "PORTS": _are_ports,
    "ALLOW_LOOPBACK": lambda value: isinstance(value, bool),
    "CA_BUNDLE": lambda value: value is None or Path(str(value)).is_file(),
    "ROTATION_HOURS": lambda value: is_number(value, 0, 24 * 365),
    "DISABLE_AFTER_DAYS": lambda value: is_number(value, 0.1, 365),
    "KEEP_DAYS": lambda value: is_number(value, 4, 3650),
}
