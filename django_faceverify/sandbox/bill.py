"""The bill: what the sandbox charged, line by line, as a witness that clients cannot argue with.

A line is written before the answer leaves, and never changed. It holds no name, no number
and no photo; ``session_id`` is what ties it to a call.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path

from .answer import Spoken, to_json

PRICE = "1.80"  # CNY for each comparison up to 2000 a month, vendor docs of 2018
CURRENCY = "CNY"


class BillError(Exception):
    """The file given as a bill holds something else; the message says where."""


@dataclass(frozen=True, kw_only=True)
class BillLine:
    """One charge; ``at`` is ISO 8601 in UTC, ``amount`` a decimal number as text.

    ``session_id`` is the caller's, or the successor's own ``RequestId``.
    """

    number: int
    at: str
    session_id: str
    code: int | str
    scenario: str
    similarity: float | None
    amount: str = PRICE
    currency: str = CURRENCY


class Bill:
    """An append-only list of charges, in memory and, given a path, in a file of JSON lines.

    Raises ``BillError`` or ``OSError`` if the file cannot continue an earlier bill.
    """

    def __init__(self, path: Path | None = None, clock: Callable[[], float] = time.time) -> None:
        self.path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._lines = _read_lines(path) if path else []

    @property
    def lines(self) -> list[BillLine]:
        with self._lock:
            return list(self._lines)

    def charge(self, answer: Spoken) -> BillLine:
        """Charge for the work behind this answer; on return, the line is in the file."""
        with self._lock:
            line = BillLine(
                number=len(self._lines) + 1,
                at=_iso_8601(self._clock()),
                session_id=answer.session_id,
                code=answer.code if isinstance(answer.code, str) else int(answer.code),
                scenario=answer.scenario,
                similarity=answer.similarity,
            )
            if self.path:
                _append(self.path, to_json(asdict(line)) + b"\n")
            self._lines.append(line)
            return line


def _iso_8601(timestamp: float) -> str:
    return datetime.fromtimestamp(timestamp, timezone.utc).isoformat(timespec="milliseconds")


def _append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def _read_lines(path: Path) -> list[BillLine]:
    """Read an earlier bill, and find out now whether the file can be written."""
    with path.open("a+b") as file:
        file.seek(0)
        return [_parse_line(path, number, text) for number, text in enumerate(file, 1)]


def _parse_line(path: Path, number: int, text: bytes) -> BillLine:
    try:
        line = BillLine(**json.loads(text))
    except (ValueError, TypeError):
        raise BillError(f"line {number} of {path} is not a line of a bill") from None
    if line.number != number or not text.endswith(b"\n"):
        raise BillError(f"line {number} of {path} is out of order or cut off")
    return line
