"""What the site stands on: storage, database, clock, broker."""

from __future__ import annotations

import stat
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from celery import current_app
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, Storage
from django.db import connections, router
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from django_faceverify.conf import STORAGE_ALIAS
from django_faceverify.doctor.findings import ERROR, OK, WARNING, Finding, Findings
from django_faceverify.models import Verification
from django_faceverify.models.clock import db_now
from django_faceverify.models.photo import photo_storage

CONNECT_TIMEOUT = 3
#: seconds by which the database's clock may differ from ours before leases feel it
MAX_CLOCK_DIFFERENCE = 2.0


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


def _open_to_others(storage: Storage, name: str) -> list[tuple[str, int]]:
    """The file and the folder that others may enter, with their modes; only for local files."""
    if not isinstance(storage, FileSystemStorage):
        return []
    paths = {"file": Path(storage.path(name)), "folder": Path(storage.location)}
    modes = {what: stat.S_IMODE(path.stat().st_mode) for what, path in paths.items()}
    return [(what, mode) for what, mode in modes.items() if mode & 0o077]


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


def _database_clock(connection: Any) -> datetime | None:
    """The database's time; any row can carry it, and the list of migrations always has one."""
    applied = MigrationRecorder(connection).migration_qs
    now: datetime | None = applied.annotate(now=db_now()).values_list("now", flat=True).first()
    return now


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
