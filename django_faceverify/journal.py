"""What this app tells its operators: one logger, one line an event, and only what may be told.

A line reads ``event key=value key=value``. The same stands on the record as ``event`` and
``facts``, for formatters that write JSON. Nothing about a person can get in: keys are listed
here, an error tells its class and never its text, and values are words of a few characters.
"""

from __future__ import annotations

import logging
import re

logger = logging.getLogger("django_faceverify")

#: every event with its level; what they mean stands in docs/how-to/watch-money-and-health.md
EVENTS: dict[str, int] = {
    "answer_not_kept": logging.WARNING,
    "attempt_ended": logging.INFO,
    "call_broke": logging.WARNING,
    "call_failed": logging.ERROR,
    "code_unknown": logging.WARNING,
    "credentials_missing": logging.ERROR,
    "engine_unavailable": logging.ERROR,
    "file_stays": logging.WARNING,
    "folder_of_strangers": logging.ERROR,
    "history_unprotected": logging.WARNING,
    "portrait_failed": logging.ERROR,
    "provider_asked": logging.INFO,
    "provider_paused": logging.ERROR,
    "provider_resumed": logging.WARNING,
    "purge_failed": logging.ERROR,
    "quality_unchecked": logging.WARNING,
    "question_failed": logging.WARNING,
    "receiver_failed": logging.ERROR,
    "request_not_built": logging.ERROR,
    "reveals_unusual": logging.WARNING,
    "root_written": logging.INFO,
    "shadow_not_planned": logging.WARNING,
    "step_failed": logging.ERROR,
    "throttle_failed": logging.WARNING,
    "wake_up_failed": logging.WARNING,
    "webhook_broke": logging.WARNING,
    "webhook_disabled": logging.ERROR,
    "webhook_given_up": logging.ERROR,
    "webhook_not_built": logging.ERROR,
    "worker_lost": logging.WARNING,
}

#: what may be told: ids, aliases, codes and counts; think twice before you add to it
KEYS = frozenset(
    {
        "actor",
        "code",
        "count",
        "day",
        "delivery",
        "endpoint",
        "error",
        "folder",
        "mac",
        "provider",
        "provider_code",
        "reason",
        "row",
        "seconds",
        "session_id",
        "state",
        "step",
        "verification",
    }
)

#: ids, aliases, codes, class names and numbers, and nothing in which a sentence would fit
WORD = re.compile(r"[A-Za-z0-9_.+:-]{1,120}")
UNTELLABLE = "?"


def tell(event: str, **facts: object) -> None:
    """Write one event; raises ``ValueError`` for an event or a key that is not listed here."""
    if event not in EVENTS or not KEYS.issuperset(facts):
        raise ValueError("events and their keys are listed in journal.py")
    if not logger.isEnabledFor(EVENTS[event]):
        return
    words = {key: _word(value) for key, value in facts.items()}
    line = " ".join([event, *(f"{key}={word}" for key, word in words.items())])
    logger.log(EVENTS[event], line, extra={"event": event, "facts": words}, stacklevel=2)


def _word(value: object) -> str:
    if isinstance(value, BaseException):
        return type(value).__name__
    word = str(value)
    return word if WORD.fullmatch(word) else UNTELLABLE
