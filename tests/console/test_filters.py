"""The filters beside the lists: what they take, refuse and keep."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from django_faceverify.models import Verification
from tests.api.asking import plain_case
from tests.console.conftest import LIST

SHANGHAI = ZoneInfo("Asia/Shanghai")


def found(response: Any) -> set[Any]:
    assert response.status_code == 200
    return {row.pk for row in response.context["cl"].result_list}


@pytest.fixture
def by_day(alice: User) -> dict[str, Verification]:
    """Cases at the first and the last moment of two days of the site's time."""
    moments = {
        "1st early": datetime(2026, 3, 1, 0, 0, tzinfo=SHANGHAI),
        "1st late": datetime(2026, 3, 1, 23, 59, 59, 999_999, tzinfo=SHANGHAI),
        "2nd early": datetime(2026, 3, 2, 0, 0, tzinfo=SHANGHAI),
    }
    return {name: plain_case(alice, created_at=at) for name, at in moments.items()}


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"created_from": "2026-03-01", "created_to": "2026-03-01"}, {"1st early", "1st late"}),
        ({"created_from": "2026-03-02"}, {"2nd early"}),
        ({"created_to": "2026-03-01"}, {"1st early", "1st late"}),
        ({"created_from": "2026-03-01", "created_to": ""}, {"1st early", "1st late", "2nd early"}),
        ({"created_from": "2026-03-02", "created_to": "2026-03-01"}, set()),
    ],
)
def test_days_include_both_ends(
    as_reviewer: Client, by_day: dict[str, Verification], query: dict[str, str], names: set[str]
) -> None:
    assert found(as_reviewer.get(LIST, query)) == {by_day[name].pk for name in names}


@pytest.mark.parametrize(
    "day", ["yesterday", "2026-02-30", "2026-13-01", "0001-01-01", "9999-12-31", "1/2/2026"]
)
@pytest.mark.parametrize("name", ["created_from", "created_to"])
def test_what_is_no_day_is_refused(
    as_reviewer: Client, by_day: dict[str, Verification], name: str, day: str
) -> None:
    response = as_reviewer.get(LIST, {name: day})
    assert found(response) == set()
    assert "This is not a day. Write it like 2026-01-31." in response.content.decode()


def test_a_recent_midnight_replaces_typed_days(as_reviewer: Client, alice: User) -> None:
    case = plain_case(alice)
    plain_case(alice, created_at=timezone.now() - timedelta(days=3))
    query = {"created": "today", "created_from": "2020-01-01"}
    response = as_reviewer.get(LIST, query)
    assert found(response) == {case.pk}
    page = response.content.decode()
    assert 'href="?created=week"' in page


@pytest.mark.parametrize(
    ("band", "similarities"),
    [("0", {0.0, 49.99}), ("70", {70.0, 79.999}), ("90", {90.0, 100.0}), ("80", set())],
)
def test_bands_of_similarity(
    as_reviewer: Client, alice: User, band: str, similarities: set[float]
) -> None:
    cases = {
        value: plain_case(alice, similarity=value).pk
        for value in (0.0, 49.99, 70.0, 79.999, 90.0, 100.0)
    }
    plain_case(alice)
    assert found(as_reviewer.get(LIST, {"similarity": band})) == {
        cases[value] for value in similarities
    }


def test_a_band_begins_with_the_highest(as_reviewer: Client, alice: User) -> None:
    values = [71.0, 79.0, 75.0]
    for value in values:
        plain_case(alice, similarity=value)
    rows = as_reviewer.get(LIST, {"similarity": "70"}).context["cl"].result_list
    assert [row.similarity for row in rows] == sorted(values, reverse=True)
    rows = as_reviewer.get(LIST, {"similarity": "nonsense"}).context["cl"].result_list
    assert [row.similarity for row in rows] == values[::-1]


def test_one_account(as_reviewer: Client, alice: User, bob: User) -> None:
    case = plain_case(alice)
    plain_case(bob)
    response = as_reviewer.get(LIST, {"user": f" {alice.pk} "})
    assert found(response) == {case.pk}
    assert f'href="{LIST}?user={alice.pk}">alice</a>' in response.content.decode()


@pytest.mark.parametrize("key", ["alice", "1.5", "9" * 40, "-" + "9" * 40, "1 OR 1=1"])
def test_what_is_no_account_is_refused(as_reviewer: Client, alice: User, key: str) -> None:
    plain_case(alice)
    response = as_reviewer.get(LIST, {"user": key})
    assert found(response) == set()
    assert "No account can have this id." in response.content.decode()


def test_a_form_keeps_the_other_filters(as_reviewer: Client, alice: User) -> None:
    query = {"status__exact": "verified", "user": str(alice.pk), "created_from": "2026-03-01"}
    page = as_reviewer.get(LIST, query).content.decode()
    _, _, of_user = page.partition('data-filter-title="user"')
    assert '<input type="hidden" name="status__exact" value="verified">' in of_user
    assert '<input type="hidden" name="created_from" value="2026-03-01">' in of_user
    assert '<input type="hidden" name="user"' not in of_user


@pytest.mark.parametrize(
    "query",
    ["similarity__gt=1", "user__password__startswith=p", "level__startswith=d", "created__lt=2027",
     "user_id=1", "created_at__gte=2026-01-01", "provider__in=default"],
)  # fmt: skip
def test_a_filter_takes_its_own_parameters_only(as_reviewer: Client, query: str) -> None:
    assert as_reviewer.get(f"{LIST}?{query}").status_code == 400
