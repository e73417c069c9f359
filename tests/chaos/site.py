"""The site: takes photos, and writes down which it has accepted.

Its arguments are how many, in how many seconds, and a seed. Of its wake-ups some are dropped, as when a
process dies between COMMIT and publish, and some are sent twice, as brokers do.
"""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path
from typing import Any
from unittest.mock import patch

from django.db import DatabaseError, InterfaceError, close_old_connections

from django_faceverify import intake, tasks
from django_faceverify.models import Verification
from tests.chaos.settings import WORLD
from tests.chaos.worker_app import app
from tests.conftest import CONSENT, IDCARD_NAME, IDCARD_NUMBER, draw_jpeg

DROPPED, DOUBLED = 0.05, 0.15


def main() -> None:
    count, seconds, seed = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
    app.set_current()
    make_unreliable(random.Random(seed))
    photo = intake.Submission(image=draw_jpeg(64, 64))
    started_at = time.monotonic()
    with Path(WORLD["folder"], "accepted").open("a", buffering=1) as accepted:
        for number in range(count):
            time.sleep(max(0.0, started_at + seconds * number / count - time.monotonic()))
            accepted.write(f"{submit(photo).pk}\n")


def submit(photo: intake.Submission) -> Verification:
    """Until it is accepted: a person who is told of an error tries again."""
    while True:
        try:
            return intake.create(
                user=None,
                idcard_name=IDCARD_NAME,
                idcard_number=IDCARD_NUMBER,
                consent=CONSENT,
                submission=photo,
            )
        except (DatabaseError, InterfaceError):
            time.sleep(0.1)
            close_old_connections()


def make_unreliable(fate: random.Random) -> None:
    publish = tasks.verify.apply_async

    def sometimes(*args: Any, **kwargs: Any) -> None:
        drawn = fate.random()
        if drawn >= DROPPED:
            publish(*args, **kwargs)
        if drawn > 1 - DOUBLED:
            publish(*args, **kwargs)

    patch.object(tasks.verify, "apply_async", sometimes).start()
