"""``manage.py faceverify_doctor``: is everything there that a verification needs?

It reads, connects and writes one probe file, which it removes. It makes no call to a
provider, since calls cost money, and shows no secret.
"""

from __future__ import annotations

import json
import platform
import socket
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import django
from celery import __version__ as celery_version
from celery import current_app
from django.core.checks import CheckMessage, run_checks
from django.core.checks import Error as CheckError
from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, InvalidStorageError, Storage
from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError, connections, router
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from django_faceverify import __version__, census, rotation
from django_faceverify.audit import roots, triggers
from django_faceverify.conf import STORAGE_ALIAS, app_settings
from django_faceverify.exceptions import InvalidProvider
from django_faceverify.faces import engine
from django_faceverify.models import Event, Verification
from django_faceverify.models.clock import db_now
from django_faceverify.models.photo import photo_storage
from django_faceverify.providers import providers
from django_faceverify.providers.base import Provider
from django_faceverify.providers.local import LocalProvider

CONNECT_TIMEOUT = 3
#: seconds by which the database's clock may differ from ours before leases feel it
MAX_CLOCK_DIFFERENCE = 2.0
#: seconds after which waiting work means that nobody works
MAX_WAIT = 60.0

#: a site whose purge runs has counted since
MAX_CENSUS_AGE = timedelta(days=2)
HOW_TO_PURGE = "Run django_faceverify.purge by Celery's beat, or faceverify_purge."

