"""Which worker of a run begins with what, so that nobody waits at the end for the longest tests.

Each worker gets a slice of all tests in their order and, when it has done with it, takes over
from the end of somebody else's. So the tests with real processes, which mostly wait, stand at
the beginning of every slice, and those that only compute come after them.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import groupby, islice

import pytest


def spread(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """The tests in a better order; the same in all workers, and each module in one piece."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    waiting = [item for item in items if item.get_closest_marker("services")]
    modules = [list(module) for _, module in groupby(waiting, key=_module)]
    others = iter([item for item in items if not item.get_closest_marker("services")])
    ordered: list[pytest.Item] = []
    for worker in range(workers):
        size = (len(items) - len(ordered)) // (workers - worker)
        share = [item for module in modules[worker::workers] for item in module]
        ordered += [*share, *islice(others, max(0, size - len(share)))]
    return [*ordered, *others]


def _module(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]
