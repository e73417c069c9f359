"""What is wrong with a shadow: its shape, its provider, what people were told, whose money it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from django_faceverify.checks import settings as checks
from django_faceverify.checks import shadow
from tests.checks.test_settings import numbers
from tests.shadows import use_shadow

SECOND = {"PROVIDER": "second", "SHARE": 0.05}


def texts(text: dict[str, str], *providers: str) -> dict[str, Any]:
    return {"CONSENT": {"TEXTS": {"demo-1": {"TEXT": text, "PROVIDERS": list(providers)}}}}


#: number, what the level's SHADOW is, other settings
WRONG: list[tuple[str, Any, dict[str, Any]]] = [
    ("E185", "second", {}),
    ("E185", {"PROVIDER": "second", "SHARE": 5}, {}),
    ("E185", {"PROVIDER": "second", "SHARE": "5 %"}, {}),
    ("E185", {"PROVIDER": "second", "SHARE": True}, {}),
    ("E185", {**SECOND, "SHARES": 1}, {}),
    ("E186", {"SHARE": 0.05}, {}),
    ("E186", {**SECOND, "PROVIDER": "third"}, {}),
    ("E186", {**SECOND, "PROVIDER": "default"}, {}),
    ("E186", {**SECOND, "PROVIDER": ["second"]}, {}),
    ("E187", SECOND, texts({"en": "I agree to Second Faces Ltd."})),
    ("E187", SECOND, {"CONSENT": {}}),
    ("W188", SECOND, texts({"en": "I agree."}, "second")),
    ("W188", SECOND, texts({"en": "To Second Faces Ltd.", "zh-hans": "我同意。"}, "second")),
]


def ids() -> list[str]:
    messages = checks.check_settings()
    assert all(message.hint for message in messages)
    return [str(message.id).removeprefix("faceverify.") for message in messages]


def use(settings: Any, given: Any) -> None:
    use_shadow(settings)
    level = {**settings.FACEVERIFY["LEVELS"]["default"], "SHADOW": given}
    settings.FACEVERIFY = {**settings.FACEVERIFY, "LEVELS": {"default": level}}


@pytest.mark.parametrize(("number", "given", "changes"), WRONG, ids=str)
def test_a_wrong_shadow_has_a_number(
    settings: Any, number: str, given: Any, changes: dict[str, Any]
) -> None:
    use(settings, given)
    settings.FACEVERIFY = {**settings.FACEVERIFY, **changes}
    assert ids() == [number]


@pytest.mark.parametrize("given", [None, SECOND, {"PROVIDER": "second"}, {**SECOND, "SHARE": 1}])
def test_a_right_shadow_is_let_pass(settings: Any, given: Any) -> None:
    use(settings, given)
    assert ids() == []


def test_a_shadow_that_spends_the_money_of_another_level(settings: Any) -> None:
    use(settings, SECOND)
    levels = {**settings.FACEVERIFY["LEVELS"], "other": {"PROVIDER": "second", "LIVE": False}}
    settings.FACEVERIFY = {**settings.FACEVERIFY, "LEVELS": levels}
    assert ids() == ["W189"]


def test_the_lines_of_the_second_provider_are_looked_at_too(settings: Any) -> None:
    use_shadow(settings, second={"THRESHOLDS": {"verify_at": 50, "review_at": 60}})
    assert ids() == ["E053"]


def test_a_share_of_nothing_asks_nothing_of_the_consent(settings: Any) -> None:
    use(settings, {**SECOND, "SHARE": 0})
    settings.FACEVERIFY = {**settings.FACEVERIFY, "CONSENT": {}}
    assert ids() == []


def test_every_number_is_tested() -> None:
    source = Path(shadow.__file__).read_text()
    assert set(numbers(source)) == {number for number, *_ in WRONG} | {"W189"}
