"""A reviewer's decision through the API."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from django_faceverify import sweeper
from django_faceverify.api.openapi.description import refusals
from django_faceverify.models import Event, Review, Verification, VerificationAttempt
from django_faceverify.models.clock import db_now
from tests.api.asking import assert_problem, decided, in_review, one, send
from tests.scripted import similarity

DECISIONS = [
    ("verify", "same_person", "verified"),
    ("reject", "different_person", "rejected"),
    ("retry", "better_photo_needed", "requires_input"),
]


def decide(client: APIClient, case: Verification, **more: Any) -> Any:
    headers = {key: more.pop(key) for key in list(more) if key.startswith("HTTP_")}
    body = {"decision": "verify", "reason_code": "same_person"} | more
    return send(client, one(case, "review/"), body, **headers)


@pytest.mark.parametrize(("decision", "reason", "status"), DECISIONS)
def test_decisions(
    as_reviewer: APIClient, alice: User, reviewer: User, decision: str, reason: str, status: str
) -> None:
    case = in_review(alice)
    response = decide(
        as_reviewer, case, decision=decision, reason_code=reason, note="Compared by eye.\nTwice."
    )
    assert response.status_code == 200
    shown = response.json()
    assert shown["status"] == status
    assert shown["reason_code"] == reason
    case.refresh_from_db()
    assert case.review_note.unseal() == "Compared by eye.\nTwice."
    if status != "requires_input":
        assert case.decided_by == reviewer
        assert shown["decision_source"] == "reviewer"
    assert_problem(decide(as_reviewer, case), 409, "not_in_review")


def test_what_the_subject_is_told(as_alice: APIClient, as_reviewer: APIClient, alice: User) -> None:
    case = in_review(alice)
    decide(as_reviewer, case, decision="reject", reason_code="fraud_suspected")
    told = as_alice.get(one(case)).json()
    assert told["reason_code"] == "not_matched"
    by_machine = decided(alice, similarity(1), similarity(2), similarity(3))
    assert told["message"] == as_alice.get(one(by_machine)).json()["message"]


def test_not_ones_own_case(as_reviewer: APIClient, reviewer: User) -> None:
    case = in_review(reviewer)
    assert_problem(decide(as_reviewer, case), 403, "own_case")
    case.refresh_from_db()
    assert case.status == "in_review"


def test_as_it_was_seen(as_reviewer: APIClient, alice: User) -> None:
    case = in_review(alice)
    tag = as_reviewer.get(one(case))["ETag"]
    for stale in ('"other"', "garbage", "", f"{tag[:-2]}x"):
        assert_problem(decide(as_reviewer, case, HTTP_IF_MATCH=stale), 412, "changed_meanwhile")
    assert decide(as_reviewer, case, HTTP_IF_MATCH=f'"older", W/{tag}').status_code == 200


def test_any_version(as_reviewer: APIClient, alice: User) -> None:
    assert decide(as_reviewer, in_review(alice), HTTP_IF_MATCH="*").status_code == 200


def test_changed_after_it_was_seen(as_reviewer: APIClient, alice: User) -> None:
    case = in_review(alice)
    tag = as_reviewer.get(one(case))["ETag"]
    VerificationAttempt.objects.update(similarity=99, provider_message="a late answer")
    assert_problem(decide(as_reviewer, case, HTTP_IF_MATCH=tag), 412, "changed_meanwhile")


def test_changed_at_the_last_moment(
    as_reviewer: APIClient, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between our comparison of the tags and the transition, somebody was faster."""
    from django_faceverify import intake

    case = in_review(alice)
    tag = as_reviewer.get(one(case))["ETag"]
    review = intake.review

    def late(verification: Verification, **more: Any) -> Verification:
        Verification.objects.filter(pk=verification.pk).update(updated_at=verification.created_at)
        return review(verification, **more)

    monkeypatch.setattr(intake, "review", late)
    assert_problem(decide(as_reviewer, case, HTTP_IF_MATCH=tag), 412, "changed_meanwhile")
    case.refresh_from_db()
    assert case.status == "in_review"


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("decision", "approve", "decision_invalid"),
        ("decision", None, "decision_invalid"),
        ("decision", ["verify"], "decision_invalid"),
        ("decision", {"a": 1}, "decision_invalid"),
        ("decision", 1, "decision_invalid"),
        ("reason_code", "", "reason_invalid"),
        ("reason_code", None, "reason_invalid"),
        ("reason_code", "fraud_suspected", "reason_invalid"),
        ("reason_code", ["same_person"], "reason_invalid"),
        ("reason_code", "\ud800", "reason_invalid"),
        ("note", "x" * 2001, "note_invalid"),
        ("note", 7, "note_invalid"),
        ("note", "\u202eabc", "note_invalid"),
        ("note", "a\x00b", "note_invalid"),
        ("note", "\ud800", "note_invalid"),
        ("notes", "a typo", "unknown_field"),
    ],
)
def test_bad_input(
    as_reviewer: APIClient, alice: User, field: str, value: object, code: str
) -> None:
    case = in_review(alice)
    events = Event.objects.count()
    assert_problem(decide(as_reviewer, case, **{field: value}), 400, code, field)
    case.refresh_from_db()
    assert case.status == "in_review"
    assert Event.objects.count() == events


def test_a_decision_is_held_and_undone(as_reviewer: APIClient, alice: User, settings: Any) -> None:
    settings.FACEVERIFY = {**settings.FACEVERIFY, "REVIEW": {"UNDO_SECONDS": 60}}
    case = in_review(alice)
    held = decide(as_reviewer, case)
    assert (held.status_code, held.json()["status"]) == (200, "in_review")
    undone = send(as_reviewer, one(case, "review/undo/"), {})
    assert (undone.status_code, undone.json()["status"]) == (200, "in_review")
    decide(as_reviewer, case, decision="reject", reason_code="different_person")
    Review.objects.update(due_at=db_now(-1))
    sweeper.sweep()
    assert as_reviewer.get(one(case)).json()["status"] == "rejected"


def test_undoing_what_is_decided_is_refused_as_described(
    as_reviewer: APIClient, alice: User
) -> None:
    case = in_review(alice)
    decide(as_reviewer, case)
    assert_problem(send(as_reviewer, one(case, "review/undo/"), {}), 409, "not_in_review")
    assert "not_in_review" in refusals("POST", "verifications/{verification_id}/review/undo/")[409]


def test_two_people_decide(
    as_reviewer: APIClient, as_root: APIClient, alice: User, settings: Any
) -> None:
    level = {"PROVIDER": "default", "LIVE": False, "FOUR_EYES": True}
    settings.FACEVERIFY = {**settings.FACEVERIFY, "LEVELS": {"default": level}}
    case = in_review(alice)
    assert decide(as_reviewer, case).json()["status"] == "in_review"
    assert_problem(decide(as_reviewer, case), 403, "same_person_twice")
    events = as_root.get(one(case, "events/")).content.decode()
    assert "review_proposed" in events
    assert "same_person" not in events  # not before the second person has judged
    assert decide(as_root, case).json()["status"] == "verified"
