"""What can be wrong with ``CLIENT_TOKENS``, and that a right site hears nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from django_faceverify.checks import tokens
from tests.checks.test_settings import numbers

WRONG: list[tuple[str, Any]] = [
    ("E160", []),
    ("E160", None),
    ("E161", {"ORIGIN": []}),
    ("E161", {1: []}),
    ("E162", {"ORIGINS": "https://shop.example"}),
    ("E162", {"ORIGINS": None}),
    ("E163", {"ORIGINS": ["*"]}),
    ("E163", {"ORIGINS": ["https://*.shop.example"]}),
    ("E163", {"ORIGINS": ["null"]}),
    ("E163", {"ORIGINS": ["https://shop.example/"]}),
    ("E163", {"ORIGINS": ["https://shop.example/kyc"]}),
    ("E163", {"ORIGINS": ["https://Shop.example"]}),
    ("E163", {"ORIGINS": ["https://shop.example:443"]}),
    ("E163", {"ORIGINS": ["http://localhost:80"]}),
    ("E163", {"ORIGINS": ["shop.example"]}),
    ("E163", {"ORIGINS": ["https://user@shop.example"]}),
    ("E163", {"ORIGINS": ["https://shop.example\n"]}),
    ("E163", {"ORIGINS": [b"https://shop.example"]}),
    ("W164", {"ORIGINS": ["http://shop.example"]}),
    ("E165", {"LIFETIME": 59}),
    ("E165", {"LIFETIME": "600"}),
    ("E165", {"LIFETIME": True}),
    ("E165", {"MAX_LIFETIME": None}),
    ("E166", {"LIFETIME": 601, "MAX_LIFETIME": 600}),
]
RIGHT: list[dict[str, Any]] = [
    {},
    {"ORIGINS": ["https://shop.example", "http://localhost:5173", "http://[::1]:3000"]},
    {"ORIGINS": ("capacitor://localhost", "https://xn--fsq.example:8443")},
    {"LIFETIME": 60, "MAX_LIFETIME": 60},
]


def found(settings: Any, given: Any) -> list[str]:
    settings.FACEVERIFY = settings.FACEVERIFY | {"CLIENT_TOKENS": given}
    messages = tokens.check_client_tokens()
    assert all(message.hint for message in messages)
    return [str(message.id).removeprefix("faceverify.") for message in messages]


@pytest.mark.parametrize(("number", "given"), WRONG)
def test_what_is_wrong(settings: Any, number: str, given: Any) -> None:
    assert found(settings, given) == [number]


@pytest.mark.parametrize("given", RIGHT)
def test_what_is_right(settings: Any, given: dict[str, Any]) -> None:
    assert found(settings, given) == []


def test_a_developer_is_not_warned(settings: Any) -> None:
    settings.DEBUG = True
    assert found(settings, {"ORIGINS": ["http://shop.example"]}) == []


def test_no_settings_are_the_affair_of_other_checks(settings: Any) -> None:
    settings.FACEVERIFY = None
    assert tokens.check_client_tokens() == []


def test_every_number_is_tried() -> None:
    assert set(numbers(Path(tokens.__file__).read_text())) == {number for number, _ in WRONG}
