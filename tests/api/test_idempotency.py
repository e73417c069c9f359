"""The same request again, under its ``Idempotency-Key``: done once, answered as often as asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import caches
from django.db import connection
from rest_framework.exceptions import PermissionDenied
from rest_framework.test import APIClient

from django_faceverify import idempotency, intake
from django_faceverify.api.verifications import VerificationCancel
from django_faceverify.exceptions import InProgress
from django_faceverify.models import Event, IdempotencyRecord, Photo, Verification
from django_faceverify.models.clock import db_now
from django_faceverify.models.idempotency import Hold
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
    stock,
)
from tests.conftest import CONSENT, draw_jpeg, submitted

BAD_KEYS = ["", " ", "a b", "x" * 256, "é", "键", "a\tb", "a\x7f", "\x00"]
GOOD_KEYS = ["!", "~", "x" * 255, '"8e03978e-40d5-43dd-bc93-6894a57f9324"', "a,b;c=d"]


def key(text: str = "k1") -> dict[str, Any]:
    return {"HTTP_IDEMPOTENCY_KEY": text}


def is_replayed(response: Any) -> bool:
    return bool(response.headers.get("Idempotent-Replayed") == "true")


def test_without_a_key_twice_is_twice(as_alice: APIClient, idcard: dict[str, Any]) -> None:
    assert send(as_alice, VERIFICATIONS, idcard).json()["id"]
    assert send(as_alice, VERIFICATIONS, idcard).status_code == 201
    assert Verification.objects.count() == 2
    assert not IdempotencyRecord.objects.exists()


def test_a_creation_without_a_photo(as_alice: APIClient, idcard: dict[str, Any]) -> None:
    first = send(as_alice, VERIFICATIONS, idcard, **key())
    again = send(as_alice, VERIFICATIONS, idcard, **key())
    assert (first.status_code, again.status_code) == (201, 201)
    assert (is_replayed(first), is_replayed(again)) == (False, True)
    assert first.json() == again.json()
    assert first["Location"] == again["Location"]
    assert Verification.objects.count() == 1


def test_a_creation_with_a_photo(
    as_alice: APIClient, idcard: dict[str, Any], jpeg: bytes, photo_folder: Path
) -> None:
    def post(data: bytes) -> Any:
        body = {**idcard, **AGREED, "image": as_file(data)}
        return as_alice.post(VERIFICATIONS, body, format="multipart", **key())

    first = post(jpeg)
    before = stock(photo_folder)
    again = post(jpeg)
    assert (first.status_code, again.status_code) == (202, 202)
    assert again["Retry-After"] == "1"
    assert is_replayed(again)
    assert again.json()["id"] == first.json()["id"]
    assert_problem(post(draw_jpeg(seed=2)), 422, "idempotency_key_reused")
    assert stock(photo_folder) == before


def test_the_order_of_fields_is_no_difference(as_alice: APIClient, idcard: dict[str, Any]) -> None:
    send(as_alice, VERIFICATIONS, idcard, **key())
    turned = dict(reversed(idcard.items()))
    assert is_replayed(send(as_alice, VERIFICATIONS, turned, **key()))
    other = {**idcard, "reference": "r"}
    body = assert_problem(send(as_alice, VERIFICATIONS, other, **key()), 422)
    assert body["code"] == "idempotency_key_reused"
    assert Verification.objects.count() == 1


def test_a_replay_tells_how_things_stand_now(
    as_alice: APIClient, alice: User, idcard: dict[str, Any]
) -> None:
    first = send(as_alice, VERIFICATIONS, idcard, **key())
    case = Verification.objects.get()
    intake.cancel(case, user=alice)
    again = send(as_alice, VERIFICATIONS, idcard, **key())
    assert first.json()["status"] == "requires_input"
    assert again.json()["status"] == "canceled"
    assert again.status_code == 201


def test_another_photo(as_alice: APIClient, alice: User, jpeg: bytes) -> None:
    case = decided(alice, found("no_face"))

    def post() -> Any:
        return as_alice.post(one(case, "photos/"), {"image": as_file(jpeg)}, **key())

    assert post().status_code == 202
    again = post()
    assert again.status_code == 202
    assert is_replayed(again)
    assert Photo.objects.count() == 2


def test_a_cancellation_and_a_review(
    as_alice: APIClient, as_reviewer: APIClient, alice: User
) -> None:
    case = plain_case(alice)
    body = {"decision": "verify", "reason_code": "same_person"}
    waiting = in_review(alice)
    for client, address, sent in (
        (as_alice, one(case, "cancel/"), {}),
        (as_reviewer, one(waiting, "review/"), body),
    ):
        first, again = (send(client, address, sent, **key()) for _ in range(2))
        assert (first.status_code, again.status_code) == (200, 200)
        assert is_replayed(again)
        assert first.json() == again.json()
    assert Event.objects.filter(action__in=["canceled", "verified"]).count() == 2


def test_a_key_is_one_callers_for_one_address(
    as_alice: APIClient, as_bob: APIClient, alice: User, idcard: dict[str, Any]
) -> None:
    ids = {
        send(client, VERIFICATIONS, idcard, **key()).json()["id"] for client in (as_alice, as_bob)
    }
    assert len(ids) == 2
    response = send(as_alice, one(Verification.objects.get(user=alice), "cancel/"), {}, **key())
    assert response.json()["status"] == "canceled"
    assert not is_replayed(response)


def test_a_search_changes_nothing_and_needs_no_record(as_reviewer: APIClient) -> None:
    asked = {"idcard_number": "000000199001010011"}
    for _ in range(2):
        response = send(as_reviewer, f"{VERIFICATIONS}search/", asked, **key())
        assert response.status_code == 200
        assert not is_replayed(response)
    assert not IdempotencyRecord.objects.exists()


def test_a_refusal_does_not_burn_the_key(
    as_alice: APIClient, alice: User, idcard: dict[str, Any]
) -> None:
    bad = {**idcard, "idcard_number": "1"}
    assert_problem(send(as_alice, VERIFICATIONS, bad, **key()), 400)
    assert not IdempotencyRecord.objects.exists()
    assert send(as_alice, VERIFICATIONS, idcard, **key()).status_code == 201
    closed = decided(alice)
    for _ in range(2):
        assert_problem(send(as_alice, one(closed, "cancel/"), {}, **key()), 409, "already_final")
    assert_problem(send(as_alice, one("nobody", "cancel/"), {}, **key()), 404)
    assert IdempotencyRecord.objects.count() == 1


def test_a_fault_of_ours_does_not_burn_the_key(
    as_alice: APIClient, idcard: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(Event, "sealed_parts", lambda self, mac: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            send(as_alice, VERIFICATIONS, idcard, **key())
    assert not Verification.objects.exists()
    assert send(as_alice, VERIFICATIONS, idcard, **key()).status_code == 201


def test_a_fault_after_the_commit_is_answered_later(
    as_alice: APIClient, idcard: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(Verification, "refresh_from_db", lambda self, **more: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            send(as_alice, VERIFICATIONS, idcard, **key())
    again = send(as_alice, VERIFICATIONS, idcard, **key())
    assert again.status_code == 200
    assert is_replayed(again)
    assert again.json()["id"] == str(Verification.objects.get().pk)


@pytest.mark.parametrize("bad", BAD_KEYS)
def test_bad_keys(
    as_alice: APIClient, idcard: dict[str, Any], bad: str, photo_folder: Path
) -> None:
    before = stock(photo_folder)
    body = assert_problem(
        send(as_alice, VERIFICATIONS, idcard, **key(bad)), 400, "idempotency_key_invalid"
    )
    assert body["errors"][0]["header"] == "Idempotency-Key"
    assert stock(photo_folder) == before


@pytest.mark.parametrize("good", GOOD_KEYS)
def test_good_keys(as_alice: APIClient, idcard: dict[str, Any], good: str) -> None:
    assert send(as_alice, VERIFICATIONS, idcard, **key(good)).status_code == 201
    assert is_replayed(send(as_alice, VERIFICATIONS, idcard, **key(good)))


def in_flight(user: User, body: dict[str, Any], text: str = "k1") -> Hold:
    """Somebody is working under the key at this moment."""
    held = idempotency.reserve(
        scope=(f"user:{user.pk}", "POST", VERIFICATIONS),
        key=text,
        body=(b"json", json.dumps(body, sort_keys=True).encode()),
    )
    assert isinstance(held, Hold)
    return held


def test_in_flight(as_alice: APIClient, alice: User, idcard: dict[str, Any]) -> None:
    in_flight(alice, idcard)
    response = send(as_alice, VERIFICATIONS, idcard, **key())
    assert_problem(response, 409, "request_in_progress")
    assert response["Retry-After"] == "1"
    assert_problem(send(as_alice, VERIFICATIONS, {}, **key()), 422, "idempotency_key_reused")
    assert not Verification.objects.exists()


def test_a_dead_worker_frees_its_key(
    as_alice: APIClient, alice: User, idcard: dict[str, Any]
) -> None:
    in_flight(alice, idcard)
    IdempotencyRecord.objects.update(lease_until=db_now(-1))
    response = send(as_alice, VERIFICATIONS, idcard, **key())
    assert response.status_code == 201
    assert not is_replayed(response)
    assert is_replayed(send(as_alice, VERIFICATIONS, idcard, **key()))
    assert IdempotencyRecord.objects.get().fence == 2


def test_a_worker_that_was_only_slow_commits_nothing(
    as_alice: APIClient, alice: User, idcard: dict[str, Any]
) -> None:
    slow = in_flight(alice, idcard)
    IdempotencyRecord.objects.update(lease_until=db_now(-1))
    first = send(as_alice, VERIFICATIONS, idcard, **key())
    with pytest.raises(InProgress), idempotency.working(slow):
        submitted(alice)
    assert Verification.objects.count() == 1
    assert not Photo.objects.exists()
    again = send(as_alice, VERIFICATIONS, idcard, **key())
    assert is_replayed(again)
    assert again.json() == first.json()


def test_what_a_receiver_of_a_signal_opens_is_not_the_answer(
    alice: User, idcard: dict[str, Any]
) -> None:
    with idempotency.working(in_flight(alice, idcard)):
        mine = submitted(alice)
        submitted(alice)
    assert IdempotencyRecord.objects.get().verification_id == mine.pk


def test_nothing_personal_is_kept(as_alice: APIClient, idcard: dict[str, Any], jpeg: bytes) -> None:
    number = idcard["idcard_number"]
    body = {**idcard, **AGREED, "image": as_file(jpeg)}
    as_alice.post(VERIFICATIONS, body, format="multipart", **key(number))
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM django_faceverify_idempotencyrecord")
        row = str(cursor.fetchone())
    assert number not in row
    assert number[4:] not in row
    assert idcard["idcard_name"] not in row
    assert caches["default"].get(number) is None


def test_keys_of_another_ring(as_alice: APIClient, idcard: dict[str, Any], settings: Any) -> None:
    """While sealing keys are changed, requests are remembered under the old one."""
    first = send(as_alice, VERIFICATIONS, idcard, **key())
    new = {"new": "HxwdHh8AAQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRo="}
    ring = {**new, **settings.FACEVERIFY["KEYS"]}
    settings.FACEVERIFY = {**settings.FACEVERIFY, "KEYS": ring}
    again = send(as_alice, VERIFICATIONS, idcard, **key())
    assert is_replayed(again)
    assert again.json()["id"] == first.json()["id"]
    other = {**idcard, "reference": "r"}
    assert_problem(send(as_alice, VERIFICATIONS, other, **key()), 422)


def test_a_replay_shows_only_what_one_may_see(
    as_alice: APIClient, alice: User, bob: User, idcard: dict[str, Any]
) -> None:
    send(as_alice, VERIFICATIONS, idcard, **key())
    Verification.objects.update(user=bob)
    assert_problem(send(as_alice, VERIFICATIONS, idcard, **key()), 404, "not_found")
    assert Verification.objects.count() == 1


def test_a_view_that_changes_no_verification_is_not_done_again(
    as_alice: APIClient, idcard: dict[str, Any], alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = plain_case(alice)
    monkeypatch.setattr(intake, "create", lambda **more: case)
    assert send(as_alice, VERIFICATIONS, idcard, **key()).status_code == 201
    response = send(as_alice, VERIFICATIONS, idcard, **key())
    assert_problem(response, 409, "idempotency_key_spent")


@pytest.mark.parametrize("rest", ["consent/", "consent/withdraw/", "redact/"])
def test_what_had_nothing_to_change_is_answered_again_too(
    as_alice: APIClient, alice: User, rest: str
) -> None:
    """The second key comes when all is done already."""
    case = submitted(alice)
    body = CONSENT if rest == "consent/" else {}
    for text in ("first", "second"):
        first = send(as_alice, one(case, rest), body, **key(text))
        before = Event.objects.count()
        again = send(as_alice, one(case, rest), body, **key(text))
        assert (first.status_code, again.status_code) == (200, 200)
        assert (is_replayed(first), is_replayed(again)) == (False, True)
        assert first.json() == again.json()
        assert Event.objects.count() == before


def test_a_view_may_answer_again_in_its_own_way(
    as_alice: APIClient, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Any, request: Any, record: IdempotencyRecord) -> Any:
        raise PermissionDenied

    case = plain_case(alice)
    monkeypatch.setattr(VerificationCancel, "replay", refuse)
    assert send(as_alice, one(case, "cancel/"), {}, **key()).status_code == 200
    assert_problem(send(as_alice, one(case, "cancel/"), {}, **key()), 403)


def test_keys_on_every_post(as_root: APIClient, alice: User) -> None:
    """A key of a bad shape is told about wherever there is something to be done once."""
    case = in_review(alice)
    for path in ("verifications/", *(f"verifications/{case.pk}/{rest}/" for rest in
                 ("photos", "consent", "consent/withdraw", "cancel", "redact", "review"))):  # fmt: skip
        response = send(as_root, f"{API}{path}", {}, **key("a b"))
        assert_problem(response, 400, "idempotency_key_invalid")


def test_a_site_with_atomic_requests(settings: Any) -> None:
    from django_faceverify.api.urls import urlpatterns

    for pattern in urlpatterns:
        assert "default" in pattern.callback._non_atomic_requests
