"""The one door to the settings: everything this app reads stands in ``FACEVERIFY``.

Each access reads ``django.conf.settings`` anew, so ``override_settings`` works and nothing
is decided at import. A value of the wrong kind raises ``ImproperlyConfigured`` here; the
system checks (``checks.py``) say the same earlier and with a hint.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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
}

PROVIDER_KEYS = ("BACKEND", "OPTIONS", "THRESHOLDS", "LIMITS")

#: what one person, one account and one ID number may use; ``None`` is no limit
QUOTA_DEFAULTS: dict[str, int | None] = {
    "CALLS_PER_IDCARD_MINUTE": 15,
    "CALLS_PER_IDCARD_DAY": 30,
    "PHOTOS_PER_IDCARD_DAY": 10,
    "PHOTOS_PER_USER_DAY": 20,
    "IDCARDS_PER_USER_MONTH": 5,
    "RETRIES_OF_UNKNOWN_DAY": 10,
}

#: what one provider may be asked; ``None`` is no limit
LIMIT_DEFAULTS: dict[str, float | int | None] = {
    "CALLS_PER_DAY": 10_000,
    "CALLS_PER_SECOND": None,
    "BURST": 5,
    "PRICE": 1.80,
}

LEVEL_DEFAULTS: dict[str, Any] = {
    "PROVIDER": "default",
    "LIVE": True,
    "OPEN": False,
    "MAX_PHOTOS": 3,
    "MAX_SUBMISSIONS": 10,
    "COUNT_PHOTO_PROBLEMS": False,
    "THRESHOLDS": {},
}

#: For idcardcompare the vendor advises "above 75", later 70, and publishes for a sibling
#: call one false match in 1,000 at 70 and in 10,000 at 80. Another provider's scale differs.
THRESHOLD_DEFAULTS: dict[str, float] = {"verify_at": 80.0, "review_at": 70.0}

UNKNOWN_POLICIES = ("review", "retry")

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


@dataclass(frozen=True, kw_only=True)
class Quotas:
    """Most per window; days and months are those of Asia/Shanghai."""

    calls_per_idcard_minute: int | None
    calls_per_idcard_day: int | None
    photos_per_idcard_day: int | None
    photos_per_user_day: int | None
    idcards_per_user_month: int | None
    retries_of_unknown_day: int | None


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one provider may be asked: calls that may cost money, and their pace.

    ``price`` is what one billed call costs, in the currency of the provider's contract.
    """

    calls_per_day: int | None
    calls_per_second: float | None
    burst: int
    price: float


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
        return {"review": 1, "retry": 2}[self.UNKNOWN_POLICY]

    @property
    def quotas(self) -> Quotas:
        entry = {**QUOTA_DEFAULTS, **self._get("QUOTAS", dict)}
        return Quotas(**{key.lower(): value for key, value in entry.items()})

    def limits(self, provider: str) -> Limits:
        """What the provider of that alias may be asked."""
        entry = {**LIMIT_DEFAULTS, **self.PROVIDERS.get(provider, {}).get("LIMITS", {})}
        return Limits(**{key.lower(): value for key, value in entry.items()})

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
        )

    # Facts of the host's own settings that our checks and doors must know.

    @property
    def is_debug(self) -> bool:
        return bool(settings.DEBUG)

    @property
    def secret_key(self) -> str:
        return str(settings.SECRET_KEY)

    @property
    def media_root(self) -> str:
        return str(settings.MEDIA_ROOT)

    @property
    def storage_aliases(self) -> tuple[str, ...]:
        return tuple(settings.STORAGES)


app_settings = AppSettings()
