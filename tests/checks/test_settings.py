"""Every wrong configuration that has a number, and that a right one has none."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks

from django_faceverify.checks import settings as checks
from tests.scripted import ScriptedProvider

QCLOUD = "django_faceverify.providers.qcloud.QcloudProvider"
ADDRESSES = "tests.checks.test_settings.ByAddress"
CREDENTIALS = {"appid": "1250000000", "secret_id": "id", "secret_key": "key"}
ROOT = Path(__file__).parent.parent.parent


class ByAddress(ScriptedProvider):
    """A service that fetches photos, and takes none."""

    takes_bytes = False


def ids() -> list[str]:
    return [str(message.id) for message in checks.check_settings()]


def provider(**entry: Any) -> dict[str, Any]:
    return {"PROVIDERS": {"default": {"BACKEND": QCLOUD, "OPTIONS": CREDENTIALS, **entry}}}


def options(**changes: Any) -> dict[str, Any]:
    return provider(OPTIONS={**CREDENTIALS, **changes})


def faceid(review_at: float = 70, **changes: Any) -> dict[str, Any]:
    entry = {
        "BACKEND": "django_faceverify.providers.faceid.FaceIDProvider",
        "OPTIONS": {"secret_id": "id", "secret_key": "key", **changes},
        "THRESHOLDS": {"verify_at": 80, "review_at": review_at},
    }
    return {"PROVIDERS": {"default": entry}}


def level(**entry: Any) -> dict[str, Any]:
    return {"LEVELS": {"default": entry}}


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("E002", {"PROVDERS": {}}),
    ("E003", {"PROVIDERS": []}),
    ("E003", {"LEVELS": {"default": "default"}}),
    ("E004", {"LEASE": "60"}),
    ("E004", {"LEASE": 0}),
    ("E004", {"DEADLINE": -1}),
    ("E004", {"MAX_UPLOAD_BYTES": 1.5}),
    ("E005", {"ALLOW_PHOTO_URLS": "no"}),
    ("E006", {"UNKNOWN_POLICY": "hope"}),
    ("E010", {"KEYS": "no.such.callable"}),
    ("E010", {"KEYS": 5}),
    ("E011", {"KEYS": {}}),
    ("E012", {"KEYS": {"2026.a": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}}),
    ("E013", {"KEYS": {"a": "tests-only"}}),
    ("E014", {"KEYS": {"a": "AAEC"}}),
    ("E014", {"KEYS": {"a": None}}),
    ("E030", {"PROVIDERS": {}}),
    ("E031", provider(OPTION={})),
    ("E033", provider(BACKEND="no.such.Provider")),
    ("E033", provider(BACKEND=None)),
    ("E033", provider(BACKEND="builtins.dict")),
    ("E034", options(secretkey="typo")),
    ("E035", options(timeout=58)),
    ("E036", {"UNKNOWN_POLICY": "reconcile", **options()}),
    ("E040", {"LEVELS": {}}),
    ("E041", level(PROVIDR="default")),
    ("E042", level(PROVIDER="defualt")),
    ("E043", level(LIVE="yes")),
    ("E043", level(OPEN=1)),
    ("E043", level(MAX_PHOTOS=0)),
    ("E043", level(MAX_PHOTOS=True)),
    ("E044", level(MAX_PHOTOS=5, MAX_SUBMISSIONS=3)),
    ("E184", {"PROVIDERS": {"default": {"BACKEND": ADDRESSES}}, "ALLOW_PHOTO_URLS": False}),
    ("E060", {"QUOTAS": 5}),
    ("E060", provider(LIMITS=[])),
    ("E061", {"QUOTAS": {"PHOTOS": 5}}),
    ("E062", {"QUOTAS": {"PHOTOS_PER_USER_DAY": "5"}}),
    ("E062", {"QUOTAS": {"PHOTOS_PER_USER_DAY": -1}}),
    ("E062", provider(LIMITS={"BURST": 0})),
    ("E062", provider(LIMITS={"PRICE": None})),
    ("E062", provider(LIMITS={"CALLS_PER_SECOND": float("nan")})),
    ("E100", {"RETENTION": []}),
    ("E101", {"RETENTION": {"PHOTOS": 0}}),
    ("E102", {"RETENTION": {"PRESET": "US"}}),
    ("E102", {"RETENTION": {"PRESET": None}}),
    ("E103", {"RETENTION": {"PHOTO": "7 days"}}),
    ("E103", {"RETENTION": {"PHOTO": 7}}),
    ("E103", {"RETENTION": {"IDENTITY": -1}}),
    ("E103", {"RETENTION": {"IDENTITY": True}}),
    ("E103", {"RETENTION": {"AUDIT": float("nan")}}),
    ("W104", {"RETENTION": {"PHOTO": timedelta(days=31)}}),
    ("W104", {"RETENTION": {"PHOTO": None}}),
    ("E105", {"RETENTION": {"PRESET": "CN", "AUDIT": timedelta(days=1094)}}),
    ("E060", {"THROTTLES": 5}),
    ("E061", {"THROTTLES": {"REQUESTS": 5}}),
    ("E062", {"THROTTLES": {"POSTS_PER_IDCARD_HOUR": "5/hour"}}),
    ("E060", {"POLLING": []}),
    ("E061", {"POLLING": {"WAIT": 5}}),
    ("E062", {"POLLING": {"MAX_WAITERS": None}}),
    ("E062", {"POLLING": {"STREAM_SECONDS": 0}}),
    ("E080", {"WEBHOOKS": []}),
    ("E081", {"WEBHOOKS": {"TIMOUT": 5}}),
    ("E082", {"WEBHOOKS": {"TIMEOUT": 0}}),
    ("E082", {"WEBHOOKS": {"TIMEOUT": True}}),
    ("E082", {"WEBHOOKS": {"PORTS": 443}}),
    ("E082", {"WEBHOOKS": {"PORTS": [0]}}),
    ("E082", {"WEBHOOKS": {"ALLOW_LOOPBACK": "yes"}}),
    ("E082", {"WEBHOOKS": {"CA_BUNDLE": "/no/such/file"}}),
    ("E082", {"WEBHOOKS": {"KEEP_DAYS": 1}}),
    ("W083", {"WEBHOOKS": {"ALLOW_LOOPBACK": True}}),
]


def test_the_settings_of_the_tests_are_right() -> None:
    assert ids() == []
    assert [message for message in run_checks() if message.is_serious()] == []


@pytest.mark.parametrize(("number", "changes"), WRONG, ids=lambda value: str(value)[:60])
def test_a_wrong_configuration_has_a_number_and_a_hint(
    settings: Any, number: str, changes: dict[str, Any]
) -> None:
    settings.FACEVERIFY = {**settings.FACEVERIFY, **changes}
    messages = checks.check_settings()
    assert f"faceverify.{number}" in [message.id for message in messages]
    assert all(message.hint for message in messages)


def test_a_typo_is_guessed(settings: Any) -> None:
    settings.FACEVERIFY = {**settings.FACEVERIFY, "PROVDERS": {}}
    (message,) = checks.check_settings()
    assert message.hint == "Did you mean 'PROVIDERS'?"


def test_not_even_a_dict(settings: Any) -> None:
    settings.FACEVERIFY = None
    assert ids() == ["faceverify.E001"]


def test_photos_need_a_storage_of_their_own(settings: Any) -> None:
    storages = dict(settings.STORAGES)
    location = storages["faceverify"]["OPTIONS"]["location"]
    settings.MEDIA_ROOT = str(Path(location).parent)
    assert ids() == ["faceverify.E021"]
    del storages["faceverify"]
    settings.STORAGES = storages
    assert ids() == ["faceverify.E020"]


def test_a_sandbox_in_production_is_seen(settings: Any) -> None:
    sandbox = options(endpoint="http://127.0.0.1:8410/face/idcardcompare")
    settings.FACEVERIFY = {**settings.FACEVERIFY, **sandbox}
    settings.DEBUG = False
    assert ids() == ["faceverify.W032"]
    settings.DEBUG = True
    assert ids() == []


def test_test_numbers_are_not_sent_to_a_provider_that_bills(settings: Any) -> None:
    real = options(endpoint="https://recognition.image.myqcloud.com/face/idcardcompare")
    settings.FACEVERIFY = {**settings.FACEVERIFY, **real, **level(LIVE=False)}
    assert ids() == ["faceverify.W045"]
    settings.FACEVERIFY = {**settings.FACEVERIFY, **level(LIVE=True)}
    assert ids() == []


def test_no_message_shows_a_secret(settings: Any) -> None:
    secret = "very-secret-key"
    for changes in (
        options(secret_key=secret, secretkey=secret, endpoint=secret),
        {"KEYS": {"a": secret}},
    ):
        settings.FACEVERIFY = {**settings.FACEVERIFY, **changes}
        assert secret not in str(checks.check_settings())


def numbers(text: str) -> list[str]:
    return re.findall(r"\"([EW]\d{3})\"", text)


def test_every_number_is_tested() -> None:
    tested = {number for number, _ in WRONG} | {"E001", "E020", "E021", "W032", "W045"}
    assert set(numbers(Path(checks.__file__).read_text())) == tested


def test_every_number_has_one_meaning() -> None:
    """One function gives a number out; two would give it two meanings."""
    sources: dict[str, set[str]] = {}
    for path in (ROOT / "django_faceverify").rglob("*.py"):
        for number in re.findall(r"[\"'.]([EW]\d{3})[\"']", path.read_text()):
            sources.setdefault(number, set()).add(path.name)
    assert {number: names for number, names in sources.items() if len(names) > 1} == {}
