"""What one case adds: by hand, and for any history however it is cut."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from django_faceverify.figures.cases import cells_of
from django_faceverify.figures.cells import Cell
from django_faceverify.figures.scale import bucket_of
from tests.figures.histories import NOON, History

DAY = date(2026, 3, 2)


def cell(kind: str, **facts: object) -> Cell:
    day = facts.pop("day", DAY)
    return Cell(day, kind, "live", "default", **facts)  # type: ignore[arg-type]


def test_verified_by_the_thresholds() -> None:
    assert cells_of("live", History().compared(93.25)) == Counter(
        [
            cell("opened"),
            cell("ended", source="threshold", result="verified"),
            cell("reason", source="system", result="verified"),
            cell("similarity", source="threshold", result="verified", bucket=93),
            cell("comparison", source="threshold", result="verified", bucket=932),
        ]
    )


def test_reviewed_on_another_day() -> None:
    history = History().compared(72).later(hours=25).decided("rejected", reason="other_person")
    next_day = DAY + timedelta(days=1)
    waited = bucket_of(timedelta(hours=25, minutes=1).total_seconds())
    assert cells_of("live", history) == Counter(
        [
            cell("opened"),
            cell("ended", day=next_day, source="reviewer", result="rejected"),
            cell("reason", source="system", result="review_opened", detail="low_similarity"),
            cell("reason", day=next_day, source="person", result="rejected", detail="other_person"),
            cell("similarity", source="threshold", result="in_review", bucket=72),
            cell("comparison", source="threshold", result="in_review", detail="rejected", bucket=720),
            cell("review", day=next_day, source="with", result="rejected", bucket="user:7"),
            cell("waited", day=next_day, bucket=waited),
        ]
    )  # fmt: skip


def kinds(history: History, kind: str) -> list[tuple[str, str, str, int | str | None]]:
    found = cells_of("live", history)
    assert all(count == 1 for one, count in found.items() if one.kind == kind)
    return [(c.source, c.result, c.detail, c.bucket) for c in found if c.kind == kind]


def test_only_the_last_comparison_counts() -> None:
    history = History().compared(30).compared(91)
    assert kinds(history, "comparison") == [("threshold", "verified", "", 910)]
    assert kinds(history, "reason") == [
        ("system", "input_required", "face_mismatch", None),
        ("system", "verified", "", None),
    ]


def test_what_people_said_before_another_photo_is_not_about_it() -> None:
    history = History().compared(72).decided("input_required", reason="photo_unclear")
    assert kinds(history, "comparison") == [("threshold", "in_review", "input_required", 720)]
    assert kinds(history.compared(85), "comparison") == [("threshold", "verified", "", 850)]
    assert kinds(history, "review") == [("", "input_required", "", "user:7")]


def test_with_and_against_the_score() -> None:
    for similarity, decision, side in (
        (75, "verified", "with"),
        (74.9, "verified", "against"),
        (74.9, "rejected", "with"),
        (75, "rejected", "against"),
    ):
        history = History().compared(similarity).decided(decision)
        assert kinds(history, "review") == [(side, decision, "", "user:7")]


def test_the_provider_said_no() -> None:
    """At a similarity that our own thresholds would have liked."""
    history = History().compared(85, action="input_required", reason="face_mismatch")
    found = cells_of("live", history, verdicts={1})
    assert cell("comparison", source="provider", result="mismatch", bucket=850) in found
    ended = History().compared(85, action="rejected", reason="face_mismatch")
    assert cell("ended", source="provider", result="rejected") in cells_of("live", ended, {1})
    assert cell("ended", source="threshold", result="rejected") in cells_of("live", ended)


def test_a_finding_without_a_similarity_is_no_comparison() -> None:
    history = History().compared(None, action="rejected", reason="id_name_mismatch")
    assert kinds(history, "comparison") == []
    assert kinds(history, "ended") == [("provider", "rejected", "", None)]


def test_reopened_cases_have_not_ended() -> None:
    history = History().compared(95).reopened("verified")
    assert kinds(history, "ended") == []
    assert kinds(history, "taken_back") == [("", "open", "", "system")]
    history.decided("rejected", reviewer=8)
    assert kinds(history, "ended") == [("reviewer", "rejected", "", None)]
    assert kinds(history, "taken_back") == [("", "different", "", "system")]
    assert kinds(history, "comparison") == [("threshold", "verified", "rejected", 950)]


def test_a_second_decision_that_is_the_same() -> None:
    history = History().compared(72).decided("verified", 7).reopened("verified")
    history.decided("verified", 8)
    assert kinds(history, "taken_back") == [("", "same", "", "user:7")]
    assert sorted(kinds(history, "review")) == [
        ("against", "verified", "", "user:7"),
        ("against", "verified", "", "user:8"),
    ]


def test_canceled_and_expired() -> None:
    assert kinds(History().tell("canceled", "canceled_by_subject", actor="user:1"), "ended") == [
        ("", "canceled", "", None)
    ]
    assert kinds(History().tell("expired", "not_started_in_time"), "ended") == [
        ("", "expired", "", None)
    ]


def test_days_are_those_of_the_books() -> None:
    """Five in the afternoon in UTC is one o'clock of the next day in Shanghai."""
    late = History(NOON + timedelta(hours=13))
    assert [one.day for one in cells_of("live", late)] == [DAY + timedelta(days=1)]


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Any order of what can happen, possible or not."""
    history = History()
    steps = st.sampled_from(["compare", "verdict", "decide", "reopen", "refer", "cancel", "wait"])
    for step in draw(st.lists(steps, max_size=12)):
        if step == "compare":
            history.compared(draw(st.floats(0, 100)))
        elif step == "verdict":
            history.compared(draw(st.floats(0, 100)), action="rejected", reason="face_mismatch")
        elif step == "decide":
            decisions = ["verified", "rejected", "input_required"]
            history.decided(draw(st.sampled_from(decisions)), draw(st.integers(7, 9)))
        elif step == "reopen":
            history.reopened("verified")
        elif step == "refer":
            history.tell("review_opened", "deadline_passed")
        elif step == "cancel":
            history.tell("canceled", "canceled_by_subject", actor="user:1")
        else:
            history.later(hours=draw(st.integers(1, 60)))
    return history


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(history=histories(), verdicts=st.sets(st.integers(1, 6)), data=st.data())
def test_pieces_add_up(history: History, verdicts: set[int], data: st.DataObject) -> None:
    """However a history is cut, the differences sum up to the whole; nothing goes below zero."""
    cuts = data.draw(st.lists(st.integers(0, len(history.facts))))
    total: Counter[Cell] = Counter()
    before = 0
    for cut in [*sorted(cuts), len(history.facts)]:
        total.update(cells_of("live", history.facts[:cut], verdicts))
        total.subtract(cells_of("live", history.facts[:before], verdicts))
        before = cut
        assert min(total.values(), default=0) >= 0
    whole = cells_of("live", history, verdicts)
    assert +total == whole
    for kind, most in (("opened", 1), ("ended", 1), ("similarity", 1), ("comparison", 1)):
        assert sum(count for one, count in whole.items() if one.kind == kind) <= most
