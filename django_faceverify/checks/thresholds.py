"""System checks of the lines that decide: numbers or rates, in order, within a provider's reach."""

from __future__ import annotations

from typing import Any

from django_faceverify import thresholds
from django_faceverify.checks.findings import Messages, error, unknown_keys
from django_faceverify.checks.values import is_number
from django_faceverify.conf import (
    TARGET_KEYS,
    THRESHOLD_DEFAULTS,
    Lines,
    app_settings,
    are_targets,
    rate,
)
from django_faceverify.exceptions import InvalidProvider, TargetOutOfReach
from django_faceverify.providers import providers
from django_faceverify.providers.far import spelled


def one_entry(given: Any, where: str) -> Messages:
    """One THRESHOLDS dict by itself: keys, types, range, and numbers or rates, not both."""
    if not isinstance(given, dict):
        yield error("E050", f"{where}['THRESHOLDS'] must be a dict.", "Keys: verify_at, review_at.")
        return
    yield from unknown_keys(
        given, (*THRESHOLD_DEFAULTS, *TARGET_KEYS), f"{where}['THRESHOLDS']", "E051"
    )
    for key, value in given.items():
        if key in TARGET_KEYS:
            if not _is_rate(value):
                yield error(
                    "E181",
                    f"{where}['THRESHOLDS'][{key!r}] must be a rate above 0 and below 1.",
                    'Write it as a text, such as "1e-4".',
                )
        elif not is_number(value, 0, 100):
            yield error(
                "E052",
                f"{where}['THRESHOLDS'][{key!r}] must be a number from 0 to 100.",
                "It stands on the provider's scale of similarity.",
            )
    if are_targets(given) and any(key in given for key in THRESHOLD_DEFAULTS):
        yield error(
            "E180",
            f"{where}['THRESHOLDS'] holds numbers and rates.",
            "Say either verify_at and review_at, or TARGET_FAR and REVIEW_FAR.",
        )


def of_level(name: str, alias: str, where: str) -> Messages:
    """The thresholds that hold for a level at a provider, whichever entry they came from."""
    own = app_settings.LEVELS[name].get("THRESHOLDS", {})
    given = app_settings.PROVIDERS[alias].get("THRESHOLDS", {})
    if any(message for part in (own, given) for message in one_entry(part, where)):
        return
    lines = app_settings.lines(name, alias)
    if lines.target_far is not None or lines.review_far is not None:
        yield from _targets(lines, alias, where)
        return
    if are_targets(given) and own and "verify_at" not in own:
        yield error(
            "E180",
            f"{where}: THRESHOLDS holds numbers without verify_at, and the provider's entry rates.",
            "Say both numbers, or rates in both places.",
        )
        return
    if lines.review_at > lines.verify_at:
        yield error(
            "E053",
            f"{where}: review_at ({lines.review_at:g}) is above verify_at ({lines.verify_at:g}).",
            "A similarity from review_at on goes to a reviewer, from verify_at on it verifies.",
        )
    lowest = _lowest_threshold(alias)
    if lines.review_at < lowest:
        yield error(
            "E054",
            f"{where}: review_at ({lines.review_at:g}) is below {lowest:g}, where the "
            "provider itself says that this is not the person.",
            f"Its verdict always holds. Set both thresholds to {lowest:g} or more.",
        )


def _targets(lines: Lines, alias: str, where: str) -> Messages:
    """Rates in their order, and in the table of the provider."""
    target, review = lines.target_far, lines.review_far
    if target is None or (review is not None and review < target):
        yield error(
            "E182",
            f"{where}: REVIEW_FAR needs a TARGET_FAR, and is not stricter than that.",
            "More strangers may reach a reviewer than may pass: such as 1e-3 beside 1e-4.",
        )
        return
    try:
        thresholds.resolve(lines, providers[alias])
    except TargetOutOfReach as wrong:
        table = providers[alias].far_table
        hint = "Say verify_at and review_at instead"
        if table is not None:
            hint += f", or a rate from {spelled(table.strictest)} on ({table.version})"
        yield error("E183", f"{where}: {wrong}", f"{hint}.")
    except InvalidProvider:
        return  # E033 and E034 say so


def _is_rate(value: Any) -> bool:
    try:
        rate(value)
    except ValueError:
        return False
    return True


def _lowest_threshold(alias: str) -> float:
    try:
        return providers[alias].lowest_threshold
    except InvalidProvider:
        return 0.0
