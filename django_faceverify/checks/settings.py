"""System checks: every wrong configuration that we can name, with a number and a hint.

No check touches the network or a database. The ids stand in ``docs/reference/checks.md``.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import FileSystemStorage, storages
from django.utils.module_loading import import_string

from django_faceverify import sealing
from django_faceverify.checks import shadow, thresholds
from django_faceverify.checks.findings import Messages, error, unknown_keys, warning
from django_faceverify.conf import (
    DAY,
    DEFAULTS,
    LEVEL_DEFAULTS,
    LIMIT_DEFAULTS,
    POLLING_DEFAULTS,
    PROVIDER_KEYS,
    QUOTA_DEFAULTS,
    RETENTION_PRESETS,
    STORAGE_ALIAS,
    THROTTLE_DEFAULTS,
    UNKNOWN_POLICIES,
    WEBHOOK_DEFAULTS,
    app_settings,
    clock_seconds,
)
from django_faceverify.exceptions import InvalidProvider
from django_faceverify.providers import providers
from django_faceverify.providers.base import Provider
from django_faceverify.verification import LEASE_MARGIN

#: seconds; the shortest time for records of processing under the preset CN
SHORTEST_AUDIT_CN = 1095 * DAY
#: limits that are not from 0
LOWEST_LIMIT = {"BURST": 1, "CALLS_PER_SECOND": 0.001, "STREAM_SECONDS": 1}
#: what cannot be without a limit
ALWAYS_LIMITED = {"BURST", "PRICE", *POLLING_DEFAULTS}


@register(Tags.compatibility)
def check_settings(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """All checks of ``FACEVERIFY``, in the order in which a newcomer would mend them."""
    try:
        raw = app_settings.raw
    except ImproperlyConfigured:
        return [error("E001", "FACEVERIFY must be a dict.", "See docs/reference/settings.md.")]
    messages = list(unknown_keys(raw, DEFAULTS, "FACEVERIFY", "E002"))
    messages += _values(raw)
    if any(isinstance(message, Error) for message in messages):
        return messages
    for check in (_keys, _storage, _quotas, _retention, _providers, _levels, _webhooks):
        messages += check()
    return messages


def _values(raw: dict[str, Any]) -> Messages:
    """Types and ranges of the plain values."""
    for key in ("PROVIDERS", "LEVELS"):
        value = raw.get(key, DEFAULTS[key])
        if not isinstance(value, dict) or not all(
            isinstance(entry, dict) for entry in value.values()
        ):
            yield error("E003", f"FACEVERIFY[{key!r}] must be a dict of dicts.", "See the docs.")
    for key in ("LEASE", "DEADLINE", "EXPIRES_AFTER", "MAX_UPLOAD_BYTES"):
        value = raw.get(key, DEFAULTS[key])
        if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
            yield error(
                "E004",
                f"FACEVERIFY[{key!r}] must be a whole number above 0.",
                f"The default is {DEFAULTS[key]}.",
            )
    if not isinstance(raw.get("ALLOW_PHOTO_URLS", False), bool):
        yield error(
            "E005", "FACEVERIFY['ALLOW_PHOTO_URLS'] must be True or False.", "Default: False."
        )
    policy = raw.get("UNKNOWN_POLICY", DEFAULTS["UNKNOWN_POLICY"])
    if policy not in UNKNOWN_POLICIES:
        yield error(
            "E006",
            "FACEVERIFY['UNKNOWN_POLICY'] is not a known policy.",
            f"Choose one of: {', '.join(UNKNOWN_POLICIES)}.",
        )


def _keys() -> Messages:
    """The sealing keys: there, whole, and not the site's SECRET_KEY."""
    how = (
        'Make one with: python -c "import base64, os; print(base64.b64encode('
        'os.urandom(32)).decode())" and keep it where your other secrets are.'
    )
    try:
        keys = app_settings.KEYS
    except (ImproperlyConfigured, ImportError):
        yield error(
            "E010", "FACEVERIFY['KEYS'] cannot be read.", "Give a dict or the path of a callable."
        )
        return
    if not keys:
        yield error("E011", "FACEVERIFY['KEYS'] holds no key; nothing can be sealed.", how)
    for key_id, text in keys.items():
        if not str(key_id).isalnum() or len(str(key_id)) > 20:
            yield error(
                "E012",
                "The id of a key in FACEVERIFY['KEYS'] must be 1 to 20 letters and digits.",
                "Name it by the time of its making, such as '2026a'.",
            )
        if text == app_settings.secret_key:
            yield error(
                "E013",
                f"FACEVERIFY['KEYS'][{key_id!r}] is the site's SECRET_KEY.",
                "A new SECRET_KEY would make all sealed data unreadable. " + how,
            )
            continue
        try:
            sealing.decode_key(text)
        except ValueError:
            yield error("E014", f"FACEVERIFY['KEYS'][{key_id!r}] is not 32 bytes in base64.", how)


