"""``faceverify_policy``: the numbers of the lab, as text and as JSON."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from django_faceverify import figures, intake
from tests.console.conftest import decided_as

pytestmark = pytest.mark.django_db


@pytest.fixture
def counted(alice: User, reviewer: User) -> None:
    cases = [decided_as(alice, value) for value in (95, 72, 78, 30)]
    intake.review(cases[1], reviewer=reviewer, decision="verify", reason_code="same_person")
    figures.advance(float("inf"), settled=0)


def policy(*arguments: str) -> str:
    out = StringIO()
    call_command("faceverify_policy", *arguments, stdout=out)
    return out.getvalue()


def test_as_text(counted: None) -> None:
    lines = policy("--verify-at", "72", "--level", "default").splitlines()
    assert lines[0] == "4 cases, 2 would be decided otherwise (verified from 72, review from 70)"
    table = [line.split() for line in lines[2:6]]
    assert table == [
        ["verified", "1", "1", "0", "0"],
        ["in_review", "2", "2", "0", "0"],
        ["mismatch", "1", "0", "0", "1"],
        ["all", "4", "3", "0", "1"],
    ]
    assert "rejected by people, of those verified:    0 of 1 = 0.0 % (0.0 % to 79.3 %)" in lines
    assert "verified by people, of those turned down: not known" in lines
    assert "Caution: Fewer than 200 cases." in lines
    setting = 'FACEVERIFY["LEVELS"]["default"]["THRESHOLDS"] = {"verify_at": 72, "review_at": 70}'
    assert lines[-1] == setting


def test_as_json(counted: None) -> None:
    told = json.loads(policy("--review-at", "30", "--json"))
    assert (told["total"], told["changed"], told["refused_by_provider"]) == (4, 1, 0)
    assert told["was"] == {"verified": 1, "in_review": 2, "mismatch": 1}
    assert told["moved"]["mismatch"] == {"verified": 0, "in_review": 1, "mismatch": 0}
    assert told["candidate"]["in_review"] == 3
    assert len(told["neighbours"]) == 11
    [band] = [band for band in told["bands"] if band["verified_by_people"]]
    assert (band["from"], band["to"], band["cases"]) == (72, 74, 1)
    assert told["cautions"] == ["few_cases", "no_decisions_above", "no_decisions_below"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--verify-at", "80.05"), "multiples of 0.1"),
        (("--verify-at", "60"), "review_at <= verify_at"),
        (("--verify-at", "nan"), "thresholds"),
        (("--verify-at", "101"), "<= 100"),
        (("--weeks", "-1"), "0 to 52"),
        (("--weeks", "53"), "0 to 52"),
        (("--weeks", "1000000"), "0 to 52"),
        (("--provider", "nobody"), "no 'nobody'"),
        (("--provider", ""), "name one"),
        (("--level", "nothing"), "no 'nothing'"),
    ],
)
def test_wrong_questions(arguments: tuple[str, ...], told: str) -> None:
    with pytest.raises(CommandError, match=told):
        policy(*arguments)
