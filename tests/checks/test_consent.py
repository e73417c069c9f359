"""What is wrong with what people are told, and that a right site hears nothing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.utils.functional import lazystr

from django_faceverify.checks import consent as consent_checks
from django_faceverify.conf import DEMO_TEXT
from tests.checks.test_settings import numbers


def consent(**changes: Any) -> dict[str, Any]:
    return {"CONSENT": {"CURRENT": "1", "TEXTS": {"1": {"TEXT": {"en": "I agree."}}}, **changes}}


def text(**entry: Any) -> dict[str, Any]:
    return consent(TEXTS={"1": entry})


def provider(legal: Any) -> dict[str, Any]:
    return {
        "PROVIDERS": {"default": {"BACKEND": "tests.scripted.ScriptedProvider", "LEGAL": legal}}
    }


def live(**entry: Any) -> dict[str, Any]:
    return {"LEVELS": {"default": {"LIVE": True, "ALTERNATIVE_URL": "/counter/", **entry}}}


COMPANY = {"NAME": "Example Faces Ltd", "CONTACT": "privacy@example.com"}

WRONG: list[tuple[str, dict[str, Any]]] = [
    ("E140", {"CONSENT": []}),
    ("E140", {"CONSENT": None}),
    ("E141", consent(REQUIERD=True)),
    ("E141", text(TEXTS={"en": "I agree."}, TEXT={"en": "I agree."})),
    ("E141", provider({**COMPANY, "PHONE": "1"})),
    ("E142", consent(REQUIRED="yes")),
    ("E143", consent(TEXTS={})),
    ("E143", consent(TEXTS=["1"])),
    ("E143", consent(TEXTS={"1": "I agree."})),
    ("E143", consent(TEXTS={1: {"TEXT": {"en": "I agree."}}})),
    ("E143", consent(TEXTS={"x" * 51: {"TEXT": {"en": "I agree."}}})),
    ("E144", text()),
    ("E144", text(TEXT="I agree.")),
    ("E144", text(TEXT={"en": " "})),
    ("E144", text(TEXT={"en": None})),
    ("E144", text(TEXT={None: "I agree."})),
    ("E144", text(TEXT={"en": "I agree."}, TEMPLATE={"en": "agree.txt"})),
    ("E144", text(TEXT={"en": "I agree."}, PURPOSE="")),
    ("E145", text(TEMPLATE={"en": "no/such.txt"})),
    ("E146", consent(CURRENT="2")),
    ("E146", consent(CURRENT=None)),
    ("E146", {"CONSENT": {"TEXTS": {"1": {"TEXT": {"en": "I agree."}}}}}),
    ("E147", provider("Example Faces Ltd")),
    ("E147", provider({"NAME": None})),
    ("E148", {"ALTERNATIVE_URL": None}),
    ("E148", {"ALTERNATIVE_URL": "counter"}),
    ("E148", {"ALTERNATIVE_URL": "javascript:alert(1)"}),
    ("E148", {"ALTERNATIVE_URL": "//elsewhere.example.com/"}),
    ("E148", {"ALTERNATIVE_URL": "https://[::1"}),
    ("E148", live(ALTERNATIVE_URL=5)),
    ("W149", {**live(), **consent(REQUIRED=False)}),
    ("W150", {**live(), "CONSENT": {}}),
    ("W150", {**live(), **consent(TEXTS={"1": DEMO_TEXT})}),
    ("W151", live(ALTERNATIVE_URL=None)),
    ("W151", {**live(ALTERNATIVE_URL=""), "ALTERNATIVE_URL": "/counter/"}),
    ("W152", {**live(), **provider({})}),
    ("W152", {**live(), **provider({"NAME": "Example Faces Ltd"})}),
]

RIGHT: list[dict[str, Any]] = [
    {},
    live(),
    {**live(ALTERNATIVE_URL=None), "ALTERNATIVE_URL": "https://example.com/counter"},
    {**live(ALTERNATIVE_URL=lazystr("/counter/"))},
    {**live(), **consent()},
    {**live(), **text(TEMPLATE=DEMO_TEXT["TEMPLATE"], PURPOSE="of our own")},
    {**live(), **text(TEXT={"en": lazystr("I agree."), "zh-hans": "我同意。"})},
    {"LEVELS": {"default": {"LIVE": False}}, **provider({}), "CONSENT": {}},
]  # fmt: skip

#: what the checks of the settings has to say, and what must not keep this from answering
BROKEN: list[dict[str, Any]] = [
    {"LEVELS": []}, {"PROVIDERS": []}, {"LEVELS": {"default": "default"}},
    {"PROVIDERS": {"default": None}}, live(THRESHOLDS="high", PROVIDER=None),
]  # fmt: skip


def ids() -> list[str]:
    messages = consent_checks.check_consent()
    assert all(message.hint for message in messages)
    return [str(message.id).removeprefix("faceverify.") for message in messages]


@pytest.mark.parametrize(("number", "changes"), WRONG)
def test_every_wrong_shape_has_a_number(
    number: str, changes: dict[str, Any], settings: Any
) -> None:
    settings.FACEVERIFY = {**settings.FACEVERIFY, **changes}
    assert ids()[:1] == [number]


@pytest.mark.parametrize("changes", RIGHT)
def test_a_right_site_hears_nothing(changes: dict[str, Any], settings: Any) -> None:
    settings.FACEVERIFY = {**settings.FACEVERIFY, **changes}
    assert ids() == []


@pytest.mark.parametrize("changes", BROKEN)
def test_what_another_check_says_is_not_said_twice(changes: dict[str, Any], settings: Any) -> None:
    settings.FACEVERIFY = {**settings.FACEVERIFY, **changes}
    assert ids() == []


def test_settings_that_are_no_dict(settings: Any) -> None:
    settings.FACEVERIFY = None
    assert ids() == []


def test_a_template_that_is_none(settings: Any, tmp_path: Path) -> None:
    (tmp_path / "agree.txt").write_text("{% if %}")
    engine = {**settings.TEMPLATES[0], "DIRS": [tmp_path]}
    settings.TEMPLATES = [engine]
    settings.FACEVERIFY = {**settings.FACEVERIFY, **text(TEMPLATE={"en": "agree.txt"})}
    assert ids() == ["E145"]


def test_while_a_site_is_developed_nothing_is_asked_for_real_people(settings: Any) -> None:
    settings.DEBUG = True
    settings.FACEVERIFY = {**settings.FACEVERIFY, **live(ALTERNATIVE_URL=None), "CONSENT": {}}
    assert ids() == []


def test_every_number_is_tested() -> None:
    assert set(numbers(Path(consent_checks.__file__).read_text())) == {name for name, _ in WRONG}
    assert all(re.fullmatch(r"[EW]1(4|5)\d", name) for name, _ in WRONG)
