"""The only reader of Django's settings.

Each access reads ``django.conf.settings`` anew, so ``override_settings`` works and nothing
is decided at import. A value of the wrong kind raises ``ImproperlyConfigured`` here; the
system checks (``checks``) say the same earlier and with a hint.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from django_faceverify.conf.defaults import (
    CLIENT_TOKEN_DEFAULTS,
    CONSENT_DEFAULTS,
    DEFAULTS,
    LEGAL_DEFAULTS,
    LEVEL_DEFAULTS,
    LIMIT_DEFAULTS,
    POLLING_DEFAULTS,
    QUALITY_DEFAULTS,
    QUOTA_DEFAULTS,
    RETENTION_PRESETS,
    REVIEW_DEFAULTS,
    SHADOW_DEFAULTS,
    TARGET_KEYS,
    THRESHOLD_DEFAULTS,
    THROTTLE_DEFAULTS,
    UNKNOWN_POLICIES,
    WEBHOOK_DEFAULTS,
)
from django_faceverify.conf.shapes import (
    ClientTokens,
    ConsentRules,
    LegalFacts,
    Level,
    Limits,
    Lines,
    Polling,
    Quality,
    Quotas,
    Retention,
    ReviewRules,
    Shadow,
    Throttles,
    Webhooks,
)
from django_faceverify.conf.values import (
    are_targets,
    clock_seconds,
    rate,
)


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
    def quality(self) -> Quality:
        entry = {**QUALITY_DEFAULTS, **self._get("QUALITY", dict)}
        return Quality(
            is_checked=entry["CHECK"],
            min_face_width=entry["MIN_FACE_WIDTH"],
            min_sharpness=entry["MIN_SHARPNESS"],
        )

    @property
    def quotas(self) -> Quotas:
        return Quotas(**_fields(QUOTA_DEFAULTS, self._get("QUOTAS", dict)))

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
        return Throttles(**_fields(THROTTLE_DEFAULTS, self._get("THROTTLES", dict)))

    @property
    def polling(self) -> Polling:
        return Polling(**_fields(POLLING_DEFAULTS, self._get("POLLING", dict)))

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

    @property
    def review(self) -> ReviewRules:
        return ReviewRules(**_fields(REVIEW_DEFAULTS, self._get("REVIEW", dict)))

    def limits(self, provider: str) -> Limits:
        """What the provider of that alias may be asked."""
        given = self.PROVIDERS.get(provider, {}).get("LIMITS", {})
        return Limits(**_fields(LIMIT_DEFAULTS, given))

    @property
    def consent(self) -> ConsentRules:
        entry = {**CONSENT_DEFAULTS, **self._get("CONSENT", dict)}
        return ConsentRules(
            is_required=entry["REQUIRED"], current=entry["CURRENT"], texts=entry["TEXTS"]
        )

    def legal(self, provider: str) -> LegalFacts:
        """Who stands behind the provider of that alias, as far as the site has said."""
        given = self.PROVIDERS.get(provider, {}).get("LEGAL", {})
        said = _fields(LEGAL_DEFAULTS, given)
        return LegalFacts(**{name: str(value) for name, value in said.items()})

    def alternative_url(self, level: object) -> str:
        """Where a person of that level may verify in another way; empty where nothing is said."""
        entry = self.LEVELS.get(level, {}) if isinstance(level, str) else {}
        own = entry.get("ALTERNATIVE_URL")
        return str(self.raw.get("ALTERNATIVE_URL", "") if own is None else own)

    def level(self, name: str) -> Level:
        """The level of that name; ``KeyError`` when the site has none."""
        entry = {**LEVEL_DEFAULTS, **self.LEVELS[name]}
        shadow = {**SHADOW_DEFAULTS, **(entry["SHADOW"] or {})}
        return Level(
            name=name,
            provider=entry["PROVIDER"],
            is_live=entry["LIVE"],
            is_open=entry["OPEN"] or name == "default",
            max_photos=entry["MAX_PHOTOS"],
            max_submissions=entry["MAX_SUBMISSIONS"],
            counts_photo_problems=entry["COUNT_PHOTO_PROBLEMS"],
            lines=self.lines(name, entry["PROVIDER"]),
            shadow=Shadow(provider=shadow["PROVIDER"], share=float(shadow["SHARE"]))
            if shadow["PROVIDER"]
            else None,
            alternative_url=self.alternative_url(name),
            four_eyes=entry["FOUR_EYES"],
            undo_seconds=self.review.undo_seconds
            if entry["UNDO_SECONDS"] is None
            else entry["UNDO_SECONDS"],
        )

    def lines(self, name: str, alias: str) -> Lines:
        """The lines of that level on the scale of the provider of that alias.

        What a level says wins over what the provider's entry says. Numbers and rates are
        never mixed: who says the one takes nothing of the other. A level's numbers are for
        its own provider and mean nothing to another one; its rates hold for any.
        """
        level = {**LEVEL_DEFAULTS, **self.LEVELS[name]}
        own = level["THRESHOLDS"]
        if alias != level["PROVIDER"] and not are_targets(own):
            own = {}
        given = self.PROVIDERS.get(alias, {}).get("THRESHOLDS", {})
        if own and are_targets(own) != are_targets(given):
            given = {}
        said = {**THRESHOLD_DEFAULTS, **given, **own}
        target, review = (said.get(key) for key in TARGET_KEYS)
        try:
            return Lines(
                verify_at=float(said["verify_at"]),
                review_at=float(said["review_at"]),
                target_far=None if target is None else rate(target),
                review_far=None if review is None else rate(review),
            )
        except (TypeError, ValueError):
            raise ImproperlyConfigured(
                f"FACEVERIFY['LEVELS'][{name!r}]: THRESHOLDS are not right."
            ) from None

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


def _fields(defaults: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """What holds, by the names that the shapes have for it."""
    return {key.lower(): value for key, value in {**defaults, **given}.items()}


app_settings = AppSettings()
