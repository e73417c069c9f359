"""The second line for log records: what looks like a person is taken out of them.

The first line is that we log ids and codes only. This filter is for the case that somebody
else's code under our name, or a mistake of ours, does not. It stands on the loggers, where
a record passes before any handler sees it, whenever that handler was installed.
"""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Callable
from typing import Any

from django.views.decorators.debug import sensitive_variables

#: our loggers: this one and all below it
ROOT = "django_faceverify"
REDACTED = "[redacted]"

#: what every record has; anything else came as ``extra``
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

_WORDS = ("name", "number", "card", "image", "photo", "selfie", "note", "plaintext")
_KEYS = r"(?:idcard_)?(?:name|number)|id_?(?:card|number)|image|photo|selfie|note|plaintext"
_IS_KEY = re.compile(_KEYS, re.IGNORECASE)

#: name=..., "name": "...", 'name': b'...', also as JSON within JSON, also never closed
_NAMED = re.compile(
    rf"(?P<key>(?<![A-Za-z])(?:{_KEYS})\\*[\"']?\s*[=:]\s*)(?!\[redacted\](?:[\s\"',;&}}\])]|$))(?:"
    r"\\+\"(?:(?!\\+\").)*(?:\\+\")?"
    r"|[bru]?\"(?:[^\"\\]|\\.)*\"?"
    r"|[bru]?'(?:[^'\\]|\\.)*'?"
    r"|[^\s\"',;&}\])][^\n\"',;&}\])]*)",
    re.IGNORECASE | re.DOTALL,
)
#: of 18 or 15, however it is grouped; ids and MACs of ours stay, though digits may follow each other
_IDCARD_NUMBER = re.compile(
    r"(?P<key>\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b|\b(?:[0-9a-f]{32}){1,2}\b)"
    r"|(?<!\d)\d{6}[ -]?\d{8}[ -]?\d{3}[\dXx](?!\d)"
    r"|(?<!\d)\d{6}[ -]?\d{6}[ -]?\d{3}(?!\d)"
)
_SIX_DIGITS = re.compile(r"\d{6}")
#: in base64 or hex, or as Python prints bytes
_PICTURE = re.compile(
    r"[A-Za-z0-9+/_-]{200,}={0,2}"
    r"|b'(?:[^'\\]|\\.){64,}'?|b\"(?:[^\"\\]|\\.){64,}\"?"
    r"|(?:\\x[0-9a-fA-F]{2}[^\\]{0,8}){16,}"
)
_SHORTEST_PICTURE = 64


@sensitive_variables()
def redact(text: str) -> str:
    """The text without what looks like an ID number, a picture or a named person."""
    lower = text.lower()
    if any(word in lower for word in _WORDS):
        text = _NAMED.sub(_replace, text)
    if len(text) >= _SHORTEST_PICTURE:
        text = _PICTURE.sub(REDACTED, text)
    if _SIX_DIGITS.search(text):
        text = _IDCARD_NUMBER.sub(_replace, text)
    return text


class RedactingFilter(logging.Filter):
    """Takes personal data out of a record; lets every record pass.

    A site may put it on handlers of its own as well, for the loggers of others.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            message = record.getMessage()
        except Exception:  # noqa: BLE001 (logging would print the arguments as they are)
            message, redacted = "", f"{redact(str(record.msg))} (with arguments that do not fit)"
        else:
            redacted = redact(message)
        if redacted != message:
            record.msg, record.args = redacted, None
        if record.exc_info:
            _redact_traceback(record)
        if record.stack_info:
            record.stack_info = redact(record.stack_info)
        for key in vars(record).keys() - _STANDARD:
            _redact_extra(record, key)
        return True


#: one for all loggers, so that none has it twice
FILTER = RedactingFilter()


def guard() -> None:
    """Put the filter on our loggers, those that will be made later included."""
    make_record = logging.getLogRecordFactory()
    if not getattr(make_record, "guards_faceverify", False):
        logging.setLogRecordFactory(_guarding(make_record))
    logging.getLogger(ROOT).addFilter(FILTER)


def _guarding(make_record: Callable[..., logging.LogRecord]) -> Callable[..., logging.LogRecord]:
    """A factory that makes sure of the filter before a logger of ours handles its record."""

    def make(name: str, *args: Any, **kwargs: Any) -> logging.LogRecord:
        if f"{name}.".startswith(f"{ROOT}."):
            logging.getLogger(name).addFilter(FILTER)  # does nothing when it is there
        return make_record(name, *args, **kwargs)

    make.guards_faceverify = True  # type: ignore[attr-defined]  # marks our own
    return make


def _replace(found: re.Match[str]) -> str:
    """What may stay of a find: the key of a value, or the whole of an id of ours."""
    kept: str = found["key"] or ""
    return kept if kept == found[0] else f"{kept}{REDACTED}"


def _redact_traceback(record: logging.LogRecord) -> None:
    """Keep the text only: handlers that are given the objects would look into the frames."""
    if isinstance(record.exc_info, tuple) and not record.exc_text:
        record.exc_text = "".join(traceback.format_exception(*record.exc_info)).rstrip("\n")
    record.exc_text = redact(record.exc_text or "")
    record.exc_info = None


def _redact_extra(record: logging.LogRecord, key: str) -> None:
    value = getattr(record, key)
    if value is None or isinstance(value, bool | float):
        return
    text = value if isinstance(value, str) else repr(value)
    redacted = REDACTED if _IS_KEY.fullmatch(key) else redact(text)
    if redacted != text:
        setattr(record, key, redacted)
