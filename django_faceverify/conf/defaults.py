"""What every setting is when the site says nothing."""

from __future__ import annotations

from typing import Any

#: every key of ``FACEVERIFY`` with its default; the two without one are required
DEFAULTS: dict[str, Any] = {
    "PROVIDERS": {},
    "LEVELS": {"default": {"PROVIDER": "default"}},
    "KEYS": {},
    "UNKNOWN_POLICY": "review",
    "LEASE": 60,
    "DEADLINE": 24 * 3600,
    "EXPIRES_AFTER": 24 * 3600,
    "MAX_UPLOAD_BYTES": 6 * 1024 * 1024,
    "ALLOW_PHOTO_URLS": False,
    "QUALITY": {},
    "QUOTAS": {},
    "RETENTION": {},
    "CONSENT": {},
    "ALTERNATIVE_URL": "",
    "THROTTLES": {},
    "POLLING": {},
    "WEBHOOKS": {},
    "CLIENT_TOKENS": {},
    "REVIEW": {},
}

PROVIDER_KEYS = ("BACKEND", "OPTIONS", "THRESHOLDS", "LIMITS", "LEGAL")

#: who gets the data, as a person must be told before they consent
LEGAL_DEFAULTS: dict[str, str] = {"NAME": "", "CONTACT": "", "PRIVACY_URL": "", "REGION": ""}

#: a consent text to try things out with; a site writes its own before real people come
DEMO_TEXT: dict[str, Any] = {
    "PURPOSE": "face_verification",
    "TEMPLATE": {
        "en": "django_faceverify/consent/demo-1.en.txt",
        "zh-hans": "django_faceverify/consent/demo-1.zh-hans.txt",
    },
}

CONSENT_DEFAULTS: dict[str, Any] = {
    "REQUIRED": True,
    "CURRENT": "demo-1",
    "TEXTS": {"demo-1": DEMO_TEXT},
}

#: one version of the consent text; both ``TEXT`` and ``TEMPLATE`` go by locale, and
#: ``PROVIDERS`` are those besides the level's own that the text names
CONSENT_TEXT_DEFAULTS: dict[str, Any] = {
    "PURPOSE": "face_verification",
    "PROVIDERS": [],
    "TEXT": {},
    "TEMPLATE": {},
}

#: whether photos are looked at before they are paid for (extra ``local``), and what they need
QUALITY_DEFAULTS: dict[str, Any] = {
    "CHECK": False,
    "MIN_FACE_WIDTH": 48,
    "MIN_SHARPNESS": 8.0,
}

#: what one person, one account and one ID number may use; ``None`` is no limit
QUOTA_DEFAULTS: dict[str, int | None] = {
    "CALLS_PER_IDCARD_MINUTE": 15,
    "CALLS_PER_IDCARD_DAY": 30,
    "PHOTOS_PER_IDCARD_DAY": 10,
    "PHOTOS_PER_USER_DAY": 20,
    "IDCARDS_PER_USER_MONTH": 5,
    "RETRIES_OF_UNKNOWN_DAY": 10,
    "REVEALS_PER_REVIEWER_HOUR": 50,
    "SEARCHES_PER_REVIEWER_HOUR": 60,
}

#: how often the API may be asked; ``None`` is no limit
THROTTLE_DEFAULTS: dict[str, int | None] = {
    "REQUESTS_PER_ADDRESS_MINUTE": 600,
    "REQUESTS_PER_PRINCIPAL_MINUTE": 300,
    "POSTS_PER_PRINCIPAL_MINUTE": 60,
    "POSTS_PER_IDCARD_HOUR": 30,
}

#: how a caller may wait for news, in each process
POLLING_DEFAULTS: dict[str, int] = {
    "MAX_WAIT": 15,
    "MAX_WAITERS": 4,
    "MAX_STREAMS": 100,
    "STREAM_SECONDS": 300,
}

#: the keys with which browsers and apps act on one verification; times in seconds
CLIENT_TOKEN_DEFAULTS: dict[str, Any] = {
    "ORIGINS": [],
    "LIFETIME": 30 * 60,
    "MAX_LIFETIME": 24 * 3600,
}

#: what one provider may be asked; ``None`` is no limit
LIMIT_DEFAULTS: dict[str, float | int | None] = {
    "CALLS_PER_DAY": 10_000,
    "CALLS_PER_SECOND": None,
    "BURST": 5,
    "PRICE": 1.80,
}

#: how webhooks are delivered; seconds, hours and days as the names say
WEBHOOK_DEFAULTS: dict[str, Any] = {
    "TIMEOUT": 10.0,
    "PORTS": (443, 8443),
    "ALLOW_LOOPBACK": False,
    "CA_BUNDLE": None,
    "ROTATION_HOURS": 24,
    "DISABLE_AFTER_DAYS": 5,
    "KEEP_DAYS": 30,
}

#: how reviewers work; times in seconds. ``REASONS`` narrows or relabels those of a decision.
REVIEW_DEFAULTS: dict[str, Any] = {
    "CLAIM_SECONDS": 300,
    "OVERDUE_AFTER": 24 * 3600,
    "UNDO_SECONDS": 0,
    "PHOTO_AHEAD": True,
    "REASONS": {},
}

LEVEL_DEFAULTS: dict[str, Any] = {
    "PROVIDER": "default",
    "LIVE": True,
    "OPEN": False,
    "MAX_PHOTOS": 3,
    "MAX_SUBMISSIONS": 10,
    "COUNT_PHOTO_PROBLEMS": False,
    "THRESHOLDS": {},
    "SHADOW": None,
    "ALTERNATIVE_URL": None,
    "FOUR_EYES": False,
    "UNDO_SECONDS": None,
}

#: a second provider that sees a share of a level's photos and decides nothing
SHADOW_DEFAULTS: dict[str, Any] = {"PROVIDER": "", "SHARE": 0.0}

#: For idcardcompare the vendor advises "above 75", later 70, and publishes for a sibling
#: call one false match in 1,000 at 70 and in 10,000 at 80. Another provider's scale differs.
THRESHOLD_DEFAULTS: dict[str, float] = {"verify_at": 80.0, "review_at": 70.0}

#: false accept rates that may stand instead; the provider's own table makes numbers of them
TARGET_KEYS = ("TARGET_FAR", "REVIEW_FAR")

DAY = 24 * 3600
#: three years, whichever of them have a 29 February
THREE_YEARS = 1096 * DAY

#: seconds for which each class of data is kept, by preset; ``None`` is for ever
RETENTION_PRESETS: dict[str, dict[str, float | None]] = {
    "generic": {"PHOTO": 7 * DAY, "IDENTITY": 30 * DAY, "AUDIT": THREE_YEARS, "DRAFT": 0},
    "EU": {"PHOTO": 7 * DAY, "IDENTITY": 30 * DAY, "AUDIT": THREE_YEARS, "DRAFT": 0},
    "CN": {"PHOTO": 0, "IDENTITY": 30 * DAY, "AUDIT": THREE_YEARS, "DRAFT": 0},
}
#: a shorter number, other than 0, is taken for days by mistake
SHORTEST_CLOCK = 3600

UNKNOWN_POLICIES = ("review", "retry", "reconcile")

#: the alias in ``STORAGES`` under which photos are kept
STORAGE_ALIAS = "faceverify"
