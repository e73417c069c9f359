"""The consent text, agreeing to it, and taking it back, as a frontend does it."""

from __future__ import annotations

import json
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from django_faceverify import identity, intake, sweeper
from django_faceverify.models import Consent, Photo, Verification
from tests.api.asking import (
    AGREED,
    API,
    VERIFICATIONS,
    as_file,
    assert_problem,
    decided,
    found,
    one,
    send,
    stock,
)
from tests.conftest import CONSENT, IDCARD_NAME, IDCARD_NUMBER, submitted
from tests.scripted import ScriptedProvider, similarity

TEXT = f"{API}consent/"
CHILD = "000000201301100019"


@pytest.fixture
def waiting(alice: User) -> Verification:
    """Alice's case without a photo and without a consent."""
    return intake.create(user=alice, idcard_name=IDCARD_NAME, idcard_number=IDCARD_NUMBER)


@pytest.fixture
def in_2026(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "_today", lambda: date(2026, 6, 1))


def alternative(settings: Any, url: str) -> None:
    settings.FACEVERIFY = {**settings.FACEVERIFY, "ALTERNATIVE_URL": url}


# The text


def test_the_text(as_alice: APIClient) -> None:
    response = as_alice.get(TEXT)
    assert response.status_code == 200
    assert response.json() == {
        "text_version": "demo-1",
        "purpose": "face_verification",
        "locale": "en",
        "text": "I agree.",
        "text_sha256": sha256(b"I agree.").hexdigest(),
        "is_required": True,
        "guardian_age": 14,
        "provider": {
            "name": "Example Faces Ltd",
            "contact": "privacy@example.com",
            "privacy_url": "",
            "region": "",
        },
        "second_providers": [],
        "alternative_url": None,
    }


def test_the_text_in_the_callers_language(as_alice: APIClient) -> None:
    response = as_alice.get(TEXT, HTTP_ACCEPT_LANGUAGE="zh-CN,zh;q=0.9")
    assert response.json()["text"] == "我同意。"
    assert response.json()["locale"] == "zh-hans"
    assert "Accept-Language" in response["Vary"]
    assert response["ETag"] != as_alice.get(TEXT)["ETag"]


def test_a_text_that_was_seen(as_alice: APIClient, settings: Any) -> None:
    first = as_alice.get(TEXT)
    assert first["Cache-Control"] == "private, no-cache"
    for tag in (first["ETag"], f"W/{first['ETag']}", f'"other", {first["ETag"]}', "*"):
        again = as_alice.get(TEXT, HTTP_IF_NONE_MATCH=tag)
        assert again.status_code == 304
        assert again.content == b""
        assert again["ETag"] == first["ETag"]
        assert again["Cache-Control"] == "private, no-cache"
        assert "Accept-Language" in again["Vary"]
    alternative(settings, "/counter/")
    assert as_alice.get(TEXT, HTTP_IF_NONE_MATCH=first["ETag"]).status_code == 200


def test_the_text_of_a_level(as_alice: APIClient, as_reviewer: APIClient, settings: Any) -> None:
    assert as_alice.get(TEXT, {"level": "live"}).json()["alternative_url"] == "/counter/"
    levels = {**settings.FACEVERIFY["LEVELS"], "closed": {"LIVE": False}}
    settings.FACEVERIFY = {**settings.FACEVERIFY, "LEVELS": levels}
    for name in ("closed", "none", "", "\x00"):
        assert_problem(as_alice.get(TEXT, {"level": name}), 400, "level_unknown")
    assert as_reviewer.get(TEXT, {"level": "closed"}).status_code == 200
    assert_problem(as_alice.get(TEXT, {"lang": "en"}), 400, "unknown_parameter")
    assert_problem(as_alice.get(f"{TEXT}?level=live&level=live"), 400, "repeated_parameter")


# With a case and with a photo


