"""Every wrong configuration that has a number, and that a right one has none."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks

from django_faceverify.checks import settings as checks

QCLOUD = "django_faceverify.providers.qcloud.QcloudProvider"
CREDENTIALS = {"appid": "1250000000", "secret_id": "id", "secret_key": "key"}
ROOT = Path(__file__).parent.parent.parent


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


def assert_is_found(settings: Any, number: str, changes: dict[str, Any]) -> None:
    """The checks of the settings give that number, and say how to mend what they found.

    No other check falls over what is wrong, which would hide that from people.
    """
    settings.FACEVERIFY = {**settings.FACEVERIFY, **changes}
    run_checks()
    messages = checks.check_settings()
    assert f"faceverify.{number}" in [message.id for message in messages]
    assert all(message.hint for message in messages)


def numbers(text: str) -> list[str]:
    return re.findall(r"\"([EW]\d{3})\"", text)


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
]


def test_the_settings_of_the_tests_are_right() -> None:
    assert ids() == []
    assert [message for message in run_checks() if message.is_serious()] == []


@pytest.mark.parametrize(("number", "changes"), WRONG, ids=lambda value: str(value)[:60])
def test_a_wrong_configuration_has_a_number_and_a_hint(
    settings: Any, number: str, changes: dict[str, Any]
) -> None:
    assert_is_found(settings, number, changes)


def test_no_number_means_two_things() -> None:
    files = Path(checks.__file__).parent.glob("*.py")
    found = {number for file in files for number in numbers(file.read_text())}
    assert len({number[1:] for number in found}) == len(found)


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


def test_no_message_shows_a_secret(settings: Any) -> None:
    secret = "very-secret-key"
    for changes in (
        options(secret_key=secret, secretkey=secret, endpoint=secret),
        {"KEYS": {"a": secret}},
    ):
        settings.FACEVERIFY = {**settings.FACEVERIFY, **changes}
        assert secret not in str(checks.check_settings())


def test_every_number_is_tested() -> None:
    tested = {number for number, _ in WRONG} | {"E001", "E020", "E021"}
    assert set(numbers(Path(checks.__file__).read_text())) == tested


def test_every_number_has_one_meaning() -> None:
    """One function gives a number out; two would give it two meanings."""
    sources: dict[str, set[str]] = {}
    for path in (ROOT / "django_faceverify").rglob("*.py"):
        for number in re.findall(r"[\"'.]([EW]\d{3})[\"']", path.read_text()):
            sources.setdefault(number, set()).add(path.name)
    assert {number: names for number, names in sources.items() if len(names) > 1} == {}
