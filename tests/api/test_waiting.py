"""``Prefer: wait``: who waits is told of news at once, and takes nothing away from others."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from rest_framework.test import APIClient

from django_faceverify import intake
from django_faceverify.api import waiting
from django_faceverify.audit import deleting_cases
from django_faceverify.models import Verification
from tests.api.asking import assert_problem, decided, one
from tests.conftest import submitted

Tick = Callable[[], object]


class Clock:
    """A clock that moves only when somebody sleeps; ``at`` says what happens meanwhile."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        self.slept: list[float] = []
        self.at: dict[int, Tick] = {}
        clock = SimpleNamespace(monotonic=lambda: self.now, sleep=self.sleep)
        monkeypatch.setattr(waiting, "time", clock)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        self.at.pop(len(self.slept), lambda: None)()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def prefer(text: str, **more: Any) -> dict[str, Any]:
    return {"HTTP_PREFER": text, "wsgi.multithread": True, **more}


def test_the_answer_comes_with_the_news(as_alice: APIClient, alice: User, clock: Clock) -> None:
    case = submitted(alice)
    clock.at[3] = lambda: intake.cancel(case, user=alice)
    response = as_alice.get(one(case), **prefer("wait=10"))
    assert response.json()["status"] == "canceled"
    assert response["Preference-Applied"] == "wait=10"
    assert len(clock.slept) == 3
    assert "Prefer" in response["Vary"]


def test_without_news_the_wait_is_as_long_as_asked(
    as_alice: APIClient, alice: User, clock: Clock
) -> None:
    response = as_alice.get(one(submitted(alice)), **prefer("respond-async, wait=4"))
    assert response.json()["status"] == "processing"
    assert response["Retry-After"] == "1"
    assert response["Preference-Applied"] == "wait=4"
    assert sum(clock.slept) == pytest.approx(4)
    assert max(clock.slept) <= waiting.LONGEST


def test_the_site_bounds_it(as_alice: APIClient, alice: User, clock: Clock, settings: Any) -> None:
    case = submitted(alice)
    response = as_alice.get(one(case), **prefer("wait=999999"))
    assert response["Preference-Applied"] == "wait=15"
    assert sum(clock.slept) == pytest.approx(15)
    settings.FACEVERIFY = {**settings.FACEVERIFY, "POLLING": {"MAX_WAIT": 0}}
    assert "Preference-Applied" not in as_alice.get(one(case), **prefer("wait=5"))


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("wait=7", 7), ("WAIT=7", 7), ('wait="7"', 7), ("wait = 7", 7), ("a=b, wait=7;x=y", 7),
        ("wait=7, wait=3", 7), ("wait=0", 0), ("wait=-1", 0), ("wait=1.5", 0), ("wait", 0),
        ("wait=", 0), ("wait=x", 0), ("wait=٣", 0), ("", 0), (",;,=", 0), ("wait=" + "9" * 5000, 0),
        ("\x00", 0), ("await=7", 0),
    ],
)  # fmt: skip
def test_what_is_asked(
    as_alice: APIClient, alice: User, clock: Clock, header: str, seconds: int
) -> None:
    response = as_alice.get(one(submitted(alice)), **prefer(header))
    assert response.status_code == 200
    assert response.headers.get("Preference-Applied") == (f"wait={seconds}" if seconds else None)
    assert sum(clock.slept) == pytest.approx(seconds)


def test_who_has_not_seen_it_yet_does_not_wait(
    as_alice: APIClient, alice: User, clock: Clock
) -> None:
    case = submitted(alice)
    tag = as_alice.get(one(case))["ETag"]
    assert as_alice.get(one(case), **prefer("wait=5", HTTP_IF_NONE_MATCH='"x"')).status_code == 200
    assert clock.slept == []
    case.refresh_from_db()
    response = as_alice.get(one(case), **prefer("wait=5", HTTP_IF_NONE_MATCH=tag))
    assert response.status_code == 304
    assert sum(clock.slept) == pytest.approx(5)


def test_what_is_not_being_processed_is_answered_at_once(
    as_alice: APIClient, alice: User, clock: Clock
) -> None:
    response = as_alice.get(one(decided(alice)), **prefer("wait=5"))
    assert response["Preference-Applied"] == "wait=5"
    assert clock.slept == []
    assert_problem(as_alice.get(one("nobody"), **prefer("wait=5")), 404)


def test_few_wait_at_a_time(
    as_alice: APIClient, as_bob: APIClient, alice: User, bob: User, clock: Clock, settings: Any
) -> None:
    settings.FACEVERIFY = {**settings.FACEVERIFY, "POLLING": {"MAX_WAITERS": 1}}
    mine, theirs = submitted(alice), submitted(bob)
    answers = []
    clock.at[1] = lambda: answers.append(as_bob.get(one(theirs), **prefer("wait=5")))
    assert as_alice.get(one(mine), **prefer("wait=5"))["Preference-Applied"] == "wait=5"
    assert "Preference-Applied" not in answers[0]
    assert answers[0].json()["status"] == "processing"
    assert sum(clock.slept) == pytest.approx(5)
    assert waiting.waiters.taken == 0


def test_the_only_thread_of_a_process_does_not_wait(
    as_alice: APIClient, alice: User, clock: Clock
) -> None:
    single: dict[str, Any] = {"wsgi.multithread": False}
    response = as_alice.get(one(submitted(alice)), **prefer("wait=5", **single))
    assert "Preference-Applied" not in response
    assert clock.slept == []


def test_a_place_is_given_back_whatever_happens(
    as_alice: APIClient, alice: User, clock: Clock
) -> None:
    case = submitted(alice)

    def delete_it() -> None:
        with deleting_cases(Verification.objects.all(), actor="system", reason="test") as ids:
            Verification.objects.filter(pk__in=ids).delete()

    clock.at[1] = delete_it
    assert_problem(as_alice.get(one(case), **prefer("wait=5")), 404)
    assert waiting.waiters.taken == 0
    case = submitted(alice)
    clock.at[len(clock.slept) + 1] = lambda: 1 // 0
    with pytest.raises(ZeroDivisionError):
        as_alice.get(one(case), **prefer("wait=5"))
    assert waiting.waiters.taken == 0


@pytest.mark.django_db(transaction=True)
def test_nobody_holds_a_connection_while_they_wait(
    as_alice: APIClient, alice: User, clock: Clock
) -> None:
    if getattr(connection, "is_in_memory_db", lambda: False)():
        pytest.skip("a database in memory lives as long as its connection")
    case = submitted(alice)
    held = []
    clock.at |= {n: lambda: held.append(connection.connection) for n in (1, 2, 3)}
    as_alice.get(one(case), **prefer("wait=3"))
    assert held == [None] * 3
