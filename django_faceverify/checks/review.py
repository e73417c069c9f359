"""System checks of how reviewers work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Tags, register
from django.core.exceptions import ImproperlyConfigured
from django.utils.functional import Promise

from django_faceverify.checks.findings import Messages, error, unknown_keys
from django_faceverify.checks.values import is_whole
from django_faceverify.conf import DAY, LEVEL_DEFAULTS, REVIEW_DEFAULTS, app_settings
from django_faceverify.reasons import REVIEW_REASONS

WHERE = "FACEVERIFY['REVIEW']"

#: the longest that a decision can be held back, and the shortest and longest claim, in seconds
MOST_UNDO = 3600
LEAST_CLAIM, MOST_CLAIM = 30, DAY


@register(Tags.compatibility)
def check_review(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Times, reasons, and what a level says of its own."""
    try:
        given, levels = app_settings.raw.get("REVIEW", {}), app_settings.LEVELS
    except ImproperlyConfigured:
        return []  # the checks of the settings say so
    if not isinstance(given, dict):
        return [error("E170", f"{WHERE} must be a dict.", f"Keys: {', '.join(REVIEW_DEFAULTS)}.")]
    return [*_values(given), *_reasons(given.get("REASONS", {})), *_levels(levels)]


def _values(given: dict[str, Any]) -> Messages:
    yield from unknown_keys(given, REVIEW_DEFAULTS, WHERE, "E171")
    ranges = {
        "CLAIM_SECONDS": (LEAST_CLAIM, MOST_CLAIM),
        "OVERDUE_AFTER": (1, 366 * DAY),
        "UNDO_SECONDS": (0, MOST_UNDO),
    }
    if not isinstance(given.get("PHOTO_AHEAD", True), bool):
        yield error("E199", f"{WHERE}['PHOTO_AHEAD'] must be True or False.", "Default: True.")
    for key, (least, most) in ranges.items():
        if not is_whole(given.get(key, REVIEW_DEFAULTS[key]), least, most):
            yield error(
                "E172",
                f"{WHERE}[{key!r}] must be a whole number of seconds from {least} to {most}.",
                f"The default is {REVIEW_DEFAULTS[key]}.",
            )


def _reasons(given: Any) -> Messages:
    where = f"{WHERE}['REASONS']"
    if not isinstance(given, dict) or not all(isinstance(one, dict) for one in given.values()):
        hint = "Such as {'reject': {'different_person': None, 'fraud_suspected': 'Forged'}}."
        yield error("E173", f"{where} must be a dict of dicts.", hint)
        return
    yield from unknown_keys(given, REVIEW_REASONS, where, "E174")
    for decision in given.keys() & REVIEW_REASONS.keys():
        known, here = [code.value for code in REVIEW_REASONS[decision]], f"{where}[{decision!r}]"
        yield from unknown_keys(given[decision], known, here, "E175")
        if not given[decision]:
            yield error(
                "E176", f"{here} leaves no reason to choose.", f"Known: {', '.join(known)}."
            )
        for code, words in given[decision].items():
            if words is not None and not isinstance(words, str | Promise):
                yield error(
                    "E177",
                    f"{here}[{code!r}] must be a text, or None for ours.",
                    "Or leave it out.",
                )


def _levels(levels: dict[str, Any]) -> Messages:
    for name, entry in levels.items():
        if not isinstance(entry, dict):
            continue  # the checks of the settings say so
        where = f"FACEVERIFY['LEVELS'][{name!r}]"
        if not isinstance(entry.get("FOUR_EYES", LEVEL_DEFAULTS["FOUR_EYES"]), bool):
            yield error("E178", f"{where}['FOUR_EYES'] must be True or False.", "Default: False.")
        seconds = entry.get("UNDO_SECONDS")
        if seconds is not None and not is_whole(seconds, 0, MOST_UNDO):
            yield error(
                "E179",
                f"{where}['UNDO_SECONDS'] must be a whole number of seconds from 0 to {MOST_UNDO}.",
                f"None is the one of {WHERE}.",
            )