def test_a_photo_needs_a_consent(
    as_alice: APIClient, idcard: dict[str, Any], jpeg: bytes, photo_folder: Path
) -> None:
    before = stock(photo_folder)
    for declared, code in (
        (None, "consent_required"),
        ({**CONSENT, "granted": False}, "consent_required"),
        ({**CONSENT, "text_version": "demo-0"}, "consent_version_unknown"),
        ({**CONSENT, "text_sha256": "0" * 64}, "consent_version_outdated"),
        ("yes", "consent_invalid"),
    ):
        form = {**idcard, "image": as_file(jpeg)}
        if declared is not None:
            form["consent"] = json.dumps(declared)
        response = as_alice.post(VERIFICATIONS, form, format="multipart")
        assert_problem(response, 400, code, "consent")
        body = {**idcard, "url": "https://example.com/a.jpg", "consent": declared}
        assert_problem(send(as_alice, VERIFICATIONS, body), 400, code, "consent")
    assert stock(photo_folder) == before


def test_an_older_text_is_not_enough(
    as_alice: APIClient, idcard: dict[str, Any], settings: Any
) -> None:
    rules = settings.FACEVERIFY["CONSENT"]
    texts = {**rules["TEXTS"], "2": {"TEXT": {"en": "I agree to more."}}}
    settings.FACEVERIFY = {
        **settings.FACEVERIFY,
        "CONSENT": {**rules, "CURRENT": "2", "TEXTS": texts},
    }
    response = send(as_alice, VERIFICATIONS, {**idcard, "consent": CONSENT})
    assert_problem(response, 400, "consent_version_outdated", "consent")
    assert as_alice.get(TEXT).json()["text_version"] == "2"


def test_the_consent_is_on_record(as_alice: APIClient, idcard: dict[str, Any], jpeg: bytes) -> None:
    form = {**idcard, **AGREED, "image": as_file(jpeg)}
    response = as_alice.post(
        VERIFICATIONS, form, format="multipart", HTTP_ACCEPT_LANGUAGE="zh-hans"
    )
    assert response.status_code == 202
    given = Consent.objects.get()
    assert str(given.verification_id) == response.json()["id"]
    assert (given.method, given.locale) == ("api", "zh-hans")


def test_a_consent_with_the_photo(as_alice: APIClient, waiting: Verification, jpeg: bytes) -> None:
    address = one(waiting, "photos/")
    form: dict[str, Any] = {"image": as_file(jpeg)}
    response = as_alice.post(address, form, format="multipart")
    assert_problem(response, 400, "consent_required", "consent")
    assert not Photo.objects.exists()
    form = {**AGREED, "image": as_file(jpeg)}
    assert as_alice.post(address, form, format="multipart").status_code == 202
    assert waiting.consents.get().method == "api"


def test_a_consent_of_its_own(as_alice: APIClient, waiting: Verification, jpeg: bytes) -> None:
    response = send(as_alice, one(waiting, "consent/"), CONSENT)
    assert response.status_code == 200
    assert response.json()["status"] == "requires_input"
    form = {"image": as_file(jpeg)}
    assert as_alice.post(one(waiting, "photos/"), form, format="multipart").status_code == 202
    sweeper.drain()
    assert as_alice.get(one(waiting)).json()["status"] == "verified"


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({}, "consent_invalid", "#"),
        ({"text_version": "demo-1", "granted": False}, "consent_required", "#"),
        ({"text_version": "demo-0", "granted": True}, "consent_version_unknown", "#"),
        ({**CONSENT, "guardian": "yes"}, "consent_invalid", "#"),
        ({**CONSENT, "consent": True}, "unknown_field", "#/consent"),
    ],
)
def test_a_consent_that_is_none(
    as_alice: APIClient, waiting: Verification, body: Any, code: str, pointer: str
) -> None:
    problem = assert_problem(send(as_alice, one(waiting, "consent/"), body), 400, "invalid_input")
    assert [(error["code"], error["pointer"]) for error in problem["errors"]] == [(code, pointer)]
    assert not waiting.consents.exists()


def test_a_consent_as_a_form_is_refused_in_words(
    as_alice: APIClient, waiting: Verification
) -> None:
    form = {"text_version": "demo-1", "granted": "true"}
    response = as_alice.post(one(waiting, "consent/"), form, format="multipart")
    assert_problem(response, 400, "consent_invalid")


