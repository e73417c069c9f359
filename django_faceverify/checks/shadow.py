"""System checks of a level's shadow: a second provider that people know of, with its own money."""

from __future__ import annotations

from typing import Any

from django_faceverify import consent
from django_faceverify.checks import thresholds
from django_faceverify.checks.findings import Messages, error, unknown_keys, warning
from django_faceverify.checks.values import is_number
from django_faceverify.conf import LEVEL_DEFAULTS, SHADOW_DEFAULTS, app_settings


def of_level(name: str, entry: dict[str, Any], where: str) -> Messages:
    """A second provider: there, another one, named in the consent, with money of its own."""
    given, where = entry.get("SHADOW"), f"{where}['SHADOW']"
    if given is None:
        return
    if not isinstance(given, dict) or not is_number(given.get("SHARE", 0.0), 0, 1):
        yield error(
            "E185",
            f"{where} must be a dict with a SHARE from 0 to 1.",
            'Such as {"PROVIDER": "faceid", "SHARE": 0.05}.',
        )
        return
    yield from unknown_keys(given, SHADOW_DEFAULTS, where, "E185")
    alias = given.get("PROVIDER", "")
    if alias not in tuple(app_settings.PROVIDERS) or alias == entry.get("PROVIDER", "default"):
        yield error(
            "E186",
            f"{where}: PROVIDER is not another provider of FACEVERIFY['PROVIDERS'].",
            "Add the second one under an alias of its own, with LIMITS of its own.",
        )
        return
    yield from thresholds.of_level(name, alias, where)
    if given.get("SHARE"):
        yield from _shadow_consent(name, alias, where)
        yield from _shadow_money(alias, where)


def _shadow_consent(name: str, alias: str, where: str) -> Messages:
    try:
        rules, level = app_settings.consent, app_settings.level(name)
        is_covered = alias in rules.texts[rules.current].get("PROVIDERS", ())
        is_named = is_covered and consent.names_second_provider(alias, level)
    except Exception:  # noqa: BLE001 (templates raise what they like; the checks of consent say so)
        return
    if not is_covered:
        yield error(
            "E187",
            f"{where}: nobody agrees to {alias!r}: the current consent text does not cover it.",
            "Write a new version that names it, with the alias in PROVIDERS of the text.",
        )
    elif not is_named:
        yield warning(
            "W188",
            f"{where}: the current consent text does not say the legal name of {alias!r}.",
            "Set NAME in its LEGAL, and say it in the text in each language.",
        )


def _shadow_money(alias: str, where: str) -> Messages:
    deciding = [
        name
        for name, entry in app_settings.LEVELS.items()
        if {**LEVEL_DEFAULTS, **entry}["PROVIDER"] == alias
    ]
    if deciding:
        yield warning(
            "W189",
            f"{where}: {alias!r} also decides for {', '.join(map(repr, deciding))}, whose day's "
            "money the shadow uses up.",
            "Give the shadow an alias of its own, with LIMITS of its own.",
        )
