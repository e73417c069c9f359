"""What the local engine costs and how sure it is: ``python -m benchmarks.local_engine COUNT``.

Prints one JSON object: CPU milliseconds of one photo (canonical, looked at) and of one
comparison from files, megabytes that the process grows by, and similarities of the two
portraits that come with the example project. CPU tells little about the machine's other work;
the share of what a submission costs anyway tells the least about the machine.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from itertools import product

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.settings")

from django_faceverify.faces import engine
from django_faceverify.photo import canonicalize
from example_project.demo.pictures import portrait, selfie

NAMES = ("grace_hopper.jpg", "astronaut.jpg")
MAX_BYTES = 4 * 1024 * 1024


def main() -> None:
    count = int(sys.argv[1])
    upload, known = selfie(NAMES[0]), portrait(NAMES[0])
    canonical = canonicalize(upload, max_bytes=MAX_BYTES).data
    before = peak_mb()
    start = time.process_time()
    engine.load()
    load_ms = 1000 * (time.process_time() - start)
    costs = {
        "load_ms": load_ms,
        "canonicalize_ms": cpu_ms(lambda: canonicalize(upload, max_bytes=MAX_BYTES), count),
        "look_ms": cpu_ms(lambda: engine.look(canonical), count),
        "compare_ms": cpu_ms(lambda: compare(canonical, known), count),
        "grown_mb": peak_mb() - before,
    }
    same = [compare(portrait(name), selfie(name)) for name in NAMES]
    others = [
        compare(one(NAMES[0]), other(NAMES[1]))
        for one, other in product((portrait, selfie), repeat=2)
    ]
    print(json.dumps({**costs, "same_person": same, "two_people": others}))  # noqa: T201 (its answer)


def compare(one: bytes, other: bytes) -> float:
    return engine.similarity(engine.look(one), engine.look(other))


def cpu_ms(step: Callable[[], object], count: int) -> float:
    step()
    begin = time.process_time()
    for _ in range(count):
        step()
    return 1000 * (time.process_time() - begin) / count


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
