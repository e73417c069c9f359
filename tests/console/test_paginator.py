"""Counting and paging that cost the same for any number of rows."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.paginator import EmptyPage
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from django_faceverify.console import paginator
from django_faceverify.console.paginator import CappedPaginator
from django_faceverify.models import Verification
from tests.api.asking import plain_case
from tests.console.conftest import ATTEMPTS, LIST

DELIVERIES = "/admin/django_faceverify/webhookdelivery/"
LISTS = (LIST, ATTEMPTS, DELIVERIES, "/admin/django_faceverify/webhookendpoint/")


@pytest.fixture
def limit(monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(paginator, "COUNT_LIMIT", 3)
    return 3


@pytest.fixture
def as_admin(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("admin"))
    return client


@pytest.mark.parametrize(
    ("rows", "count", "is_capped", "pages"),
    [(0, 0, False, 1), (2, 2, False, 1), (3, 3, False, 2), (4, 3, True, 2), (9, 3, True, 2)],
)
def test_the_count_is_exact_up_to_the_limit(
    alice: User, limit: int, rows: int, count: int, is_capped: bool, pages: int
) -> None:
    for _ in range(rows):
        plain_case(alice)
    counted = CappedPaginator(Verification.objects.order_by("-created_at"), 2)
    assert (counted.count, counted.is_capped, counted.num_pages) == (count, is_capped, pages)


def test_no_more_rows_are_counted_than_the_limit_and_one(alice: User, limit: int) -> None:
    for _ in range(9):
        plain_case(alice)
    with CaptureQueriesContext(connection) as queries:
        counted = CappedPaginator(Verification.objects.order_by("-created_at"), 2)
        assert (counted.count, counted.is_capped) == (3, True)
    (query,) = queries
    assert "LIMIT 4" in query["sql"]
    assert "ORDER BY" not in query["sql"]


def test_there_is_no_page_beyond_the_limit(alice: User, limit: int) -> None:
    for _ in range(9):
        plain_case(alice)
    pages = CappedPaginator(Verification.objects.order_by("-created_at"), 2)
    assert len(pages.page(2)) == 1
    with pytest.raises(EmptyPage):
        pages.page(3)


@pytest.mark.parametrize("number", ["3", "999999999999999999999", "0", "-1"])
def test_a_page_that_is_not_there_says_so_and_keeps_the_filters(
    as_reviewer: Client, alice: User, limit: int, monkeypatch: pytest.MonkeyPatch, number: str
) -> None:
    monkeypatch.setattr("django_faceverify.console.records.RecordAdmin.list_per_page", 2)
    for _ in range(4):
        plain_case(alice)
    plain_case(alice, status="canceled")
    response = as_reviewer.get(LIST, {"status__exact": "requires_input", "p": number})
    assert response.status_code == 200
    assert "a list ends after 3 rows. Filter by days" in response.content.decode()
    assert {row.status for row in response.context["cl"].result_list} == {"requires_input"}


def test_more_than_the_limit_is_said(as_reviewer: Client, alice: User, limit: int) -> None:
    for _ in range(4):
        plain_case(alice)
    page = as_reviewer.get(LIST).content.decode()
    assert "More than 3 verifications. Filter or search to reach the older ones." in page


@pytest.mark.parametrize("address", LISTS)
@pytest.mark.parametrize("query", ["", "p=2", "q=order", "all=", "_facets=True", "o=1.2"])
def test_no_list_counts_or_skips_without_bound(as_admin: Client, address: str, query: str) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert as_admin.get(f"{address}?{query}").status_code == 200
    for sql in [one["sql"] for one in queries if "django_faceverify_" in one["sql"]]:
        assert "COUNT(" not in sql or f"LIMIT {paginator.COUNT_LIMIT + 1}" in sql
        assert "OFFSET" not in sql
        assert "LIKE" not in sql.upper()
        assert "DISTINCT" not in sql


def test_the_last_page_skips_no_more_than_the_limit(
    as_reviewer: Client, alice: User, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("django_faceverify.console.records.RecordAdmin.list_per_page", 2)
    for _ in range(9):
        plain_case(alice)
    with CaptureQueriesContext(connection) as queries:
        as_reviewer.get(LIST, {"p": "2"})
    skipped: list[Any] = [one["sql"] for one in queries if "OFFSET" in one["sql"]]
    assert [sql.rpartition("OFFSET")[2].strip() for sql in skipped] == ["2"]
