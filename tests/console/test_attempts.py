"""The list of calls."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models.functions import Now
from django.test import Client

from django_faceverify import figures
from django_faceverify.models import Verification
from tests.console.conftest import ATTEMPTS, decided_as, page_of
from tests.ledgers import write_attempts
from tests.shadow_runs import write_runs

COSTS = ATTEMPTS + "costs/"
AGREEMENT = ATTEMPTS + "agreement/"


def test_it_shows_the_ledger(as_reviewer: Client, in_review: Verification) -> None:
    page = as_reviewer.get(ATTEMPTS).content.decode()
    attempt = in_review.attempts.get()
    assert attempt.session_id in page
    assert page_of(in_review) in page
    assert "72.0" in page
    assert '<span class="fv-badge fv-answered">answered</span>' in page


def test_what_a_second_provider_thinks_is_told_after_the_decision(
    as_reviewer: Client, in_review: Verification
) -> None:
    [run] = write_runs(in_review, [("review", 72, "match", 93.4)])
    case = run.verification
    case.attempts.of_a_shadow().update(provider_code="s7")
    lines = as_reviewer.get(ATTEMPTS, {"role__exact": "shadow"}).content.decode()
    assert "93.4" not in lines
    assert ">s7<" not in lines
    Verification.objects.filter(pk=case.pk).update(status="canceled", ended_at=Now())
    lines = as_reviewer.get(ATTEMPTS, {"role__exact": "shadow"}).content.decode()
    assert "93.4" in lines
    assert ">s7<" in lines


def test_search_by_session_id_is_exact(as_reviewer: Client, alice: User) -> None:
    attempts = [decided_as(alice, 72).attempts.get() for _ in range(2)]
    wanted = attempts[0].session_id
    for query, found in (
        (wanted, [attempts[0].pk]),
        (wanted[:-1], []),
        (f" {wanted.upper()}", [attempts[0].pk]),
    ):
        changelist = as_reviewer.get(ATTEMPTS, {"q": query}).context["cl"]
        assert [row.pk for row in changelist.result_list] == found


@pytest.mark.parametrize(
    ("query", "matches"),
    [
        ("state__exact=answered", True),
        ("state__exact=unknown", False),
        ("is_billed__exact=yes", True),
        ("is_billed__exact=no", False),
        ("provider=default", True),
        ("provider=other", False),
    ],
)
def test_filters(as_reviewer: Client, in_review: Verification, query: str, matches: bool) -> None:
    changelist = as_reviewer.get(f"{ATTEMPTS}?{query}").context["cl"]
    assert bool(changelist.result_list) is matches


def test_an_attempt_is_shown_on_its_case(as_reviewer: Client, in_review: Verification) -> None:
    attempt = in_review.attempts.get()
    response = as_reviewer.get(f"{ATTEMPTS}{attempt.pk}/change/")
    assert response.headers["Location"] == page_of(in_review)
    assert as_reviewer.get(f"{ATTEMPTS}{in_review.pk}/change/").status_code == 404


@pytest.mark.parametrize("count", [1, 12])
def test_the_number_of_queries_is_fixed(
    as_reviewer: Client, alice: User, count: int, django_assert_num_queries: Any
) -> None:
    for _ in range(count):
        decided_as(alice, 72)
    with django_assert_num_queries(6):
        as_reviewer.get(ATTEMPTS)


def test_costs_are_one_click_away(as_reviewer: Client, in_review: Verification) -> None:
    assert f'href="{COSTS}"' in as_reviewer.get(ATTEMPTS).content.decode()
    write_attempts(in_review, 1199)
    write_attempts(in_review, 7, is_billed="unknown")
    assert "Not everything has been counted yet" in as_reviewer.get(COSTS).content.decode()
    figures.advance(float("inf"), settled=0)
    page = as_reviewer.get(COSTS).content.decode()
    for cell in ("1200", "7", "2,160.00"):
        assert f'<td class="fv-number">{cell}</td>' in page


def test_costs_of_nothing(as_reviewer: Client) -> None:
    assert "No provider has been called in these days." in as_reviewer.get(COSTS).content.decode()


@pytest.mark.parametrize("count", [1, 12])
def test_the_number_of_queries_for_costs_is_fixed(
    as_reviewer: Client, alice: User, count: int, django_assert_num_queries: Any
) -> None:
    for _ in range(count):
        decided_as(alice, 72)
    figures.advance(float("inf"), settled=0)
    with django_assert_num_queries(6):
        as_reviewer.get(COSTS)


def test_the_agreement_of_two_providers(as_reviewer: Client, in_review: Verification) -> None:
    write_runs(in_review, [("match", 95.0, "match", 85.0), ("match", 85.0, "mismatch", 12.0)])
    assert "Not everything has been counted yet" in as_reviewer.get(AGREEMENT).content.decode()
    figures.advance(float("inf"), settled=0)
    page = as_reviewer.get(AGREEMENT).content.decode()
    assert "Level default: default decides, second looks on" in page
    assert "Thin data: 2 pairs." in page
    assert '<td class="fv-number">50.0 %</td><td class="fv-number">9.5–90.5 %</td>' in page
    assert "Last counted: " in page


@pytest.mark.parametrize("pairs", [1, 12])
def test_the_number_of_queries_for_the_agreement_is_fixed(
    as_reviewer: Client, in_review: Verification, pairs: int, django_assert_num_queries: Any
) -> None:
    write_runs(in_review, [("match", 95.0, "match", 85.0)] * pairs)
    figures.advance(float("inf"), settled=0)
    with django_assert_num_queries(10):
        as_reviewer.get(AGREEMENT)
