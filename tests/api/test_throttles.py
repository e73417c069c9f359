"""Throttles at the door: who is slowed down, and how it is told."""

from __future__ import annotations

import re
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.authentication import BasicAuthentication
from rest_framework.test import APIClient

from django_faceverify import throttles
from django_faceverify.api.door import Door
from tests.api.asking import API, VERIFICATIONS, assert_problem, one, plain_case, send, stock

WIDE = {
    "REQUESTS_PER_ADDRESS_MINUTE": 100,
    "REQUESTS_PER_PRINCIPAL_MINUTE": 100,
    "POSTS_PER_PRINCIPAL_MINUTE": 100,
    "POSTS_PER_IDCARD_HOUR": 100,
}


@pytest.fixture
def limits(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets limits, the rest being wide; the clock stands still."""
    monkeypatch.setattr(throttles, "time", lambda: 1_800_000_010.0)
    local = "django.core.cache.backends.locmem.LocMemCache"
    settings.CACHES = {"default": {"BACKEND": local, "LOCATION": uuid.uuid4().hex}}

    def set_limits(**changes: int | None) -> None:
        settings.FACEVERIFY = {**settings.FACEVERIFY, "THROTTLES": {**WIDE, **changes}}

    set_limits()
    return set_limits


def assert_throttled(response: Any, wait: int) -> None:
    assert_problem(response, 429, "throttled")
    assert response["Retry-After"] == str(wait)


def test_what_is_left_is_told(as_alice: APIClient, limits: Any, idcard: dict[str, Any]) -> None:
    looked = as_alice.get(VERIFICATIONS)
    assert looked["RateLimit-Policy"] == '"address";q=100;w=60, "principal";q=100;w=60'
    assert looked["RateLimit"] == '"address";r=99;t=50, "principal";r=99;t=50'
    posted = send(as_alice, VERIFICATIONS, idcard)
    assert posted["RateLimit"].endswith('"principal";r=98;t=50, "posts";r=99;t=50')
    item = r'"\w+";r=\d+;t=\d+'
    assert re.fullmatch(rf"{item}(, {item})*", posted["RateLimit"])


def test_without_limits_nothing_is_told(as_alice: APIClient) -> None:
    response = as_alice.get(VERIFICATIONS)
    assert "RateLimit" not in response
    assert "RateLimit-Policy" not in response


def test_one_account_does_not_slow_down_another(
    as_alice: APIClient, as_bob: APIClient, limits: Any
) -> None:
    limits(REQUESTS_PER_PRINCIPAL_MINUTE=2)
    assert [as_alice.get(VERIFICATIONS).status_code for _ in range(3)] == [200, 200, 429]
    response = as_alice.get(VERIFICATIONS)
    assert_throttled(response, 50)
    assert '"principal";r=0;t=50' in response["RateLimit"]
    assert as_bob.get(VERIFICATIONS).status_code == 200


def test_posts_are_counted_apart(
    as_alice: APIClient, limits: Any, idcard: dict[str, Any], photo_folder: Path
) -> None:
    limits(POSTS_PER_PRINCIPAL_MINUTE=1)
    assert send(as_alice, VERIFICATIONS, {}).status_code == 400
    before = stock(photo_folder)
    assert_throttled(send(as_alice, VERIFICATIONS, idcard), 50)
    assert stock(photo_folder) == before
    assert as_alice.get(VERIFICATIONS).status_code == 200


def test_whoever_tries_passwords_is_slowed_down(
    as_anonymous: APIClient, limits: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Door, "authentication_classes", [BasicAuthentication])
    limits(REQUESTS_PER_ADDRESS_MINUTE=3)
    wrong: dict[str, Any] = {"HTTP_AUTHORIZATION": "Basic bm9ib2R5OndybmQ="}
    statuses = [as_anonymous.get(f"{API}attempts/", **wrong).status_code for _ in range(4)]
    assert statuses == [401, 401, 401, 429]
    assert_throttled(as_anonymous.get(f"{API}nowhere/"), 50)
    assert as_anonymous.get(f"{API}nowhere/", REMOTE_ADDR="192.0.2.9").status_code == 404


def test_one_number_from_many_accounts(
    as_alice: APIClient, as_bob: APIClient, limits: Any, idcard: dict[str, Any]
) -> None:
    limits(POSTS_PER_IDCARD_HOUR=1)
    assert send(as_alice, VERIFICATIONS, idcard).status_code == 201
    response = send(as_bob, VERIFICATIONS, idcard)
    assert_throttled(response, 3590)
    assert "idcard" not in response["RateLimit"]
    other = {**idcard, "idcard_number": "000000199001010038"}
    assert send(as_bob, VERIFICATIONS, other).status_code == 201
    form = as_bob.post(VERIFICATIONS, idcard, format="multipart")
    assert_throttled(form, 3590)


def test_a_throttle_does_not_burn_a_key(
    as_alice: APIClient, limits: Any, idcard: dict[str, Any], alice: User
) -> None:
    key: dict[str, Any] = {"HTTP_IDEMPOTENCY_KEY": "k"}
    limits(POSTS_PER_IDCARD_HOUR=0)
    assert_throttled(send(as_alice, VERIFICATIONS, idcard, **key), 3590)
    limits(POSTS_PER_IDCARD_HOUR=1)
    assert (
        send(as_alice, VERIFICATIONS, idcard, **key).status_code == 429
    )  # this hour's one is used
    limits(POSTS_PER_IDCARD_HOUR=100)
    assert send(as_alice, VERIFICATIONS, idcard, **key).status_code == 201


def test_another_view_of_the_site_is_not_throttled(
    as_alice: APIClient, alice: User, limits: Any, client: Any
) -> None:
    limits(REQUESTS_PER_ADDRESS_MINUTE=0, REQUESTS_PER_PRINCIPAL_MINUTE=0)
    assert client.get("/admin/login/").status_code == 200
    assert_throttled(as_alice.get(one(plain_case(alice))), 50)
