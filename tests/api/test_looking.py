"""Looking at one verification: what whom is told, polling, languages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.test import APIClient

from django_faceverify import intake
from django_faceverify.disclosure import reason_for_subject
from django_faceverify.exceptions import Throttled
from django_faceverify.models import Verification
from django_faceverify.reasons import REASONS, Category, ReasonCode
from tests.api.asking import VERIFICATIONS, decided, found, in_review, one
from tests.api.test_creation import SUBJECT_KEYS
from tests.conftest import submitted
from tests.scripted import similarity

STAFF_KEYS = SUBJECT_KEYS | {
    "user", "idcard_number_mask", "similarity", "thresholds", "provider", "decision_source",
    "redacted_at", "attempts", "photos", "consents",
}  # fmt: skip

MISMATCHES = {
    "face": similarity(12.25),
    "nearly the same face": similarity(69.75),
    "name": found("id_name_mismatch"),
}


def without_identity(shown: dict[str, Any]) -> dict[str, Any]:
    """What is left to compare between two cases."""
    return {k: v for k, v in shown.items() if k not in ("id", "created_at", "expires_at")}


def test_the_subject_learns_nothing_from_a_mismatch(as_alice: APIClient, alice: User) -> None:
    bodies = []
    for answer in MISMATCHES.values():
        case = decided(alice, answer)
        shown = as_alice.get(one(case)).json()
        assert set(shown) == SUBJECT_KEYS
        assert shown["status"] == "requires_input"
        assert shown["reason_code"] == "not_matched"
        assert shown["last_error"] == {
            "code": "not_matched",
            "message": str(REASONS["not_matched"].message),
            "fixable_by": "subject",
        }
        bodies.append(without_identity(shown))
    assert bodies[0] == bodies[1] == bodies[2]
    listed = [without_identity(row) for row in as_alice.get(VERIFICATIONS).json()["results"]]
    assert listed == bodies


def test_the_subject_learns_nothing_from_a_rejection(as_alice: APIClient, alice: User) -> None:
    bodies = []
    for answer in MISMATCHES.values():
        case = decided(alice, answer, answer, answer)
        shown = without_identity(as_alice.get(one(case)).json())
        assert shown["status"] == "rejected"
        assert shown["reason_code"] == "not_matched"
        assert shown["last_error"] is None
        assert shown["photos_left"] == 0
        assert "new photo" not in shown["message"]
        del shown["decided_at"]
        bodies.append(shown)
    assert bodies[0] == bodies[1] == bodies[2]


def test_the_subject_learns_nothing_from_a_review(as_alice: APIClient, alice: User) -> None:
    bodies = []
    for answer in (similarity(75), found("id_not_found"), found("id_photo_poor")):
        shown = as_alice.get(one(decided(alice, answer))).json()
        assert shown["status"] == "in_review"
        assert shown["reason_code"] == ""
        assert shown["message"].startswith("Your case is being looked at by a person")
        bodies.append(without_identity(shown))
    assert bodies[0] == bodies[1] == bodies[2]


def test_a_photo_problem_is_told_as_it_is(as_alice: APIClient, alice: User) -> None:
    shown = as_alice.get(one(decided(alice, found("multiple_faces")))).json()
    assert shown["last_error"]["code"] == shown["reason_code"] == "multiple_faces"
    assert shown["message"] == shown["last_error"]["message"]
    assert shown["photos_left"] == 3


def test_why_it_takes_so_long(as_alice: APIClient, alice: User) -> None:
    case = decided(alice, Throttled("provider_throttled", "15", "", 200, 30.0))
    response = as_alice.get(one(case))
    error = response.json()["last_error"]
    assert error["code"] == "provider_throttled"
    assert error["fixable_by"] == "provider"
    assert 1 <= error["retry_after"] <= 31
    assert response["Retry-After"] == "15"
    with freeze(case, seconds=3):
        soon = as_alice.get(one(case))
    assert soon["Retry-After"] == str(soon.json()["last_error"]["retry_after"]) == "3"
    assert soon["ETag"] == response["ETag"]


@contextmanager
def freeze(case: Verification, seconds: float) -> Iterator[None]:
    """So long before the next call of a case, whatever the clock says."""
    case.refresh_from_db()
    assert case.next_run_at
    moment = case.next_run_at - timedelta(seconds=seconds)
    with patch("django.utils.timezone.now", lambda: moment):
        yield


#: trouble between the site and its provider, or its keys
SITE_ONLY = {"provider_config", "provider_arrears", "seal_broken"}


def test_no_reason_of_a_secret_kind_reaches_the_subject() -> None:
    secret_kinds = {Category.MISMATCH, Category.IDENTITY, Category.REGISTRY}
    secret = {code for code in ReasonCode.values if REASONS[code].category in secret_kinds}
    secret |= {"different_person", "fraud_suspected", "low_similarity"}
    for status in Verification.Status.values:
        told = {code: reason_for_subject(status, code) for code in ("", *ReasonCode.values)}
        coarse = "" if status == "in_review" else "not_matched"
        assert {told[code] for code in secret} == {coarse}
        for code in set(told) - secret - SITE_ONLY:
            assert told[code] == ("" if status == "in_review" else code)


def test_what_a_site_owes_is_not_told() -> None:
    for code in SITE_ONLY:
        assert reason_for_subject("processing", code) == "provider_unavailable"


def test_staff_see_how_it_was_decided(as_reviewer: APIClient, alice: User) -> None:
    case = decided(alice, similarity(12.5), similarity(95))
    shown = as_reviewer.get(one(case)).json()
    assert set(shown) == STAFF_KEYS
    assert shown["status"] == "verified"
    assert shown["similarity"] == 95
    assert shown["thresholds"] == {
        "verify_at": 80, "review_at": 70, "target_far": None, "review_far": None, "far_table": None
    }  # fmt: skip
    assert shown["provider"] == "default"
    assert shown["decision_source"] == "threshold"
    assert shown["idcard_number_mask"] == "000***********0011"
    assert shown["user"] == alice.pk
    assert [attempt["similarity"] for attempt in shown["attempts"]] == [12.5, 95]
    assert [attempt["number"] for attempt in shown["attempts"]] == [1, 2]
    assert set(shown["photos"][0]) == {
        "id", "source", "width", "height", "byte_size", "submitted_at", "purged_at"
    }  # fmt: skip
    assert shown["attempts"][1]["photo"] == shown["photos"][1]["id"]


def test_staff_see_the_reason(as_reviewer: APIClient, alice: User) -> None:
    shown = as_reviewer.get(one(decided(alice, found("id_name_mismatch")))).json()
    assert shown["reason_code"] == shown["last_error"]["code"] == "id_name_mismatch"
    undecided = as_reviewer.get(one(submitted(alice))).json()
    assert undecided["thresholds"] is None
    assert undecided["similarity"] is None


def test_nothing_personal_is_shown_to_anybody(
    as_reviewer: APIClient, as_alice: APIClient, alice: User, idcard: dict[str, Any]
) -> None:
    case = decided(alice)
    for client in (as_reviewer, as_alice):
        for response in (client.get(one(case)), client.get(VERIFICATIONS)):
            assert idcard["idcard_name"] not in response.content.decode()
            assert idcard["idcard_number"] not in response.content.decode()


def test_polling(as_alice: APIClient, alice: User) -> None:
    case = submitted(alice)
    first = as_alice.get(one(case))
    assert first["Retry-After"] == "1"
    assert first["Cache-Control"] == "private, no-cache"
    seen: dict[str, Any] = {"HTTP_IF_NONE_MATCH": first["ETag"]}
    case.refresh_from_db()
    if first.json()["last_error"] is None:
        same = as_alice.get(one(case), **seen)
        assert same.status_code == 304
        assert same.content == b""
        assert same["ETag"] == first["ETag"]
        assert same["Retry-After"] == "1"
    assert as_alice.get(one(case), HTTP_IF_NONE_MATCH="*").status_code == 304
    assert as_alice.get(one(case), HTTP_IF_NONE_MATCH=f"W/{first['ETag']}").status_code == 304
    assert as_alice.get(one(case), HTTP_IF_NONE_MATCH='"other"').status_code == 200
    assert as_alice.get(one(case), HTTP_IF_NONE_MATCH="\x00garbage").status_code == 200
    intake.cancel(case, user=alice)
    changed = as_alice.get(one(case), **seen)
    assert changed.status_code == 200
    assert changed["ETag"] != first["ETag"]
    assert "Retry-After" not in changed


def test_head(as_alice: APIClient, alice: User) -> None:
    response = as_alice.head(one(submitted(alice)))
    assert response.status_code == 200
    assert response["ETag"]


def test_a_level_that_the_site_has_removed(as_alice: APIClient, alice: User, settings: Any) -> None:
    case = decided(alice, found("no_face"))
    settings.FACEVERIFY = {**settings.FACEVERIFY, "LEVELS": {"other": {"PROVIDER": "default"}}}
    assert as_alice.get(one(case)).json()["photos_left"] == 0


def test_the_language_is_the_callers(as_alice: APIClient, alice: User) -> None:
    case = in_review(alice)
    for wanted, given in (("de", "de"), ("zh-CN,zh;q=0.9", "zh-hans"), ("xx, *", "en")):
        response = as_alice.get(one(case), HTTP_ACCEPT_LANGUAGE=wanted)
        assert response["Content-Language"] == given
        assert {"Accept-Language", "Authorization", "Cookie"} <= {
            name.strip() for name in response["Vary"].split(",")
        }
    problem = as_alice.get(one("nobody"), HTTP_ACCEPT_LANGUAGE="de").json()
    assert problem["detail"] == "Nicht gefunden."


def test_times_are_utc(as_alice: APIClient, alice: User) -> None:
    shown = as_alice.get(one(submitted(alice))).json()
    assert shown["created_at"].endswith("Z")
    assert shown["created_at"][:4] == str(timezone.now().year)
