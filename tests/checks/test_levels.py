"""What is wrong with a level, by itself and together with its provider."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from django_faceverify.checks import levels
from tests.checks.test_settings import assert_is_found, ids, level, numbers, options
from tests.scripted import ScriptedProvider

ADDRESSES = "tests.checks.test_levels.ByAddress"


class ByAddress(ScriptedProvider):
    """A service that fetches photos, and takes none."""

    takes_bytes = False


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("E040", {"LEVELS": {}}),
    ("E041", level(PROVIDR="default")),
    ("E042", level(PROVIDER="defualt")),
    ("E042", level(PROVIDER=["default"])),
    ("E043", level(LIVE="yes")),
    ("E043", level(OPEN=1)),
    ("E043", level(MAX_PHOTOS=0)),
    ("E043", level(MAX_PHOTOS=True)),
    ("E044", level(MAX_PHOTOS=5, MAX_SUBMISSIONS=3)),
    ("E184", {"PROVIDERS": {"default": {"BACKEND": ADDRESSES}}, "ALLOW_PHOTO_URLS": False}),
]


@pytest.mark.parametrize(("number", "changes"), WRONG, ids=lambda value: str(value)[:60])
def test_it_has_a_number_and_a_hint(settings: Any, number: str, changes: dict[str, Any]) -> None:
    assert_is_found(settings, number, changes)


def test_test_numbers_are_not_sent_to_a_provider_that_bills(settings: Any) -> None:
    real = options(endpoint="https://recognition.image.myqcloud.com/face/idcardcompare")
    settings.FACEVERIFY = {**settings.FACEVERIFY, **real, **level(LIVE=False)}
    assert ids() == ["faceverify.W045"]
    settings.FACEVERIFY = {**settings.FACEVERIFY, **level(LIVE=True)}
    assert ids() == []


def test_every_number_is_tested() -> None:
    tested = {number for number, _ in WRONG} | {"W045"}
    assert set(numbers(Path(levels.__file__).read_text())) == tested