OK, WARNING, ERROR = "ok", "warning", "error"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at, and how it is."""

    level: str
    area: str
    text: str


Findings = Iterator[Finding]


class Command(BaseCommand):
    help = (
        "Look at settings, providers, storage, keys, clocks, broker and queue, and say what is "
        "wrong. Makes no paid call. Exits with 1 if there is an error."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, **options: Any) -> None:
        findings = [
            finding for area, look in EXAMINATIONS.items() for finding in _safely(area, look)
        ]
        is_healthy = all(finding.level != ERROR for finding in findings)
        if options["json"]:
            report = {"is_healthy": is_healthy, "findings": [asdict(item) for item in findings]}
            self.stdout.write(json.dumps(report, ensure_ascii=False, indent=2))
        else:
            for finding in findings:
                self.stdout.write(f"{finding.level:8} {finding.area:9} {finding.text}")
        if not is_healthy:
            sys.exit(1)


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


def look_at_history() -> Findings:
    """Whether the database guards it, and whether roots are written. No chain is examined."""
    connection = connections[router.db_for_write(Event)]
    if triggers.is_expected(connection) and triggers.missing(connection):
        yield Finding(
            WARNING, "history", "triggers are missing: run manage.py faceverify_audit protect"
        )
    first = roots.first_uncovered()
    if first is not None and roots.is_overdue(first):
        yield Finding(WARNING, "history", f"days from {first.date()} on have no root: sweep")
    root = roots.newest_root()
    yield Finding(OK, "history", f"newest root: {root.day}" if root else "no root yet")


def look_at_providers() -> Findings:
    """What can it do, and can its host be reached? A TCP connection only."""
    for alias in app_settings.PROVIDERS:
        try:
            provider = providers[alias]
        except InvalidProvider as error:
            yield Finding(ERROR, "provider", f"{alias}: {error}")
            continue
        yield Finding(OK, "provider", f"{alias}: {', '.join(_capabilities(provider))}")
        endpoint = getattr(provider, "endpoint", None)
        if endpoint is None:
            yield Finding(OK, "provider", f"{alias}: has no endpoint to reach")
            continue
        yield _reach(alias, endpoint)


def _capabilities(provider: Provider) -> Iterator[str]:
    """What the class says of itself, and the site of who runs it."""
    if provider.takes_bytes:
        how = "as base64" if provider.sends_base64 else "as they are"
        yield f"photos up to {provider.max_image_bytes} bytes, sent {how}"
    yield "photos by address" if provider.takes_url else "no photos by address"
    if provider.lowest_threshold:
        yield f"its own threshold is {provider.lowest_threshold:g}"
    table = provider.far_table
    yield (
        f"table of rates {table.version}, published {table.published}"
        if table
        else "no table of rates"
    )
    yield "judges liveness" if provider.checks_liveness else "does not judge liveness"
    yield "can be asked" if provider.can_be_asked else "cannot be asked"
    if provider.operator:
        yield f"run by {provider.operator.name} ({provider.operator.country})"
    legal = app_settings.legal(provider.alias)
    yield (
        f"legal name {legal.name}, region {legal.region or '-'}" if legal.name else "no legal name"
    )


def look_at_faces() -> Findings:
    """Does the local engine work, where it is asked? Its weights are read and checked."""
    uses = [alias for alias in app_settings.PROVIDERS if _is_local(alias)]
    if app_settings.quality.is_checked:
        uses.append("QUALITY")
    if not uses:
        yield Finding(OK, "faces", "none is looked at on this machine")
        return
    try:
        engine.load()
    except (engine.EngineUnavailable, engine.EngineBusy) as error:
        yield Finding(ERROR, "faces", f"{', '.join(uses)}: {error}")
        return
    yield Finding(OK, "faces", f"{', '.join(uses)}: the weights are whole, and the nets run")


def _is_local(alias: str) -> bool:
    try:
        return isinstance(providers[alias], LocalProvider)
    except InvalidProvider:
        return False


def look_at_storage() -> Findings:
    """Write a probe, read it back, remove it; files must be for our eyes only."""
    storage = photo_storage()
    name = storage.save(f"probe-{uuid4().hex}", ContentFile(b"probe"))
    try:
        with storage.open(name) as file:
            is_whole = file.read() == b"probe"
        open_to_others = _open_to_others(storage, name)
    finally:
        storage.delete(name)
    if not is_whole:
        yield Finding(ERROR, "storage", "a file did not come back as it was written")
    for what, mode in open_to_others:
        yield Finding(
            ERROR if what == "file" else WARNING,
            "storage",
            f"a {what} has mode {mode:04o}: other users of this machine can open it. Set "
            f'file_permissions_mode and directory_permissions_mode of STORAGES["{STORAGE_ALIAS}"].',
        )
    if is_whole and not open_to_others:
        yield Finding(OK, "storage", "writable and private")


def look_at_database() -> Findings:
    connection = connections[router.db_for_write(Verification)]
    executor = MigrationExecutor(connection)
    leaves = executor.loader.graph.leaf_nodes(Verification._meta.app_label)
    if executor.migration_plan(leaves):
        yield Finding(ERROR, "database", "migrations are missing: run manage.py migrate")
        return
    yield Finding(OK, "database", f"{connection.display_name}, migrated")
    now = _database_clock(connection)
    if now is None:
        return
    difference = abs((timezone.now() - now).total_seconds())
    text = f"differs from this machine's by {difference:.1f} s"
    yield Finding(OK if difference <= MAX_CLOCK_DIFFERENCE else ERROR, "clock", text)


def look_at_broker() -> Findings:
    with current_app.connection_for_write(connect_timeout=CONNECT_TIMEOUT) as connection:
        info = connection.info()
        where = str(info["transport"])
        if info["port"]:
            where += f" at {info['hostname']}:{info['port']}"
        try:
            connection.ensure_connection(
                max_retries=1, interval_start=0, interval_step=0, timeout=CONNECT_TIMEOUT
            )
        except Exception as error:  # noqa: BLE001 (brokers raise what they like)
            yield Finding(ERROR, "broker", f"{where} is not reachable ({type(error).__name__})")
        else:
            yield Finding(OK, "broker", where)


def look_at_queue() -> Findings:
    """What waits, and for how long: whether anybody works and sweeps shows there."""
    rows = Verification.objects
    queues = {
        "due": (rows.due(), "next_run_at"),
        "lost": (rows.lost(), "lease_until"),
        "overdue": (rows.overdue(), "deadline_at"),
        "abandoned": (rows.abandoned(), "expires_at"),
    }
    for name, (queryset, column) in queues.items():
        oldest = queryset.order_by(column).values_list(column, flat=True).first()
        if oldest is None:
            yield Finding(OK, "queue", f"{name}: 0")
            continue
        wait = max(0.0, (timezone.now() - oldest).total_seconds())
        text = f"{name}: {queryset.count()}, the oldest for {wait:.0f} s"
        if wait <= MAX_WAIT:
            yield Finding(OK, "queue", text)
        else:
            yield Finding(
                WARNING, "queue", f"{text}. Run Celery's beat and a worker, or faceverify_sweep."
            )


def look_at_retention() -> Findings:
    """Is the census taken, which a purge does, and what did it find?"""
    found = census.last()
    if found is None:
        yield Finding(WARNING, "retention", f"nothing was ever purged. {HOW_TO_PURGE}")
        return
    text = f"{found.person_count} persons with stored photos, {found.percent} % of "
    text += f"{census.FILING_LIMIT}, from which on a site in mainland China has to file"
    yield Finding(WARNING if found.warning_at else OK, "retention", text)
    if timezone.now() - found.at > MAX_CENSUS_AGE:
        yield Finding(WARNING, "retention", f"no purge since {found.at:%Y-%m-%d}. {HOW_TO_PURGE}")


EXAMINATIONS: dict[str, Callable[[], Findings]] = {
    "versions": look_at_versions,
    "settings": look_at_settings,
    "keys": look_at_keys,
    "provider": look_at_providers,
    "faces": look_at_faces,
    "storage": look_at_storage,
    "database": look_at_database,
    "history": look_at_history,
    "broker": look_at_broker,
    "queue": look_at_queue,
    "retention": look_at_retention,
}


def _safely(area: str, look: Callable[[], Findings]) -> Findings:
    """An examination that cannot be made is a finding itself; its error may quote a secret."""
    try:
        yield from look()
    except (OSError, DatabaseError, ImproperlyConfigured, InvalidStorageError) as error:
        yield Finding(ERROR, area, f"cannot be examined ({type(error).__name__})")


def _is_ours(message: CheckMessage) -> bool:
    return (message.id or "").startswith("faceverify.")


def _reach(alias: str, endpoint: str) -> Finding:
    parts = urlsplit(endpoint)
    port = parts.port or {"http": 80}.get(parts.scheme, 443)
    where = f"{alias}: {parts.hostname}:{port}"
    try:
        socket.create_connection((parts.hostname or "", port), CONNECT_TIMEOUT).close()
    except OSError as error:
        return Finding(
            ERROR, "provider", f"{where} is not reachable ({error.strerror or 'timeout'})"
        )
    return Finding(OK, "provider", f"{where} is reachable")


def _open_to_others(storage: Storage, name: str) -> list[tuple[str, int]]:
    """The file and the folder that others may enter, with their modes; only for local files."""
    if not isinstance(storage, FileSystemStorage):
        return []
    paths = {"file": Path(storage.path(name)), "folder": Path(storage.location)}
    modes = {what: stat.S_IMODE(path.stat().st_mode) for what, path in paths.items()}
    return [(what, mode) for what, mode in modes.items() if mode & 0o077]


def _database_clock(connection: Any) -> datetime | None:
    """The database's time; any row can carry it, and the list of migrations always has one."""
    applied = MigrationRecorder(connection).migration_qs
    now: datetime | None = applied.annotate(now=db_now()).values_list("now", flat=True).first()
    return now
