"""Who may knock where: nobody learns that somebody else's case exists."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from rest_framework.test import APIClient

from django_faceverify.models import Photo
from tests.api.asking import API, VERIFICATIONS, assert_problem, decided, in_review, one, plain_case

UNKNOWN = "01890000-0000-7000-8000-000000000000"
MALFORMED = ["nobody", "0", "%00", "%F0%9F%98%80", "..%2e", "a" * 5000, "{}", "-1", UNKNOWN + "0"]

BELOW_ONE = [
    ("get", ""),
    ("post", "photos/"),
    ("post", "cancel/"),
    ("post", "redact/"),
    ("post", "consent/"),
    ("post", "consent/withdraw/"),
    ("post", "review/"),
    ("get", "attempts/"),
    ("get", "events/"),
    ("get", f"photos/{UNKNOWN}/"),
]
STAFF_ONLY = [
    ("post", "review/"),
    ("get", "attempts/"),
    ("get", "events/"),
    ("get", f"photos/{UNKNOWN}/"),
]


def ask(client: APIClient, method: str, address: str) -> Any:
    return client.generic(method.upper(), address, "{}" if method == "post" else "",
                          content_type="application/json")  # fmt: skip


@pytest.mark.parametrize(("method", "rest"), BELOW_ONE)
def test_unknown_malformed_and_foreign_are_the_same(
    as_bob: APIClient, alice: User, method: str, rest: str
) -> None:
    case = in_review(alice)
    bodies = {
        ask(as_bob, method, one(case_id, rest)).content
        for case_id in (case.pk, UNKNOWN, *MALFORMED[:4])
    }
    assert len(bodies) == 1
    assert_problem(ask(as_bob, method, one(case, rest)), 404, "not_found")


@pytest.mark.parametrize("case_id", MALFORMED)
def test_malformed_ids(as_reviewer: APIClient, case_id: str) -> None:
    assert_problem(as_reviewer.get(one(case_id)), 404, "not_found")
    case = plain_case(None)
    assert_problem(as_reviewer.get(one(case, f"photos/{case_id}/")), 404, "not_found")


@pytest.mark.parametrize(("method", "rest"), STAFF_ONLY)
def test_staff_rooms_are_closed_to_the_subject(
    as_alice: APIClient, alice: User, method: str, rest: str
) -> None:
    assert_problem(ask(as_alice, method, one(in_review(alice), rest)), 403, "permission_denied")


@pytest.mark.parametrize(
    ("method", "path"), [("get", "attempts/"), ("post", "verifications/search/")]
)
def test_staff_lists_are_closed_to_everybody_else(
    as_alice: APIClient, method: str, path: str
) -> None:
    assert_problem(ask(as_alice, method, f"{API}{path}"), 403, "permission_denied")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *[(method, f"verifications/{UNKNOWN}/{rest}") for method, rest in BELOW_ONE],
        ("get", "verifications/"),
        ("post", "verifications/"),
        ("post", "verifications/search/"),
        ("get", "attempts/"),
        ("get", "consent/"),
    ],
)
def test_anonymous(as_anonymous: APIClient, method: str, path: str) -> None:
    # The framework's default asks for a session first, which has no challenge.
    assert_problem(ask(as_anonymous, method, f"{API}{path}"), 403, "not_authenticated")


def test_anonymous_is_challenged_where_the_site_has_a_challenge(
    as_anonymous: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rest_framework.authentication import BasicAuthentication

    from django_faceverify.api.verifications import VerificationList

    monkeypatch.setattr(VerificationList, "authentication_classes", [BasicAuthentication])
    response = as_anonymous.get(VERIFICATIONS)
    assert_problem(response, 401, "not_authenticated")
    assert response["WWW-Authenticate"].startswith("Basic")
    wrong = as_anonymous.get(VERIFICATIONS, HTTP_AUTHORIZATION="Basic bm9ib2R5OndybmQ=")
    assert_problem(wrong, 401, "authentication_failed")


def test_staff_look_but_do_not_act_for_the_person(as_reviewer: APIClient, alice: User) -> None:
    case = plain_case(alice)
    assert as_reviewer.get(one(case)).status_code == 200
    for rest in ("photos/", "consent/", "consent/withdraw/"):
        assert_problem(ask(as_reviewer, "post", one(case, rest)), 403, "permission_denied")


def test_to_view_is_not_to_act(bob: User, alice: User) -> None:
    bob.user_permissions.add(Permission.objects.get(codename="view_verification"))
    client = APIClient()
    client.force_authenticate(bob)
    case = in_review(alice)
    photo = Photo.objects.get()
    assert client.get(one(case)).json()["similarity"] == 75
    assert client.get(one(case, "events/")).status_code == 200
    for method, rest in (("post", "cancel/"), ("post", "review/"), ("get", f"photos/{photo.pk}/")):
        assert_problem(ask(client, method, one(case, rest)), 403, "permission_denied")


def test_a_superuser_may_do_all(as_root: APIClient, alice: User) -> None:
    case = in_review(alice)
    photo = Photo.objects.get()
    for rest in ("", "attempts/", "events/", f"photos/{photo.pk}/"):
        assert as_root.get(one(case, rest)).status_code == 200
    body = {"decision": "verify", "reason_code": "same_person"}
    assert as_root.post(one(case, "review/"), body, format="json").status_code == 200


def test_a_list_holds_only_ones_own(
    as_alice: APIClient, as_bob: APIClient, as_reviewer: APIClient, alice: User
) -> None:
    mine = decided(alice)
    plain_case(None)
    assert [row["id"] for row in as_alice.get(VERIFICATIONS).json()["results"]] == [str(mine.pk)]
    assert as_bob.get(VERIFICATIONS).json()["results"] == []
    assert len(as_reviewer.get(VERIFICATIONS).json()["results"]) == 2


def test_a_photo_of_another_case(as_reviewer: APIClient, alice: User) -> None:
    decided(alice)
    other = plain_case(alice)
    photo = Photo.objects.get()
    assert_problem(as_reviewer.get(one(other, f"photos/{photo.pk}/")), 404, "not_found")
