"""Is everything there that a verification needs? Each area is looked at by itself.

It reads, connects and writes one probe file, which it removes. It makes no call to a provider,
since calls cost money, and shows no secret.
"""

from __future__ import annotations

from collections.abc import Callable

from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import InvalidStorageError
from django.db import DatabaseError

from django_faceverify.doctor import providers, site, surroundings, work
from django_faceverify.doctor.findings import ERROR, Finding, Findings

__all__ = ["ERROR", "EXAMINATIONS", "Finding", "examine"]

EXAMINATIONS: dict[str, Callable[[], Findings]] = {
    "versions": site.look_at_versions,
    "settings": site.look_at_settings,
    "keys": site.look_at_keys,
    "provider": providers.look_at_providers,
    "faces": providers.look_at_faces,
    "storage": surroundings.look_at_storage,
    "database": surroundings.look_at_database,
    "history": work.look_at_history,
    "broker": surroundings.look_at_broker,
    "queue": work.look_at_queue,
    "retention": work.look_at_retention,
}


def examine() -> Findings:
    """All that is found, area by area."""
    for area, look in EXAMINATIONS.items():
        yield from _safely(area, look)


def _safely(area: str, look: Callable[[], Findings]) -> Findings:
    """An examination that cannot be made is a finding itself; its error may quote a secret."""
    try:
        yield from look()
    except (OSError, DatabaseError, ImproperlyConfigured, InvalidStorageError) as error:
        yield Finding(ERROR, area, f"cannot be examined ({type(error).__name__})")
