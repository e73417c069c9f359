"""Writers and readers while keys rotate: ``python -m tests.crash.program tests.crash.rotation``.

Four processes submit, correct, look up and read, two of them with the old ring for the first
half of the time, as in a site that is restarted machine by machine; a fifth rotates. Prints
what each of them met as JSON.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import random
import sys
import time
from collections import Counter
from typing import Any
from uuid import UUID

from django.core.management import call_command
from django.db import connection
from stdnum.cn.ric import calc_check_digit

from django_faceverify import intake, rotation
from django_faceverify.audit import proof
from django_faceverify.models import Photo, Verification
from tests.conftest import CONSENT, IDCARD_NAME, draw_jpeg
from tests.crash.crowd import FORK

OLD, NEW = (base64.b64encode(bytes(range(start, start + 32))).decode() for start in (0, 32))
OLD_RING = {"old": OLD, "new": NEW}
NEW_RING = {"new": NEW, "old": OLD}
WRITERS = 4


class Ring:
    """The keys of this process."""

    keys = {"old": OLD}


def keys() -> dict[str, str]:
    return Ring.keys


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests.crash.rotation")
    parser.add_argument("--rows", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=8.0)
    options = parser.parse_args()
    call_command("migrate", verbosity=0)
    cases = {number: submit(number) for number in map(number_of, range(options.rows))}
    connection.close()
    works: list[tuple[Any, ...]] = [(write, cases, place) for place in range(WRITERS)]
    works.append((rotate,))
    barrier, reports = FORK.Barrier(len(works)), FORK.SimpleQueue()

    def begin(work: Any, *arguments: Any) -> None:
        random.seed(os.getpid())
        barrier.wait()  # the time begins when all are there
        try:
            report = work(time.monotonic() + options.seconds, *arguments)
        except Exception as error:  # noqa: BLE001 (whatever it is, the test wants to see it)
            report = {"error": repr(error)}
        reports.put({"work": work.__name__, **report})

    crowd = [FORK.Process(target=begin, args=work) for work in works]
    for process in crowd:
        process.start()
    outcome = [reports.get() for _ in crowd]
    Ring.keys = NEW_RING
    last = rotation.rotate()
    left = {key_id: counts.total() for key_id, counts in rotation.remaining().items()}
    Ring.keys = {"new": NEW}
    missing = [number for number, pk in cases.items() if pk not in found(number)]
    unread = [str(photo.pk) for photo in Photo.objects.all() if not photo.read()]
    Ring.keys = NEW_RING
    result = {
        "reports": outcome,
        "last": {"resealed": last.resealed, "overtaken": last.overtaken, "broken": last.broken},
        "left": left,
        "missing": missing,
        "unread": unread,
        "findings": [finding.kind.value for finding in proof.examine()],
    }
    sys.stdout.write(json.dumps(result))


def number_of(place: int) -> str:
    """An ID number of nobody: its check digit is wrong."""
    start = f"00000019900101{place:03}"
    right = calc_check_digit(f"{start}0")
    return start + ("1" if right in "X0" else "0")


def submit(number: str) -> str:
    submission = intake.Submission(image=draw_jpeg(64, 64))
    case = intake.create(
        user=None,
        idcard_name=IDCARD_NAME,
        idcard_number=number,
        consent=CONSENT,
        submission=submission,
    )
    return str(case.pk)


def found(number: str) -> set[str]:
    return {str(case.pk) for case in intake.find_by_idcard_number(number)}


def write(end: float, cases: dict[str, str], place: int) -> dict[str, Any]:
    """Do everything that a site does with sealed data, until the end."""
    Ring.keys = OLD_RING if place % 2 else NEW_RING
    half, done, failures = time.monotonic() + (end - time.monotonic()) / 2, Counter[str](), []
    while time.monotonic() < end:
        if time.monotonic() > half:
            Ring.keys = NEW_RING
        number = random.choice(list(cases))
        work = random.choice((submit_one, look_up, read_photo, read_name, write_note))
        try:
            work(number, cases[number])
        except Exception as error:  # noqa: BLE001 (each is a failure, and the others go on)
            failures.append(f"{work.__name__}: {error!r}")
        done[work.__name__] += 1
    return {"done": done, "failures": failures}


def submit_one(number: str, pk: str) -> None:
    """A second case of the same number, which is found at once beside the first."""
    assert {pk, submit(number)} <= found(number)


def look_up(number: str, pk: str) -> None:
    assert pk in found(number)


def read_photo(number: str, pk: str) -> None:
    assert Photo.objects.get(verification=UUID(pk)).read().startswith(b"\xff\xd8")


def read_name(number: str, pk: str) -> None:
    case = Verification.objects.get(pk=pk)
    assert (case.idcard_name.unseal(), case.idcard_number.unseal()) == (IDCARD_NAME, number)


def write_note(number: str, pk: str) -> None:
    case = Verification.objects.get(pk=pk)
    case.review_note = "seen"
    case.save(update_fields=["review_note"])


def rotate(end: float) -> dict[str, Any]:
    Ring.keys = NEW_RING
    total = rotation.Progress()
    while time.monotonic() < end:
        progress = rotation.rotate()
        total.resealed += progress.resealed
        total.overtaken += progress.overtaken
        total.broken += progress.broken
    return {
        "done": {"resealed": total.resealed, "overtaken": total.overtaken},
        "failures": total.broken,
    }
