"""The page of figures: what stands on it for whom, and what its files hold."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from django_faceverify import figures, intake
from django_faceverify.console import FiguresAdmin
from django_faceverify.console import figures as page_of_figures
from django_faceverify.console.tables import Column, Table, harmless, long_time, raw
from django_faceverify.figures import cells, report
from django_faceverify.figures.cells import Cell
from django_faceverify.models import DailyFigure, Review, Verification
from tests.console.conftest import LIST, decided_as

pytestmark = pytest.mark.django_db

FIGURES = "/admin/django_faceverify/dailyfigure/"
POLICY = f"{FIGURES}policy/"


@pytest.fixture
def counted(alice: User, reviewer: User) -> list[Verification]:
    """One verified by rule, one by the reviewer, one in review, one that needs a photo."""
    cases = [decided_as(alice, value) for value in (95, 72, 78, 30)]
    intake.review(cases[1], reviewer=reviewer, decision="verify", reason_code="same_person")
    figures.advance(float("inf"), settled=0)
    return cases


def as_user(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def table(page: str, name: str) -> list[list[str]]:
    """The values of a table on the page, as machines read them."""
    body = re.search(rf'id="{name}".*?<tbody>(.*?)</tbody>', page, re.DOTALL)
    assert body, name
    return [re.findall(r'data-value="(.*?)"', line) for line in body[1].split("</tr>")[:-1]]


def download(client: Client, name: str, where: str = FIGURES) -> list[list[str]]:
    response = client.get(f"{where}csv/{name}/")
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert f'filename="{name}.csv"' in response.headers["Content-Disposition"]
    text = response.content.decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text)))


def test_what_happened(as_reviewer: Client, counted: list[Verification]) -> None:
    page = as_reviewer.get(FIGURES).content.decode()
    assert len(table(page, "volume")) == 30
    assert table(page, "volume")[0][1:] == ["4", "2", "0", "0", "0"]
    assert table(page, "pass-rate")[0][1:] == ["2", "1.0000", "0.5000"]
    assert table(page, "pass-rate")[1][1:] == ["0", "", ""]
    assert ["72", "0", "1", "0", "0"] in table(page, "similarities")
    assert ["face does not match", "asked for another photo", "a rule", "1"] in table(
        page, "reasons"
    )
    assert table(page, "calls")[0][1:] == ["4", "0", "0", "0", "0", "0"]
    assert table(page, "costs")[0][1:] == ["4", "0", "0", "7.20"]
    assert table(page, "providers")[0][:3] == ["default", "4", "0.0000"]
    assert [line[1] for line in table(page, "queue")] == ["1", "0", "0", "0", "0"]
    assert table(page, "waiting")[0][1] == "1"


@pytest.mark.parametrize(
    "name",
    [
        "volume",
        "pass-rate",
        "similarities",
        "reasons",
        "calls",
        "latency",
        "costs",
        "providers",
        "queue",
        "waiting",
        "reviewers",
    ],
)
def test_the_file_holds_what_the_table_shows(
    as_reviewer: Client, counted: list[Verification], name: str
) -> None:
    page = as_reviewer.get(FIGURES).content.decode()
    header, *lines = download(as_reviewer, name)
    assert lines == table(page, name)
    assert all(len(line) == len(header) for line in lines)


def test_a_file_that_is_not_there(as_reviewer: Client) -> None:
    assert as_reviewer.get(f"{FIGURES}csv/nothing/").status_code == 404
    assert as_reviewer.get(f"{FIGURES}csv/volume/?days=31").status_code == 404


@pytest.mark.parametrize("kind", ["volume", "similarities", "calls"])
def test_the_range(as_reviewer: Client, kind: str) -> None:
    for days in (7, 30, 90):
        page = as_reviewer.get(FIGURES, {"days": days}).content.decode()
        assert len(table(page, "volume")) == days


def test_a_wrong_choice_is_told(as_reviewer: Client) -> None:
    response = as_reviewer.get(FIGURES, {"days": "31", "level": "<b>"})
    assert response.status_code == 400
    page = response.content.decode()
    assert "31 is not one of the available choices" in page
    assert "<b>" not in page
    assert len(table(page, "volume")) == 30


def test_by_level_and_provider(as_reviewer: Client, counted: list[Verification]) -> None:
    def opened(**asked: str) -> str:
        return table(as_reviewer.get(FIGURES, asked).content.decode(), "volume")[0][1]

    assert opened(level="default") == opened(provider="default") == "4"
    assert opened(level="live") == "0"


def test_nothing_counted_yet(as_reviewer: Client) -> None:
    page = as_reviewer.get(FIGURES).content.decode()
    assert "Not everything has been counted yet" in page


def test_names_are_for_those_who_may_take_decisions_back(
    staff: Callable[..., User], reviewer: User, counted: list[Verification]
) -> None:
    overseer = as_user(staff("view_verification", "override_verification", name="overseer"))
    page = overseer.get(FIGURES).content.decode()
    assert table(page, "reviewers") == [["reviewer", "1", "0", "0", "0.0000", "1", "0", "", "0"]]
    assert download(overseer, "reviewers")[1][0] == "reviewer 1"

    own = as_user(reviewer).get(FIGURES).content.decode()
    assert [line[0] for line in table(own, "reviewers")] == ["you", "all reviewers"]
    viewer = as_user(staff("view_verification", name="viewer")).get(FIGURES).content.decode()
    assert [line[0] for line in table(viewer, "reviewers")] == ["all reviewers"]

    reviewer.delete()
    page = overseer.get(FIGURES).content.decode()
    assert table(page, "reviewers")[0][0].startswith("user:")


def test_the_busiest_reviewers_stand_on_the_page(
    staff: Callable[..., User], counted: list[Verification], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_of_figures, "REVIEWERS_SHOWN", 1)
    day = DailyFigure.objects.filter(kind="review").earliest("day").day
    busy = Cell(day, "review", "default", "default", "with", "rejected", bucket="user:0")
    cells.add({busy: 3})
    overseer = as_user(staff("view_verification", "override_verification", name="overseer"))
    lines = table(overseer.get(FIGURES).content.decode(), "reviewers")
    assert [line[:3] for line in lines] == [["user:0", "0", "3"], ["all others", "1", "0"]]
    assert len(download(overseer, "reviewers")) == 3


def test_the_number_of_queries_is_fixed(
    admin_client: Client, counted: list[Verification], django_assert_num_queries: Any
) -> None:
    admin_client.get(FIGURES)
    for days in (7, 90):
        with django_assert_num_queries(15):
            admin_client.get(FIGURES, {"days": days})


def test_only_those_who_may_see_cases(staff: Callable[..., User]) -> None:
    outsider = as_user(staff("view_verificationattempt"))
    assert outsider.get(FIGURES).status_code == 403
    assert outsider.get(f"{FIGURES}csv/volume/").status_code == 403
    assert FIGURES not in outsider.get("/admin/").content.decode()


def test_the_ways_in(as_reviewer: Client) -> None:
    assert FIGURES in as_reviewer.get("/admin/").content.decode()
    cases = as_reviewer.get(LIST).content.decode()
    assert f'href="{FIGURES}"' in cases
    assert f'href="{POLICY}"' in cases
    assert POLICY in as_reviewer.get(FIGURES).content.decode()
    assert f'href="{FIGURES}"' in as_reviewer.get(POLICY).content.decode()


def test_a_site_may_leave_it_out(as_reviewer: Client) -> None:
    admin.site.unregister(DailyFigure)
    try:
        assert FIGURES not in as_reviewer.get("/admin/").content.decode()
    finally:
        admin.site.register(DailyFigure, FiguresAdmin)


def test_nothing_personal_and_nothing_inline(
    as_reviewer: Client, counted: list[Verification]
) -> None:
    for where in (FIGURES, POLICY):
        page = as_reviewer.get(where).content.decode()
        assert "张三" not in page
        assert not re.search(r'<script(?![^>]*src=)|\sstyle="|\son\w+="', page)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@a", "\t=1", " =1", "＝1"])
def test_no_cell_is_a_formula(text: str) -> None:
    assert harmless(text) == f"'{text}"
    file = Table("t", [Column("=label", "text")], [(text,)]).as_csv()
    assert list(csv.reader(io.StringIO(file.removeprefix("\ufeff")))) == [
        ["'=label"],
        [f"'{text}"],
    ]


def test_numbers_stay_numbers() -> None:
    assert raw("count", 3) == "3"
    assert raw("percent", 0.25) == "0.2500"
    assert harmless("face-mismatch") == "face-mismatch"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.5, "0.50 s"), (90, "90 s"), (3600, "1 h"), (90 * 60, "90 min"), (3 * 86400, "3 d")],
)
def test_times_are_short(seconds: float, text: str) -> None:
    assert long_time(seconds) == text


def test_the_queue_by_age(in_review: Verification) -> None:
    scope = report.Scope.of_last(7, level="default", provider="default")
    for hours, place in ((0.5, 0), (2, 1), (5, 2), (30, 3), (100, 4)):
        at = timezone.now() - timedelta(hours=hours)
        Review.objects.filter(pk=in_review.pk).update(since=at)
        assert [age.count for age in report.queue(scope)].index(1) == place
    other = report.Scope.of_last(7, level="live")
    assert sum(age.count for age in report.queue(other)) == 0
