"""System checks of ``FACEVERIFY`` as a whole: its plain values, the keys, the storage, then each room.

No check touches the network or a database.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import FileSystemStorage, storages

from django_faceverify import sealing
from django_faceverify.checks import levels, limits, providers, retention, webhooks
from django_faceverify.checks.findings import Messages, error, unknown_keys
from django_faceverify.checks.values import is_whole
from django_faceverify.conf import DEFAULTS, STORAGE_ALIAS, UNKNOWN_POLICIES, app_settings


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
    for check in (
        _keys,
        _storage,
        limits.of_site,
        retention.of_clocks,
        providers.of_entries,
        levels.of_entries,
        webhooks.of_delivery,
    ):
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
        if not is_whole(value, 1):
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
