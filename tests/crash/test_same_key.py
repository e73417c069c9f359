"""One key, one case, one call: for a crowd that sends it at once, and wherever a server dies."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest
import requests
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from django_faceverify.models import IdempotencyRecord, Verification
from django_faceverify.models.clock import db_now
from tests.api.asking import AGREED, VERIFICATIONS, as_file, one
from tests.conftest import CONSENT, IDCARD_NAME, IDCARD_NUMBER
from tests.crash.billing import SCRIPTS, BillingProvider
from tests.crash.boundaries import Life
from tests.crash.recovery import recover
from tests.crash.test_crash_points import PICTURE, asked_again, begin, boundaries, moments
from tests.crash.test_storms import bill, charged, database_url  # noqa: F401 (fixtures)
from tests.sites import Site, running_site

CROWD = 12
#: more than enough for the slowest of the crowd
PATIENCE = 60.0

Post = Callable[[APIClient], Any]


def creation(reference: str, key: str) -> Post:
    """A creation with a photo, as one client would send it again and again."""
    facts = {
        "idcard_name": IDCARD_NAME,
        "idcard_number": IDCARD_NUMBER,
        "reference": reference,
        **AGREED,
    }
    return lambda client: client.post(
        VERIFICATIONS, {**facts, "image": as_file(PICTURE)}, HTTP_IDEMPOTENCY_KEY=key
    )


def lease_ends() -> None:
    IdempotencyRecord.objects.filter(verification_id=None).update(lease_until=db_now(-1))


def insisting(client: APIClient, post: Post) -> Any:
    """What a client is told that sends the same request until it has an answer."""
    response = post(client)
    if response.status_code == 409:
        assert response.json()["code"] == "request_in_progress"
        lease_ends()
        response = post(client)
    return response


@pytest.fixture
def client(transactional_db: None) -> APIClient:
    client = APIClient()
    client.force_authenticate(User.objects.create_user("alice"))
    return client


@pytest.mark.parametrize("is_asked", [False, True], ids=["killed", "asked"])
def test_a_server_is_killed_anywhere_while_it_opens_a_case(
    client: APIClient, is_asked: bool
) -> None:
    """The client sends the request again, and has one case that is paid for once."""
    begin("match")
    sample = creation(uuid4().hex, uuid4().hex)
    passed = boundaries(lambda: sample(client))
    assert len(passed) > 30
    for moment, case in moments(passed, f"key {is_asked}", one_of=2):
        begin("match")
        reference = uuid4().hex
        post = creation(reference, uuid4().hex)
        Life(moment, is_asked=is_asked).spend(lambda post=post: post(client))  # type: ignore[misc]  # bound for the loop
        response = insisting(client, post)
        assert response.status_code == 202, f"{case}: {response.content}"
        verification = Verification.objects.get(reference=reference)
        assert response.json()["id"] == str(verification.pk), case
        assert verification.photos.count() == 1, case
        recover(verification.pk)
        assert len(BillingProvider.bill) == 1, case
        again = post(client)
        assert again.headers["Idempotent-Replayed"] == "true", case
        assert again.json()["status"] == "verified", case


def test_a_server_is_killed_anywhere_while_it_takes_another_photo(client: APIClient) -> None:
    assert "no_face" in SCRIPTS
    user = User.objects.get()

    def waiting() -> tuple[Verification, Post]:
        case = asked_again()
        Verification.objects.filter(pk=case.pk).update(user=user)
        begin("match")
        key = uuid4().hex
        return case, lambda client: client.post(
            one(case, "photos/"), {"image": as_file(PICTURE)}, HTTP_IDEMPOTENCY_KEY=key
        )

    _, sample = waiting()
    for moment, name in moments(boundaries(lambda: sample(client)), "another", one_of=3):
        case, post = waiting()
        Life(moment).spend(lambda post=post: post(client))  # type: ignore[misc]  # bound for the loop
        assert insisting(client, post).status_code == 202, name
        recover(case.pk)
        case.refresh_from_db()
        assert (case.status, case.photo_count) == ("verified", 2), name
        assert len(BillingProvider.bill) == 1, name


# A crowd at a real server


@pytest.fixture
def site(database_url: str, bill: Path) -> Iterator[Site]:  # noqa: F811
    """Two server processes of eight threads each."""
    gunicorn = ("gunicorn", "django.core.wsgi:get_wsgi_application()", "--bind", "127.0.0.1:{port}")
    with running_site(
        *gunicorn, *("--workers", "2", "--threads", "8"), database_url=database_url, bill=bill
    ) as site:
        yield site


@pytest.mark.services
def test_twelve_at_once_are_one_case_and_one_call(
    site: Site,
    bill: Path,  # noqa: F811
) -> None:
    address = f"{site.url}{VERIFICATIONS}"
    body = {
        "idcard_name": IDCARD_NAME,
        "idcard_number": IDCARD_NUMBER,
        "url": "https://example.com/face.jpg",
        "consent": CONSENT,
    }
    barrier = Barrier(CROWD)

    def insist(number: int) -> list[requests.Response]:
        barrier.wait()
        responses: list[requests.Response] = []
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            response = requests.post(
                address,
                json=body,
                auth=("alice", "alice"),
                headers={"Idempotency-Key": "the-same"},
                timeout=30,
            )
            responses.append(response)
            if response.status_code != 409:
                break
            assert response.json()["code"] == "request_in_progress"
            time.sleep(float(response.headers["Retry-After"]))
        return responses

    with ThreadPoolExecutor(CROWD) as crowd:
        told = list(crowd.map(insist, range(CROWD)))
    last = [responses[-1] for responses in told]
    assert {response.status_code for response in last} == {202}
    assert len({response.json()["id"] for response in last}) == 1
    originals = [r for r in last if "Idempotent-Replayed" not in r.headers]
    assert len(originals) == 1
    listed = requests.get(address, auth=("alice", "alice"), timeout=30).json()["results"]
    assert [case["id"] for case in listed] == [originals[0].json()["id"]]
    for _ in range(2):
        site.manage("faceverify_sweep")
    assert len(charged(bill)) == 1
    [case] = requests.get(address, auth=("alice", "alice"), timeout=30).json()["results"]
    assert case["status"] == "verified"
