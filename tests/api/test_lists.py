"""Lists: pages, filters, search, and how many queries they take."""

from __future__ import annotations

from base64 import b64encode
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from django_faceverify.models import Verification, VerificationAttempt
from tests.api.asking import (
    API,
    VERIFICATIONS,
    assert_problem,
    decided,
    found,
    in_review,
    plain_case,
    send,
)
from tests.scripted import similarity

SEARCH = f"{VERIFICATIONS}search/"


def ids(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [row["id"] for row in response.json()["results"]]


def cases(user: User, count: int) -> list[str]:
    """Cases of different ages, newest first."""
    now = timezone.now()
    return [
        str(plain_case(user, created_at=now - timedelta(minutes=age)).pk) for age in range(count)
    ]


def test_pages(as_alice: APIClient, alice: User) -> None:
    expected = cases(alice, 30)
    first = as_alice.get(VERIFICATIONS)
    assert ids(first) == expected[:25]
    assert first.json()["previous"] is None
    second = as_alice.get(first.json()["next"])
    assert ids(second) == expected[25:]
    assert second.json()["next"] is None
    assert ids(as_alice.get(second.json()["previous"])) == expected[:25]


def test_pages_of_the_same_moment(as_alice: APIClient, alice: User) -> None:
    now = timezone.now()
    expected = {str(plain_case(alice, created_at=now).pk) for _ in range(5)}
    seen: list[str] = []
    address = f"{VERIFICATIONS}?page_size=2"
    while address:
        response = as_alice.get(address)
        seen += ids(response)
        address = response.json()["next"]
    assert len(seen) == 5
    assert set(seen) == expected


@pytest.mark.parametrize(
    ("asked", "given"), [("1", 1), ("100", 100), ("101", 100), ("999999999", 100)]
)
def test_page_sizes(as_alice: APIClient, alice: User, asked: str, given: int) -> None:
    cases(alice, 101)
    assert len(ids(as_alice.get(VERIFICATIONS, {"page_size": asked}))) == given


@pytest.mark.parametrize("bad", ["0", "-1", "ten", "", "1.5", "٣", "9" * 5000, "1\x00"])
def test_bad_page_sizes(as_alice: APIClient, bad: str) -> None:
    body = assert_problem(as_alice.get(VERIFICATIONS, {"page_size": bad}), 400, "page_size_invalid")
    assert body["errors"][0]["parameter"] == "page_size"


@pytest.mark.parametrize(
    "position",
    ["p=yesterday", "p=", "p=2026-01-01", "p=0001-01-01T00:00:00%2B14:00", "p=%00", "o=x", "r=x",
     "p=9999-12-31T23:59:59-14:00", "o=-1", "p=1e999", "r=" + "9" * 5000, "p=2026-13-41T00:00Z"],
)  # fmt: skip
def test_bad_cursors(as_reviewer: APIClient, alice: User, position: str) -> None:
    case = decided(alice)
    cursor = {"cursor": b64encode(position.encode()).decode()}
    for path in ("verifications/", "attempts/", f"verifications/{case.pk}/events/"):
        assert_problem(as_reviewer.get(f"{API}{path}", cursor), 400, "cursor_invalid")


@pytest.mark.parametrize("cursor", ["!", "é", "=", "AAAA", "\x00", "😀", "a" * 10_000])
def test_garbage_cursors(as_alice: APIClient, cursor: str) -> None:
    response = as_alice.get(VERIFICATIONS, {"cursor": cursor})
    assert response.status_code in (200, 400)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"status": "verified"}, "verified"),
        ({"status": "in_review"}, "in_review"),
        ({"reason_code": "no_face"}, "no_face"),
        ({"similarity_min": "80"}, "verified"),
        ({"similarity_min": "70", "similarity_max": "75"}, "in_review"),
        ({"level": "live"}, ""),
        ({"reference": "order 7"}, "verified"),
        ({"provider": "default", "similarity_max": "80"}, "in_review"),
        ({"decided_after": "2020-01-01T00:00:00Z"}, "verified"),
        ({"decided_before": "2020-01-01"}, ""),
        ({"created_before": "2020-01-01T00:00:00+08:00"}, ""),
        ({"created_after": "2020-01-01", "status": "requires_input"}, "no_face"),
    ],
)
def test_filters(as_reviewer: APIClient, alice: User, query: dict[str, str], expected: str) -> None:
    by_name = {
        "verified": decided(alice, reference="order 7"),
        "in_review": in_review(alice),
        "no_face": decided(alice, found("no_face")),
    }
    assert ids(as_reviewer.get(VERIFICATIONS, query)) == (
        [str(by_name[expected].pk)] if expected else []
    )


