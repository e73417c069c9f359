"""What came back, before it is believed."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.views.decorators.debug import sensitive_variables

MAX_MESSAGE_LENGTH = 200


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An HTTP answer: its status, its bytes as sent, and the seconds it asks us to wait."""

    status: int
    body: bytes = field(repr=False)
    retry_after: float | None = None


@sensitive_variables()
def read_object(body: bytes) -> dict[str, Any] | None:
    """The one JSON object that ``body`` holds, or ``None`` when it is anything else.

    Stricter than ``json.loads``: repeated names, ``NaN`` and ``Infinity`` are refused,
    since two readers could take them for two answers. One slip is forgiven, the comma
    after the last member that the vendor's own sample shows.

    It returns ``None`` rather than raise, because JSON errors carry the whole text.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return None
    for candidate in (text, _without_trailing_commas(text)):
        try:
            value = json.loads(
                candidate, object_pairs_hook=_unique_names, parse_constant=_refuse_constant
            )
        except (ValueError, RecursionError):
            continue
        return value if isinstance(value, dict) else None
    return None


def is_number(value: object) -> bool:
    """Whether a JSON value is a finite number; ``true`` is none, though Python's is."""
    if isinstance(value, bool):
        return False
    return isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))


def is_similarity(value: object) -> bool:
    """Whether a JSON value is a number from 0 to 100, the scale of all similarities here."""
    return is_number(value) and 0 <= value <= 100  # type: ignore[operator]


@sensitive_variables()
def clean_message(message: object, *, sent: Iterable[str | None]) -> str:
    """A provider's message, short and printable; empty if it repeats anything we ``sent``.

    Spaces, punctuation, width and case make no difference to what counts as a repeat.
    """
    if not isinstance(message, str):
        return ""
    repeatable = filter(None, (_squeeze(text) for text in sent if text))
    squeezed = _squeeze(message)
    if any(text in squeezed for text in repeatable):
        return ""
    printable = "".join(c for c in message if unicodedata.category(c)[0] != "C")
    return printable[:MAX_MESSAGE_LENGTH]


@sensitive_variables()
def _squeeze(text: str) -> str:
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text).casefold()))


@sensitive_variables()
def _unique_names(pairs: list[tuple[str, Any]]) -> Mapping[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("repeated name")
    return members


def _refuse_constant(name: str) -> Any:
    raise ValueError("not a JSON number")


# A string, closed or not, is passed over as a whole, so the search stays linear.
_STRING_OR_LAST_COMMA = re.compile(r'("[^"\\]*(?:\\.[^"\\]*)*\\?(?:"|\Z))|,(?=\s*[}\]])', re.DOTALL)


@sensitive_variables()
def _without_trailing_commas(text: str) -> str:
    return _STRING_OR_LAST_COMMA.sub(lambda found: found[1] or "", text)
