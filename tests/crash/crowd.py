"""Many processes at one database: ``python -m tests.crash.program tests.crash.crowd claim``.

It makes the rows, forks, lets all begin at once, and prints what came of it as JSON. Database
and bill are named by ``DATABASE_URL`` and ``FACEVERIFY_TEST_BILL``.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from multiprocessing.context import ForkProcess
from typing import Any

from django.core.management import call_command
from django.db import connection

from django_faceverify import inquiry, intake, sweeper, tasks
from django_faceverify import verification as engine
from django_faceverify.conf import app_settings
from django_faceverify.models import Verification, VerificationAttempt
from django_faceverify.models.clock import db_now
from tests.conftest import CONSENT, IDCARD_NAME, IDCARD_NUMBER
from tests.crash.file_bill import FileBillProvider

FORK = multiprocessing.get_context("fork")

#: how often one process is given each message
DELIVERIES = 13
#: seconds that a drain may take here, however slow the machine is: it ends with the work
DRAIN_SECONDS = 240.0

Report = dict[str, Any]
Work = Callable[[list[str]], Report]


def claim(ids: list[str]) -> Report:
    """Try to win every row, in an order of one's own."""
    won = [pk for pk in random.sample(ids, len(ids)) if engine.claim_call(pk)]
    return {"won": won}


def ask(ids: list[str]) -> Report:
    """Try to win the right to ask about every row, in an order of one's own."""
    won = [pk for pk in random.sample(ids, len(ids)) if inquiry._win(pk)]
    return {"won": won}


def deliver(ids: list[str]) -> Report:
    """Be given every message again and again."""
    messages = ids * DELIVERIES
    for verification_id in random.sample(messages, len(messages)):
        tasks.verify(verification_id)
    return {}


def drain(ids: list[str]) -> Report:
    """Be given no message at all: what cron does."""
    sweeper.sweep()
    return {"count": sweeper.drain(DRAIN_SECONDS)}


def stop(ids: list[str]) -> Report:
    """Be stopped between claim and request, until somebody lets the process go on."""
    FileBillProvider.stops_workers = True
    return {"ran": any(engine.run(pk) for pk in ids)}


WORK: dict[str, Work] = {work.__name__: work for work in (ask, claim, deliver, drain, stop)}


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests.crash.crowd")
    parser.add_argument("work", choices=WORK)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--rows", type=int, default=40)
    parser.add_argument("--sweep", action="store_true", help="while they are stopped")
    options = parser.parse_args()
    call_command("migrate", verbosity=0)
    ids = [submit() for _ in range(options.rows)]
    if options.work == "ask":
        lose_answers(ids)
    reports, crowd = start(WORK[options.work], ids, options.processes)
    if options.work == "stop":
        let_leases_run_out(crowd, sweep=options.sweep)
    outcome = {
        "ids": ids,
        "reports": [reports.get() for _ in crowd],
        "rows": list(Verification.objects.values_list("status", "stage")),
        "attempts": list(VerificationAttempt.objects.values_list("session_id", "state")),
    }
    sys.stdout.write(json.dumps(outcome))


def submit() -> str:
    verification = intake.create(
        user=None,
        idcard_name=IDCARD_NAME,
        idcard_number=IDCARD_NUMBER,
        consent=CONSENT,
        submission=intake.Submission(url="https://example.com/face.jpg"),
    )
    return str(verification.pk)


def lose_answers(ids: list[str]) -> None:
    """Let every worker die over its call, and the time come to ask what became of it."""
    for pk in ids:
        claim = engine.claim_call(pk)
        assert claim
        claim.mark_sending()
    Verification.objects.update(lease_until=db_now(-1))
    sweeper.sweep()
    Verification.objects.update(next_run_at=db_now(-1))


def start(work: Work, ids: list[str], processes: int) -> tuple[Any, list[ForkProcess]]:
    """Let every process do the work, none before all are there; their reports come by a queue."""
    connection.close()  # what is open across a fork belongs to nobody
    barrier, reports = FORK.Barrier(processes), FORK.SimpleQueue()

    def begin() -> None:
        random.seed(os.getpid())
        barrier.wait()
        try:
            report = work(ids)
        except Exception as error:  # noqa: BLE001 (whatever it is, the test wants to see it)
            report = {"error": repr(error)}
        reports.put(report)

    crowd = [FORK.Process(target=begin) for _ in range(processes)]
    for process in crowd:
        process.start()
    return reports, crowd


def let_leases_run_out(crowd: list[ForkProcess], *, sweep: bool) -> None:
    """Wait until every process has stopped itself, and let it go on when it is too late."""
    for process in crowd:
        os.waitid(os.P_PID, process.pid or 0, os.WSTOPPED)
    time.sleep(app_settings.LEASE + 1)
    if sweep:
        sweeper.sweep()
    for process in crowd:
        os.kill(process.pid or 0, signal.SIGCONT)
