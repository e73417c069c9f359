"""The settings as typed values: what the rest of the app gets to see of them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Lines:
    """Where the site draws its two lines: numbers on a provider's scale, or rates.

    With ``target_far``, the share of strangers that may pass, the provider's table says the
    numbers and those here say nothing. ``review_far`` is the weaker rate from which on a
    reviewer decides; ``None`` leaves no room for review.
    """

    verify_at: float
    review_at: float
    target_far: Decimal | None = None
    review_far: Decimal | None = None


@dataclass(frozen=True, kw_only=True)
class Shadow:
    """Which provider sees a level's photos as well, and what share of the cases, from 0 to 1."""

    provider: str
    share: float


@dataclass(frozen=True, kw_only=True)
class Level:
    """How sure the site wants to be, and by which provider.

    ``max_photos`` is how many photos may be compared and found not to match;
    ``max_submissions`` how many may be sent in all, unusable ones included. A level that
    is not live takes only ID numbers that no real person can hold. An open level may be
    chosen by anybody who may use the API; ``default`` always is open. With ``four_eyes`` two
    reviewers must agree; ``undo_seconds`` is how long a decision of theirs can be undone.
    """

    name: str
    provider: str
    is_live: bool
    is_open: bool
    max_photos: int
    max_submissions: int
    counts_photo_problems: bool
    lines: Lines
    shadow: Shadow | None
    alternative_url: str
    four_eyes: bool
    undo_seconds: int


@dataclass(frozen=True, kw_only=True)
class ConsentRules:
    """``texts`` are the versions under which calls are made, ``current`` the one to accept."""

    is_required: bool
    current: str
    texts: dict[str, dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class LegalFacts:
    """The company behind a provider, and the region in which it works on the data."""

    name: str
    contact: str
    privacy_url: str
    region: str


@dataclass(frozen=True, kw_only=True)
class Quality:
    """What a photo needs to be compared, and whether that is looked at when it is sent.

    ``min_face_width`` is in pixels; ``min_sharpness`` is on the scale of ``faces.quality``.
    """

    is_checked: bool
    min_face_width: int
    min_sharpness: float


@dataclass(frozen=True, kw_only=True)
class Quotas:
    """Most per window; days and months are those of Asia/Shanghai."""

    calls_per_idcard_minute: int | None
    calls_per_idcard_day: int | None
    photos_per_idcard_day: int | None
    photos_per_user_day: int | None
    idcards_per_user_month: int | None
    retries_of_unknown_day: int | None
    reveals_per_reviewer_hour: int | None
    searches_per_reviewer_hour: int | None


@dataclass(frozen=True, kw_only=True)
class Throttles:
    """Most per window of the clock, by whoever asks the API."""

    requests_per_address_minute: int | None
    requests_per_principal_minute: int | None
    posts_per_principal_minute: int | None
    posts_per_idcard_hour: int | None


@dataclass(frozen=True, kw_only=True)
class Polling:
    """How long a caller may wait for news, and how many at a time in each process.

    ``max_wait`` and ``stream_seconds`` are in seconds; a ``max_wait`` of 0 is no waiting.
    """

    max_wait: int
    max_waiters: int
    max_streams: int
    stream_seconds: int


@dataclass(frozen=True, kw_only=True)
class ClientTokens:
    """From pages of which origins tokens may be used, and for how many seconds they live."""

    origins: tuple[str, ...]
    lifetime: int
    max_lifetime: int


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one provider may be asked: calls that may cost money, and their pace.

    ``price`` is what one billed call costs, in the currency of the provider's contract.
    """

    calls_per_day: int | None
    calls_per_second: float | None
    burst: int
    price: float


@dataclass(frozen=True, kw_only=True)
class Retention:
    """For how many seconds data is kept; ``None`` is for ever.

    ``photo``, ``draft`` and ``identity`` begin when the case has ended: its photos; name
    and number of a case that never had a photo; name and number of the others, with
    whatever photos are left. ``audit`` begins at the redaction: the case and its history.
    """

    preset: str
    photo: float | None
    identity: float | None
    audit: float | None
    draft: float | None


@dataclass(frozen=True, kw_only=True)
class Webhooks:
    """How webhooks are delivered.

    ``timeout`` is in seconds and bounds a whole delivery. ``allow_loopback`` lets plain
    ``http://`` and this machine in, for development. ``ca_bundle`` is a file of CA
    certificates to trust instead of the usual.
    """

    timeout: float
    ports: tuple[int, ...]
    allow_loopback: bool
    ca_bundle: str | None
    rotation_hours: float
    disable_after_days: float
    keep_days: float


@dataclass(frozen=True, kw_only=True)
class ReviewRules:
    """How reviewers work.

    A claim ends after ``claim_seconds``, and a case is overdue ``overdue_after`` seconds after it
    came into review. ``photo_ahead`` lets the photo of the next case be fetched ahead.
    ``reasons`` are, by decision, the codes to choose from with the site's own words for them, or
    ``None`` for ours; a decision that is not there has all of its reasons.
    """

    claim_seconds: int
    overdue_after: int
    undo_seconds: int
    photo_ahead: bool
    reasons: dict[str, dict[str, Any]]
