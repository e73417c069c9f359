"""What sealing and storing photos costs: ``python -m benchmarks.sealing_share COUNT``.

Prints one JSON object: CPU milliseconds of these crafts for one verification, apart for the
submission and for the work behind the queue. They are measured by themselves, on the rows
that are there; the share is what they are of the whole, which the pipeline measures.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.settings")
django.setup()

# Django has to be set up before these can be imported.
from django_faceverify import sealing  # noqa: E402
from django_faceverify.models import Photo  # noqa: E402
from django_faceverify.models.photo import discard_photo, store_photo  # noqa: E402

#: links of the history: created and submitted by the visitor, called and verified by the worker
EVENTS_OF_SUBMISSION = 2
EVENTS_OF_WORK = 2
FACTS = b"x" * 300


def main() -> None:
    count = int(sys.argv[1])
    photo = Photo.objects.select_related("verification").latest("submitted_at")
    data = photo.read()
    name, number = (
        field.unseal()
        for field in (photo.verification.idcard_name, photo.verification.idcard_number)
    )

    def submit() -> None:
        for text in (name, number):
            sealing.seal_text(text, context="benchmark")
        sealing.blind_index(number)
        write_history(EVENTS_OF_SUBMISSION)
        stored.append(store_photo(photo.pk, data))

    def work() -> None:
        photo.verification.idcard_name.unseal()
        photo.verification.idcard_number.unseal()
        photo.read()
        write_history(EVENTS_OF_WORK)

    stored: list[str] = []
    try:
        costs = {"submit_ms": cpu_ms(submit, count), "work_ms": cpu_ms(work, count)}
    finally:
        for file_name in stored:
            discard_photo(file_name)
    print(json.dumps(costs))  # noqa: T201 (its output is its answer)


def write_history(events: int) -> None:
    for _ in range(events):
        sealing.mac("audit", b"the link before", FACTS)


def cpu_ms(step: Callable[[], None], count: int) -> float:
    step()
    begin = time.process_time()
    for _ in range(count):
        step()
    return 1000 * (time.process_time() - begin) / count


if __name__ == "__main__":
    main()