def _storage() -> Messages:
    """Photos lie in a storage of their own that no web server serves."""
    hint = (
        'Add STORAGES["faceverify"] = {"BACKEND": '
        '"django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": '
        '"/a/private/folder"}} with the default and staticfiles entries beside it.'
    )
    if STORAGE_ALIAS not in app_settings.storage_aliases:
        yield error("E020", 'There is no STORAGES["faceverify"] for photos.', hint)
        return
    storage = storages[STORAGE_ALIAS]
    if not isinstance(storage, FileSystemStorage):
        return
    location, media = Path(storage.location).resolve(), app_settings.media_root
    if media and location.is_relative_to(Path(media).resolve()):
        yield error(
            "E021",
            'STORAGES["faceverify"] lies under MEDIA_ROOT, which web servers publish.',
            "Give it a folder of its own.",
        )


def _quotas() -> Messages:
    yield from _numbers(app_settings.raw.get("QUOTAS", {}), QUOTA_DEFAULTS, "FACEVERIFY['QUOTAS']")
    for key, known in (("THROTTLES", THROTTLE_DEFAULTS), ("POLLING", POLLING_DEFAULTS)):
        yield from _numbers(app_settings.raw.get(key, {}), known, f"FACEVERIFY[{key!r}]")


def _retention() -> Messages:
    """The clocks: what is destroyed too early cannot be brought back."""
    where = "FACEVERIFY['RETENTION']"
    given = app_settings.raw.get("RETENTION", {})
    known = ("PRESET", *RETENTION_PRESETS["generic"])
    if not isinstance(given, dict):
        yield error("E100", f"{where} must be a dict.", f"Keys: {', '.join(known)}.")
        return
    yield from unknown_keys(given, known, where, "E101")
    if given.get("PRESET", "generic") not in tuple(RETENTION_PRESETS):
        yield error(
            "E102",
            f"{where}['PRESET'] is not a known preset.",
            f"Choose one of: {', '.join(RETENTION_PRESETS)}.",
        )
    for key in given.keys() & RETENTION_PRESETS["generic"].keys():
        try:
            clock_seconds(given[key])
        except ValueError:
            yield error(
                "E103",
                f"{where}[{key!r}] is not a time to keep something.",
                "Give a datetime.timedelta, seconds (0, or from an hour up), or None for ever.",
            )
    yield from _clocks(where)


def _clocks(where: str) -> Messages:
    """How the clocks go together."""
    try:
        clocks = app_settings.retention
    except ImproperlyConfigured:
        return
    if clocks.identity is not None and (clocks.photo is None or clocks.photo > clocks.identity):
        yield warning(
            "W104",
            f"{where}: PHOTO is longer than IDENTITY, at whose end photos are destroyed as well.",
            "Make PHOTO the shorter one.",
        )
    if clocks.preset == "CN" and clocks.audit is not None and clocks.audit < SHORTEST_AUDIT_CN:
        yield error(
            "E105",
            f"{where}: AUDIT is shorter than three years.",
            "In mainland China, records of such processing are kept for at least three years.",
        )


def _numbers(given: Any, known: dict[str, Any], where: str) -> Messages:
    """A dict of limits: known keys, and numbers from 0 or None for no limit."""
    if not isinstance(given, dict):
        yield error("E060", f"{where} must be a dict.", f"Keys: {', '.join(known)}.")
        return
    yield from unknown_keys(given, known, where, "E061")
    for key, value in given.items():
        if value is None and key not in ALWAYS_LIMITED:
            continue
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        lowest = LOWEST_LIMIT.get(key, 0)
        if not is_number or not math.isfinite(value) or value < lowest:
            yield error(
                "E062",
                f"{where}[{key!r}] must be a number from {lowest:g}, or None for no limit.",
                f"The default is {known.get(key)!r}.",
            )


def _webhooks() -> Messages:
    """How webhooks are delivered: known keys, and values that make sense."""
    given, where = app_settings.raw.get("WEBHOOKS", {}), "FACEVERIFY['WEBHOOKS']"
    if not isinstance(given, dict):
        yield error("E080", f"{where} must be a dict.", f"Keys: {', '.join(WEBHOOK_DEFAULTS)}.")
        return
    yield from unknown_keys(given, WEBHOOK_DEFAULTS, where, "E081")
    for key, is_valid in WEBHOOK_VALUES.items():
        if not is_valid({**WEBHOOK_DEFAULTS, **given}[key]):
            yield error(
                "E082",
                f"{where}[{key!r}] has the wrong type or range.",
                f"The default is {WEBHOOK_DEFAULTS[key]!r}.",
            )
    if given.get("ALLOW_LOOPBACK") is True and not app_settings.is_debug:
        yield warning(
            "W083",
            f"{where}['ALLOW_LOOPBACK'] lets webhooks reach this machine, in clear.",
            "It is for development: leave it out before you go live.",
        )


