"""Finding by ID number: by POST only, and without showing the number again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from django_faceverify.console import find
from django_faceverify.models import Verification
from tests.conftest import IDCARD_NAME, IDCARD_NUMBER
from tests.console.conftest import LIST, decided_as, page_of

FIND = LIST + "find/"
OTHER_NUMBER = "000000198512120022"


def test_it_finds_all_cases_of_one_number(as_reviewer: Client, alice: User, bob: User) -> None:
    cases = [decided_as(alice, 72), decided_as(bob, 95)]
    other = decided_as(bob, 95, idcard_number=OTHER_NUMBER)
    response = as_reviewer.post(FIND, {"idcard_number": IDCARD_NUMBER})
    assert response.status_code == 200
    page = response.content.decode()
    assert all(page_of(case) in page for case in cases)
    assert page_of(other) not in page
    assert "000***********0011" in page
    assert IDCARD_NUMBER not in page
    assert IDCARD_NAME not in page


def test_nothing_found(as_reviewer: Client, in_review: Verification) -> None:
    page = as_reviewer.post(FIND, {"idcard_number": OTHER_NUMBER}).content.decode()
    assert "There is no case about this ID number." in page
    assert OTHER_NUMBER not in page


@pytest.mark.parametrize("typed", ["", "12345", "not a number at all", "9" * 40])
def test_what_is_no_number_is_refused_and_not_repeated(as_reviewer: Client, typed: str) -> None:
    response = as_reviewer.post(FIND, {"idcard_number": typed})
    assert response.status_code == 200
    page = response.content.decode()
    assert "errorlist" in page
    if typed:
        assert typed not in page


def test_an_address_is_never_searched(as_reviewer: Client, in_review: Verification) -> None:
    page = as_reviewer.get(FIND, {"idcard_number": IDCARD_NUMBER}).content.decode()
    assert IDCARD_NUMBER not in page
    assert page_of(in_review) not in page
    assert as_reviewer.put(FIND).status_code == 405


def test_long_results_are_cut(
    as_reviewer: Client, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(find, "FOUND_SHOWN", 1)
    old, new = decided_as(alice, 72), decided_as(alice, 72)
    page = as_reviewer.post(FIND, {"idcard_number": IDCARD_NUMBER}).content.decode()
    assert page_of(new) in page
    assert page_of(old) not in page
    assert "Only the newest cases are shown." in page


@pytest.mark.parametrize("count", [1, 12])
def test_the_number_of_queries_is_fixed(
    as_reviewer: Client, alice: User, count: int, django_assert_num_queries: Any
) -> None:
    for _ in range(count):
        decided_as(alice, 72)
    # counting and recording the search included; MySQL counts step by step
    with django_assert_num_queries(13 if connection.vendor == "mysql" else 10):
        as_reviewer.post(FIND, {"idcard_number": IDCARD_NUMBER})


def test_who_may_search(client: Client, staff: Callable[..., User]) -> None:
    client.force_login(staff("view_photo"))
    assert client.get(FIND).status_code == 403
    assert client.post(FIND, {"idcard_number": IDCARD_NUMBER}).status_code == 403


def test_a_token_is_needed(reviewer: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(reviewer)
    assert strict.post(FIND, {"idcard_number": IDCARD_NUMBER}).status_code == 403
