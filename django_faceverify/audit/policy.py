"""The settings that decide, written down whenever they change.

A decision carries its thresholds. What else shaped it (photos allowed, the policy for unknown
answers, quotas, which service is asked) stands in the newest ``PolicyVersion`` before it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from django_faceverify import sealing
from django_faceverify.conf import app_settings
from django_faceverify.models import PolicyVersion

USE = "audit/policy"

#: what of ``FACEVERIFY`` is told as it stands, where it is given; nothing with secrets
TOLD = ("CONSENT", "RETENTION", "JURISDICTION", "ALTERNATIVE_URL")
#: what is told about a provider: never its OPTIONS as a whole, which hold credentials
OPTIONS_TOLD = ("endpoint", "timeout")


class _Memory:
    """The settings that this process has compared with the newest version."""

    settings: object = None


def note() -> None:
    """Record the settings as a new version if they are not those of the newest one.

    Once for each process and settings object, so it may be called before any decision.
    Stand outside transactions. Where versions of a site run side by side, each process
    notes its own settings once, so both are on record.
    """
    settings = app_settings.raw
    if settings is _Memory.settings:
        return
    _record(_content())
    _Memory.settings = settings


def _record(content: str) -> None:
    """Add a version, unless the newest is the same; of two at once, one comes second."""
    fingerprint = hashlib.sha256(content.encode()).hexdigest()
    while True:
        newest = PolicyVersion.objects.order_by("-number").first()
        if newest is not None and newest.fingerprint == fingerprint:
            return
        version = PolicyVersion(
            number=newest.number + 1 if newest else 1,
            recorded_at=timezone.now(),
            fingerprint=fingerprint,
            content=content,
        )
        version.mac = sealing.mac(USE, *version.sealed_parts(newest.mac if newest else ""))
        try:
            with transaction.atomic():
                version.save(force_insert=True)
        except IntegrityError:
            continue  # somebody else took the number: look again
        return


def _content() -> str:
    """The settings in one spelling, defaults included, so that a new default shows too."""
    raw = app_settings.raw
    facts: dict[str, Any] = {key: raw[key] for key in TOLD if key in raw}
    facts |= {
        "LEVELS": {name: asdict(app_settings.level(name)) for name in app_settings.LEVELS},
        "PROVIDERS": {alias: _provider(alias) for alias in app_settings.PROVIDERS},
        "QUOTAS": vars(app_settings.quotas),
        "UNKNOWN_POLICY": app_settings.UNKNOWN_POLICY,
        "DEADLINE": app_settings.DEADLINE,
        "EXPIRES_AFTER": app_settings.EXPIRES_AFTER,
        "ALLOW_PHOTO_URLS": app_settings.ALLOW_PHOTO_URLS,
    }
    return json.dumps(facts, sort_keys=True, default=_kind)


def _kind(value: object) -> str:
    """What is not JSON by its kind: how it prints may differ from process to process."""
    return str(value) if isinstance(value, Decimal) else type(value).__name__


def _provider(alias: str) -> dict[str, Any]:
    entry = app_settings.PROVIDERS[alias]
    options = entry.get("OPTIONS", {})
    return {
        "BACKEND": entry.get("BACKEND"),
        "LIMITS": vars(app_settings.limits(alias)),
        **{key: options[key] for key in OPTIONS_TOLD if key in options},
    }
