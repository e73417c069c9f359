"""What may be written besides the identity: each field is made canonical or refused.

Refusals are ``InputError`` and never repeat what was written.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django_faceverify.exceptions import InputError

MAX_REFERENCE = 100
MAX_NOTE = 2000
MAX_URL = 2000
MAX_VERSION = 50
MAX_METADATA_KEYS = 20
#: characters of a key or a text
MAX_METADATA_VALUE = 200


def reference(value: object) -> str:
    if not isinstance(value, str) or len(value) > MAX_REFERENCE or _has_controls(value):
        raise InputError("reference_invalid", "reference")
    return value


def note(value: object) -> str:
    """A reviewer's free text, with its lines and joined emoji."""
    if (
        not isinstance(value, str)
        or len(value) > MAX_NOTE
        or _has_controls(value, keep="\n\t\u200d")
    ):
        raise InputError("note_invalid", "note")
    return value.strip()


def metadata(value: object) -> dict[str, Any]:
    """The site's own facts: a flat object, small enough to be shown in a list."""
    if value is None:
        return {}
    if not isinstance(value, Mapping) or len(value) > MAX_METADATA_KEYS:
        raise InputError("metadata_invalid", "metadata")
    if not all(_is_short_text(key) and _is_plain(item) for key, item in value.items()):
        raise InputError("metadata_invalid", "metadata")
    return dict(value)


def _is_plain(item: object) -> bool:
    """A value that every database and every JSON parser keeps as it is."""
    if isinstance(item, str):
        return _is_short_text(item)
    if isinstance(item, int):
        return abs(item) < 2**53
    return item is None or (isinstance(item, float) and math.isfinite(item))


def _is_short_text(text: object) -> bool:
    return (
        isinstance(text, str)
        and len(text) <= MAX_METADATA_VALUE
        and not _has_controls(text, keep="\n\t")
    )


def consent_version(value: object) -> str:
    """The version of the consent text that the person has accepted, if one was sent."""
    if value is None:
        return ""
    if not isinstance(value, Mapping) or value.get("granted") is not True:
        raise InputError("consent_invalid", "consent")
    version = value.get("text_version")
    if not isinstance(version, str) or not 0 < len(version) <= 50 or _has_controls(version):
        raise InputError("consent_invalid", "consent")
    return version


def _has_controls(text: str, keep: str = "") -> bool:
    """Control, format, surrogate or private characters, which no honest input needs."""
    return any(
        unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co")
        for character in text
        if character not in keep
    )


def photo_url(value: object, *, schemes: tuple[str, ...]) -> str:
    """An absolute address that a provider can fetch; we never fetch it ourselves."""
    if not isinstance(value, str) or not 0 < len(value) <= MAX_URL or not value.isascii():
        raise InputError("url_invalid", "url")
    try:
        parts = urlsplit(value)
        host, has_login = parts.hostname, parts.username or parts.password
        parts.port  # noqa: B018 (raises for a port that is none)
    except ValueError:
        raise InputError("url_invalid", "url") from None
    if parts.scheme not in schemes or not host or has_login or _has_controls(value):
        raise InputError("url_invalid", "url")
    return value