def test_by_session_id(as_reviewer: APIClient, alice: User) -> None:
    case = decided(alice, similarity(12), similarity(95))
    decided(alice)
    attempt = VerificationAttempt.objects.filter(verification=case).first()
    assert attempt is not None
    query = {"session_id": attempt.session_id}
    assert ids(as_reviewer.get(VERIFICATIONS, query)) == [str(case.pk)]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("status", "done"), ("status", "a\x00"), ("reason_code", "bad_luck"),
        ("similarity_min", "ten"), ("similarity_min", "NaN"), ("similarity_min", "1e999"),
        ("similarity_max", "101"), ("similarity_max", "-1"), ("similarity_max", "Infinity"),
        ("created_after", "yesterday"), ("created_after", "0001-01-01T00:00:00+14:00"),
        ("created_before", "9999-12-31T23:59:59-14:00"), ("decided_after", "2026-02-30"),
        ("decided_before", "\x00"), ("level", "x" * 101), ("provider", "\x00"),
        ("reference", "x" * 101), ("session_id", "\x00"),
        ("status", ""), ("session_id", ""), ("created_after", ""), ("similarity_min", ""),
        ("stauts", "verified"), ("idcard_number", "000000199001010011"), ("é\x00", "1"),
    ],
)  # fmt: skip
def test_bad_filters(as_reviewer: APIClient, name: str, value: str) -> None:
    body = assert_problem(as_reviewer.get(VERIFICATIONS, {name: value}), 400, "invalid_input")
    assert body["errors"][0]["parameter"] == name


def test_a_filter_given_twice(as_reviewer: APIClient) -> None:
    response = as_reviewer.get(f"{VERIFICATIONS}?status=verified&status=rejected")
    assert_problem(response, 400, "repeated_parameter")


@pytest.mark.parametrize(
    ("name", "value"),
    [("similarity_min", "1"), ("similarity_max", "1"), ("provider", "default"),
     ("session_id", "x"), ("reason_code", "face_mismatch")],
)  # fmt: skip
def test_no_filter_is_an_oracle(as_alice: APIClient, alice: User, name: str, value: str) -> None:
    decided(alice, similarity(12))
    assert_problem(as_alice.get(VERIFICATIONS, {name: value}), 400, "staff_only")


def test_search(as_reviewer: APIClient, alice: User, idcard: dict[str, Any]) -> None:
    case = decided(alice)
    decided(alice, idcard_number="000000199001010038")
    asked = {"idcard_number": idcard["idcard_number"]}
    body = as_reviewer.post(SEARCH, asked, format="json")
    assert ids(body) == [str(case.pk)]
    assert set(body.json()) == {"next", "previous", "results"}
    nobody = {"idcard_number": "000000199001010020"}
    assert ids(as_reviewer.post(SEARCH, nobody, format="json")) == []


@pytest.mark.parametrize("bad", [None, "", 7, [], {}, "x", "1" * 100, "\ud800", "\x00", "😀" * 18])
def test_bad_searches(as_reviewer: APIClient, bad: object) -> None:
    response = send(as_reviewer, SEARCH, {"idcard_number": bad})
    assert_problem(response, 400, "invalid_input", "idcard_number")


