"""What a scheduler does, every second instead of every fifteen; it is killed like the rest."""

from __future__ import annotations

import time
from contextlib import suppress

from django.db import close_old_connections

from django_faceverify import tasks
from tests.chaos.worker_app import app

SWEEP_EVERY = 1.0


def main() -> None:
    app.set_current()
    while True:
        with suppress(Exception):  # a lost broker or database is back at the next sweep
            tasks.sweep()
        close_old_connections()
        time.sleep(SWEEP_EVERY)
