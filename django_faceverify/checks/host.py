"""System checks of what the site gives us to stand on: its database and its Celery.

Advice only, hence warnings. No check touches the network; one asks the database, and only for
``check --database`` and ``migrate``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from celery import current_app
from django.apps import AppConfig
from django.core.checks import CheckMessage, Tags, register
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connections, router

from django_faceverify import census
from django_faceverify.audit import triggers
from django_faceverify.checks.findings import Messages, warning
from django_faceverify.conf import app_settings
from django_faceverify.models import Event, Verification

#: brokers that cannot be down
LOCAL_BROKERS = ("", "memory", "filesystem")
#: PostgreSQL's and SQLite's ways to lose commits
FORGETFUL = re.compile(r"\bsynchronous(_commit)?\s*=\s*'?(off|0|false|no)\b", re.IGNORECASE)
#: what Celery calls the app that it makes when the site has none
NO_APP = "default"


@register(Tags.compatibility)
def check_host(app_configs: Sequence[AppConfig] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """The database that holds the verifications, and the Celery app if there is one.

    While a site is being developed, none of it matters yet.
    """
    if app_settings.is_debug:
        return []
    database = connections[router.db_for_write(Verification)]
    messages = list(_database(database.vendor, database.settings_dict.get("OPTIONS", {})))
    if current_app.main != NO_APP:
        messages += _celery(current_app.conf)
    return messages


@register(Tags.security, deploy=True)
def check_census(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """How near the stored faces are to the number from which on a site has to file.

    Only ``check --deploy`` asks, and reads one row. A database that does not answer, or is
    not migrated yet, is no finding about faces.
    """
    try:
        found = census.last()
    except (DatabaseError, ImproperlyConfigured):
        return []
    if found is None or found.warning_at is None:
        return []
    return [
        warning(
            "W106",
            f"Photos of {found.person_count} persons are stored, over {found.warning_at} % of "
            f"{census.FILING_LIMIT}.",
            "From that number on, a site in mainland China files with the authority; "
            "faceverify_census prints the figures. A shorter PHOTO in FACEVERIFY['RETENTION'] "
            "keeps fewer.",
        )
    ]


@register(Tags.database)
def check_history(
    app_configs: Sequence[AppConfig] | None = None,
    databases: Sequence[str] | None = None,
    **kwargs: Any,
) -> list[CheckMessage]:
    """Whether the database refuses to change the history; asks it, so only with --database."""
    alias = router.db_for_write(Event)
    if alias not in (databases or ()):
        return []
    connection = connections[alias]
    tables = connection.introspection.table_names()
    if not set(triggers.TABLES) <= set(tables) or not triggers.is_expected(connection):
        return []
    if not triggers.missing(connection):
        return []
    return [
        warning(
            "W078",
            "The database would let somebody change or delete the history: triggers are missing.",
            "Run manage.py faceverify_audit protect. On MySQL the user needs the TRIGGER "
            "privilege, and with a binary log log_bin_trust_function_creators = 1.",
        )
    ]


def _database(vendor: str, options: dict[str, Any]) -> Messages:
    mode = str(options.get("transaction_mode") or "").upper()
    if vendor == "sqlite" and mode not in ("IMMEDIATE", "EXCLUSIVE"):
        yield warning(
            "W070",
            "SQLite without transaction_mode IMMEDIATE: workers at the same time fail with "
            "'database is locked'.",
            'Add to the database: "OPTIONS": {"transaction_mode": "IMMEDIATE"}.',
        )
    if FORGETFUL.search(f"{options.get('options')} {options.get('init_command')}"):
        yield warning(
            "W071",
            "The database does not wait until a commit is on disk: a crash may make it forget "
            "that a call was made, which is then paid twice.",
            "Leave synchronous_commit (PostgreSQL) on, and synchronous (SQLite) at FULL.",
        )


def _celery(conf: Any) -> Messages:
    options = conf.broker_transport_options or {}
    scheme = urlsplit(str(conf.broker_write_url or "")).scheme
    yield from _visibility(options.get("visibility_timeout"))
    if conf.worker_prefetch_multiplier != 1:
        yield warning(
            "W073",
            "Celery's worker_prefetch_multiplier is not 1: a worker that waits for a provider "
            "keeps wake-ups that an idle one could take.",
            "Set CELERY_WORKER_PREFETCH_MULTIPLIER = 1.",
        )
    if scheme not in LOCAL_BROKERS and "max_retries" not in options:
        yield warning(
            "W074",
            "Celery's broker_transport_options has no max_retries: while the broker is down, "
            "each photo that is sent waits for it for seconds.",
            'Set CELERY_BROKER_TRANSPORT_OPTIONS = {"max_retries": 0}; the sweep finds what '
            "waits without a wake-up.",
        )


def _visibility(seconds: Any) -> Messages:
    try:
        lease = app_settings.LEASE
    except ImproperlyConfigured:
        return  # the checks of the settings say so
    if isinstance(seconds, int | float) and seconds < lease:
        yield warning(
            "W072",
            f"Celery's visibility_timeout of {seconds:g} s is shorter than the lease of "
            f"{lease} s: messages are delivered again while their call is made.",
            "Make it longer than FACEVERIFY['LEASE'], or leave Celery's default of an hour.",
        )
