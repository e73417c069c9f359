"""What a system check says: an error or a warning, with a number of ours and a hint."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from typing import Any

from django.core.checks import CheckMessage, Error, Warning  # noqa: A004 (Django's name)

Messages = Iterator[CheckMessage]


def error(number: str, message: str, hint: str) -> Error:
    return Error(message, hint=hint, id=f"faceverify.{number}")


def warning(number: str, message: str, hint: str) -> Warning:
    return Warning(message, hint=hint, id=f"faceverify.{number}")


def unknown_keys(given: Iterable[Any], known: Iterable[str], where: str, number: str) -> Messages:
    """An error for each key that nobody reads, with the one that was likely meant."""
    for key in given:
        if key in known:
            continue
        near = difflib.get_close_matches(str(key).upper(), known, n=1) or difflib.get_close_matches(
            str(key), known, n=1
        )
        hint = f"Did you mean {near[0]!r}?" if near else f"Known are: {', '.join(known)}."
        yield error(number, f"{where} has no key {key!r}.", hint)
