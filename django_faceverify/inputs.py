"""What may be written besides the identity: each field is made canonical or refused.

Refusals are ``InputError`` and never repeat what was written.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.views.decorators.debug import sensitive_variables

from django_faceverify.exceptions import InputError

MAX_REFERENCE = 100
MAX_NOTE = 2000
MAX_URL = 2000
#: characters of a version, a hash or another word of a consent
MAX_TOKEN = 64
MAX_METADATA_KEYS = 20
#: characters of a key or a text
MAX_METADATA_VALUE = 200


@sensitive_variables()
def reference(value: object) -> str:
    if not isinstance(value, str) or len(value) > MAX_REFERENCE or _has_controls(value):
        raise InputError("reference_invalid", "reference")
    return value


@sensitive_variables()
def note(value: object) -> str:
    """A reviewer's free text, with its lines and joined emoji."""
    if (
        not isinstance(value, str)
        or len(value) > MAX_NOTE
        or _has_controls(value, keep="\n\t\u200d")
    ):
        raise InputError("note_invalid", "note")
    return value.strip()


@sensitive_variables()
def metadata(value: object) -> dict[str, Any]:
    """The site's own facts: a flat object, small enough to be shown in a list."""
    if value is None:
        return {}
    if not isinstance(value, Mapping) or len(value) > MAX_METADATA_KEYS:
        raise InputError("metadata_invalid", "metadata")
    if not all(_is_short_text(key) and _is_plain(item) for key, item in value.items()):
        raise InputError("metadata_invalid", "metadata")
    return dict(value)


@sensitive_variables()
def _is_plain(item: object) -> bool:
    """A value that every database and every JSON parser keeps as it is."""
    if isinstance(item, str):
        return _is_short_text(item)
    if isinstance(item, int):
        return abs(item) < 2**53
    return item is None or (isinstance(item, float) and math.isfinite(item))


@sensitive_variables()
def _is_short_text(text: object) -> bool:
    return (
        isinstance(text, str)
        and len(text) <= MAX_METADATA_VALUE
        and not _has_controls(text, keep="\n\t")
    )


@dataclass(frozen=True, kw_only=True)
class DeclaredConsent:
    """What somebody says about a consent text; what is left out is empty or false."""

    text_version: str
    is_granted: bool
    text_sha256: str = ""
    is_by_guardian: bool = False
    guardian_relation: str = ""
    may_keep_photo: bool = False


#: the members of ``consent`` as they are sent, and what they become
CONSENT_TEXTS = {
    "text_version": "text_version",
    "text_sha256": "text_sha256",
    "relation": "guardian_relation",
}
CONSENT_FLAGS = {
    "granted": "is_granted",
    "guardian": "is_by_guardian",
    "keep_photo": "may_keep_photo",
}

CONSENT_MEMBERS = CONSENT_TEXTS | CONSENT_FLAGS
REQUIRED = {"text_version", "granted"}


@sensitive_variables()
def consent(value: object) -> DeclaredConsent | None:
    """What was declared about a consent text, if anything was."""
    if value is None:
        return None
    if not isinstance(value, Mapping) or not REQUIRED <= set(value) <= set(CONSENT_MEMBERS):
        raise InputError("consent_invalid", "consent")
    texts = [item for key, item in value.items() if key in CONSENT_TEXTS]
    flags = [item for key, item in value.items() if key in CONSENT_FLAGS]
    if not all(_is_token(item) for item in texts) or not all(
        isinstance(item, bool) for item in flags
    ):
        raise InputError("consent_invalid", "consent")
    if "relation" in value and value.get("guardian") is not True:
        raise InputError("consent_invalid", "consent")
    return DeclaredConsent(**{CONSENT_MEMBERS[key]: item for key, item in value.items()})


def _is_token(item: object) -> bool:
    return isinstance(item, str) and 0 < len(item) <= MAX_TOKEN and not _has_controls(item)


@sensitive_variables()
def _has_controls(text: str, keep: str = "") -> bool:
    """Control, format, surrogate or private characters, which no honest input needs."""
    return any(
        unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co")
        for character in text
        if character not in keep
    )


@sensitive_variables()
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
