"""What is wrong with an entry of ``PROVIDERS``, and with what it builds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from django_faceverify.checks import providers
from tests.checks.test_settings import assert_is_found, ids, numbers, options, provider

WRONG: list[tuple[str, dict[str, Any]]] = [
    ("E030", {"PROVIDERS": {}}),
    ("E031", provider(OPTION={})),
    ("E033", provider(BACKEND="no.such.Provider")),
    ("E033", provider(BACKEND=None)),
    ("E033", provider(BACKEND="builtins.dict")),
    ("E034", options(secretkey="typo")),
    ("E035", options(timeout=58)),
    ("E036", {"UNKNOWN_POLICY": "reconcile", **options()}),
]


@pytest.mark.parametrize(("number", "changes"), WRONG, ids=lambda value: str(value)[:60])
def test_it_has_a_number_and_a_hint(settings: Any, number: str, changes: dict[str, Any]) -> None:
    assert_is_found(settings, number, changes)


def test_a_sandbox_in_production_is_seen(settings: Any) -> None:
    sandbox = options(endpoint="http://127.0.0.1:8410/face/idcardcompare")
    settings.FACEVERIFY = {**settings.FACEVERIFY, **sandbox}
    settings.DEBUG = False
    assert ids() == ["faceverify.W032"]
    settings.DEBUG = True
    assert ids() == []


def test_every_number_is_tested() -> None:
    tested = {number for number, _ in WRONG} | {"W032"}
    assert set(numbers(Path(providers.__file__).read_text())) == tested