# Taking it back


def test_taking_it_back(as_alice: APIClient, alice: User) -> None:
    case = submitted(alice)
    assert_problem(send(as_alice, one(case, "consent/withdraw/"), {"a": 1}), 400, "unknown_field")
    response = as_alice.post(one(case, "consent/withdraw/"))
    assert response.status_code == 200
    shown = response.json()
    assert (shown["status"], shown["reason_code"]) == ("canceled", "consent_withdrawn")
    assert "withdrawn your consent" in shown["message"]
    sweeper.drain()
    assert ScriptedProvider.requests == []
    assert as_alice.post(one(case, "consent/withdraw/")).json() == shown
    assert_problem(send(as_alice, one(case, "consent/"), CONSENT), 409, "already_final")


def test_nothing_to_take_back(as_alice: APIClient, waiting: Verification) -> None:
    response = as_alice.post(one(waiting, "consent/withdraw/"))
    assert_problem(response, 409, "consent_not_given")


def test_staff_see_the_consents(as_reviewer: APIClient, as_alice: APIClient, alice: User) -> None:
    case = decided(alice, similarity(75))
    [given] = as_reviewer.get(one(case)).json()["consents"]
    assert set(given) == {
        "purpose", "text_version", "locale", "text_sha256", "method", "given_by",
        "guardian_relation", "is_keeping_granted", "given_at", "withdrawn_at",
    }  # fmt: skip
    assert (given["text_version"], given["given_by"]) == ("demo-1", "subject")
    assert "consents" not in as_alice.get(one(case)).json()


# Children


@pytest.mark.usefixtures("in_2026")
def test_a_child_needs_a_guardian(as_alice: APIClient, idcard: dict[str, Any]) -> None:
    body = {**idcard, "idcard_number": CHILD, "consent": CONSENT}
    problem = assert_problem(send(as_alice, VERIFICATIONS, body), 400, "under_age", "idcard_number")
    assert "guardian" in problem["detail"]
    assert not Verification.objects.exists()
    body["consent"] = {**CONSENT, "guardian": True, "relation": "relative"}
    assert send(as_alice, VERIFICATIONS, body).status_code == 201
    assert Consent.objects.get().guardian_relation == "relative"


@pytest.mark.usefixtures("in_2026")
def test_a_correction_to_a_child(as_alice: APIClient, alice: User) -> None:
    case = decided(alice, found("id_name_mismatch"))
    body: dict[str, Any] = {"idcard_number": CHILD, "url": "https://example.com/a.jpg"}
    response = send(as_alice, one(case, "photos/"), body)
    assert_problem(response, 400, "under_age", "idcard_number")
    body["consent"] = {**CONSENT, "guardian": True}
    assert send(as_alice, one(case, "photos/"), body).status_code == 202


# Another way


def test_another_way_is_always_shown(
    as_alice: APIClient, as_bob: APIClient, waiting: Verification, settings: Any
) -> None:
    assert as_alice.get(one(waiting)).json()["alternative_url"] is None
    alternative(settings, "https://example.com/counter")
    assert as_alice.get(one(waiting)).json()["alternative_url"] == "https://example.com/counter"
    for address, body in (
        (one(waiting, "photos/"), {"url": "https://example.com/a.jpg"}),
        (one(waiting, "consent/"), {}),
        (one(waiting, "consent/withdraw/"), {}),
        (VERIFICATIONS, {"idcard_name": "张三"}),
    ):
        problem = send(as_alice, address, body).json()
        assert problem["alternative_url"] == "https://example.com/counter", address
    assert "alternative_url" not in send(as_bob, one(waiting, "consent/"), CONSENT).json()


def test_another_way_of_a_level(as_alice: APIClient, idcard: dict[str, Any]) -> None:
    refused = send(as_alice, VERIFICATIONS, {**idcard, "level": "live"}).json()
    assert refused["alternative_url"] == "/counter/"
    for level in ("default", "none", 7):
        refused = send(as_alice, VERIFICATIONS, {"level": level}).json()
        assert "alternative_url" not in refused
