"""The script: which ID number brings which answer.

A scenario number is ``000000``, a birth date, three digits that name the scenario, and a
last character that is *wrong* by the checksum of GB 11643, for example
``000000199003070010`` for scenario 001. No real person can hold such a number, and a number
that somebody could hold never gets a scenario. ``scenario_number`` makes them.

The vendor does not document which answers cost money. The sandbox charges for a comparison
that was done, whatever became of its answer, and for a name that does not match, as the
successor of this service does. ``SCENARIOS`` says it for each.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from enum import Enum, auto
from typing import TYPE_CHECKING

from .codes import ARREARS_MESSAGE, MESSAGES, Code

if TYPE_CHECKING:
    from .register import Register

EXAMPLE_NUMBER = "110110199909090909"  # printed in the vendor docs; its last digit is wrong

_SCENARIO_NUMBER = re.compile(r"000000([0-9]{4})([0-9]{2})([0-9]{2})([0-9]{3})[0-9Xx]")
_CHECK_CHARACTERS = "10X98765432"


class Delivery(Enum):
    """What happens to an answer on its way back to the client."""

    JSON = auto()
    TRAILING_COMMA = auto()  # as in the sample of the vendor docs, which is not valid JSON
    NOT_JSON = auto()
    SERVER_ERROR = auto()
    NEVER = auto()
    DROPPED = auto()


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One scripted answer; ``afterwards`` takes its place from a number's second call on."""

    name: str
    summary: str
    code: Code = Code.OK
    message: str
    similarity: float | None = None
    delivery: Delivery = Delivery.JSON
    is_billed: bool = False
    afterwards: Scenario | None = None


def _compares(
    name: str, summary: str, similarity: float = 95.0, delivery: Delivery = Delivery.JSON
) -> Scenario:
    return Scenario(
        name=name,
        summary=summary,
        message=MESSAGES[Code.OK],
        similarity=similarity,
        delivery=delivery,
        is_billed=True,
    )


def _fails(
    name: str,
    summary: str,
    code: Code,
    *,
    message: str = "",
    is_billed: bool = False,
    only_once: bool = False,
) -> Scenario:
    return Scenario(
        name=name,
        summary=summary,
        code=code,
        message=message or MESSAGES[code],
        is_billed=is_billed,
        afterwards=_compares(name, summary) if only_once else None,
    )


def _breaks(name: str, summary: str, delivery: Delivery) -> Scenario:
    return replace(_fails(name, summary, Code.INTERNAL_ERROR), delivery=delivery)


def _by_name(scenarios: Iterable[Scenario]) -> dict[str, Scenario]:
    return {scenario.name: scenario for scenario in scenarios}


EXAMPLE = _compares("example", "the vendor's own example number: similarity 100", 100.0)
NOBODY = _fails("nobody", "any other number: nobody holds it", Code.NUMBER_INVALID)

SCENARIOS = _by_name(
    [
        _compares("001", "similarity 95: the same person", 95.0),
        _compares("002", "similarity 72: perhaps the same person", 72.0),
        _compares("003", "similarity 12: another person", 12.0),
        _fails("004", "name and number do not match", Code.NAME_MISMATCH, is_billed=True),
        _fails("005", "number invalid", Code.NUMBER_INVALID),
        _fails("006", "registered photo of poor quality", Code.REGISTERED_PHOTO_POOR),
        _fails("010", "no face in the photo", Code.NO_FACE),
        _fails("011", "several faces in the photo", Code.TOO_MANY_FACES),
        _fails("012", "features cannot be extracted from the photo", Code.NO_FEATURES),
        _fails("030", "throttled, always", Code.THROTTLED),
        _fails("031", "throttled once, then 95", Code.THROTTLED, only_once=True),
        _fails("040", "internal error, always", Code.INTERNAL_ERROR),
        _fails("041", "internal error once, then 95", Code.INTERNAL_ERROR, only_once=True),
        _compares("042", "compares, and never answers", delivery=Delivery.NEVER),
        _compares("043", "compares, answers what is not JSON", delivery=Delivery.NOT_JSON),
        _compares("044", "similarity out of range: 130.5", 130.5),
        _compares("045", "95, with a comma too many", delivery=Delivery.TRAILING_COMMA),
        _breaks("046", "HTTP 500 with an HTML page", Delivery.SERVER_ERROR),
        _breaks("047", "connection dropped, no work done", Delivery.DROPPED),
        _fails("050", "account in arrears", Code.BAD_REQUEST, message=ARREARS_MESSAGE),
        _fails("051", "signature expired", Code.SIGNATURE_EXPIRED),
    ]
)


class ScenarioChooser:
    """Chooses the scenario of each call, and remembers who had their one failure.

    Whoever is in the ``register``, if there is one, is really compared.
    """

    def __init__(self, register: Register | None = None) -> None:
        self._register = register
        self._failed_once: set[str] = set()
        self._lock = threading.Lock()

    def choose(self, idcard_number: str, name: str = "", image: bytes = b"") -> Scenario:
        if self._register is not None:
            compared = self._register.answer(name, idcard_number, image)
            if compared is not None:
                return compared
        scenario = find_scenario(idcard_number)
        if scenario.afterwards is None:
            return scenario
        with self._lock:
            if idcard_number in self._failed_once:
                return scenario.afterwards
            self._failed_once.add(idcard_number)
        return scenario


def find_scenario(idcard_number: str) -> Scenario:
    """Return what is scripted for this number, ``NOBODY`` if nothing is."""
    if idcard_number == EXAMPLE_NUMBER:
        return EXAMPLE
    match = _SCENARIO_NUMBER.fullmatch(idcard_number)
    if match is None or has_right_check_character(idcard_number):
        return NOBODY
    year, month, day, name = match.groups()
    try:
        date(int(year), int(month), int(day))
    except ValueError:
        return NOBODY
    return SCENARIOS.get(name, NOBODY)


def scenario_number(scenario: str, birth_date: str = "19900307") -> str:
    """Return the ID number that plays this scenario, for a birth date as ``YYYYMMDD``.

    ``031`` and ``041`` fail once for each number: another birth date begins afresh.
    """
    digits = f"000000{birth_date}{scenario}"
    return digits + ("1" if check_character(digits) == "0" else "0")


def has_right_check_character(idcard_number: str) -> bool:
    return idcard_number[-1].upper() == check_character(idcard_number[:17])


def check_character(digits: str) -> str:
    """Return the 18th character that GB 11643 (ISO 7064, MOD 11-2) asks for after 17 digits."""
    total = sum(int(digit) * 2 ** (17 - position) for position, digit in enumerate(digits))
    return _CHECK_CHARACTERS[total % 11]
