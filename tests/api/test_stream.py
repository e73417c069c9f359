"""Events of one verification, from a real server under ASGI."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from asgiref.sync import async_to_sync, sync_to_async
from django.contrib.auth.models import User
from django.test import AsyncClient
from rest_framework.test import APIClient

from django_faceverify import intake
from django_faceverify.api import stream as stream_module
from django_faceverify.api.answers import tag_of
from django_faceverify.api.representation import represent_verification
from django_faceverify.models import Verification
from tests.api.asking import VERIFICATIONS, assert_problem, one, plain_case
from tests.conftest import CONSENT, IDCARD_NAME, IDCARD_NUMBER, submitted
from tests.sites import Site, running_site

ALICE = ("alice", "alice")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    bill: Path = folder / "bill"
    bill.touch()
    uvicorn = ("uvicorn", "--factory", "django.core.asgi:get_asgi_application", "--port", "{port}")
    with running_site(*uvicorn, database_url=f"sqlite:///{folder / 'db.sqlite3'}", bill=bill) as it:
        yield it


def opened(site: Site, *, with_photo: bool = True) -> str:
    body: dict[str, Any] = {"idcard_name": IDCARD_NAME, "idcard_number": IDCARD_NUMBER}
    if with_photo:
        body |= {"url": "https://example.com/face.jpg", "consent": CONSENT}
    address = f"{site.url}{VERIFICATIONS}"
    response = requests.post(address, json=body, auth=ALICE, timeout=30)
    assert response.status_code == (202 if with_photo else 201)
    return str(response.json()["id"])


def stream(site: Site, case: str, **headers: str) -> requests.Response:
    return requests.get(
        f"{site.url}{one(case, 'stream/')}", headers=headers, auth=ALICE, stream=True, timeout=30
    )


def events(response: requests.Response) -> Iterator[dict[str, Any]]:
    """The events as they come: their id, and what they tell."""
    event: dict[str, Any] = {}
    for line in response.iter_lines():
        name, _, text = line.decode().partition(": ")
        if name == "data":
            event["shown"] = json.loads(text)
            yield event
        elif name == "id":
            event = {"id": text}


def test_changes_come_as_they_happen(site: Site) -> None:
    case = opened(site)
    response = stream(site, case, **{"Accept": "text/event-stream", "Accept-Language": "zh-hans"})
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/event-stream"
    assert response.headers["Cache-Control"] == "no-store, no-transform"
    coming = events(response)
    first = next(coming)
    assert first["shown"]["status"] == "processing"
    site.manage("faceverify_sweep")
    last = next(coming)
    assert last["shown"]["status"] == "verified"
    assert list(coming) == []
    polled = requests.get(f"{site.url}{one(case)}", auth=ALICE, timeout=30)
    assert last["shown"] == polled.json()
    assert polled.headers["ETag"] == f'"{last["id"]}"'

    again = stream(site, case, **{"Last-Event-ID": last["id"]})
    assert again.status_code == 204
    missed = stream(site, case, **{"Last-Event-ID": first["id"]})
    assert [event["id"] for event in events(missed)] == [last["id"]]


def test_many_look_at_once(site: Site) -> None:
    """One that waits stands in nobody's way."""
    case = opened(site, with_photo=False)
    watching = [events(stream(site, case)) for _ in range(20)]
    assert [next(coming)["shown"]["status"] for coming in watching] == ["requires_input"] * 20
    url = f"{site.url}{one(case, 'cancel/')}"
    assert requests.post(url, json={}, auth=ALICE, timeout=30).status_code == 200
    with ThreadPoolExecutor(20) as pool:
        told: list[list[dict[str, Any]]] = list(pool.map(list, watching))
    assert [[event["shown"]["status"] for event in heard] for heard in told] == [["canceled"]] * 20