def _is_between(low: float, high: float) -> Callable[[Any], bool]:
    def is_valid(value: Any) -> bool:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return is_number and low <= value <= high

    return is_valid


def _are_ports(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(
        isinstance(port, int) and 0 < port < 65536 for port in value
    )


#: what each value of ``WEBHOOKS`` must be
WEBHOOK_VALUES: dict[str, Callable[[Any], bool]] = {
    "TIMEOUT": _is_between(0.1, 60),
    "PORTS": _are_ports,
    "ALLOW_LOOPBACK": lambda value: isinstance(value, bool),
    "CA_BUNDLE": lambda value: value is None or Path(str(value)).is_file(),
    "ROTATION_HOURS": _is_between(0, 24 * 365),
    "DISABLE_AFTER_DAYS": _is_between(0.1, 365),
    "KEEP_DAYS": _is_between(4, 3650),
}


def _providers() -> Messages:
    """Each provider entry, then the provider's own checks."""
    if not app_settings.PROVIDERS:
        yield error(
            "E030",
            "FACEVERIFY['PROVIDERS'] names no provider.",
            "Start with the sandbox: see docs/tutorial.md.",
        )
    for alias, entry in app_settings.PROVIDERS.items():
        where = f"FACEVERIFY['PROVIDERS'][{alias!r}]"
        yield from unknown_keys(entry, PROVIDER_KEYS, where, "E031")
        yield from thresholds.one_entry(entry.get("THRESHOLDS", {}), where)
        yield from _numbers(entry.get("LIMITS", {}), LIMIT_DEFAULTS, f"{where}['LIMITS']")
        provider = yield from _build(alias, where)
        if provider is None:
            continue
        yield from provider.check()
        yield from _timeout(provider, where)
        yield from _can_be_asked(provider, where)
        if getattr(provider, "is_sandbox", False) and not app_settings.is_debug:
            yield warning(
                "W032",
                f"{where} points at this machine: a sandbox verifies nobody.",
                "Set the provider's own endpoint and credentials before you go live.",
            )


def _build(alias: str, where: str) -> Any:
    """The provider of that alias; a generator that yields the reason when there is none."""
    backend = app_settings.PROVIDERS[alias].get("BACKEND")
    try:
        is_provider = issubclass(import_string(str(backend)), Provider)
    except (ImportError, TypeError, AttributeError):
        is_provider = False
    if not is_provider:
        yield error(
            "E033",
            f"{where}['BACKEND'] is not the dotted path of a Provider.",
            "Such as 'django_faceverify.providers.qcloud.QcloudProvider'.",
        )
        return None
    try:
        return providers[alias]
    except InvalidProvider as wrong:
        yield error("E034", str(wrong), "See docs/reference/settings.md for the OPTIONS it takes.")
        return None


def _timeout(provider: Provider, where: str) -> Messages:
    if provider.timeout + LEASE_MARGIN >= app_settings.LEASE:
        yield error(
            "E035",
            f"{where} may take {provider.timeout:g} s for a call, too long for the lease of "
            f"{app_settings.LEASE} s.",
            f"Keep FACEVERIFY['LEASE'] at least {LEASE_MARGIN:g} s above the timeout; three "
            "times the timeout is a good choice.",
        )


def _can_be_asked(provider: Provider, where: str) -> Messages:
    if app_settings.UNKNOWN_POLICY == "reconcile" and not provider.can_be_asked:
        yield error(
            "E036",
            f"{where} cannot be asked what became of a call, which UNKNOWN_POLICY "
            "'reconcile' needs.",
            "Choose 'review' or 'retry', or a provider with can_be_asked and find().",
        )


def _levels() -> Messages:
    if "default" not in app_settings.LEVELS:
        yield error(
            "E040",
            "FACEVERIFY['LEVELS'] has no 'default'.",
            "It is the level of a verification that names none.",
        )
    for name, entry in app_settings.LEVELS.items():
        where = f"FACEVERIFY['LEVELS'][{name!r}]"
        yield from unknown_keys(entry, LEVEL_DEFAULTS, where, "E041")
        yield from _level_values(entry, where)
        yield from thresholds.one_entry(entry.get("THRESHOLDS", {}), where)
        alias = entry.get("PROVIDER", "default")
        if alias not in app_settings.PROVIDERS:
            near = difflib.get_close_matches(str(alias), app_settings.PROVIDERS, n=1)
            yield error(
                "E042",
                f"{where} uses the provider {alias!r}, which FACEVERIFY['PROVIDERS'] lacks.",
                f"Did you mean {near[0]!r}?" if near else "Add it, or name another.",
            )
            continue
        yield from thresholds.of_level(name, alias, where)
        yield from _level_and_provider(entry, where)
        yield from _photo_can_be_sent(alias, where)
        yield from shadow.of_level(name, entry, where)


def _level_and_provider(entry: dict[str, Any], where: str) -> Messages:
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


def _level_values(entry: dict[str, Any], where: str) -> Messages:
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
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 100


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
