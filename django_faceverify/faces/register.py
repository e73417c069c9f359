"""A register in a folder: whose portrait is known, for demos and tests.

``register.json`` is a list of people, with their portraits beside it::

    [{"idcard_name": "张三", "idcard_number": "000000199003079010", "portrait": "zhang.jpg"}]

It lies there in clear, so it is nothing for real people.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.views.decorators.debug import sensitive_variables

FILE_NAME = "register.json"
KEYS = {"idcard_name", "idcard_number", "portrait"}
MAX_PORTRAIT_BYTES = 6 * 1024 * 1024


class RegisterUnusable(Exception):
    """The folder holds no register; the message says why, and names nobody."""


@dataclass(frozen=True)
class Holder:
    """One person of the register."""

    idcard_name: str = field(repr=False)
    idcard_number: str = field(repr=False)
    portrait: bytes = field(repr=False)


class Register:
    """The people of a folder, read once. Called, it is what a ``LocalProvider`` asks."""

    @sensitive_variables()
    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self._folder = Path(folder)
        holders = [self._read(number, row) for number, row in enumerate(self._rows(), 1)]
        self._holders = {holder.idcard_number: holder for holder in holders}
        if len(self._holders) < len(holders):
            raise RegisterUnusable(f"{FILE_NAME} has an ID number twice")

    def __len__(self) -> int:
        return len(self._holders)

    @sensitive_variables()
    def __call__(self, idcard_name: str, idcard_number: str) -> bytes | None:
        """The portrait of that person; ``None`` unless name and number belong together."""
        holder = self.find(idcard_number)
        return holder.portrait if holder and holder.idcard_name == idcard_name else None

    @sensitive_variables()
    def find(self, idcard_number: str) -> Holder | None:
        return self._holders.get(idcard_number.upper())

    @sensitive_variables()
    def _rows(self) -> list[Any]:
        try:
            rows = json.loads((self._folder / FILE_NAME).read_text("utf-8"))
        except OSError:
            raise RegisterUnusable(f"{self._folder} has no {FILE_NAME} that can be read") from None
        except (ValueError, RecursionError):
            raise RegisterUnusable(f"{FILE_NAME} is not JSON") from None
        if not isinstance(rows, list):
            raise RegisterUnusable(f"{FILE_NAME} is not a list")
        return rows

    @sensitive_variables()
    def _read(self, number: int, row: Any) -> Holder:
        """One person; the portrait is a file of the folder itself, whatever its name says."""
        where = f"entry {number} of {FILE_NAME}"
        if not isinstance(row, dict) or set(row) != KEYS:
            raise RegisterUnusable(f"{where} must have {', '.join(sorted(KEYS))}")
        if not all(isinstance(value, str) and value for value in row.values()):
            raise RegisterUnusable(f"{where} must have texts")
        file = self._folder / row["portrait"]
        try:
            if file.resolve().parent != self._folder.resolve():
                raise RegisterUnusable(f"the portrait of {where} is not in the folder")
            with file.open("rb") as opened:
                portrait = opened.read(MAX_PORTRAIT_BYTES + 1)
        except (OSError, ValueError):
            raise RegisterUnusable(f"the portrait of {where} cannot be read") from None
        if len(portrait) > MAX_PORTRAIT_BYTES:
            raise RegisterUnusable(f"the portrait of {where} is too large")
        return Holder(row["idcard_name"], row["idcard_number"].upper(), portrait)
