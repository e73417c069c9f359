"""System checks of the clocks: what is destroyed too early cannot be brought back."""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured

from django_faceverify.checks.findings import Messages, error, unknown_keys, warning
from django_faceverify.conf import DAY, RETENTION_PRESETS, app_settings, clock_seconds

WHERE = "FACEVERIFY['RETENTION']"

#: seconds; the shortest time for records of processing under the preset CN
SHORTEST_AUDIT_CN = 1095 * DAY


def of_clocks() -> Messages:
    """Each clock by itself, and how they go together."""
    given = app_settings.raw.get("RETENTION", {})
    known = ("PRESET", *RETENTION_PRESETS["generic"])
    if not isinstance(given, dict):
        yield error("E100", f"{WHERE} must be a dict.", f"Keys: {', '.join(known)}.")
        return
    yield from unknown_keys(given, known, WHERE, "E101")
    if given.get("PRESET", "generic") not in tuple(RETENTION_PRESETS):
        yield error(
            "E102",
            f"{WHERE}['PRESET'] is not a known preset.",
            f"Choose one of: {', '.join(RETENTION_PRESETS)}.",
        )
    for key in given.keys() & RETENTION_PRESETS["generic"].keys():
        try:
            clock_seconds(given[key])
        except ValueError:
            yield error(
                "E103",
                f"{WHERE}[{key!r}] is not a time to keep something.",
                "Give a datetime.timedelta, seconds (0, or from an hour up), or None for ever.",
            )
    yield from _together()


def _together() -> Messages:
    try:
        clocks = app_settings.retention
    except ImproperlyConfigured:
        return
    if clocks.identity is not None and (clocks.photo is None or clocks.photo > clocks.identity):
        yield warning(
            "W104",
            f"{WHERE}: PHOTO is longer than IDENTITY, at whose end photos are destroyed as well.",
            "Make PHOTO the shorter one.",
        )
    if clocks.preset == "CN" and clocks.audit is not None and clocks.audit < SHORTEST_AUDIT_CN:
        yield error(
            "E105",
            f"{WHERE}: AUDIT is shorter than three years.",
            "In mainland China, records of such processing are kept for at least three years.",
        )
