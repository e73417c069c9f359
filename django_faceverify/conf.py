"""The one door to the settings: everything this app reads stands in ``FACEVERIFY``.

Each access reads ``django.conf.settings`` anew, so ``override_settings`` works and nothing
is decided at import. A value of the wrong kind raises ``ImproperlyConfigured`` here; the
system checks (``checks.py``) say the same earlier and with a hint.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

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
    "QUOTAS": {},
    "RETENTION": {},
    "CONSENT": {},
    "ALTERNATIVE_URL": "",
    "THROTTLES": {},
    "POLLING": {},
    "WEBHOOKS": {},
    "CLIENT_TOKENS": {},
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

#: one version of the consent text; both ``TEXT`` and ``TEMPLATE`` go by locale
CONSENT_TEXT_DEFAULTS: dict[str, Any] = {
    "PURPOSE": "face_verification",
    "TEXT": {},
    "TEMPLATE": {},
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

LEVEL_DEFAULTS: dict[str, Any] = {
    "PROVIDER": "default",
    "LIVE": True,
    "OPEN": False,
    "MAX_PHOTOS": 3,
    "MAX_SUBMISSIONS": 10,
    "COUNT_PHOTO_PROBLEMS": False,
    "THRESHOLDS": {},
    "ALTERNATIVE_URL": None,
}

#: For idcardcompare the vendor advises "above 75", later 70, and publishes for a sibling
#: call one false match in 1,000 at 70 and in 10,000 at 80. Another provider's scale differs.
THRESHOLD_DEFAULTS: dict[str, float] = {"verify_at": 80.0, "review_at": 70.0}

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


@dataclass(frozen=True, kw_only=True)
class Level:
    """How sure the site wants to be, and by which provider.

    ``max_photos`` is how many photos may be compared and found not to match;
    ``max_submissions`` how many may be sent in all, unusable ones included. A level that
    is not live takes only ID numbers that no real person can hold. An open level may be
    chosen by anybody who may use the API; ``default`` always is open.
    """

    name: str
    provider: str
    is_live: bool
    is_open: bool
    max_photos: int
    max_submissions: int
    counts_photo_problems: bool
    verify_at: float
    review_at: float
    alternative_url: str


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


def clock_seconds(value: Any) -> float | None:
    """A clock of retention in seconds; ``ValueError`` when it is none."""
    if value is None:
        return None
    if isinstance(value, timedelta):
        value = value.total_seconds()
    elif isinstance(value, int | float) and 0 < value < SHORTEST_CLOCK:
        raise ValueError("looks like days")
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 <= value <= 100 * 366 * DAY:
        raise ValueError("not a time to keep something")
    return float(value)


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


class AppSettings:
    """``settings.FACEVERIFY`` with its defaults, typed."""

    @property
    def raw(self) -> dict[str, Any]:
        value = getattr(settings, "FACEVERIFY", {})
        if not isinstance(value, dict):
            raise ImproperlyConfigured("FACEVERIFY must be a dict.")
        return value

    def _get(self, key: str, kind: type | tuple[type, ...]) -> Any:
        value = self.raw.get(key, DEFAULTS[key])
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise ImproperlyConfigured(f"FACEVERIFY[{key!r}] has the wrong type.")
        return value

    @property
    def PROVIDERS(self) -> dict[str, dict[str, Any]]:
        value: dict[str, dict[str, Any]] = self._get("PROVIDERS", dict)
        return value

    @property
    def LEVELS(self) -> dict[str, dict[str, Any]]:
        value: dict[str, dict[str, Any]] = self._get("LEVELS", dict)
        return value

    @property
    def KEYS(self) -> Mapping[str, str]:
        """Key ids and their base64 secrets; the first seals, all open."""
        value = (
            self._get("KEYS", (dict, str))
            if not callable(self.raw.get("KEYS"))
            else (self.raw["KEYS"])
        )
        if isinstance(value, str):
            value = import_string(value)
        keys = value() if callable(value) else value
        if not isinstance(keys, Mapping):
            raise ImproperlyConfigured("FACEVERIFY['KEYS'] must give a mapping of key ids.")
        return keys

    @property
    def UNKNOWN_POLICY(self) -> str:
        value: str = self._get("UNKNOWN_POLICY", str)
        if value not in UNKNOWN_POLICIES:
            raise ImproperlyConfigured("FACEVERIFY['UNKNOWN_POLICY'] is not a known policy.")
        return value

    @property
    def LEASE(self) -> int:
        """Seconds for which a worker owns a verification that it has claimed."""
        value: int = self._get("LEASE", int)
        return value

    @property
    def DEADLINE(self) -> int:
        """Seconds after which a photo without an answer goes to a reviewer."""
        value: int = self._get("DEADLINE", int)
        return value

    @property
    def EXPIRES_AFTER(self) -> int:
        """Seconds that a verification waits for a photo before it expires."""
        value: int = self._get("EXPIRES_AFTER", int)
        return value

    @property
    def MAX_UPLOAD_BYTES(self) -> int:
        value: int = self._get("MAX_UPLOAD_BYTES", int)
        return value

    @property
    def ALLOW_PHOTO_URLS(self) -> bool:
        value: bool = self._get("ALLOW_PHOTO_URLS", bool)
        return value

    @property
    def max_possibly_billed_calls(self) -> int:
        """How many calls for one photo may cost money before a human takes over."""
        return {"review": 1, "retry": 2, "reconcile": 1}[self.UNKNOWN_POLICY]

    @property
    def quotas(self) -> Quotas:
        entry = {**QUOTA_DEFAULTS, **self._get("QUOTAS", dict)}
        return Quotas(**{key.lower(): value for key, value in entry.items()})

    @property
    def retention(self) -> Retention:
        """The preset's clocks, and the site's own instead where it has set some."""
        given = self._get("RETENTION", dict)
        preset = given.get("PRESET", "generic")
        try:
            clocks = {**RETENTION_PRESETS[preset], **given}
            clocks.pop("PRESET", None)
            seconds = {key.lower(): clock_seconds(value) for key, value in clocks.items()}
            return Retention(preset=preset, **seconds)
        except (KeyError, TypeError, ValueError):
            raise ImproperlyConfigured("FACEVERIFY['RETENTION'] is not right.") from None

    @property
    def throttles(self) -> Throttles:
        entry = {**THROTTLE_DEFAULTS, **self._get("THROTTLES", dict)}
        return Throttles(**{key.lower(): value for key, value in entry.items()})

    @property
    def polling(self) -> Polling:
        entry = {**POLLING_DEFAULTS, **self._get("POLLING", dict)}
        return Polling(**{key.lower(): value for key, value in entry.items()})

    @property
    def webhooks(self) -> Webhooks:
        """A key that is not known is left to the checks: it must not stop the sweep."""
        given = self._get("WEBHOOKS", dict)
        return Webhooks(
            **{key.lower(): given.get(key, usual) for key, usual in WEBHOOK_DEFAULTS.items()}
        )

    @property
    def client_tokens(self) -> ClientTokens:
        entry = {**CLIENT_TOKEN_DEFAULTS, **self._get("CLIENT_TOKENS", dict)}
        return ClientTokens(
            origins=tuple(entry["ORIGINS"]),
            lifetime=entry["LIFETIME"],
            max_lifetime=entry["MAX_LIFETIME"],
        )

    def limits(self, provider: str) -> Limits:
        """What the provider of that alias may be asked."""
        entry = {**LIMIT_DEFAULTS, **self.PROVIDERS.get(provider, {}).get("LIMITS", {})}
        return Limits(**{key.lower(): value for key, value in entry.items()})

    @property
    def consent(self) -> ConsentRules:
        entry = {**CONSENT_DEFAULTS, **self._get("CONSENT", dict)}
        return ConsentRules(
            is_required=entry["REQUIRED"], current=entry["CURRENT"], texts=entry["TEXTS"]
        )

    def legal(self, provider: str) -> LegalFacts:
        """Who stands behind the provider of that alias, as far as the site has said."""
        entry = {**LEGAL_DEFAULTS, **self.PROVIDERS.get(provider, {}).get("LEGAL", {})}
        return LegalFacts(**{key.lower(): str(value) for key, value in entry.items()})

    def alternative_url(self, level: object) -> str:
        """Where a person of that level may verify in another way; empty where nothing is said."""
        entry = self.LEVELS.get(level, {}) if isinstance(level, str) else {}
        own = entry.get("ALTERNATIVE_URL")
        return str(self.raw.get("ALTERNATIVE_URL", "") if own is None else own)

    def level(self, name: str) -> Level:
        """The level of that name; ``KeyError`` when the site has none."""
        entry = {**LEVEL_DEFAULTS, **self.LEVELS[name]}
        provider = self.PROVIDERS.get(entry["PROVIDER"], {})
        thresholds = {
            **THRESHOLD_DEFAULTS,
            **provider.get("THRESHOLDS", {}),
            **entry["THRESHOLDS"],
        }
        return Level(
            name=name,
            provider=entry["PROVIDER"],
            is_live=entry["LIVE"],
            is_open=entry["OPEN"] or name == "default",
            max_photos=entry["MAX_PHOTOS"],
            max_submissions=entry["MAX_SUBMISSIONS"],
            counts_photo_problems=entry["COUNT_PHOTO_PROBLEMS"],
            verify_at=float(thresholds["verify_at"]),
            review_at=float(thresholds["review_at"]),
            alternative_url=self.alternative_url(name),
        )

    # Facts of the host's own settings that our checks and doors must know.

    @property
    def is_debug(self) -> bool:
        return bool(settings.DEBUG)

    @property
    def secret_key(self) -> str:
        return str(settings.SECRET_KEY)

    @property
    def language(self) -> str:
        return str(settings.LANGUAGE_CODE)

    @property
    def media_root(self) -> str:
        return str(settings.MEDIA_ROOT)

    @property
    def storage_aliases(self) -> tuple[str, ...]:
        return tuple(settings.STORAGES)


app_settings = AppSettings()
