"""``faceverify_costs``: the days are those of the books, and what is not known is no cost."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from django_faceverify import figures
from django_faceverify.figures.report import DayCost, Scope, cost_by_day
from django_faceverify.models import Verification
from django_faceverify.quotas import this_day
from tests.ledgers import write_attempts

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)


def costs(days: int) -> list[DayCost]:
    """What has been counted of the calls as they stand now."""
    figures.advance(float("inf"), settled=0)
    return cost_by_day(Scope.of_last(days))


def midnight(days_ago: int = 0) -> datetime:
    return this_day().ends_at - timedelta(days=1 + days_ago)


@pytest.fixture
def ledger(verification: Verification) -> None:
    """Calls on both sides of two midnights, and one of a day that is no longer asked for."""
    write_attempts(verification, 2, started_at=midnight() - SECOND)  # from midnight on
    write_attempts(verification, 1, started_at=midnight(), is_billed="unknown")
    write_attempts(verification, 1, started_at=midnight(1) - SECOND, is_billed="no")
    write_attempts(verification, 1, started_at=midnight(1), provider="other")
    write_attempts(verification, 1, started_at=midnight(1) - 2 * SECOND)


def test_by_day_and_provider(ledger: None, django_assert_num_queries: Any) -> None:
    figures.advance(float("inf"), settled=0)
    with django_assert_num_queries(1):
        days = cost_by_day(Scope.of_last(2))
    assert [
        (line.day, line.provider, line.calls.billed, line.calls.free, line.calls.perhaps)
        for line in days
    ] == [
        (midnight().date(), "default", 2, 0, 1),
        (midnight(1).date(), "default", 0, 1, 0),
        (midnight(1).date(), "other", 1, 0, 0),
    ]
    assert [str(line.calls.cost) for line in days] == ["3.6", "0.0", "1.8"]
    assert sum(line.calls.billed for line in costs(3)) == 4
    assert costs(1) == days[:1]


def test_as_text_and_as_json(ledger: None) -> None:
    figures.advance(float("inf"), settled=0)
    out, note = StringIO(), StringIO()
    call_command("faceverify_costs", "--days", "1", stdout=out, stderr=note)
    assert note.getvalue().startswith("Last counted: ")
    header, line = out.getvalue().splitlines()
    assert header.split() == ["day", "provider", "role", "billed", "free", "unknown", "cost"]
    assert line.split() == [f"{midnight():%Y-%m-%d}", "default", "case", "2", "0", "1", "3.60"]
    out = StringIO()
    call_command("faceverify_costs", "--json", stdout=out)
    assert json.loads(out.getvalue())[0] == {
        "day": f"{midnight():%Y-%m-%d}",
        "provider": "default",
        "role": "case",
        "billed": 2,
        "free": 0,
        "unknown": 1,
        "cost": "3.6",
    }


def test_a_shadow_costs_money_of_its_own_line(verification: Verification) -> None:
    write_attempts(verification, 1)
    write_attempts(verification, 2, role="shadow", provider="second")
    lines = [(line.provider, line.role, line.calls.billed, line.is_shadow) for line in costs(1)]
    assert lines == [("default", "case", 1, False), ("second", "shadow", 2, True)]


def test_what_was_never_counted_is_told(ledger: None) -> None:
    note = StringIO()
    call_command("faceverify_costs", stdout=StringIO(), stderr=note)
    assert "Not everything has been counted yet" in note.getvalue()


@pytest.mark.parametrize("days", ["0", "367"])
def test_days_are_bounded(days: str) -> None:
    with pytest.raises(CommandError, match="from 1 to 366"):
        call_command("faceverify_costs", "--days", days)
