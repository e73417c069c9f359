"""What staff see behind a verification: calls, history, pictures."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from django_faceverify import intake, sweeper
from django_faceverify.models import Event, Photo, VerificationAttempt
from tests.api.asking import API, assert_problem, decided, one
from tests.conftest import CONSENT
from tests.scripted import similarity
from tests.shadows import use_shadow

ATTEMPT_KEYS = {
    "number", "session_id", "provider", "state", "is_billed", "provider_code",
    "provider_message", "provider_session_id", "similarity", "reason_code", "http_status",
    "started_at", "finished_at", "duration_ms", "verification", "photo", "role",
}  # fmt: skip


def test_attempts_of_a_verification(as_reviewer: APIClient, alice: User) -> None:
    case = decided(alice, similarity(12), similarity(95))
    decided(alice)
    rows = as_reviewer.get(one(case, "attempts/")).json()["results"]
    assert [row["number"] for row in rows] == [1, 2]
    assert set(rows[0]) == ATTEMPT_KEYS
    assert rows[0]["verification"] == str(case.pk)


@pytest.mark.django_db(transaction=True)
def test_a_shadow_is_marked_and_changes_nothing_that_was_read(
    as_reviewer: APIClient, alice: User, settings: Any
) -> None:
    use_shadow(settings)
    case = decided(alice, similarity(75))
    before = as_reviewer.get(one(case))
    assert sweeper.drain_shadows() == 1
    rows = as_reviewer.get(one(case, "attempts/")).json()["results"]
    assert [(row["role"], row["provider"]) for row in rows] == [
        ("case", "default"),
        ("shadow", "second"),
    ]
    after = as_reviewer.get(one(case))
    assert after.json() == before.json()
    assert after.headers["ETag"] == before.headers["ETag"]
    assert set(after.json()["thresholds"]) >= {"target_far", "review_far", "far_table"}


def test_an_attempt_by_its_session_id(as_reviewer: APIClient, alice: User) -> None:
    case = decided(alice, similarity(12), similarity(95))
    wanted = VerificationAttempt.objects.get(number=2)
    address = f"{API}attempts/"
    found = as_reviewer.get(address, {"session_id": wanted.session_id}).json()
    assert [row["session_id"] for row in found["results"]] == [wanted.session_id]
    assert found["results"][0]["verification"] == str(case.pk)
    for other in (wanted.session_id[:-1], "nobody", "x" * 100, "😀"):
        assert as_reviewer.get(address, {"session_id": other}).json()["results"] == []
    newest = as_reviewer.get(address).json()["results"]
    assert [row["number"] for row in newest] == [2, 1]


@pytest.mark.parametrize("bad", ["x" * 101, "a\x00b"])
def test_a_session_id_that_cannot_be(as_reviewer: APIClient, bad: str) -> None:
    response = as_reviewer.get(f"{API}attempts/", {"session_id": bad})
    assert_problem(response, 400, "invalid_input")


def test_events(as_reviewer: APIClient, alice: User) -> None:
    case = decided(alice)
    rows = as_reviewer.get(one(case, "events/")).json()["results"]
    assert [row["action"] for row in rows] == ["created", "submitted", "called", "verified"]
    assert [row["number"] for row in rows] == [1, 2, 3, 4]
    assert set(rows[0]) == {"number", "at", "actor", "action", "reason_code", "data"}
    assert rows[0]["actor"] == f"user:{alice.pk}"


@pytest.mark.parametrize("rest", ["attempts/", "events/"])
def test_pages_of_a_verification(as_reviewer: APIClient, alice: User, rest: str) -> None:
    case = decided(alice, similarity(12), similarity(95))
    seen, address = [], one(case, f"{rest}?page_size=1")
    while address:
        body = as_reviewer.get(address).json()
        seen += [row["number"] for row in body["results"]]
        address = body["next"]
    assert seen == list(range(1, len(seen) + 1))
    assert len(seen) >= 2


def test_a_picture(as_reviewer: APIClient, reviewer: User, alice: User) -> None:
    case = decided(alice)
    photo = Photo.objects.get()
    response = as_reviewer.get(one(case, f"photos/{photo.pk}/"), HTTP_ACCEPT="image/jpeg")
    assert response.status_code == 200
    assert response.content == photo.read()
    assert response["Content-Type"] == "image/jpeg"
    assert response["Cache-Control"] == "no-store, private"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Disposition"] == 'inline; filename="photo.jpg"'
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert response["Cross-Origin-Resource-Policy"] == "same-origin"
    assert response["Referrer-Policy"] == "no-referrer"
    look = Event.objects.order_by("-number")[0]
    assert look.action == "photo_viewed"
    assert look.actor == f"user:{reviewer.pk}"
    assert look.data == {"photo": str(photo.pk)}


def test_a_refused_look_is_not_a_look(as_alice: APIClient, alice: User) -> None:
    case = decided(alice)
    assert_problem(as_alice.get(one(case, f"photos/{Photo.objects.get().pk}/")), 403)
    assert not Event.objects.filter(action="photo_viewed").exists()
    assert case.events.filter(action="permission_refused").get().data == {
        "permission": "view_photo"
    }


def test_a_photo_that_is_an_address(
    as_reviewer: APIClient, alice: User, idcard: dict[str, Any]
) -> None:
    submission = intake.Submission(url="https://example.com/me.jpg")
    case = intake.create(user=alice, submission=submission, consent=CONSENT, **idcard)
    photo = Photo.objects.get()
    assert_problem(as_reviewer.get(one(case, f"photos/{photo.pk}/")), 404, "not_found")


def test_a_photo_whose_file_is_gone(as_reviewer: APIClient, alice: User) -> None:
    case = decided(alice)
    photo = Photo.objects.get()
    Photo.objects.update(file_name="no/such.fv1")
    response = as_reviewer.get(one(case, f"photos/{photo.pk}/"), HTTP_ACCEPT="image/jpeg")
    assert_problem(response, 404, "not_found")


def test_a_photo_whose_key_is_gone(as_reviewer: APIClient, alice: User, settings: Any) -> None:
    case = decided(alice)
    photo = Photo.objects.get()
    keys = {"other": "HxAhEhMUFRYXGBkaGxwdHh8AAQIDBAUGBwgJCgsMDQ4="}
    settings.FACEVERIFY = {**settings.FACEVERIFY, "KEYS": keys}
    assert_problem(as_reviewer.get(one(case, f"photos/{photo.pk}/")), 409, "seal_broken")
