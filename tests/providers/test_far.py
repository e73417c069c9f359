"""A vendor's figures: whole, in order, and never read between two rows."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from django_faceverify.providers.faceid import FaceIDProvider
from django_faceverify.providers.far import FarTable, spelled

ROWS = ((Decimal("1e-2"), 60.0), (Decimal("1e-3"), 70.0), (Decimal("1e-4"), 80.0))


def table(rows: Any = ROWS, version: str = "1") -> FarTable:
    return FarTable(version=version, source="a page", published=date(2026, 1, 1), rows=rows)


@pytest.mark.parametrize(
    ("far", "score"),
    [
        ("1e-1", 60),
        ("1e-2", 60),
        ("9.9e-3", 70),
        ("1e-3", 70),
        ("9.99e-4", 80),
        ("1e-4", 80),
        ("9.9e-5", None),
    ],
)
def test_the_row_or_the_stricter_one(far: str, score: float | None) -> None:
    assert table().score_at(Decimal(far)) == score


def test_the_strictest_row() -> None:
    assert table().strictest == Decimal("1e-4")


@pytest.mark.parametrize(
    "rows",
    [
        (),
        ROWS[::-1],
        (ROWS[0], ROWS[0]),
        ((Decimal("1e-2"), 60.0), (Decimal("1e-3"), 60.0)),
        ((Decimal("1e-2"), 60.0), (Decimal("1e-3"), 50.0)),
        ((Decimal("1e-2"), -1.0),),
        ((Decimal("1e-2"), 101.0),),
        ((Decimal(0), 60.0),),
    ],
)
def test_rows_that_contradict_each_other(rows: Any) -> None:
    with pytest.raises(ValueError, match="row"):
        table(rows)


@pytest.mark.parametrize("version", ["", "x" * 51])
def test_a_version_fits_its_column(version: str) -> None:
    with pytest.raises(ValueError, match="version"):
        table(version=version)


@pytest.mark.parametrize(
    ("far", "text"),
    [("0.0001", "1e-4"), ("0.00010", "1e-4"), ("2.5e-3", "2.5e-3"), ("1e-10", "1e-10")],
)
def test_one_spelling(far: str, text: str) -> None:
    assert spelled(Decimal(far)) == text


def test_what_is_published_of_the_built_in_service() -> None:
    found = FaceIDProvider.far_table
    assert found is not None
    assert found.rows == ((Decimal("1e-4"), 70.0),)
    assert FaceIDProvider.lowest_threshold == 70
