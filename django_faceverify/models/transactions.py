"""Transactions that lose against another one are made again."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connection, connections, transaction

Result = TypeVar("Result")

TRIES = 6
#: seconds of the first wait; each further one may be twice as long
FIRST_WAIT = 0.05

#: deadlock, lock wait and serialization failure, as PostgreSQL and MySQL number them
CONFLICT_STATES = {"40001", "40P01", "55P03"}
CONFLICT_NUMBERS = {1020, 1205, 1213}


def committed(
    work: Callable[[], Result], *, durable: bool = False, survives_reconnect: bool = False
) -> Result:
    """Do ``work`` in a transaction, again when the database broke it off for another one.

    ``durable`` work must have been committed when this returns, and raises ``RuntimeError``
    inside a transaction of the caller's, which could still undo it. Other work may stand
    inside one; then nothing can be made again and errors pass through.
    ``survives_reconnect`` is for work that may safely be done twice: a lost connection
    leaves open whether the commit arrived.
    """
    for number in range(1, TRIES + 1):
        try:
            with transaction.atomic(durable=durable):
                return work()
        except (OperationalError, InterfaceError) as error:
            may_repeat = _is_conflict(error) or survives_reconnect
            if connection.in_atomic_block or not may_repeat or number == TRIES:
                raise
            connection.close_if_unusable_or_obsolete()
        time.sleep(random.uniform(0, FIRST_WAIT * 2**number))  # noqa: S311 (jitter, not a secret)
    raise AssertionError("unreachable")


def hand_back_connection() -> None:
    """Let others use a pooled connection while this worker waits for the provider.

    Without a pool a connection is kept: to open one costs more than the whole work.
    """
    if connection.settings_dict["OPTIONS"].get("pool") and not connection.in_atomic_block:
        connection.close()


def release_connections() -> None:
    """Hold no connection at all while somebody only waits for news."""
    for held in connections.all(initialized_only=True):
        if not held.in_atomic_block:
            held.close()


def _is_conflict(error: Exception) -> bool:
    """Whether the database rolled the transaction back and would take it a second time."""
    cause = error.__cause__
    if cause is None:
        return False
    if getattr(cause, "sqlstate", None) in CONFLICT_STATES:
        return True
    first = cause.args[0] if cause.args else None
    return first in CONFLICT_NUMBERS or "locked" in str(first)
