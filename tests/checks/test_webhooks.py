"""What is wrong with the delivery of webhooks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from django_faceverify.checks import webhooks
from tests.checks.test_settings import assert_is_found, numbers

WRONG: list[tuple[str, dict[str, Any]]] = [
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


@pytest.mark.parametrize(("number", "changes"), WRONG, ids=lambda value: str(value)[:60])
def test_it_has_a_number_and_a_hint(settings: Any, number: str, changes: dict[str, Any]) -> None:
    assert_is_found(settings, number, changes)


def test_every_number_is_tested() -> None:
    tested = {number for number, _ in WRONG}
    assert set(numbers(Path(webhooks.__file__).read_text())) == tested
