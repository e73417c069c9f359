"""The one door: defaults, merging, and that every access sees the settings of now."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from django_faceverify.conf import DEFAULTS, Lines, Shadow, app_settings, rate


def with_settings(settings: Any, **changes: Any) -> None:
    settings.FACEVERIFY = {**settings.FACEVERIFY, **changes}


def test_without_a_dict_the_defaults_hold(settings: Any) -> None:
    del settings.FACEVERIFY
    assert app_settings.LEASE == DEFAULTS["LEASE"] == 60
    assert app_settings.UNKNOWN_POLICY == "review"
    assert app_settings.ALLOW_PHOTO_URLS is False
    assert app_settings.KEYS == {}


def test_an_override_is_seen_at_once(settings: Any) -> None:
    with_settings(settings, LEASE=90)
    assert app_settings.LEASE == 90


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("LEASE", "60"),
        ("LEASE", True),
        ("PROVIDERS", []),
        ("UNKNOWN_POLICY", "hope"),
        ("ALLOW_PHOTO_URLS", 1),
        ("KEYS", 5),
        ("KEYS", lambda: ["a"]),
    ],
)
def test_a_wrong_value_is_not_used(settings: Any, key: str, value: Any) -> None:
    with_settings(settings, **{key: value})
    with pytest.raises(ImproperlyConfigured, match=key):
        getattr(app_settings, key)


def test_something_else_than_a_dict_is_refused(settings: Any) -> None:
    settings.FACEVERIFY = ["PROVIDERS"]
    with pytest.raises(ImproperlyConfigured, match="dict"):
        _ = app_settings.LEASE


def test_a_level_inherits_from_its_provider_and_overrides_it(settings: Any) -> None:
    with_settings(
        settings,
        PROVIDERS={"default": {"THRESHOLDS": {"verify_at": 85}}},
        LEVELS={"default": {}, "strict": {"THRESHOLDS": {"review_at": 82}, "MAX_PHOTOS": 1}},
    )
    default, strict = app_settings.level("default"), app_settings.level("strict")
    assert (default.lines, default.max_photos) == (Lines(verify_at=85, review_at=70), 3)
    assert (strict.lines, strict.max_photos) == (Lines(verify_at=85, review_at=82), 1)
    assert default.is_live


def test_an_unknown_level_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        app_settings.level("gold")


@pytest.mark.parametrize(("policy", "calls"), [("review", 1), ("retry", 2), ("reconcile", 1)])
def test_the_policy_bounds_the_calls(settings: Any, policy: str, calls: int) -> None:
    with_settings(settings, UNKNOWN_POLICY=policy)
    assert app_settings.max_possibly_billed_calls == calls


def test_quotas_and_limits_merge_with_their_defaults(settings: Any) -> None:
    with_settings(
        settings,
        QUOTAS={"PHOTOS_PER_USER_DAY": None},
        PROVIDERS={"default": {"LIMITS": {"CALLS_PER_SECOND": 20}}},
    )
    assert app_settings.quotas.photos_per_user_day is None
    assert app_settings.quotas.calls_per_idcard_minute == 15
    assert app_settings.limits("default").calls_per_second == 20
    assert app_settings.limits("other").calls_per_day == 10_000


def test_webhooks_take_the_defaults_for_what_is_left_out(settings: Any) -> None:
    settings.FACEVERIFY = {**settings.FACEVERIFY, "WEBHOOKS": {"TIMEOUT": 3, "TYPO": 1}}
    rules = app_settings.webhooks
    assert (rules.timeout, rules.ports, rules.allow_loopback) == (3, (443, 8443), False)
    settings.FACEVERIFY = {**settings.FACEVERIFY, "WEBHOOKS": []}
    with pytest.raises(ImproperlyConfigured):
        _ = app_settings.webhooks


TARGET = {"TARGET_FAR": "1e-4"}
BOTH = {"TARGET_FAR": "1e-4", "REVIEW_FAR": 0.001}
NUMBERS = {"verify_at": 85, "review_at": 75}


@pytest.mark.parametrize(
    ("of_provider", "of_level", "alias", "expected"),
    [
        (NUMBERS, {}, "default", (85, 75, None, None)),
        (BOTH, {}, "default", (80, 70, "0.0001", "0.001")),
        (NUMBERS, TARGET, "default", (80, 70, "0.0001", None)),
        (BOTH, {"TARGET_FAR": "1e-5"}, "default", (80, 70, "0.00001", "0.001")),
        (BOTH, NUMBERS, "default", (85, 75, None, None)),
        # another provider: numbers of the level are for its own, rates hold everywhere
        ({}, NUMBERS, "second", (60, 50, None, None)),
        (NUMBERS, {}, "second", (60, 50, None, None)),
        (NUMBERS, TARGET, "second", (80, 70, "0.0001", None)),
    ],
)
def test_numbers_and_rates_are_never_mixed(
    settings: Any, of_provider: Any, of_level: Any, alias: str, expected: tuple[Any, ...]
) -> None:
    with_settings(
        settings,
        PROVIDERS={
            "default": {"THRESHOLDS": of_provider},
            "second": {"THRESHOLDS": {"verify_at": 60, "review_at": 50}},
        },
        LEVELS={"default": {"THRESHOLDS": of_level}},
    )
    lines = app_settings.lines("default", alias)
    rates = (None if far is None else Decimal(far) for far in expected[2:])
    assert (lines.verify_at, lines.review_at, lines.target_far, lines.review_far) == (
        *expected[:2],
        *rates,
    )


@pytest.mark.parametrize("value", ["1e-4", 1e-4, Decimal("0.0001"), "0.00010"])
def test_a_rate_is_exact_however_it_is_written(value: Any) -> None:
    assert rate(value) == Decimal("0.0001")


@pytest.mark.parametrize("value", ["", "high", 0, 1, "1", "0", "-1e-4", "nan", "inf", True, None])
def test_what_is_no_rate(value: Any) -> None:
    with pytest.raises(ValueError, match="rate"):
        rate(value)


def test_a_shadow_is_off_unless_it_names_a_provider(settings: Any) -> None:
    with_settings(
        settings,
        LEVELS={"default": {}, "a": {"SHADOW": {"PROVIDER": "second", "SHARE": 0.05}}},
    )
    assert app_settings.level("default").shadow is None
    assert app_settings.level("a").shadow == Shadow(provider="second", share=0.05)
