"""The list of verifications: what it shows, finds, filters and costs."""

from __future__ import annotations

from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qsl

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from django_faceverify.console import paginator, verification_list
from django_faceverify.console.paginator import CappedPaginator
from django_faceverify.models import Verification
from tests.conftest import IDCARD_NAME, IDCARD_NUMBER
from tests.console.conftest import ATTEMPTS, LIST, decided_as, page_of


def test_it_shows_status_score_reason_and_mask(
    as_reviewer: Client, in_review: Verification
) -> None:
    page = as_reviewer.get(LIST).content.decode()
    assert '<span class="fv-badge fv-in_review">in review</span>' in page
    assert "2.0 above the review line, 8.0 below verification" in page
    assert "similarity between the two thresholds" in page
    assert "provider: 0" in page
    assert in_review.attempts.get().session_id in page
    assert "000***********0011" in page
    assert "alice" in page
    assert page_of(in_review) in page


def test_it_holds_no_name_number_or_photo(as_reviewer: Client, in_review: Verification) -> None:
    page = as_reviewer.get(LIST).content.decode()
    assert IDCARD_NAME not in page
    assert IDCARD_NUMBER not in page
    assert "/photos/" not in page
    assert not in_review.events.filter(action="photo_viewed").exists()


def test_what_the_site_wrote_is_escaped(as_reviewer: Client, alice: User) -> None:
    decided_as(alice, 72, reference="<script>alert(1)</script>")
    page = as_reviewer.get(LIST).content.decode()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


@pytest.mark.parametrize("count", [1, 12])
def test_the_number_of_queries_is_fixed(
    as_reviewer: Client, alice: User, count: int, django_assert_num_queries: Any
) -> None:
    for number in range(count):
        decided_as(alice, 72, reference=f"order-{number}")
    # session, user, two of permissions, count, rows
    with django_assert_num_queries(6):
        assert as_reviewer.get(LIST).status_code == 200


def test_no_click_changes_the_order(as_reviewer: Client, in_review: Verification) -> None:
    changelist = as_reviewer.get(LIST + "?o=1").context["cl"]
    assert changelist.queryset.query.order_by == ("-created_at", "pk")


@pytest.mark.parametrize(
    "query",
    [
        lambda case: str(case.pk),
        lambda case: case.pk.hex,
        lambda case: f"  {case.pk} ",
        lambda case: case.attempts.get().session_id,
        lambda case: case.reference,
    ],
    ids=["id", "id without hyphens", "spaces around", "session id", "reference"],
)
def test_search_is_exact(as_reviewer: Client, alice: User, query: Any) -> None:
    wanted = decided_as(alice, 72, reference="order-1")
    decided_as(alice, 72, reference="order-11")
    changelist = as_reviewer.get(LIST, {"q": query(wanted)}).context["cl"]
    assert [row.pk for row in changelist.result_list] == [wanted.pk]


def test_a_reference_may_look_like_an_id(as_reviewer: Client, alice: User) -> None:
    wanted = decided_as(alice, 72, reference="0" * 32)
    changelist = as_reviewer.get(LIST, {"q": "0" * 32}).context["cl"]
    assert [row.pk for row in changelist.result_list] == [wanted.pk]


@pytest.mark.parametrize("query", ["order", "order-", "rder-1"])
def test_parts_of_a_reference_find_nothing(as_reviewer: Client, alice: User, query: str) -> None:
    decided_as(alice, 72, reference="order-1")
    response = as_reviewer.get(LIST, {"q": query})
    assert not response.context["cl"].result_list


@pytest.mark.parametrize("query", ["rder-1", "x" * 101, "%", "_" * 7, "010011", "张三"])
def test_an_empty_search_says_why(as_reviewer: Client, alice: User, query: str) -> None:
    decided_as(alice, 72, reference="order-1")
    page = as_reviewer.get(LIST, {"q": query}).content.decode()
    assert "No case has exactly this id, session id or reference; parts find nothing." in page
    page = as_reviewer.get(ATTEMPTS, {"q": query}).content.decode()
    assert "No call has exactly this session id; parts of one find nothing." in page
    assert "parts" not in as_reviewer.get(LIST).content.decode()


@pytest.mark.parametrize("typed", [IDCARD_NUMBER, "110101 19900307 123x", "11010119900307-1234"])
@pytest.mark.parametrize("path", [LIST, "/admin/django_faceverify/verificationattempt/"])
def test_an_idcard_number_is_sent_away_from_the_address(
    as_reviewer: Client, in_review: Verification, path: str, typed: str
) -> None:
    response = as_reviewer.get(path, {"q": typed}, follow=True)
    assert response.redirect_chain == [(LIST + "find/", 302)]
    page = response.content.decode()
    assert "ID numbers are searched with this form only" in page
    assert typed not in page


def test_a_reference_of_18_digits_is_not_taken_for_an_idcard_number(
    as_reviewer: Client, alice: User
) -> None:
    decided_as(alice, 72, reference="123456789012345678")
    response = as_reviewer.get(LIST, {"q": "123456789012345678"})
    assert len(response.context["cl"].result_list) == 1


