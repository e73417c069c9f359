"""``faceverify_shadow``: the agreement of two providers as text and as JSON, without a person."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from django_faceverify import figures
from django_faceverify.models import Verification
from tests.conftest import IDCARD_NAME, IDCARD_NUMBER
from tests.shadow_runs import write_runs

pytestmark = pytest.mark.django_db


def report(*arguments: str) -> str:
    out = StringIO()
    call_command("faceverify_shadow", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def _runs(verification: Verification) -> None:
    write_runs(verification, [("match", 95.0, "match", 85.0), ("match", 85.0, "mismatch", 12.0)])
    figures.advance(float("inf"), settled=0)


@pytest.mark.usefixtures("_runs")
def test_as_text(verification: Verification) -> None:
    text = report()
    assert "level default: default decides, second looks on" in text
    assert "THIN DATA" in text
    assert "same verdict             1   50.0%  (9.5% to 90.5%)" in text
    assert "90-100" in text
    assert "median 101 ms" in text
    for personal in (IDCARD_NAME, IDCARD_NUMBER, str(verification.pk), "session"):
        assert personal not in text


@pytest.mark.usefixtures("_runs")
def test_as_json() -> None:
    (found,) = json.loads(report("--json", "--days", "7", "--level", "default"))
    assert (found["pairs"], found["is_thin"], found["states"]) == (2, True, {"compared": 2})
    assert found["only_first_verifies"]["count"] == 1
    assert found["verdicts"]["match"]["mismatch"] == 1
    assert found["bands"]["80-90"]["10-20"] == 1
    assert [side["cost"] for side in found["sides"]] == ["3.6", "3.6"]


def test_nothing_to_tell(db: None) -> None:
    assert report() == "No second provider has looked on in these days.\n"
    assert json.loads(report("--json")) == []


@pytest.mark.parametrize("arguments", [("--days", "0"), ("--days", "367"), ("--level", "none")])
def test_wrong_arguments(db: None, arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        report(*arguments)
