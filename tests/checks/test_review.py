"""Every wrong rule for reviewers has its number, and a right one has none."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils.translation import gettext_lazy

from django_faceverify.checks.review import check_review


def level(**entry: Any) -> dict[str, Any]:
    return {"LEVELS": {"default": entry}}


def reasons(**entry: Any) -> dict[str, Any]:
    return {"REVIEW": {"REASONS": entry}}


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("E170", {"REVIEW": []}),
    ("E171", {"REVIEW": {"CLAIM": 60}}),
    ("E172", {"REVIEW": {"CLAIM_SECONDS": 5}}),
    ("E172", {"REVIEW": {"CLAIM_SECONDS": None}}),
    ("E172", {"REVIEW": {"OVERDUE_AFTER": 0}}),
    ("E172", {"REVIEW": {"UNDO_SECONDS": 3601}}),
    ("E172", {"REVIEW": {"UNDO_SECONDS": True}}),
    ("E199", {"REVIEW": {"PHOTO_AHEAD": "no"}}),
    ("E199", {"REVIEW": {"PHOTO_AHEAD": None}}),
    ("E173", {"REVIEW": {"REASONS": []}}),
    ("E173", reasons(verify=["same_person"])),
    ("E174", reasons(approve={"same_person": None})),
    ("E175", reasons(verify={"fraud_suspected": None})),
    ("E176", reasons(verify={})),
    ("E177", reasons(verify={"same_person": 5})),
    ("E178", level(FOUR_EYES="yes")),
    ("E179", level(UNDO_SECONDS=-1)),
    ("E179", level(UNDO_SECONDS="15")),
]


@pytest.mark.parametrize(("number", "changes"), WRONG)
def test_it_has_its_number(settings: Any, number: str, changes: dict[str, Any]) -> None:
    settings.FACEVERIFY = {**settings.FACEVERIFY, **changes}
    assert [message.id for message in check_review()] == [f"faceverify.{number}"]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"REVIEW": {"CLAIM_SECONDS": 30, "OVERDUE_AFTER": 3600, "UNDO_SECONDS": 3600}},
        reasons(verify={"same_person": gettext_lazy("the same"), "confirmed_by_call": None}),
        level(FOUR_EYES=True, UNDO_SECONDS=0),
        {"LEVELS": []},  # the checks of the settings say so
    ],
    ids=str,
)
def test_nothing_is_said_about_what_is_right(settings: Any, changes: dict[str, Any]) -> None:
    settings.FACEVERIFY = {**settings.FACEVERIFY, **changes}
    assert check_review() == []
