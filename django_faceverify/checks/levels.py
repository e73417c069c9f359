"""System checks of ``LEVELS``: values, the provider that each uses, and how the two go together."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import Any

from django_faceverify.checks import shadow, thresholds
from django_faceverify.checks.findings import Messages, error, unknown_keys, warning
from django_faceverify.checks.values import is_whole
from django_faceverify.conf import LEVEL_DEFAULTS, app_settings
from django_faceverify.exceptions import InvalidProvider
from django_faceverify.providers import providers


def of_entries() -> Messages:
    if "default" not in app_settings.LEVELS:
        yield error(
            "E040",
            "FACEVERIFY['LEVELS'] has no 'default'.",
            "It is the level of a verification that names none.",
        )
    for name, entry in app_settings.LEVELS.items():
        where = f"FACEVERIFY['LEVELS'][{name!r}]"
        yield from unknown_keys(entry, LEVEL_DEFAULTS, where, "E041")
        yield from _values(entry, where)
        yield from thresholds.one_entry(entry.get("THRESHOLDS", {}), where)
        alias = entry.get("PROVIDER", "default")
        if alias not in tuple(app_settings.PROVIDERS):
            near = difflib.get_close_matches(str(alias), app_settings.PROVIDERS, n=1)
            yield error(
                "E042",
                f"{where} uses the provider {alias!r}, which FACEVERIFY['PROVIDERS'] lacks.",
                f"Did you mean {near[0]!r}?" if near else "Add it, or name another.",
            )
            continue
        yield from thresholds.of_level(name, alias, where)
        yield from _money(entry, where)
        yield from _photo_can_be_sent(alias, where)
        yield from shadow.of_level(name, entry, where)


def _values(entry: dict[str, Any], where: str) -> Messages:
    valid: dict[str, Callable[[Any], bool]] = {
        "LIVE": lambda value: isinstance(value, bool),
        "OPEN": lambda value: isinstance(value, bool),
        "COUNT_PHOTO_PROBLEMS": lambda value: isinstance(value, bool),
        "MAX_PHOTOS": _is_count,
        "MAX_SUBMISSIONS": _is_count,
    }
    for key, is_valid in valid.items():
        value = entry.get(key, LEVEL_DEFAULTS[key])
        if not is_valid(value):
            yield error(
                "E043",
                f"{where}[{key!r}] has the wrong type or range.",
                f"The default is {LEVEL_DEFAULTS[key]!r}.",
            )
    most, tries = (entry.get(key, LEVEL_DEFAULTS[key]) for key in ("MAX_SUBMISSIONS", "MAX_PHOTOS"))
    if _is_count(most) and _is_count(tries) and most < tries:
        yield error(
            "E044",
            f"{where}['MAX_SUBMISSIONS'] is below MAX_PHOTOS.",
            "It counts all photos that a person may send, unusable ones included.",
        )


def _is_count(value: Any) -> bool:
    return is_whole(value, 1, 100)


def _money(entry: dict[str, Any], where: str) -> Messages:
    """Real people belong to a real provider, and test numbers to a sandbox."""
    try:
        provider = providers[entry.get("PROVIDER", "default")]
    except InvalidProvider:
        return
    bills = provider.costs_money and not provider.is_sandbox
    if entry.get("LIVE", LEVEL_DEFAULTS["LIVE"]) is False and bills:
        yield warning(
            "W045",
            f"{where} is a test level on a provider that bills.",
            "Point it at a sandbox, or make it live.",
        )


def _photo_can_be_sent(alias: str, where: str) -> Messages:
    """A photo comes as bytes, or by its address where the site allows that."""
    try:
        provider = providers[alias]
    except InvalidProvider:
        return
    if not (provider.takes_bytes or (provider.takes_url and app_settings.ALLOW_PHOTO_URLS)):
        yield error(
            "E184",
            f"{where}: the provider takes no photo that a person may send.",
            "It takes photos by their address only: set ALLOW_PHOTO_URLS, or choose another.",
        )
