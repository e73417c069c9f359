"""What is wrong with the clocks."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from django_faceverify.checks import retention
from tests.checks.test_settings import assert_is_found, numbers

WRONG: list[tuple[str, dict[str, Any]]] = [
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
]


@pytest.mark.parametrize(("number", "changes"), WRONG, ids=lambda value: str(value)[:60])
def test_it_has_a_number_and_a_hint(settings: Any, number: str, changes: dict[str, Any]) -> None:
    assert_is_found(settings, number, changes)


def test_every_number_is_tested() -> None:
    tested = {number for number, _ in WRONG}
    assert set(numbers(Path(retention.__file__).read_text())) == tested
