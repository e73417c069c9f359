"""What is known of every code: what kind of fact, who can mend it, and the sentence for people."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from django.utils.functional import Promise


class Category(Enum):
    """What kind of fact a reason is; ``decision.decide`` acts on it."""

    MISMATCH = "mismatch"  # compared, and not the same person: uses up a try
    PHOTO = "photo"  # the photo cannot be compared: another one may
    IDENTITY = "identity"  # name and number do not belong together: the person may correct them
    REGISTRY = "registry"  # the register cannot answer for this person: a human must
    PROVIDER = "provider"  # the call failed: says nothing about the person
    LIMIT = "limit"  # a limit or a clock ended or delays it
    REVIEWER = "reviewer"  # a human's reason
    INPUT = "input"  # refused before anything was stored


class FixableBy(Enum):
    SUBJECT = "subject"
    REVIEWER = "reviewer"
    SITE = "site"
    PROVIDER = "provider"
    NOBODY = "nobody"


@dataclass(frozen=True)
class Reason:
    category: Category
    fixable_by: FixableBy
    message: str | Promise
