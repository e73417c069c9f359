"""Tables about calls: how they ended, how long they took, and what they cost."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from django_faceverify.console.tables import DAY, Column, Table, newest_first
from django_faceverify.figures import report
from django_faceverify.figures.report import Calls


def by_day(days: dict[Any, Calls]) -> Table:
    return Table(
        _("Calls to providers"),
        [
            DAY,
            Column(_("answered"), series="bar", colour="good"),
            Column(_("refused"), series="bar", colour="bad"),
            Column(_("throttled"), series="bar", colour="wait"),
            Column(_("not sent"), series="bar", colour="ask"),
            Column(_("outcome unknown"), series="bar", colour="busy"),
            Column(_("under way"), series="bar", colour="quiet"),
        ],
        [
            (day, one.answered, one.refused, one.throttled, one.not_sent, one.unknown, one.open)
            for day, one in newest_first(days.items())
        ],
        _("Of all levels: a call has none."),
        "stack",
    )


def latency(days: dict[Any, Calls]) -> Table:
    return Table(
        _("How long providers take"),
        [
            DAY,
            Column(_("median"), "seconds", "line", "busy"),
            Column(_("95 of 100 are faster"), "seconds", "line", "bad"),
        ],
        [(day, _seconds(one.median), _seconds(one.p95)) for day, one in newest_first(days.items())],
        _("Of calls that the provider answered in any way; within 2.5 %."),
        "bars",
    )


def costs(days: dict[Any, Calls]) -> Table:
    return Table(
        _("Cost by day"),
        [
            DAY,
            Column(pgettext_lazy("calls", "Billed")),
            Column(_("Not billed")),
            Column(_("Unknown")),
            Column(_("Cost"), "money", "bar", "busy"),
        ],
        [
            (day, one.billed, one.free, one.perhaps, one.cost)
            for day, one in newest_first(days.items())
        ],
        _("At today's price. Only the provider's statement knows what was billed in the end."),
        "bars",
    )


def providers(providers: dict[str, Calls]) -> Table:
    budgets = report.budgets(list(providers))
    return Table(
        _("Providers"),
        [
            Column(_("Provider"), "text"),
            Column(_("calls")),
            Column(_("without an answer"), "percent"),
            Column(_("median"), "seconds"),
            Column(_("95 of 100 are faster"), "seconds"),
            Column(pgettext_lazy("calls", "Billed")),
            Column(_("Cost"), "money"),
            Column(_("calls today")),
            Column(_("budget of the day")),
            Column(_("left today")),
        ],
        [
            (
                name,
                one.total,
                one.failed.value,
                _seconds(one.median),
                _seconds(one.p95),
                one.billed,
                one.cost,
                budgets[name].used,
                budgets[name].limit,
                budgets[name].left,
            )
            for name, one in providers.items()
        ],
        _("The budget is the limit CALLS_PER_DAY; without one nothing is left or spent."),
    )


def _seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000