def test_the_search_box_is_not_remembered(as_reviewer: Client) -> None:
    page = as_reviewer.get(LIST).content.decode()
    assert 'role="search" autocomplete="off"' in page
    assert "Never an ID number." in page


@pytest.mark.parametrize(
    ("query", "matches"),
    [
        ("status__exact=in_review", True),
        ("status__exact=verified", False),
        ("reason_code__exact=low_similarity", True),
        ("reason_code__exact=no_face", False),
        ("level=default", True),
        ("level=live", False),
        ("provider=default", True),
        ("provider=other", False),
        ("similarity=70", True),
        ("similarity=60", False),
        ("similarity=nonsense", True),
        ("created=today", True),
        ("created=nonsense", True),
    ],
)
def test_filters(as_reviewer: Client, in_review: Verification, query: str, matches: bool) -> None:
    changelist = as_reviewer.get(f"{LIST}?{query}").context["cl"]
    assert bool(changelist.result_list) is matches


@pytest.mark.parametrize(
    "query",
    [
        "idcard_number_index__startswith=a",
        "idcard_number_index__gt=0",
        "idcard_number_mask__startswith=000",
        "idcard_name__isnull=0",
        "review_note__isnull=0",
        "similarity__gt=1",
        "created_at__year=2026",
        "user__username=alice",
        "user__password__startswith=p",
        "photos__sha256__startswith=a",
        "events__actor=system",
        "consents__given_by=guardian",
    ],
)
def test_an_address_cannot_ask_for_other_columns(
    as_reviewer: Client, in_review: Verification, query: str
) -> None:
    assert as_reviewer.get(f"{LIST}?{query}").status_code == 400
    assert as_reviewer.get(f"{ATTEMPTS}?verification__{query}").status_code == 400


@pytest.mark.parametrize(
    ("days", "found"),
    [(0, {"today", "week", "month"}), (3, {"week", "month"}), (20, {"month"}), (40, set())],
)
def test_created_filter(
    as_reviewer: Client, in_review: Verification, days: int, found: set[str]
) -> None:
    created_at = timezone.now() - timedelta(days=days)
    Verification.objects.update(created_at=created_at)
    matching = {
        choice
        for choice in ("today", "week", "month")
        if as_reviewer.get(f"{LIST}?created={choice}").context["cl"].result_list
    }
    assert matching == found


# several filters at once

BOTH = {"status__exact": "in_review", "level": "default"}


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """The list looks through two cases at a time."""
    monkeypatch.setattr(verification_list, "LOOKED_THROUGH", 2)


@pytest.fixture
def six(alice: User) -> list[Verification]:
    """Cases of one day each, the newest first; every other one is in review."""
    now = timezone.now()
    cases = [decided_as(alice, 72 if number % 2 else 95) for number in range(6)]
    for number, case in enumerate(cases):
        Verification.objects.filter(pk=case.pk).update(created_at=now - timedelta(days=number))
    return cases


def found(client: Client, query: dict[str, str]) -> tuple[list[Any], str]:
    """The rows of a page, and where its link to older cases leads."""
    response = client.get(LIST, query)
    links = [part.partition('"')[0] for part in response.content.decode().split('href="')[1:]]
    older = [unescape(link) for link in links if "created_before" in link and "p=" not in link]
    rows = [row.pk for row in response.context["cl"].result_list]
    says = "Several filters at once are looked for in a part" in response.content.decode()
    return rows, older[0] if says else ""


def test_several_filters_look_through_a_part_and_go_on_from_there(
    as_reviewer: Client, six: list[Verification], few: None
) -> None:
    wanted = [case.pk for case in six if case.status == "in_review"]
    seen, pages, query = [], 0, BOTH
    while query:
        rows, link = found(as_reviewer, query)
        assert len(rows) <= 3
        seen += rows
        query = dict(parse_qsl(link.lstrip("?")))
        assert not query or BOTH.items() <= query.items()
        pages += 1
    assert seen == wanted
    assert pages > 1


def test_the_links_between_parts_keep_every_filter(
    as_reviewer: Client, six: list[Verification], few: None
) -> None:
    query = {"level": "default", "provider": "default"}
    _, older = found(as_reviewer, query | {"p": "1"})
    assert query.items() <= dict(parse_qsl(older.lstrip("?"))).items()
    page = as_reviewer.get(f"{LIST}{older}").content.decode()
    newest = page.partition(">Begin with the newest")[0].rpartition('href="')[2]
    assert dict(parse_qsl(unescape(newest).strip('?"'))) == query


@pytest.mark.parametrize(
    "query",
    [
        {"level": "default"},
        {"status__exact": "in_review"},
        {"similarity": "70"},
        {"level": "default", "created": "month"},
        {"created": "month"},
        {"similarity": "nonsense", "level": "default"},
        {"user": "", "level": "default"},
        BOTH | {"q": "order-1"},
    ],
)
def test_what_one_index_holds_is_a_whole_list(
    as_reviewer: Client, six: list[Verification], few: None, query: dict[str, str]
) -> None:
    assert found(as_reviewer, query)[1] == ""


