"""Opening a verification, with and without a photo, and sending one later."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from django_faceverify.models import Event, Photo, Verification
from tests.api.asking import AGREED, VERIFICATIONS, as_file, assert_problem, decided, found, one
from tests.conftest import CONSENT, draw_jpeg
from tests.scripted import ScriptedProvider, similarity

SUBJECT_KEYS = {
    "id", "status", "reason_code", "message", "last_error", "level", "reference", "metadata",
    "photos_left", "created_at", "decided_at", "expires_at", "is_live", "alternative_url",
}  # fmt: skip


def test_without_a_photo(as_alice: APIClient, alice: User, idcard: dict[str, Any]) -> None:
    body = {**idcard, "reference": "order 7", "metadata": {"plan": "gold"}, "consent": CONSENT}
    response = as_alice.post(VERIFICATIONS, body, format="json")
    assert response.status_code == 201
    shown = response.json()
    assert set(shown) == SUBJECT_KEYS
    assert shown["status"] == "requires_input"
    assert shown["reason_code"] == shown["message"] == ""
    assert shown["last_error"] is None
    assert shown["reference"] == "order 7"
    assert shown["metadata"] == {"plan": "gold"}
    assert shown["photos_left"] == 3
    assert shown["is_live"] is False
    assert response["Location"] == f"http://testserver{VERIFICATIONS}{shown['id']}/"
    assert "Retry-After" not in response
    case = Verification.objects.get(pk=shown["id"])
    assert case.user == alice
    assert Event.objects.get().data == {
        "consent_text_version": "demo-1",
        "consent_text_sha256": sha256(b"I agree.").hexdigest(),
        "consent_given_by": "subject",
    }


@pytest.mark.parametrize("null", ["level", "reference", "metadata", "consent", "image", "url"])
def test_null_is_left_out(as_alice: APIClient, idcard: dict[str, Any], null: str) -> None:
    assert as_alice.post(VERIFICATIONS, {**idcard, null: None}, format="json").status_code == 201


def test_with_a_photo(as_alice: APIClient, idcard: dict[str, Any], jpeg: bytes) -> None:
    body = {
        **idcard, "image": as_file(jpeg), "metadata": json.dumps({"plan": 1}),
        "consent": json.dumps(CONSENT), "csrfmiddlewaretoken": "from a form",
    }  # fmt: skip
    response = as_alice.post(VERIFICATIONS, body, format="multipart")
    assert response.status_code == 202
    assert response["Retry-After"] == "1"
    shown = response.json()
    assert shown["status"] == "processing"
    assert shown["metadata"] == {"plan": 1}
    assert response["Location"].endswith(f"{VERIFICATIONS}{shown['id']}/")
    photo = Photo.objects.get()
    assert photo.source == "upload"
    assert photo.read().startswith(b"\xff\xd8\xff")


def test_a_large_photo_never_lies_in_a_temporary_file(
    as_alice: APIClient, idcard: dict[str, Any], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 1

    def refuse(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("a photo was written in clear")

    monkeypatch.setattr("tempfile.NamedTemporaryFile", refuse)
    monkeypatch.setattr("django.core.files.uploadedfile.tempfile.NamedTemporaryFile", refuse)
    body = {**idcard, **AGREED, "image": as_file(draw_jpeg())}
    assert as_alice.post(VERIFICATIONS, body, format="multipart").status_code == 202


def test_with_an_address(as_alice: APIClient, idcard: dict[str, Any]) -> None:
    body = {**idcard, "consent": CONSENT, "url": "https://example.com/me.jpg"}
    response = as_alice.post(VERIFICATIONS, body, format="json")
    assert response.status_code == 202
    assert Photo.objects.get().source == "url"


def test_through_session_and_csrf(alice: User, idcard: dict[str, Any], jpeg: bytes) -> None:
    browser = APIClient(enforce_csrf_checks=True)
    browser.force_login(alice)
    body = {**idcard, **AGREED, "image": as_file(jpeg)}
    assert_problem(browser.post(VERIFICATIONS, body, format="multipart"), 403)
    browser.cookies["csrftoken"] = token = "x" * 32
    form = {**body, "image": as_file(jpeg), "csrfmiddlewaretoken": token}
    assert browser.post(VERIFICATIONS, form, format="multipart").status_code == 202
    header: dict[str, Any] = {"HTTP_X_CSRFTOKEN": token}
    assert browser.post(VERIFICATIONS, idcard, format="json", **header).status_code == 201


def test_another_photo_after_a_mismatch(as_alice: APIClient, alice: User, jpeg: bytes) -> None:
    case = decided(alice, similarity(12))
    photo = {"image": as_file(draw_jpeg(seed=5))}
    response = as_alice.post(one(case, "photos/"), photo, format="multipart")
    assert response.status_code == 202
    assert response["Retry-After"] == "1"
    assert response["Location"].endswith(one(case))
    assert response.json()["status"] == "processing"
    assert response.json()["photos_left"] == 2
    again = as_alice.post(one(case, "photos/"), {"image": as_file(jpeg)}, format="multipart")
    assert_problem(again, 409, "not_waiting_for_photo")


def test_a_photo_by_address(as_alice: APIClient, alice: User) -> None:
    case = decided(alice, found("no_face"))
    body = {"url": "https://example.com/me.jpg"}
    assert as_alice.post(one(case, "photos/"), body, format="json").status_code == 202


@pytest.mark.parametrize("reason", ["id_name_mismatch", "face_mismatch"])
def test_corrections_do_not_tell_what_was_wrong(
    as_alice: APIClient, alice: User, reason: str
) -> None:
    case = decided(alice, similarity(12) if reason == "face_mismatch" else found(reason))
    assert case.reason_code == reason
    body = {"idcard_name": "李四", "image": as_file(draw_jpeg(seed=6))}
    assert as_alice.post(one(case, "photos/"), body, format="multipart").status_code == 202
    case.refresh_from_db()
    assert case.idcard_name.unseal() == "李四"


def test_a_correction_that_nobody_asked_for(as_alice: APIClient, alice: User) -> None:
    case = decided(alice, found("image_blurry"))
    body = {"idcard_name": "李四", "image": as_file(draw_jpeg(seed=6))}
    response = as_alice.post(one(case, "photos/"), body, format="multipart")
    assert_problem(response, 409, "correction_not_asked")


def test_cancel(as_alice: APIClient, alice: User) -> None:
    case = decided(alice, found("no_face"))
    response = as_alice.post(one(case, "cancel/"))
    assert response.status_code == 200
    assert response.json()["status"] == "canceled"
    assert response.json()["reason_code"] == "canceled_by_subject"
    assert response.json()["photos_left"] == 0
    assert_problem(as_alice.post(one(case, "cancel/")), 409, "already_final")


def test_cancel_by_staff(as_reviewer: APIClient, alice: User) -> None:
    case = decided(alice, found("no_face"))
    response = as_reviewer.post(one(case, "cancel/"), {}, format="json")
    assert response.json()["reason_code"] == "canceled_by_staff"


def test_no_call_is_made_before_the_answer(as_alice: APIClient, idcard: dict[str, Any]) -> None:
    body = {**idcard, **AGREED, "image": as_file(draw_jpeg())}
    as_alice.post(VERIFICATIONS, body, format="multipart")
    assert ScriptedProvider.requests == []


def test_a_limit_says_when_to_come_back(
    as_alice: APIClient, alice: User, idcard: dict[str, Any], settings: Any
) -> None:
    quotas = {**settings.FACEVERIFY["QUOTAS"], "PHOTOS_PER_USER_DAY": 0}
    settings.FACEVERIFY = {**settings.FACEVERIFY, "QUOTAS": quotas}
    body = {**idcard, "consent": CONSENT, "url": "https://img.example.com/a.jpg"}
    response = as_alice.post(VERIFICATIONS, body, format="json")
    assert response.status_code == 429
    assert response.json()["code"] == "too_many_photos"
    assert 1 <= int(response["Retry-After"]) <= 86_400
    assert Verification.objects.count() == 0
