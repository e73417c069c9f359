"""Redaction through the API: whose it is, and what is seen afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import Permission, User
from rest_framework.test import APIClient

from tests.api.asking import API, VERIFICATIONS, assert_problem, decided, in_review, one, send
from tests.conftest import IDCARD_NUMBER

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def as_redactor(reviewer: User) -> APIClient:
    reviewer.user_permissions.add(Permission.objects.get(codename="redact_verification"))
    client = APIClient()
    client.force_authenticate(User.objects.get(pk=reviewer.pk))
    return client


def test_the_person_redacts_their_own(as_alice: APIClient, alice: User, photo_folder: Path) -> None:
    case = decided(alice, metadata={"seat": "4b"}, reference="order-7")
    response = as_alice.post(one(case, "redact/"))
    assert response.status_code == 200
    body = response.json()
    assert (body["status"], body["reference"], body["metadata"]) == ("verified", "order-7", {})
    assert "redacted_at" not in body
    assert not [path for path in photo_folder.rglob("*") if path.is_file()]
    event = case.events.latest("number")
    assert (event.actor, event.reason_code) == (f"user:{alice.pk}", "subject_request")


def test_again_changes_nothing(as_alice: APIClient, alice: User) -> None:
    case = decided(alice)
    first = as_alice.post(one(case, "redact/")).json()
    again = as_alice.post(one(case, "redact/"))
    assert (again.status_code, again.json()) == (200, first)
    assert case.events.filter(action="redacted").count() == 1


def test_a_case_under_way_ends(as_alice: APIClient, alice: User) -> None:
    case = in_review(alice)
    body = as_alice.post(one(case, "redact/")).json()
    assert (body["status"], body["reason_code"]) == ("canceled", "canceled_by_subject")
    assert_problem(as_alice.post(one(case, "cancel/")), 409, "already_final")


def test_staff_need_the_permission(
    as_reviewer: APIClient, as_alice: APIClient, alice: User, bob: User
) -> None:
    case = decided(alice)
    assert_problem(as_reviewer.post(one(case, "redact/")), 403, "permission_denied")
    case.refresh_from_db()
    assert not case.redacted_at


def test_staff_with_the_permission(as_redactor: APIClient, alice: User) -> None:
    case = decided(alice)
    body = as_redactor.post(one(case, "redact/")).json()
    assert body["redacted_at"]
    assert (body["idcard_number_mask"], body["similarity"]) == ("", 95)
    assert body["photos"][0]["purged_at"]
    assert case.events.latest("number").reason_code == "staff_request"


def test_somebody_elses_case_is_not_there(as_bob: APIClient, alice: User) -> None:
    case = decided(alice)
    assert_problem(as_bob.post(one(case, "redact/")), 404, "not_found")


def test_no_fields(as_alice: APIClient, alice: User) -> None:
    case = decided(alice)
    problem = assert_problem(send(as_alice, one(case, "redact/"), {"reason": "x"}), 400)
    assert problem["errors"][0]["code"] == "unknown_field"
    case.refresh_from_db()
    assert not case.redacted_at


def test_everything_else_still_answers(
    as_alice: APIClient, as_redactor: APIClient, alice: User
) -> None:
    case = decided(alice)
    photo = case.photos.get()
    as_alice.post(one(case, "redact/"))
    for client in (as_alice, as_redactor):
        assert client.get(one(case)).status_code == 200
        assert len(client.get(VERIFICATIONS).json()["results"]) == 1
    assert as_redactor.get(one(case, "attempts/")).json()["results"][0]["similarity"] == 95
    events = as_redactor.get(one(case, "events/")).json()["results"]
    assert events[-1]["action"] == "redacted"
    assert_problem(as_redactor.get(one(case, f"photos/{photo.pk}/")), 404, "not_found")
    search = send(as_redactor, f"{API}verifications/search/", {"idcard_number": IDCARD_NUMBER})
    assert search.json()["results"] == []
    late = send(as_alice, one(case, "photos/"), {"url": "https://photos.example.com/me.jpg"})
    assert_problem(late, 409, "not_waiting_for_photo")
    decision = {"decision": "verify", "reason_code": "same_person"}
    assert_problem(send(as_redactor, one(case, "review/"), decision), 409, "not_in_review")
