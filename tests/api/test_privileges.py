"""To reveal an identity, and to take a decision back, over the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from rest_framework.test import APIClient

from django_faceverify.headers import PRIVATE_HEADERS
from django_faceverify.models import IdempotencyRecord, Verification
from tests.api.asking import assert_problem, decided, in_review, one, send
from tests.conftest import IDCARD_NAME, IDCARD_NUMBER

WHY = {"reason_code": "complaint", "note": "complaint 4711"}


@pytest.fixture
def as_staff(db: None) -> Callable[..., APIClient]:
    """Somebody with just these permissions."""

    def make(name: str, *codenames: str) -> APIClient:
        user = User.objects.create_user(name)
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        client = APIClient()
        client.force_authenticate(user)
        return client

    return make


@pytest.fixture
def as_revealer(as_staff: Callable[..., APIClient]) -> APIClient:
    return as_staff("revealer", "view_verification", "reveal_identity")


def limited(settings: Any, **changes: int) -> None:
    quotas = {**settings.FACEVERIFY["QUOTAS"], **changes}
    settings.FACEVERIFY = {**settings.FACEVERIFY, "QUOTAS": quotas}


# --- export ---


def test_an_export_tells_everything_once_and_is_on_record(
    as_staff: Callable[..., APIClient], alice: User
) -> None:
    case = in_review(alice)
    client = as_staff("exporter", "view_verification", "export_verification")
    body = {"note": "letter of 3 May"}
    response = send(client, one(case, "export/"), body)
    assert response.status_code == 200
    told = response.json()
    assert (told["idcard_name"], told["idcard_number"]) == (IDCARD_NAME, IDCARD_NUMBER)
    assert {"attempts", "photos", "consents", "events"} <= set(told)
    assert not {"idcard_number_index", "mac", "file_name"} & set(told)
    for header, value in PRIVATE_HEADERS.items():
        assert response[header] == value
    [event] = case.events.filter(action="revealed")
    assert event.data["reason"] == "subject_rights"
    assert case.reveals.get().note.unseal() == "letter of 3 May"


def test_an_export_does_not_tell_the_second_person_what_the_first_one_thinks(
    as_staff: Callable[..., APIClient], alice: User, settings: Any
) -> None:
    level = {**settings.FACEVERIFY["LEVELS"]["default"], "FOUR_EYES": True}
    settings.FACEVERIFY = {**settings.FACEVERIFY, "LEVELS": {"default": level}}
    case = in_review(alice)
    may = ("view_verification", "review_verification", "export_verification")
    judgement = {"decision": "reject", "reason_code": "different_person", "note": "a twin"}
    first, second = as_staff("first", *may), as_staff("second", *may)
    assert send(first, one(case, "review/"), judgement).json()["status"] == "in_review"
    told = [
        send(client, one(case, "export/"), {"note": WHY["note"]}).json()["judgements"]
        for client in (first, second)
    ]
    assert [one["note"] for one in told[0]] == ["a twin"]
    assert told[1] == []
    columns = [event.data["column"] for event in case.events.filter(action="revealed")]
    assert ["judgement.note" in one for one in columns] == [True, False]


@pytest.mark.parametrize("note", [None, "", "no", 7, []])
def test_an_export_needs_words(
    as_staff: Callable[..., APIClient], alice: User, note: object
) -> None:
    case = in_review(alice)
    client = as_staff("exporter", "view_verification", "export_verification")
    response = send(client, one(case, "export/"), {"note": note})
    assert response.status_code == 400
    assert not case.events.filter(action="revealed").exists()


def test_exports_count_as_reveals(
    as_staff: Callable[..., APIClient], alice: User, settings: Any
) -> None:
    limited(settings, REVEALS_PER_REVIEWER_HOUR=1)
    case = in_review(alice)
    client = as_staff("exporter", "view_verification", "export_verification")
    body = {"note": "letter of 3 May"}
    assert send(client, one(case, "export/"), body).status_code == 200
    assert_problem(send(client, one(case, "export/"), body), 429, "too_many_reveals")


# --- reveal -------------------------------------------------------------------------------


def test_it_is_shown_once_and_kept_by_nobody(as_revealer: APIClient, alice: User) -> None:
    case = in_review(alice)
    response = send(as_revealer, one(case, "reveal/"), WHY)
    assert response.status_code == 200
    assert response.json() == {
        "id": str(case.pk),
        "idcard_name": IDCARD_NAME,
        "idcard_number": IDCARD_NUMBER,
    }
    for header, value in PRIVATE_HEADERS.items():
        assert response[header] == value
    [event] = case.events.filter(action="revealed")
    assert event.data == {"column": "idcard_name, idcard_number", "reason": "complaint"}


def test_everywhere_else_it_is_masked(as_root: APIClient, alice: User) -> None:
    case = in_review(alice)
    send(as_root, one(case, "reveal/"), WHY)
    for response in (
        as_root.get(one(case)),
        as_root.get(one(case, "events/")),
        as_root.get(one(case, "attempts/")),
        as_root.get("/kyc/api/v1/verifications/"),
        send(as_root, "/kyc/api/v1/verifications/search/", {"idcard_number": IDCARD_NUMBER}),
    ):
        text = response.content.decode()
        assert response.status_code == 200
        assert IDCARD_NAME not in text
        assert IDCARD_NUMBER not in text
        assert "complaint 4711" not in text  # the note is sealed


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({}, "reveal_reason_invalid", "reason_code"),
        ({"reason_code": "curiosity", "note": "12345"}, "reveal_reason_invalid", "reason_code"),
        ({"reason_code": "complaint"}, "reveal_note_too_short", "note"),
        ({"reason_code": "complaint", "note": "1234"}, "reveal_note_too_short", "note"),
        ({"reason_code": "complaint", "note": 12345}, "note_invalid", "note"),
        ({**WHY, "force": True}, "unknown_field", "force"),
    ],
)
def test_a_reason_is_needed(
    as_revealer: APIClient, alice: User, body: dict[str, Any], code: str, field: str
) -> None:
    case = in_review(alice)
    assert_problem(send(as_revealer, one(case, "reveal/"), body), 400, code, field)
    assert not case.events.filter(action="revealed").exists()


def test_too_many_are_told_when_to_come_back(
    as_revealer: APIClient, alice: User, settings: Any
) -> None:
    limited(settings, REVEALS_PER_REVIEWER_HOUR=1)
    case = in_review(alice)
    assert send(as_revealer, one(case, "reveal/"), WHY).status_code == 200
    response = send(as_revealer, one(case, "reveal/"), WHY)
    assert_problem(response, 429, "too_many_reveals")
    assert 0 < int(response["Retry-After"]) <= 3600


def test_a_refusal_that_is_on_record_is_a_refusal_again(
    as_revealer: APIClient, as_alice: APIClient, alice: User, settings: Any
) -> None:
    case = in_review(alice)
    key: dict[str, Any] = {"HTTP_IDEMPOTENCY_KEY": "the-same"}
    for address in ("reveal/", "export/", "reopen/"):
        for _ in range(2):
            response = send(as_alice, one(case, address), WHY, **key)
            assert_problem(response, 403, "permission_denied")
    assert case.events.filter(action="permission_refused").count() == 3
    limited(settings, REVEALS_PER_REVIEWER_HOUR=0)
    for _ in range(2):
        response = send(as_revealer, one(case, "reveal/"), WHY, **key)
        assert_problem(response, 429, "too_many_reveals")
    assert not IdempotencyRecord.objects.exists()


def test_what_was_shown_is_not_shown_again(as_root: APIClient, alice: User) -> None:
    case = in_review(alice)
    key: dict[str, Any] = {"HTTP_IDEMPOTENCY_KEY": "the-same"}
    for address, why in (("reveal/", WHY), ("export/", {"note": WHY["note"]})):
        assert send(as_root, one(case, address), why, **key).status_code == 200
        again = send(as_root, one(case, address), why, **key)
        assert_problem(again, 409, "idempotency_key_spent")
    assert case.events.filter(action="revealed").count() == 2


def test_ones_own_case_is_not_revealed(as_staff: Callable[..., APIClient]) -> None:
    client = as_staff("insider", "view_verification", "reveal_identity")
    case = in_review(User.objects.get(username="insider"))
    assert_problem(send(client, one(case, "reveal/"), WHY), 403, "own_case")


def test_what_is_destroyed_is_told(as_revealer: APIClient, alice: User) -> None:
    case = in_review(alice)
    Verification.objects.update(idcard_name="", idcard_number="")
    assert_problem(send(as_revealer, one(case, "reveal/"), WHY), 409, "identity_destroyed")


def test_searches_are_limited(as_reviewer: APIClient, settings: Any) -> None:
    limited(settings, SEARCHES_PER_REVIEWER_HOUR=1)
    search = "/kyc/api/v1/verifications/search/"
    assert send(as_reviewer, search, {"idcard_number": IDCARD_NUMBER}).status_code == 200
    response = send(as_reviewer, search, {"idcard_number": IDCARD_NUMBER})
    assert_problem(response, 429, "too_many_searches")
    assert 0 < int(response["Retry-After"]) <= 3600


# --- reopen -------------------------------------------------------------------------------


def test_two_people_take_a_decision_back(as_staff: Callable[..., APIClient], alice: User) -> None:
    names = ("view_verification", "override_verification")
    first, second = as_staff("first", *names), as_staff("second", *names)
    case = decided(alice)
    response = send(first, one(case, "reopen/"), {"reason_code": "mistake"})
    assert response.status_code == 202
    assert response.json()["status"] == "verified"
    again = send(second, one(case, "reopen/"), {"reason_code": "mistake"})
    assert_problem(again, 409, "already_requested")
    alone = send(first, one(case, "reopen/confirm/"), {})
    assert_problem(alone, 403, "same_person_twice")
    response = send(second, one(case, "reopen/confirm/"), {})
    assert response.status_code == 200
    assert response.json()["status"] == "in_review"
    assert response.json()["decided_at"] is None
    assert_problem(send(second, one(case, "reopen/confirm/"), {}), 409, "not_decided")


def test_reopening_needs_a_reason_and_nothing_else(
    as_staff: Callable[..., APIClient], alice: User
) -> None:
    client = as_staff("first", "view_verification", "override_verification")
    case = decided(alice)
    for body in ({}, {"reason_code": "because"}):
        answer = send(client, one(case, "reopen/"), body)
        assert_problem(answer, 400, "reopen_reason_invalid", "reason_code")
    strange = send(client, one(case, "reopen/confirm/"), {"reason_code": "mistake"})
    assert_problem(strange, 400, "unknown_field", "reason_code")
    assert_problem(send(client, one(case, "reopen/confirm/"), {}), 409, "not_requested")


def test_the_person_sees_that_the_case_is_in_review_again(
    as_staff: Callable[..., APIClient], as_alice: APIClient, alice: User
) -> None:
    names = ("view_verification", "override_verification")
    case = decided(alice)
    send(as_staff("first", *names), one(case, "reopen/"), {"reason_code": "fraud"})
    assert as_alice.get(one(case)).json()["status"] == "verified"
    send(as_staff("second", *names), one(case, "reopen/confirm/"), {})
    seen = as_alice.get(one(case)).json()
    assert (seen["status"], seen["reason_code"]) == ("in_review", "")
