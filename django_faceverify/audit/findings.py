"""What an examination of the history can find."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Kind(str, Enum):
    """Stable names; ``docs/reference/commands.md`` tells what each means."""

    CHANGED = "changed"
    MISSING = "missing"
    MOVED = "moved"
    NO_CASE = "no_case"
    NO_HISTORY = "no_history"
    STATUS = "status"
    UNKNOWN_KEY = "unknown_key"
    ROOT = "root"
    ROOT_OVERDUE = "root_overdue"
    ROOT_LOST = "root_lost"
    POLICY = "policy"
    PURGE = "purge"
    SEAL = "seal"


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it was written. Names cases and events by their ids only."""

    kind: Kind
    #: the case, as its id stands in the database
    case: str = ""
    #: the number of an event in its case, or of a policy version
    number: int | None = None
    #: the day of a root
    day: str = ""
    detail: str = ""
