"""What is wrong with a limit of the site or of a provider."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from django_faceverify.checks import limits
from tests.checks.test_settings import assert_is_found, numbers, provider

WRONG: list[tuple[str, dict[str, Any]]] = [
    ("E060", {"QUOTAS": 5}),
    ("E060", provider(LIMITS=[])),
    ("E061", {"QUOTAS": {"PHOTOS": 5}}),
    ("E062", {"QUOTAS": {"PHOTOS_PER_USER_DAY": "5"}}),
    ("E062", {"QUOTAS": {"PHOTOS_PER_USER_DAY": -1}}),
    ("E062", provider(LIMITS={"BURST": 0})),
    ("E062", provider(LIMITS={"PRICE": None})),
    ("E062", provider(LIMITS={"CALLS_PER_SECOND": float("nan")})),
    ("E060", {"THROTTLES": 5}),
    ("E061", {"THROTTLES": {"REQUESTS": 5}}),
    ("E062", {"THROTTLES": {"POSTS_PER_IDCARD_HOUR": "5/hour"}}),
    ("E060", {"POLLING": []}),
    ("E061", {"POLLING": {"WAIT": 5}}),
    ("E062", {"POLLING": {"MAX_WAITERS": None}}),
    ("E062", {"POLLING": {"STREAM_SECONDS": 0}}),
]


@pytest.mark.parametrize(("number", "changes"), WRONG, ids=lambda value: str(value)[:60])
def test_it_has_a_number_and_a_hint(settings: Any, number: str, changes: dict[str, Any]) -> None:
    assert_is_found(settings, number, changes)


def test_every_number_is_tested() -> None:
    tested = {number for number, _ in WRONG}
    assert set(numbers(Path(limits.__file__).read_text())) == tested
