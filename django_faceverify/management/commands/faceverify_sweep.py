"""``manage.py faceverify_sweep``: the work of Celery's beat and workers, without a broker."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from time import monotonic
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, InterfaceError, close_old_connections

from django_faceverify import sweeper, webhooks

#: seconds between two looks for due work while there is none
IDLE = 0.5
#: seconds of work between two looks at the clock and at the stop signal
BUSY = 1.0


class Command(BaseCommand):
    help = (
        "Move on what was lost, is overdue or was abandoned, and make the calls that are due. "
        "Webhooks are sent as well. Once, as for cron; or with --loop until it is stopped, which is the whole engine "
        "without Celery. Any number may run at once."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--loop", action="store_true", help="go on until SIGTERM or Ctrl-C")
        parser.add_argument(
            "--interval", type=float, default=5.0, help="seconds between sweeps (%(default)s)"
        )

    def handle(self, **options: Any) -> None:
        if options["interval"] <= 0:
            raise CommandError("--interval must be above 0.")
        if options["loop"]:
            with _stop_signals() as stop:
                self.loop(stop, options["interval"])
        else:
            sweeper.sweep()
            self.report(sweeper.drain() + webhooks.deliver() + sweeper.drain_shadows())

    def loop(self, stop: Event, interval: float) -> None:
        """Sweep every ``interval`` seconds and work in between."""
        self.stdout.write(f"Sweeping every {interval:g} s. Stop it with Ctrl-C.")
        next_sweep, count = monotonic(), 0
        while not stop.is_set():
            try:
                if monotonic() >= next_sweep:
                    next_sweep = monotonic() + interval
                    sweeper.sweep()
                done = sweeper.drain(seconds=BUSY) + webhooks.deliver(seconds=BUSY)
                done += sweeper.drain_shadows(seconds=BUSY)
                if done:
                    count += done
                    continue
            except (DatabaseError, InterfaceError) as error:
                # The rows wait; a database that comes back is found by a later round.
                self.stderr.write(f"The database fails ({type(error).__name__}); trying again.")
            if count:
                self.report(count)
            count = 0
            close_old_connections()
            stop.wait(IDLE)

    def report(self, count: int) -> None:
        self.stdout.write(f"Worked off: {count}")


@contextmanager
def _stop_signals() -> Iterator[Event]:
    """An event that SIGTERM and Ctrl-C set, so that the call under way is finished first."""
    stop = Event()

    def remember(*_: object) -> None:
        stop.set()

    before = {number: signal.signal(number, remember) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
