"""Tables of numbers: one for the eye, one for a spreadsheet, and one that a chart is drawn from.

The chart reads the table on the page, so there is one set of numbers and not two.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TypeVar

from django.http import HttpResponse
from django.utils.formats import date_format, number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from django_faceverify.console import cells

Text = str | Promise
Item = TypeVar("Item")
Value = str | int | float | Decimal | date | Promise | None

#: what a spreadsheet takes for the beginning of a formula
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


@dataclass(frozen=True)
class Column:
    """``unit`` is ``text``, ``day``, ``count``, ``percent`` (of a fraction), ``seconds`` or ``money``.

    ``series`` says how a chart draws it (``bar`` or ``line``, or not at all), in a colour
    that means something: ``good``, ``bad``, ``wait``, ``ask``, ``busy`` or ``quiet``.
    """

    label: Text
    unit: str = "count"
    series: str = ""
    colour: str = "busy"

    @property
    def is_number(self) -> bool:
        return self.unit not in ("text", "day")


DAY = Column(gettext_lazy("Day"), "day")


@dataclass(frozen=True)
class Mark:
    """A line across a chart; ``place`` counts the rows, 0 in the middle of the first."""

    label: Text
    place: float
    colour: str = "quiet"


@dataclass(frozen=True)
class Field:
    """One cell: for people, and for machines."""

    column: Column
    text: str
    raw: str


@dataclass(frozen=True)
class Table:
    """``chart`` is ``bars``, ``stack`` (bars on each other), ``across`` (bars to the right) or none."""

    title: Text
    columns: Sequence[Column]
    rows: Sequence[tuple[Value, ...]]
    explanation: Text = ""
    chart: str = ""
    marks: Sequence[Mark] = ()

    @property
    def lines(self) -> Iterator[list[Field]]:
        for row in self.rows:
            yield [
                Field(column, shown(column.unit, value), raw(column.unit, value))
                for column, value in zip(self.columns, row, strict=True)
            ]

    def as_csv(self) -> str:
        """With a byte order mark, by which spreadsheets know that it is UTF-8."""
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerow([harmless(str(column.label)) for column in self.columns])
        for line in self.lines:
            writer.writerow([field.raw for field in line])
        return "\ufeff" + out.getvalue()

    def download(self, name: str) -> HttpResponse:
        headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
        return HttpResponse(self.as_csv(), content_type="text/csv; charset=utf-8", headers=headers)


def shown(unit: str, value: Value) -> str:
    """As people read it, in their language."""
    if value is None:
        return cells.NOTHING
    if isinstance(value, date):
        return date_format(value, "SHORT_DATE_FORMAT")
    if isinstance(value, str | Promise):
        return str(value)
    if unit == "percent":
        return f"{number_format(100 * value, 1)} %"
    if unit == "seconds":
        return long_time(float(value))
    places = {"money": 2, "count": 0}.get(unit, 1)
    return number_format(value, places, force_grouping=True)


def raw(unit: str, value: Value) -> str:
    """As machines read it: with a point, without a unit, and never a formula."""
    if value is None:
        return ""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str | Promise):
        return harmless(str(value))
    return {"percent": f"{value:.4f}", "seconds": f"{value:.3f}", "money": f"{value:.2f}"}.get(
        unit, f"{value}"
    )


def harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA) else text


def long_time(seconds: float) -> str:
    """In the largest unit that leaves something before the point."""
    for length, form in (
        (86400, _("%(time)s d")),
        (3600, _("%(time)s h")),
        (60, _("%(time)s min")),
    ):
        if seconds >= 2 * length or seconds == length:
            return form % {"time": _short(seconds / length, 1)}
    return _("%(seconds)s s") % {"seconds": _short(seconds, 2)}


def _short(value: float, places: int) -> str:
    return number_format(value, 0 if value == int(value) else places)


def newest_first(days: Iterable[Item]) -> list[Item]:
    return list(days)[::-1]
