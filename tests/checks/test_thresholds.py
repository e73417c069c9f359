"""What is wrong with the lines that decide: each by itself, merged, and at the provider."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from django_faceverify.checks import settings as checks
from django_faceverify.checks import thresholds
from tests.checks.test_settings import faceid, level, numbers, provider

SCRIPTED = {"BACKEND": "tests.scripted.ScriptedProvider"}


def scripted(**rates: Any) -> dict[str, Any]:
    return {"PROVIDERS": {"default": {**SCRIPTED, "THRESHOLDS": rates}}}


def faceid_aims(**rates: Any) -> dict[str, Any]:
    (entry,) = faceid()["PROVIDERS"].values()
    return {"PROVIDERS": {"default": {**entry, "THRESHOLDS": rates}}}


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("E050", level(THRESHOLDS=[80, 70])),
    ("E051", level(THRESHOLDS={"verify": 80})),
    ("E051", level(THRESHOLDS={"TARGET": 80})),
    ("E052", level(THRESHOLDS={"verify_at": "80"})),
    ("E052", level(THRESHOLDS={"verify_at": 101})),
    ("E052", provider(THRESHOLDS={"review_at": float("nan")})),
    ("E053", level(THRESHOLDS={"verify_at": 60})),
    ("E054", faceid(review_at=69.9)),
    ("E180", level(THRESHOLDS={"TARGET_FAR": "1e-4", "verify_at": 80})),
    ("E180", {**scripted(TARGET_FAR="1e-4"), **level(THRESHOLDS={"review_at": 60})}),
    ("E181", level(THRESHOLDS={"TARGET_FAR": 80})),
    ("E181", level(THRESHOLDS={"TARGET_FAR": "0"})),
    ("E181", level(THRESHOLDS={"TARGET_FAR": "1e-3", "REVIEW_FAR": "often"})),
    ("E182", level(THRESHOLDS={"REVIEW_FAR": "1e-3"})),
    ("E182", level(THRESHOLDS={"TARGET_FAR": "1e-3", "REVIEW_FAR": "1e-4"})),
    ("E183", level(THRESHOLDS={"TARGET_FAR": "1e-5"})),
    ("E183", faceid_aims(TARGET_FAR="1e-5")),
    ("E183", {**provider(), **level(THRESHOLDS={"TARGET_FAR": "1e-4"})}),
]

RIGHT: list[dict[str, Any]] = [
    level(THRESHOLDS={"TARGET_FAR": "1e-4"}, LIVE=False),
    level(THRESHOLDS={"TARGET_FAR": "5e-4", "REVIEW_FAR": "5e-3"}, LIVE=False),
    {**scripted(TARGET_FAR="1e-3"), **level(THRESHOLDS={"TARGET_FAR": "1e-4"}, LIVE=False)},
    {**scripted(TARGET_FAR="1e-3", REVIEW_FAR="1e-2"), **level(THRESHOLDS={"verify_at": 90})},
    faceid_aims(TARGET_FAR="1e-4"),
    faceid_aims(TARGET_FAR="1e-4", REVIEW_FAR="1e-3"),
]


@pytest.mark.parametrize(("number", "changes"), WRONG, ids=lambda value: str(value)[:60])
def test_wrong_lines_have_a_number_and_a_hint(
    settings: Any, number: str, changes: dict[str, Any]
) -> None:
    settings.FACEVERIFY = {**settings.FACEVERIFY, **changes}
    messages = [message for message in checks.check_settings() if message.is_serious()]
    assert {f"faceverify.{number}"} == {message.id for message in messages}
    assert all(message.hint for message in messages)


@pytest.mark.parametrize("changes", RIGHT, ids=lambda value: str(value)[:60])
def test_right_lines_are_let_pass(settings: Any, changes: dict[str, Any]) -> None:
    settings.FACEVERIFY = {**settings.FACEVERIFY, **changes}
    assert [message.id for message in checks.check_settings() if message.is_serious()] == []


def test_the_hint_says_how_strict_one_may_be(settings: Any) -> None:
    settings.FACEVERIFY = {**settings.FACEVERIFY, **faceid_aims(TARGET_FAR="1e-6")}
    message, *_ = (message for message in checks.check_settings() if message.is_serious())
    assert "1e-6" in message.msg
    assert message.hint is not None
    assert "1e-4 on (faceid-v2-2026-04)" in message.hint


def test_every_number_is_tested() -> None:
    source = Path(thresholds.__file__).read_text()
    assert set(numbers(source)) == {number for number, _ in WRONG}