@pytest.mark.parametrize(
    "address",
    [VERIFICATIONS, f"{API}attempts/", SEARCH, f"{VERIFICATIONS}?expand=attempts",
     f"{SEARCH}?expand=attempts", f"{VERIFICATIONS}?similarity_min=1&provider=default"],
)  # fmt: skip
def test_queries_do_not_grow_with_the_rows(
    as_reviewer: APIClient, alice: User, address: str, idcard: dict[str, Any]
) -> None:
    def ask() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            if address.startswith(SEARCH):
                body = {"idcard_number": idcard["idcard_number"]}
                response = as_reviewer.post(address, body, format="json")
            else:
                response = as_reviewer.get(address)
        assert response.status_code == 200
        counting = sum("COUNT(" in query["sql"] for query in queries)
        assert counting == address.startswith(SEARCH)  # how many were found is on record
        counts.append(len(response.json()["results"]))
        return len(queries)

    counts: list[int] = []
    decided(alice)
    ask()  # the user's permissions are read once
    few = ask()
    for _ in range(9):
        decided(alice)
    assert ask() == few
    assert counts[-2:] == [1, 10]


def test_expanded_attempts(as_reviewer: APIClient, alice: User, idcard: dict[str, Any]) -> None:
    cases = [decided(alice, similarity(12), similarity(95)), decided(alice), plain_case(alice)]
    alone = {
        str(case.pk): as_reviewer.get(f"{VERIFICATIONS}{case.pk}/?expand=attempts").json()
        for case in cases
    }
    body = as_reviewer.get(VERIFICATIONS, {"expand": "attempts", "page_size": "2"})
    assert ids(body) == [str(case.pk) for case in reversed(cases)][:2]
    rest = as_reviewer.get(body.json()["next"])
    for row in (*body.json()["results"], *rest.json()["results"]):
        assert row["attempts"] == alone[row["id"]]["attempts"]
        assert set(row) == set(alone[row["id"]]) - {"photos", "consents"}
    assert [attempt["number"] for attempt in rest.json()["results"][0]["attempts"]] == [1, 2]
    asked = {"idcard_number": idcard["idcard_number"]}
    found = as_reviewer.post(f"{SEARCH}?expand=attempts", asked, format="json").json()["results"]
    assert {len(row["attempts"]) for row in found} == {1, 2}
    assert "attempts" not in as_reviewer.get(VERIFICATIONS).json()["results"][0]


@pytest.mark.parametrize("bad", ["", "photos", "attempts,events", "attempts ", "\x00", "é", ","])
def test_bad_expansions(as_reviewer: APIClient, alice: User, bad: str) -> None:
    case = plain_case(alice)
    for address in (VERIFICATIONS, f"{VERIFICATIONS}{case.pk}/"):
        body = assert_problem(as_reviewer.get(address, {"expand": bad}), 400, "expand_invalid")
        assert body["errors"][0]["parameter"] == "expand"
        response = as_reviewer.get(f"{address}?expand=attempts&expand=attempts")
        assert_problem(response, 400, "repeated_parameter")


def test_attempts_are_for_staff(as_alice: APIClient, alice: User) -> None:
    case = decided(alice)
    for address in (VERIFICATIONS, f"{VERIFICATIONS}{case.pk}/"):
        assert_problem(as_alice.get(address, {"expand": "attempts"}), 400, "staff_only")
        assert "attempts" not in as_alice.get(address).content.decode()


def test_a_list_has_the_fields_of_the_page_and_no_others(
    as_alice: APIClient, as_reviewer: APIClient, alice: User
) -> None:
    case = decided(alice)
    for client in (as_alice, as_reviewer):
        [row] = client.get(VERIFICATIONS).json()["results"]
        alone = client.get(f"{VERIFICATIONS}{case.pk}/").json()
        assert set(row) == set(alone) - {"attempts", "photos", "consents"}


