"""Every code of the API: documented, and provoked once with the status that the page tells."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.authentication import BasicAuthentication
from rest_framework.test import APIClient

from django_faceverify import intake, reviewing, webhooks
from django_faceverify.api.door import Door
from django_faceverify.api.openapi.description import refusals
from django_faceverify.conf import DEMO_TEXT
from django_faceverify.models import (
    IdempotencyRecord,
    Photo,
    Review,
    Verification,
    WebhookDelivery,
)
from django_faceverify.models.clock import db_now
from tests import photos
from tests.api.asking import (
    AGREED,
    API,
    VERIFICATIONS,
    as_file,
    assert_problem,
    decided,
    found,
    in_review,
    one,
    plain_case,
    send,
)
from tests.conftest import CONSENT
from tests.test_docs import codes, tables

PAGE = "reference/reasons"


@dataclass
class World:
    """Who knocks, what is there, and what the site may set."""

    alice: User
    as_alice: APIClient
    as_reviewer: APIClient
    as_root: APIClient
    as_anonymous: APIClient
    idcard: dict[str, Any]
    settings: Any
    monkeypatch: pytest.MonkeyPatch

    def post(self, **fields: Any) -> Any:
        return send(self.as_alice, VERIFICATIONS, {**self.idcard, "consent": CONSENT, **fields})

    def photo(self, data: bytes) -> Any:
        body = {**self.idcard, **AGREED, "image": as_file(data)}
        return self.as_alice.post(VERIFICATIONS, body, format="multipart")

    def form(self, **fields: Any) -> Any:
        return self.as_alice.post(VERIFICATIONS, {**self.idcard, **fields}, format="multipart")

    def raw(self, body: bytes, content_type: str = "application/json") -> Any:
        sent: Any = body
        return self.as_alice.generic("POST", VERIFICATIONS, sent, content_type=content_type)

    def look(self, **parameters: str) -> Any:
        return self.as_reviewer.get(VERIFICATIONS, parameters)

    def review(self, **fields: Any) -> Any:
        body = {"decision": "verify", "reason_code": "same_person", **fields}
        return send(self.as_reviewer, one(in_review(self.alice), "review/"), body)

    def set(self, **changes: Any) -> None:
        self.settings.FACEVERIFY = {**self.settings.FACEVERIFY, **changes}


@pytest.fixture
def world(
    alice: User,
    as_alice: APIClient,
    as_reviewer: APIClient,
    as_root: APIClient,
    as_anonymous: APIClient,
    idcard: dict[str, Any],
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> World:
    return World(alice, as_alice, as_reviewer, as_root, as_anonymous, idcard, settings, monkeypatch)


def without_url(world: World) -> Any:
    world.set(ALLOW_PHOTO_URLS=False)
    return world.post(url="https://example.com/me.jpg")


def without_bytes(world: World) -> Any:
    world.set(
        PROVIDERS={"default": {"BACKEND": "tests.checks.test_levels.ByAddress"}},
    )
    return world.photo(photos.jpeg())


def one_photo_too_many(world: World) -> Any:
    world.set(QUOTAS={"PHOTOS_PER_USER_DAY": 0})
    return world.post(url="https://example.com/me.jpg")


def one_request_too_many(world: World) -> Any:
    world.set(THROTTLES={"REQUESTS_PER_ADDRESS_MINUTE": 0})
    return world.look()


def outdated_consent(world: World) -> Any:
    world.set(CONSENT={"CURRENT": "demo-2", "TEXTS": {"demo-1": DEMO_TEXT, "demo-2": DEMO_TEXT}})
    return world.post()


def webhook_being_sent(world: World) -> Any:
    world.set(WEBHOOKS={"ALLOW_LOOPBACK": True})
    delivery = webhooks.send_test(webhooks.create_endpoint("http://127.0.0.1:9/")[0])
    WebhookDelivery.objects.update(state="sending", due_at=db_now(60))
    return send(world.as_root, f"{API}webhook-deliveries/{delivery.pk}/resend/", {})


def correction(world: World) -> Any:
    case = decided(world.alice, found("no_face"))
    body = {"idcard_name": "李四", "url": "https://example.com/me.jpg"}
    return send(world.as_alice, one(case, "photos/"), body)


def stale_review(world: World) -> Any:
    body = {"decision": "verify", "reason_code": "same_person"}
    address = one(in_review(world.alice), "review/")
    return send(world.as_reviewer, address, body, HTTP_IF_MATCH='"old"')


def claimed_review(world: World) -> Any:
    case = in_review(world.alice)
    reviewing.claim(case, user=User.objects.get(username="root"))
    return review(world, case)


def judged_twice(world: World) -> Any:
    world.set(REVIEW={"UNDO_SECONDS": 60})
    case = in_review(world.alice)
    review(world, case)
    return review(world, case)


def undone_too_late(world: World) -> Any:
    world.set(REVIEW={"UNDO_SECONDS": 60})
    case = in_review(world.alice)
    review(world, case)
    Review.objects.update(due_at=db_now(-1))
    return send(world.as_reviewer, one(case, "review/undo/"), {})


def review(world: World, case: Verification) -> Any:
    body = {"decision": "verify", "reason_code": "same_person"}
    return send(world.as_reviewer, one(case, "review/"), body)


def own_review(world: World) -> Any:
    case = in_review(User.objects.get(username="root"))
    body = {"decision": "verify", "reason_code": "same_person"}
    return send(world.as_root, one(case, "review/"), body)


def broken_photo(world: World) -> Any:
    case = decided(world.alice)
    other = decided(world.alice)
    mine, theirs = Photo.objects.get(verification=case), Photo.objects.get(verification=other)
    Photo.objects.filter(pk=mine.pk).update(file_name=theirs.file_name)
    return world.as_root.get(one(case, f"photos/{mine.pk}/"))


def sent_twice(world: World, body: dict[str, Any]) -> Any:
    keyed: dict[str, Any] = {"HTTP_IDEMPOTENCY_KEY": "k"}
    send(world.as_alice, VERIFICATIONS, world.idcard, **keyed)
    return send(world.as_alice, VERIFICATIONS, body, **keyed)


def in_flight(world: World) -> Any:
    keyed: dict[str, Any] = {"HTTP_IDEMPOTENCY_KEY": "k"}
    send(world.as_alice, VERIFICATIONS, world.idcard, **keyed)
    IdempotencyRecord.objects.update(verification_id=None, http_status=None)
    return send(world.as_alice, VERIFICATIONS, world.idcard, **keyed)


def spent(world: World) -> Any:
    keyed: dict[str, Any] = {"HTTP_IDEMPOTENCY_KEY": "k"}
    send(world.as_alice, VERIFICATIONS, world.idcard, **keyed)
    IdempotencyRecord.objects.update(verification_id=None)
    return send(world.as_alice, VERIFICATIONS, world.idcard, **keyed)


def wrong_password(world: World) -> Any:
    world.monkeypatch.setattr(Door, "authentication_classes", [BasicAuthentication])
    return APIClient().get(VERIFICATIONS, HTTP_AUTHORIZATION="Basic bm9ib2R5OndybmQ=")


def final_photo(world: World) -> Any:
    body = {"url": "https://example.com/me.jpg"}
    return send(world.as_alice, one(decided(world.alice), "photos/"), body)


def canceled_twice(world: World) -> Any:
    case = plain_case(world.alice)
    intake.cancel(case, user=world.alice)
    return send(world.as_alice, one(case, "cancel/"), {})


def review_too_early(world: World) -> Any:
    body = {"decision": "verify", "reason_code": "same_person"}
    return send(world.as_reviewer, one(plain_case(world.alice), "review/"), body)


def live(world: World, number: str) -> Any:
    return world.post(level="live", idcard_number=number)


#: one request for each code
PROVOKED: dict[str, Callable[[World], Any]] = {
    "required": lambda w: w.post(idcard_name=None),
    "idcard_name_length": lambda w: w.post(idcard_name="张" * 61),
    "idcard_name_characters": lambda w: w.post(idcard_name="<b>"),
    "idcard_number_length": lambda w: w.post(idcard_number="0" * 17),
    "idcard_number_characters": lambda w: w.post(idcard_number="0" * 17 + "Y"),
    "idcard_number_birth_date": lambda w: w.post(idcard_number="000000199013010011"),
    "idcard_number_region": lambda w: live(w, "99010519491231002X"),
    "idcard_number_check_digit": lambda w: live(w, "110105194912310021"),
    "idcard_number_real": lambda w: w.post(idcard_number="11010519491231002X"),
    "image_empty": lambda w: w.photo(b""),
    "image_format": lambda w: w.photo(b"not a photo"),
    "image_animated": lambda w: w.photo(photos.png(save_all=True, append_images=[photos.noise()])),
    "image_too_many_pixels": lambda w: w.photo(
        photos.resized_jpeg_header(photos.jpeg(), 20_000, 20_000)
    ),
    "image_too_small": lambda w: w.photo(photos.jpeg(photos.scene(63, 200))),
    "image_too_large": lambda w: w.photo(photos.jpeg() + b"\0" * 7_000_000),
    "image_undecodable": lambda w: w.photo(b"\xff\xd8\xff"),
    "url_invalid": lambda w: w.post(url="me.jpg"),
    "image_not_allowed": without_bytes,
    "url_not_allowed": without_url,
    "level_unknown": lambda w: w.post(level="none"),
    "reference_invalid": lambda w: w.post(reference="x" * 101),
    "metadata_invalid": lambda w: w.post(metadata=[]),
    "consent_invalid": lambda w: w.post(consent={}),
    "consent_version_unknown": lambda w: w.post(consent={**CONSENT, "text_version": "none"}),
    "consent_version_outdated": outdated_consent,
    "consent_required": lambda w: w.form(url="https://example.com/me.jpg"),
    "consent_not_given": lambda w: send(
        w.as_alice, one(plain_case(w.alice), "consent/withdraw/"), {}
    ),
    "under_age": lambda w: w.post(idcard_number="000000202001010011"),
    "reason_invalid": lambda w: w.review(reason_code="no_face"),
    "decision_invalid": lambda w: w.review(decision="perhaps"),
    "note_invalid": lambda w: w.review(note="x" * 2001),
    "too_many_photos": one_photo_too_many,
    "not_waiting_for_photo": final_photo,
    "correction_not_asked": correction,
    "already_final": canceled_twice,
    "not_in_review": review_too_early,
    "changed_meanwhile": stale_review,
    "own_case": own_review,
    "claimed_by_another": claimed_review,
    "already_judged": judged_twice,
    "nothing_to_undo": lambda w: send(w.as_reviewer, one(in_review(w.alice), "review/undo/"), {}),
    "undo_too_late": undone_too_late,
    "webhook_being_sent": webhook_being_sent,
    "body_not_object": lambda w: w.raw(b"[]"),
    "unknown_field": lambda w: w.post(selfie=1),
    "repeated_field": lambda w: w.form(reference=["a", "b"]),
    "image_not_a_file": lambda w: w.post(image="aGVsbG8="),
    "image_or_url": lambda w: w.form(image=as_file(photos.jpeg()), url="https://a.example/"),
    "idempotency_key_invalid": lambda w: send(
        w.as_alice, VERIFICATIONS, w.idcard, HTTP_IDEMPOTENCY_KEY="a b"
    ),
    "idempotency_key_reused": lambda w: sent_twice(w, {}),
    "idempotency_key_spent": spent,
    "request_in_progress": in_flight,
    "unknown_parameter": lambda w: w.look(stauts="verified"),
    "repeated_parameter": lambda w: w.as_alice.get(f"{VERIFICATIONS}?level=a&level=b"),
    "empty_parameter": lambda w: w.as_alice.get(f"{VERIFICATIONS}?reference="),
    "staff_only": lambda w: w.as_alice.get(VERIFICATIONS, {"expand": "attempts"}),
    "expand_invalid": lambda w: w.look(expand="photos"),
    "page_size_invalid": lambda w: w.look(page_size="0"),
    "cursor_invalid": lambda w: w.look(cursor="cD14"),
    "parse_error": lambda w: w.raw(b"{"),
    "stream_unavailable": lambda w: w.as_alice.get(one(plain_case(w.alice), "stream/")),
    "seal_broken": broken_photo,
    "too_large": lambda w: w.post(reference="x" * 3_000_000),
    "throttled": one_request_too_many,
    "invalid_input": lambda w: w.raw(b"{}"),
    "not_authenticated": lambda w: w.as_anonymous.get(VERIFICATIONS),
    "authentication_failed": wrong_password,
    "permission_denied": lambda w: w.as_alice.get(f"{API}attempts/"),
    "not_found": lambda w: w.as_alice.get(one("nobody")),
    "no_such_address": lambda w: w.as_alice.get(f"{API}nothing/"),
    "method_not_allowed": lambda w: w.as_alice.delete(VERIFICATIONS),
    "not_acceptable": lambda w: w.as_alice.get(VERIFICATIONS, HTTP_ACCEPT="text/html"),
    "unsupported_media_type": lambda w: w.raw(b"a", "text/plain"),
    "invalid": lambda w: w.look(similarity_min="ten"),
    "invalid_choice": lambda w: w.look(status="done"),
    "max_length": lambda w: w.look(level="x" * 101),
    "min_value": lambda w: w.look(similarity_min="-1"),
    "max_value": lambda w: w.look(similarity_max="101"),
    "null_characters_not_allowed": lambda w: w.look(level="\x00"),
}

#: codes of the first table that stand in ``errors`` as well
ALSO_INPUT = (
    "image_too_small", "image_too_large", "image_undecodable", "under_age", "consent_required",
)  # fmt: skip


#: in test_privileges.py
PRIVILEGES = {
    "reveal_reason_invalid", "reveal_note_too_short", "too_many_reveals", "too_many_searches",
    "identity_destroyed", "reopen_reason_invalid", "not_decided", "already_requested",
    "not_requested", "same_person_twice",
}  # fmt: skip
#: in test_tokens.py
TOKENS = {
    "token_in_address", "origins_invalid", "purposes_invalid", "expires_in_invalid",
    "token_invalid", "token_purpose", "origin_not_allowed",
}  # fmt: skip
#: endpoints of webhooks are made in the admin and the shell only
NOT_BY_API = ("webhook_url", "webhook_events", "webhook_description", "webhook_secret")


def documented() -> dict[str, str]:
    """Every code that a problem may have, and the status that the page tells for it."""
    told = dict.fromkeys(ALSO_INPUT, "400") | {"too_many_photos": "429"}
    for heading in (
        "Refused input",
        "Refused at this time, or to this person",
        "Refused by the API itself",
        "Refused by the framework",
    ):
        for table in tables(PAGE, heading):
            for row in table:
                told.setdefault(codes(row["code"])[0], row.get("status", "400"))
    return told


def test_every_code_is_documented_and_provoked() -> None:
    of_webhooks = {code for code in documented() if code.startswith(NOT_BY_API)}
    elsewhere = of_webhooks | PRIVILEGES | TOKENS
    assert set(documented()) - elsewhere == set(PROVOKED)


def assert_described(response: Any, code: str) -> None:
    """The description of the address says that it may refuse in this way."""
    if response.status_code == 405:  # nothing that is described
        return
    route = response.resolver_match.route.removeprefix(API[1:])
    address = re.sub(r"<\w+:(\w+)>", r"{\1}", route)
    told = refusals(response.wsgi_request.method, address)
    assert code in told[response.status_code]


@pytest.mark.parametrize("code", PROVOKED)
def test_codes(world: World, code: str) -> None:
    response = PROVOKED[code](world)
    assert str(response.status_code) in documented()[code].split(" or ")
    body = assert_problem(response, response.status_code)
    named = {body["code"], *(error["code"] for error in body.get("errors", ()))}
    if code == "no_such_address":  # a sentence of its own for a code of the framework's
        assert named == {"not_found"}
        assert "end with a slash" in body["detail"]
    else:
        assert code in named
        assert_described(response, body["code"])
    assert set(body) - {"errors", "alternative_url"} == {
        "type",
        "title",
        "status",
        "detail",
        "code",
    }
    if response.status_code in (409, 429) and "Retry-After" in response:
        assert int(response["Retry-After"]) >= 1
    assert ("Retry-After" in response) == (
        code in {"request_in_progress", "throttled", "too_many_photos"}
    )
    for error in body.get("errors", ()):
        assert len({"pointer", "parameter", "header"} & set(error)) == 1


def test_problems_speak_chinese(world: World) -> None:
    for code in ("idempotency_key_reused", "throttled", "request_in_progress"):
        world.as_alice.defaults["HTTP_ACCEPT_LANGUAGE"] = "zh-hans"
        world.as_reviewer.defaults["HTTP_ACCEPT_LANGUAGE"] = "zh-hans"
        body = PROVOKED[code](world).json()
        for text in (body["title"], body["detail"]):
            assert any("\u4e00" <= letter <= "\u9fff" for letter in text), body
        IdempotencyRecord.objects.all().delete()
