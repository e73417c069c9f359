"""System checks of ``QUALITY``: can photos be looked at, and by which measures?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Tags, register
from django.core.exceptions import ImproperlyConfigured

from django_faceverify.checks.findings import Messages, error, unknown_keys
from django_faceverify.checks.values import is_number
from django_faceverify.conf import QUALITY_DEFAULTS, app_settings
from django_faceverify.faces import engine

WHERE = "FACEVERIFY['QUALITY']"


@register(Tags.compatibility)
def check_quality(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    try:
        given = app_settings.raw.get("QUALITY", {})
    except ImproperlyConfigured:
        return []  # the checks of the settings say so
    if not isinstance(given, dict):
        return [error("E190", f"{WHERE} must be a dict.", f"Keys: {', '.join(QUALITY_DEFAULTS)}.")]
    messages = list(unknown_keys(given, QUALITY_DEFAULTS, WHERE, "E191"))
    return [*messages, *_values({**QUALITY_DEFAULTS, **given})]


def _values(entry: dict[str, Any]) -> Messages:
    if not isinstance(entry["CHECK"], bool):
        yield error("E192", f"{WHERE}['CHECK'] must be True or False.", "Default: False.")
    elif entry["CHECK"] and (missing := engine.missing_packages()):
        yield error(
            "E193",
            f"{WHERE}['CHECK'] is on, and not installed is: {', '.join(missing)}.",
            "pip install 'django-faceverify[local]'",
        )
    for key in ("MIN_FACE_WIDTH", "MIN_SHARPNESS"):
        if not is_number(entry[key], 0, 2048):
            yield error(
                "E192",
                f"{WHERE}[{key!r}] must be a number from 0 to 2048.",
                f"The default is {QUALITY_DEFAULTS[key]}.",
            )
