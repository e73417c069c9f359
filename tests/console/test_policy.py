"""The policy lab's page: the same numbers as the domain's, warnings, and nothing written."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from django_faceverify import figures, intake
from django_faceverify.models import Verification
from tests.console.conftest import decided_as
from tests.console.test_figures import POLICY, download, table

pytestmark = pytest.mark.django_db


@pytest.fixture
def counted(alice: User, reviewer: User) -> list[Verification]:
    cases = [decided_as(alice, value) for value in (95, 72, 78, 30)]
    intake.review(cases[1], reviewer=reviewer, decision="verify", reason_code="same_person")
    figures.advance(float("inf"), settled=0)
    return cases


def test_the_settings_change_nothing(as_reviewer: Client, counted: list[Verification]) -> None:
    page = as_reviewer.get(POLICY).content.decode()
    assert "4 cases, of which 0 would be decided otherwise." in page
    assert table(page, "outcomes") == [
        ["verified", "1", "1", "0", "0"],
        ["in review", "2", "0", "2", "0"],
        ["mismatch", "1", "0", "0", "1"],
        ["all", "4", "1", "2", "1"],
    ]
    assert "Few cases" in page
    assert "No person has decided a case that would be verified" in page


def test_other_thresholds(as_reviewer: Client, counted: list[Verification]) -> None:
    asked = {"verify_at": "72", "review_at": "20", "weeks": "1", "level": "default"}
    page = as_reviewer.get(POLICY, asked).content.decode()
    assert table(page, "outcomes")[-1] == ["all", "4", "3", "1", "0"]
    assert table(page, "estimates")[0][1:2] == ["0.0000"]
    assert table(page, "estimates")[0][-2:] == ["0", "1"]
    assert ["72", "1", "0", "1", "0", "0", "1.0000", "0.2065", "1.0000"] in table(page, "people")
    assert "[&quot;LEVELS&quot;][&quot;default&quot;]" in page
    assert "Few people&#x27;s decisions on cases that would be verified" in page


@pytest.mark.parametrize(
    "asked",
    [
        {"verify_at": "70", "review_at": "80"},
        {"verify_at": "101"},
        {"verify_at": "80.05"},
        {"verify_at": "NaN"},
        {"verify_at": ""},
        {"weeks": "10"},
        {"provider": "nobody"},
        {"level": "<i>"},
    ],
)
def test_a_wrong_question(as_reviewer: Client, asked: dict[str, str]) -> None:
    response = as_reviewer.get(POLICY, asked)
    assert response.status_code == 400
    page = response.content.decode()
    assert "errorlist" in page
    assert "<i>" not in page
    assert as_reviewer.get(f"{POLICY}csv/outcomes/", asked).status_code == 404


@pytest.mark.parametrize("name", ["outcomes", "estimates", "people", "neighbours"])
def test_the_file_holds_what_the_table_shows(
    as_reviewer: Client, counted: list[Verification], name: str
) -> None:
    page = as_reviewer.get(POLICY).content.decode()
    assert download(as_reviewer, name, POLICY)[1:] == table(page, name)


def test_without_cases(as_reviewer: Client) -> None:
    page = as_reviewer.get(POLICY).content.decode()
    assert "nothing can be said" in page


def test_one_query_for_the_answer(
    as_reviewer: Client, counted: list[Verification], django_assert_num_queries: Any
) -> None:
    as_reviewer.get(POLICY)
    with django_assert_num_queries(6):  # who asks, and what they may; the answer; when counted
        as_reviewer.get(POLICY, {"weeks": 52})
