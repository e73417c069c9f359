"""What is read from the sums: whole weeks and single days together are every day once."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import combinations_with_replacement

import pytest

from django_faceverify.figures import cells
from django_faceverify.figures.cells import Cell
from django_faceverify.figures.report import Scope, similarities, sums

pytestmark = pytest.mark.django_db

#: a Wednesday; the days go on over the end of the year, which is in the middle of a week
FIRST = date(2026, 12, 23)
DAYS = [FIRST + timedelta(days=number) for number in range(18)]


def similarity(day: date) -> Cell:
    return Cell(day, "similarity", "live", "default", "threshold", "verified", bucket=90)


@pytest.mark.parametrize("first", DAYS)
def test_any_range_holds_each_of_its_days_once(first: date) -> None:
    cells.add({similarity(day): 1 for day in DAYS})
    for start, last in combinations_with_replacement(DAYS, 2):
        if start == first:
            ((_, found),) = sums(Scope(start, last).totals("similarity"), "kind")
            assert found == (last - start).days + 1


def test_days_that_make_up_for_each_other_are_no_band() -> None:
    """A correction may stand on another day than what it corrects."""
    cells.add({similarity(DAYS[0]): 1, similarity(DAYS[1]): -1})
    assert similarities(Scope(DAYS[0], DAYS[1])) == []