def test_queries_of_one_verification(as_reviewer: APIClient, alice: User) -> None:
    few, many = decided(alice), decided(alice, similarity(12), similarity(13), similarity(95))
    counts = []
    for case in (few, few, many):
        with CaptureQueriesContext(connection) as queries:
            assert as_reviewer.get(f"{VERIFICATIONS}{case.pk}/").status_code == 200
        counts.append(len(queries))
    assert counts[1] == counts[2] == 4


def walk(client: APIClient, address: str, link: str = "next") -> list[str]:
    """All ids from one page to the next, or back."""
    seen: list[str] = []
    at: str | None = address
    while at:
        response = client.get(at)
        seen = seen + ids(response) if link == "next" else ids(response) + seen
        at = response.json()[link]
    return seen


def test_a_range_of_decisions_has_their_order(as_reviewer: APIClient, alice: User) -> None:
    now = timezone.now()
    by_decision = [
        str(plain_case(alice, created_at=now - timedelta(days=10 - age),
                       decided_at=now - timedelta(hours=age)).pk)
        for age in range(5)
    ]  # fmt: skip
    plain_case(alice)
    address = f"{VERIFICATIONS}?page_size=2&decided_after=2020-01-01"
    assert walk(as_reviewer, address) == by_decision
    assert (
        walk(as_reviewer, f"{VERIFICATIONS}?page_size=2&created_after=2020-01-01")[1:]
        == (by_decision[::-1])
    )


def test_a_range_of_similarity_begins_with_the_highest(as_reviewer: APIClient, alice: User) -> None:
    values = [100.0, 100.0, 100.0, 95.12, 95.12, 70.0, 70.0, 0.0]
    made = [(value, plain_case(alice, similarity=value).pk) for value in values]
    expected = [str(key) for value, key in sorted(made, key=lambda one: (-one[0], one[1].hex))]
    plain_case(alice)
    address = f"{VERIFICATIONS}?page_size=2&similarity_min=0"
    assert walk(as_reviewer, address) == expected
    assert walk(as_reviewer, f"{VERIFICATIONS}?page_size=3&similarity_max=100") == expected
    last = f"{address}&cursor={b64encode(b'r=1').decode()}"
    assert walk(as_reviewer, last, "previous") == expected
    first = as_reviewer.get(address).json()
    assert first["previous"] is None
    second = as_reviewer.get(first["next"]).json()
    assert ids(as_reviewer.get(second["previous"])) == expected[:2]


def test_a_page_that_has_emptied(as_reviewer: APIClient, alice: User) -> None:
    for _ in range(3):
        plain_case(alice, similarity=80.0)
    first = as_reviewer.get(f"{VERIFICATIONS}?page_size=2&similarity_min=1").json()
    Verification.objects.all().update(similarity=None)
    empty = as_reviewer.get(first["next"]).json()
    assert (empty["results"], empty["next"], empty["previous"]) == ([], None, None)


@pytest.mark.parametrize(
    "query",
    ["similarity_min=1&created_after=2020-01-01", "similarity_min=1&decided_before=2036-01-01"],
)
def test_a_range_of_time_comes_before_that_of_similarity(
    as_reviewer: APIClient, alice: User, query: str
) -> None:
    now = timezone.now()
    expected = [
        str(plain_case(alice, similarity=80.0 + age, created_at=at, decided_at=at).pk)
        for age, at in enumerate(now - timedelta(days=age) for age in range(3))
    ]
    assert walk(as_reviewer, f"{VERIFICATIONS}?page_size=2&{query}") == expected


@pytest.mark.parametrize(
    "position",
    ["p=95", "p=x 0", "p=95 x", "p=nan 018f0000-0000-7000-8000-000000000000", "p=",
     "p=101 018f0000-0000-7000-8000-000000000000", "p=1 2 3", "p=2026-01-01T00:00:00Z"],
)  # fmt: skip
def test_bad_cursors_of_similarity(as_reviewer: APIClient, position: str) -> None:
    query = {"similarity_min": "1", "cursor": b64encode(position.encode()).decode()}
    assert_problem(as_reviewer.get(VERIFICATIONS, query), 400, "cursor_invalid")
