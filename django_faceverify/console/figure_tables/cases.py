"""Tables about cases: volume, outcomes, similarities and reasons."""

from __future__ import annotations

from django.utils.translation import gettext_lazy
from django.utils.translation import gettext_lazy as _

from django_faceverify.console.history import ACTIONS
from django_faceverify.console.tables import DAY, Column, Mark, Table, newest_first
from django_faceverify.figures import report
from django_faceverify.figures.report import Scope
from django_faceverify.reasons import ReasonCode

#: reasons that the table shows; there are more only where somebody has invented some
REASONS_SHOWN = 40


def volume(days: list[report.DayOfCases]) -> Table:
    return Table(
        gettext_lazy("Cases by day"),
        [
            DAY,
            Column(_("opened"), series="line", colour="quiet"),
            Column(_("verified"), series="bar", colour="good"),
            Column(_("rejected"), series="bar", colour="bad"),
            Column(_("canceled"), series="bar", colour="ask"),
            Column(_("expired"), series="bar", colour="wait"),
        ],
        [
            (day.day, day.opened, day.verified, day.rejected, day.canceled, day.expired)
            for day in newest_first(days)
        ],
        _(
            "A case counts on the day it was opened, and on the day it ended, as it stands now: one that was reopened has not ended."
        ),
        "stack",
    )


def passed(days: list[report.DayOfCases]) -> Table:
    return Table(
        _("Pass rate"),
        [
            DAY,
            Column(_("decided")),
            Column(_("verified, of those decided"), "percent", "line", "good"),
            Column(_("decided without a person"), "percent", "line", "busy"),
        ],
        [
            (day.day, day.passed.total, day.passed.value, day.automatic.value)
            for day in newest_first(days)
        ],
        _("Decided means verified or rejected; canceled and expired cases are neither."),
        "bars",
    )


def similarities(scope: Scope) -> Table:
    bands = report.similarities(scope)
    start = bands[0].low if bands else 0
    marks: list[Mark] = []
    for lines in report.thresholds_now(scope):
        for label, value, colour in (
            (_("review line, %(value)s"), lines.review_at, "wait"),
            (_("verification line, %(value)s"), lines.verify_at, "good"),
        ):
            marks.append(Mark(label % {"value": f"{value:g}"}, value - start - 0.5, colour))
    return Table(
        _("Similarities"),
        [
            Column(_("similarity from"), "text"),
            Column(_("mismatch"), series="bar", colour="bad"),
            Column(_("in review"), series="bar", colour="wait"),
            Column(_("verified"), series="bar", colour="good"),
            Column(_("refused by the provider"), series="bar", colour="quiet"),
        ],
        [
            (str(band.low), band.mismatch, band.in_review, band.verified, band.refused)
            for band in bands
        ],
        _(
            "Each case once, by its last comparison, in the zone of the thresholds of that time. The lines are those of the settings today."
        ),
        "stack",
        marks,
    )


def reasons(scope: Scope) -> Table:
    lines = report.reasons(scope)[:REASONS_SHOWN]
    labels = dict(ReasonCode.choices)
    return Table(
        _("Reasons"),
        [
            Column(_("reason"), "text"),
            Column(_("what happened"), "text"),
            Column(_("by"), "text"),
            Column(_("events"), series="bar"),
        ],
        [
            (
                labels.get(line.reason_code, line.reason_code),
                ACTIONS.get(line.action, line.action),
                _("a person") if line.by_person else _("a rule"),
                line.count,
            )
            for line in lines
        ],
        _("Each event with a reason, so that a case may count more than once."),
        "across",
    )