def test_who_waits_is_answered_with_the_news(site: Site) -> None:
    case = opened(site)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(
            requests.get, f"{site.url}{one(case)}", headers={"Prefer": "wait=15"}, auth=ALICE,
            timeout=30,
        )  # fmt: skip
        site.manage("faceverify_sweep")
        response = waiting.result()
    assert response.json()["status"] == "verified"
    assert response.headers["Preference-Applied"] == "wait=15"


def test_nothing_to_see(site: Site) -> None:
    for case in ("nobody", "01890000-0000-7000-8000-000000000000"):
        response = stream(site, case)
        assert response.status_code == 404
        assert response.headers["Content-Type"] == "application/problem+json"
    nobody = requests.get(f"{site.url}{one('nobody', 'stream/')}", timeout=30)
    assert nobody.status_code == 403
    case = opened(site)
    head = requests.head(f"{site.url}{one(case, 'stream/')}", auth=ALICE, timeout=30)
    assert head.status_code == 200
    assert head.headers["Content-Type"] == "text/event-stream"


def test_without_asgi_one_has_to_poll(as_alice: APIClient, alice: User) -> None:
    case = submitted(alice)
    accept: dict[str, Any] = {"HTTP_ACCEPT": "text/event-stream"}
    assert_problem(as_alice.get(one(case, "stream/"), **accept), 406, "stream_unavailable")
    assert_problem(as_alice.get(one(case), **accept), 406, "not_acceptable")


# The events by themselves, with a clock that only sleeping moves


class Clock:
    """Says what happens while a stream sleeps for the n-th time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.count = 1000.0, 0
        self.at: dict[int, Callable[[], object]] = {}
        monkeypatch.setattr(stream_module, "time", SimpleNamespace(monotonic=lambda: self.now))
        monkeypatch.setattr(stream_module, "asyncio", SimpleNamespace(sleep=self.sleep))

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.count += 1
        await sync_to_async(self.at.pop(self.count, lambda: None))()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def lines_of(user: User, case: Verification, seen: str = "") -> list[bytes]:
    """All that a stream says, until it ends."""

    async def read() -> list[bytes]:
        request: Any = SimpleNamespace(user=user)
        return [line async for line in stream_module._events(request, str(case.pk), seen, "en")]

    return async_to_sync(read)()


def test_a_stream_ends_and_is_kept_alive(alice: User, clock: Clock, settings: Any) -> None:
    settings.FACEVERIFY = {**settings.FACEVERIFY, "POLLING": {"STREAM_SECONDS": 40}}
    come_back, event, *heartbeats = lines_of(alice, plain_case(alice))
    assert come_back == b"retry: 2000\n\n"
    assert event.startswith(b"event: verification\nid: ")
    assert event.count(b"\n") == 4
    assert heartbeats == [b":\n\n"] * 2
    assert clock.now == pytest.approx(1040)
    assert stream_module.streams.taken == 0


def test_what_was_seen_is_not_told_again(alice: User, clock: Clock) -> None:
    case = plain_case(alice)
    clock.at[5] = lambda: intake.cancel(case, user=alice)
    seen = tag_of(represent_verification(case, for_staff=False)).strip('"')
    _, event = lines_of(alice, case, seen)
    assert b'"status":"canceled"' in event
    assert clock.count == 5


def test_a_case_that_is_taken_away_ends_its_stream(alice: User, bob: User, clock: Clock) -> None:
    case = plain_case(alice)
    clock.at[2] = lambda: Verification.objects.update(user=bob)
    assert len(lines_of(alice, case)) == 2
    assert clock.count == 2


def test_so_many_streams_and_no_more(alice: User, clock: Clock, settings: Any) -> None:
    settings.FACEVERIFY = {**settings.FACEVERIFY, "POLLING": {"MAX_STREAMS": 0}}
    case = plain_case(alice)
    assert lines_of(alice, case) == [b"retry: 2000\n\n"]
    client = AsyncClient()
    client.force_login(alice)
    response = async_to_sync(client.get)(one(case, "stream/"))
    assert_problem(response, 429, "throttled")
    assert response["Retry-After"] == "5"
