"""A provider whose bill is a file: the witness of what many processes did."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from django_faceverify.providers.base import Comparison, ComparisonRequest, Provider

#: seconds of one call; long enough that several are under way at once
CALL_SECONDS = 0.01


class FileBillProvider(Provider):
    """Says yes to everybody, and appends each call to a file that no database rolls back."""

    max_image_bytes = 4_000_000
    takes_url = True
    timeout = 0.5
    #: whether a worker is stopped directly before its request leaves, until it gets SIGCONT
    stops_workers: ClassVar[bool] = False

    def __init__(self, alias: str, *, bill: str) -> None:
        super().__init__(alias)
        self.bill = Path(bill)

    def compare(
        self, request: ComparisonRequest, *, about_to_send: Callable[[], None]
    ) -> Comparison:
        if self.stops_workers:
            os.kill(os.getpid(), signal.SIGSTOP)
        about_to_send()
        with self.bill.open("a") as bill:
            bill.write(f"{request.session_id}\n")
        time.sleep(CALL_SECONDS)
        return Comparison(similarity=95.0)