def test_cases_of_two_kinds_of_staff_are_looked_through_in_parts_too(
    as_reviewer: Client, six: list[Verification], few: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    console = admin.site.get_model_admin(Verification)
    every = console.get_queryset
    monkeypatch.setattr(
        console,
        "get_queryset",
        lambda request: every(request).filter(level="default") | every(request).filter(user=None),
    )
    assert "created_before" in found(as_reviewer, BOTH)[1]


def test_a_rare_filter_makes_the_list_whole(
    as_reviewer: Client, alice: User, bob: User, six: list[Verification], few: None
) -> None:
    rare = decided_as(bob, 95)
    Verification.objects.filter(pk=rare.pk).update(created_at=timezone.now() - timedelta(days=90))
    query = {"user": str(bob.pk), "status__exact": "verified"}
    assert found(as_reviewer, query) == ([rare.pk], "")


@pytest.mark.parametrize("days", [{}, {"created": "month"}])
def test_a_band_goes_by_the_time_of_the_others(
    as_reviewer: Client, six: list[Verification], few: None, days: dict[str, str]
) -> None:
    rows, link = found(as_reviewer, {"similarity": "70", "level": "default"} | days)
    assert rows == [six[1].pk]
    assert "created_before" in link


def test_a_band_of_days_goes_by_the_days(
    as_reviewer: Client, six: list[Verification], few: None
) -> None:
    rows, link = found(as_reviewer, {"similarity": "70", "created": "month"})
    assert rows == [six[1].pk]
    assert "created=month" in link


def test_the_chosen_days_come_first(
    as_reviewer: Client, six: list[Verification], few: None
) -> None:
    last = timezone.localdate() - timedelta(days=3)
    rows, link = found(as_reviewer, BOTH | {"created_to": str(last)})
    assert rows == [six[3].pk, six[5].pk]
    assert "created_before" not in link or "created_to" in link


def test_a_part_says_which_cases_it_holds(
    as_reviewer: Client, six: list[Verification], few: None
) -> None:
    page = as_reviewer.get(LIST, BOTH).content.decode()
    assert "(created since " in page
    assert ".m.. <" not in page
    newest = {"created_before": timezone.now().isoformat(), "created": "month"}
    page = as_reviewer.get(LIST, BOTH | newest).content.decode()
    assert "(created from " in page
    assert "Begin with the newest" in page
    before = (timezone.now() - timedelta(days=4)).isoformat()
    page = as_reviewer.get(LIST, {"created_before": before}).content.decode()
    assert "Only cases created before" in page
    with translation.override("zh-hans"):
        chinese = as_reviewer.get(LIST, BOTH).content.decode()
    assert "同时使用多个筛选条件" in chinese


@pytest.mark.parametrize("moment", ["x", "2026-01-31", "2026-01-31T10:00", "0001-01-01T00:00Z"])
def test_a_moment_that_is_none_chooses_nothing(
    as_reviewer: Client, six: list[Verification], moment: str
) -> None:
    response = as_reviewer.get(LIST, {"created_before": moment})
    assert len(response.context["cl"].result_list) == 6


def test_no_more_rows_are_asked_for_than_were_counted(
    as_reviewer: Client, six: list[Verification]
) -> None:
    with CaptureQueriesContext(connection) as queries:
        as_reviewer.get(LIST, {"status__exact": "in_review"})
    assert "LIMIT 3" in queries[-1]["sql"]
    with CaptureQueriesContext(connection) as queries:
        as_reviewer.get(LIST, {"status__exact": "expired"})
    assert "COUNT(" in queries[-1]["sql"]


def test_counting_stops_at_the_limit(
    as_reviewer: Client, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paginator, "COUNT_LIMIT", 3)
    for _ in range(3):
        decided_as(alice, 72)
    pages = CappedPaginator(Verification.objects.order_by("-created_at"), 2)
    assert (pages.count, pages.is_capped, pages.num_pages) == (3, False, 2)
    assert "3 verifications" in as_reviewer.get(LIST).content.decode()
    decided_as(alice, 72)
    pages = CappedPaginator(Verification.objects.order_by("-created_at"), 2)
    assert (pages.count, pages.is_capped, pages.num_pages) == (3, True, 2)
    assert "More than 3 verifications" in as_reviewer.get(LIST).content.decode()


def test_the_count_reads_neither_the_calls_nor_the_order(
    as_reviewer: Client, in_review: Verification, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(6) as queries:
        as_reviewer.get(LIST)
    (count,) = [query["sql"] for query in queries if "COUNT(*)" in query["sql"]]
    assert "attempt" not in count
    assert "ORDER BY" not in count
    assert "LIMIT 10001" in count


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_both_languages(as_reviewer: Client, in_review: Verification, language: str) -> None:
    with translation.override(language):
        for path in (LIST, LIST + "find/", page_of(in_review)):
            assert as_reviewer.get(path, headers={"accept-language": language}).status_code == 200
