"""What the site has set up: versions, settings, keys."""

from __future__ import annotations

import platform

import django
from celery import __version__ as celery_version
from django.core.checks import CheckMessage, run_checks
from django.core.checks import Error as CheckError
from django.core.exceptions import ImproperlyConfigured

from django_faceverify import __version__, rotation
from django_faceverify.conf import app_settings
from django_faceverify.doctor.findings import ERROR, OK, WARNING, Finding, Findings


def look_at_versions() -> Findings:
    yield Finding(
        OK,
        "versions",
        f"django-faceverify {__version__}, Python {platform.python_version()}, "
        f"Django {django.get_version()}, Celery {celery_version}",
    )


def look_at_settings() -> Findings:
    messages = [message for message in run_checks() if _is_ours(message)]
    for message in messages:
        level = ERROR if isinstance(message, CheckError) else WARNING
        yield Finding(
            level, "settings", f"{message.id}: {message.msg} {message.hint or ''}".strip()
        )
    if not messages:
        yield Finding(OK, "settings", "no complaint")


def _is_ours(message: CheckMessage) -> bool:
    return (message.id or "").startswith("faceverify.")


def look_at_keys() -> Findings:
    try:
        key_ids = list(app_settings.KEYS)
    except (ImproperlyConfigured, ImportError):
        yield Finding(ERROR, "keys", "cannot be read")
        return
    if not key_ids:
        yield Finding(ERROR, "keys", "there is none")
        return
    yield Finding(OK, "keys", f"{key_ids[0]} seals; to open: {', '.join(key_ids)}")
    for key_id, count in rotation.indexed_keys().items():
        yield _use_of_key(key_id, count, key_ids)


def _use_of_key(key_id: str, count: int, key_ids: list[str]) -> Finding:
    cases = f"{key_id}: {count}{' or more' if count == rotation.COUNTED else ''} cases"
    if key_id not in key_ids:
        return Finding(ERROR, "keys", f"{cases} cannot be opened: the key is not on the ring")
    if not rotation.opens(key_id):
        return Finding(ERROR, "keys", f"{cases}, and one does not open: is it the right key?")
    if key_id != key_ids[0]:
        return Finding(WARNING, "keys", f"{cases} wait for faceverify_rotate_keys")
    return Finding(OK, "keys", cases)
