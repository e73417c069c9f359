"""Whose portraits the sandbox knows, if somebody lends it a register and eyes.

The sandbox itself needs the standard library only and looks at no picture. A program that
can compare faces gives it a ``Register``, which is asked first about every number; who is
not in it gets the scripted answers. ``manage.py faceverify_sandbox --register`` does that.
"""

from __future__ import annotations

from typing import Protocol

from .codes import MESSAGES, Code
from .scenarios import Scenario

NAME = "register"


class Register(Protocol):
    def __len__(self) -> int: ...

    def answer(self, name: str, number: str, image: bytes) -> Scenario | None:
        """What became of the comparison; ``None`` when it has nobody of that number.

        ``image`` is a JPEG or PNG by its first bytes, and empty where the caller gave an
        address, which the sandbox does not fetch.
        """


def compared(similarity: float) -> Scenario:
    """The faces were compared; this is charged."""
    return Scenario(
        name=NAME,
        summary="compared with the register",
        message=MESSAGES[Code.OK],
        similarity=similarity,
        is_billed=True,
    )


def found(code: Code) -> Scenario:
    """They were not, for this reason; a name that does not match is charged."""
    return Scenario(
        name=NAME,
        summary="not compared",
        code=code,
        message=MESSAGES[code],
        is_billed=code is Code.NAME_MISMATCH,
    )
