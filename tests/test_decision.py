"""Every boundary of the rules, exactly on it and one step to each side."""

from __future__ import annotations

import math

import pytest

from django_faceverify.decision import (
    Decision,
    Thresholds,
    Tries,
    decide_finding,
    decide_similarity,
)
from django_faceverify.reasons import REASONS, Category, ReasonCode

LINES = Thresholds(verify_at=80.0, review_at=70.0)
PLENTY = Tries(photos_left=3, submissions_left=10)


@pytest.mark.parametrize(
    ("similarity", "action"),
    [
        (100.0, "verify"),
        (math.nextafter(80.0, 100), "verify"),
        (80.0, "verify"),
        (math.nextafter(80.0, 0), "refer"),
        (math.nextafter(70.0, 100), "refer"),
        (70.0, "refer"),
        (math.nextafter(70.0, 0), "ask_again"),
        (0.0, "ask_again"),
    ],
)
def test_both_lines_belong_to_the_better_side(similarity: float, action: str) -> None:
    assert decide_similarity(similarity, LINES, PLENTY).action == action


@pytest.mark.parametrize(
    "similarity",
    [math.nan, math.inf, -math.inf, math.nextafter(0.0, -1), math.nextafter(100.0, 101), 1e9],
)
def test_what_is_no_similarity_is_not_judged(similarity: float) -> None:
    with pytest.raises(ValueError, match="finite number"):
        decide_similarity(similarity, LINES, PLENTY)


@pytest.mark.parametrize(
    ("verify_at", "review_at"), [(70, 80), (101, 70), (80, -1), (math.nan, 70), (80, math.nan)]
)
def test_thresholds_out_of_order_or_range_are_refused(verify_at: float, review_at: float) -> None:
    with pytest.raises(ValueError, match="thresholds"):
        Thresholds(verify_at, review_at)


def test_equal_thresholds_leave_no_room_for_review() -> None:
    lines = Thresholds(75.0, 75.0)
    assert decide_similarity(75.0, lines, PLENTY).action == "verify"
    assert decide_similarity(math.nextafter(75.0, 0), lines, PLENTY).action == "ask_again"


@pytest.mark.parametrize(
    ("tries", "expected"),
    [
        (Tries(3, 10), Decision("ask_again", "face_mismatch", counts=True)),
        (Tries(2, 10), Decision("ask_again", "face_mismatch", counts=True)),
        (Tries(1, 10), Decision("reject", "face_mismatch", counts=True)),
        (Tries(0, 10), Decision("reject", "face_mismatch", counts=True)),
        (Tries(2, 0), Decision("refer", "photos_exhausted", counts=True)),
    ],
)
def test_a_mismatch_uses_up_a_try(tries: Tries, expected: Decision) -> None:
    assert decide_similarity(12.0, LINES, tries) == expected


@pytest.mark.parametrize(
    ("tries", "expected"),
    [
        (Tries(1, 5), Decision("ask_again", "no_face")),
        (Tries(1, 0), Decision("refer", "photos_exhausted")),
        (Tries(2, 5, counts_photo_problems=True), Decision("ask_again", "no_face", counts=True)),
        (
            Tries(1, 5, counts_photo_problems=True),
            Decision("refer", "photos_exhausted", counts=True),
        ),
    ],
)
def test_a_photo_problem_rejects_nobody(tries: Tries, expected: Decision) -> None:
    assert decide_finding(ReasonCode.NO_FACE, tries) == expected


@pytest.mark.parametrize("reason_code", ReasonCode.values)
def test_every_reason_has_a_place(reason_code: str) -> None:
    decision = decide_finding(reason_code, PLENTY)
    category = REASONS[reason_code].category
    if category in (Category.MISMATCH, Category.IDENTITY, Category.PHOTO):
        assert decision.action == "ask_again"
    else:
        assert decision.action == "refer"
    assert decision.reason_code == reason_code
