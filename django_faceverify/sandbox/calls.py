"""The calls that passed every check, by the id that ties them to the bill."""

from __future__ import annotations

import threading
from collections import Counter


class Calls:
    """Counts; any thread may add to it and look at it."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def add(self, session_id: str) -> None:
        with self._lock:
            self._counts[session_id] += 1

    def counts(self) -> dict[str, int]:
        with self._lock:
            return dict(self._counts)
