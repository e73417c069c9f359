"""Waiting for news instead of asking again and again: ``Prefer: wait`` (RFC 7240).

Who waits holds a thread of the site's server, so few may at a time, and never one that is
the only one of its process; nobody holds a connection to the database meanwhile.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

from rest_framework.request import Request

from django_faceverify.conf import app_settings
from django_faceverify.models.transactions import release_connections

#: seconds between two looks: the first, by how much they grow, and the longest
FIRST_LOOK, GROWTH, LONGEST = 0.1, 1.5, 0.5

_WAIT = re.compile(r'wait\s*=\s*"?([0-9]{1,6})"?', re.IGNORECASE | re.ASCII)


class Places:
    """So many may do something at a time in this process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.taken = 0

    @contextmanager
    def place(self, most: int) -> Iterator[bool]:
        """Take a place if one is free; gives whether there was one."""
        with self._lock:
            is_free = self.taken < most
            self.taken += is_free
        try:
            yield is_free
        finally:
            with self._lock:
                self.taken -= is_free


waiters = Places()


def seconds_asked(request: Request) -> int:
    """For how long the caller would wait, at most as long as the site allows; 0 for not."""
    if request.META.get("wsgi.multithread") is False:
        return 0
    for preference in request.headers.get("Prefer", "").split(","):
        if found := _WAIT.fullmatch(preference.partition(";")[0].strip()):
            return min(int(found[1]), app_settings.polling.max_wait)
    return 0


def wait_while(is_unchanged: Callable[[], bool], seconds: float) -> bool:
    """Wait for a change for so long at most; whether there was a place to wait at."""
    end, pause = time.monotonic() + seconds, FIRST_LOOK
    with waiters.place(app_settings.polling.max_waiters) as may_wait:
        while may_wait and is_unchanged() and time.monotonic() < end:
            release_connections()
            time.sleep(min(pause, max(0.0, end - time.monotonic())))
            pause = min(pause * GROWTH, LONGEST)
    return may_wait
