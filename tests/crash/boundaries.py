"""A process that can be killed at any boundary, without a process.

A boundary is a moment at which what is durable may differ from the moment before: around
every SQL statement and COMMIT, around a file that is stored and a message that is published,
before a request leaves and after the provider has charged for it. ``Life`` counts them and
lets the process die at one: the open transaction is rolled back and its hooks are lost, as
the database and the kernel would see to, and nothing that it still tries takes effect.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, TypeVar
from unittest.mock import patch

from django.db import DatabaseError, connection

from django_faceverify import submission, tasks
from django_faceverify.models import Verification
from django_faceverify.signals import (
    verification_decided,
    verification_needs_input,
    verification_submitted,
)
from tests.crash.billing import BillingProvider

SIGNALS = (verification_submitted, verification_decided, verification_needs_input)

Result = TypeVar("Result")


class SimulatedCrash(BaseException):
    """Killed here; not an ``Exception``, since no handler survives its process."""


class Life:
    """A process from start to end; it dies at boundary ``dies_at``, counted from 1.

    It is killed there, or ``is_asked`` to end, as by a server that shuts down or gives up on
    a slow request: then ``SystemExit`` is raised and its handlers still run.
    """

    def __init__(self, dies_at: int | None = None, *, is_asked: bool = False) -> None:
        self.dies_at = dies_at
        self.is_asked = is_asked
        self.passed: list[str] = []
        self.is_over = False

    def reach(self, boundary: str) -> None:
        if self.is_over and not self.is_asked:  # a killed process' stack does not unwind
            raise SimulatedCrash(boundary)
        self.passed.append(boundary)
        if len(self.passed) == self.dies_at:
            self.is_over = True
            if self.is_asked:
                raise SystemExit(boundary)
            lose_transaction()
            raise SimulatedCrash(boundary)

    def spend(self, work: Callable[[], Result]) -> Result | None:
        """Do some work in this life; ``None`` when it died over it."""
        try:
            with self.watched():
                return work()
        except (SimulatedCrash, SystemExit, DatabaseError):
            if not self.is_over:
                raise
            lose_transaction()
            return None

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Make every boundary known to this life until the end of the block."""
        with ExitStack() as stack:
            stack.enter_context(connection.execute_wrapper(self._execute))
            for target, name in (
                (connection, "_commit"),
                (submission, "store_photo"),
                (submission, "discard_photo"),
                (tasks.verify, "apply_async"),
            ):
                stack.enter_context(self._around(target, name))
            stack.enter_context(patch.object(BillingProvider, "reach", self.reach))
            for signal in SIGNALS:
                signal.connect(self._receive, sender=Verification)
                stack.callback(signal.disconnect, self._receive, sender=Verification)
            yield

    def _execute(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        statement = " ".join(sql.split()[:2])
        self.reach(f"before {statement}")
        result = execute(sql, params, many, context)
        self.reach(f"after {statement}")
        return result

    def _around(self, target: Any, name: str) -> Any:
        """Patch a function so that a life can end before it and after it."""
        function = getattr(target, name)

        def watched(*args: Any, **kwargs: Any) -> Any:
            self.reach(f"before {name}")
            result = function(*args, **kwargs)
            self.reach(f"after {name}")
            return result

        return patch.object(target, name, watched)

    def _receive(self, **kwargs: Any) -> None:
        self.reach("signal")


def lose_transaction() -> None:
    """What the database does when the process at the other end is gone."""
    if connection.connection is not None:
        connection.connection.rollback()
        connection.set_autocommit(True)
    connection.run_on_commit = []
