"""Tables about the work of people: what waits for them, and what they decided."""

from __future__ import annotations

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from django_faceverify.console.tables import DAY, Column, Table, long_time, newest_first
from django_faceverify.figures import report
from django_faceverify.figures.report import Reviewing, Scope


def queue(ages: list[report.QueueAge]) -> Table:
    return Table(
        _("The queue of review now"),
        [Column(_("in review since"), "text"), Column(_("cases"), series="bar", colour="wait")],
        [(_age(age), age.count) for age in ages],
        _("By the time since the case came to review; of each stage, the oldest 10,000 cases."),
        "bars",
    )


def _age(age: report.QueueAge) -> str:
    if age.to_hours is None:
        return gettext("more than %(time)s ago") % {"time": long_time(age.from_hours * 3600)}
    return gettext("less than %(time)s ago") % {"time": long_time(age.to_hours * 3600)}


def waiting(scope: Scope) -> Table:
    return Table(
        _("How long cases wait for a person"),
        [
            DAY,
            Column(_("decided by people")),
            Column(_("median"), "seconds", "line", "busy"),
            Column(_("95 of 100 are faster"), "seconds", "line", "bad"),
        ],
        [(one.day, one.count, one.median, one.p95) for one in newest_first(report.waiting(scope))],
        _("From the moment a case came to review until somebody decided it, on that day."),
        "bars",
    )


def reviewers(lines: list[tuple[str, Reviewing]]) -> Table:
    return Table(
        _("Reviewers"),
        [
            Column(_("Reviewer"), "text"),
            Column(_("verified"), series="bar", colour="good"),
            Column(_("rejected"), series="bar", colour="bad"),
            Column(_("asked again"), series="bar", colour="wait"),
            Column(_("with the score"), "percent"),
            Column(_("decided with a score")),
            Column(_("taken back")),
            Column(_("then decided differently"), "percent"),
            Column(_("decided again")),
        ],
        [
            (
                name,
                one.verified,
                one.rejected,
                one.input_required,
                one.agreement.value,
                one.agreement.total,
                one.open + one.overturned.total,
                one.overturned.value,
                one.overturned.total,
            )
            for name, one in lines
        ],
        _(
            "With the score: verified at or above the middle between the two lines of that case, or rejected below it. Taken back: by two people, whoever decided afterwards. Neither says who was right."
        ),
        "stack",
    )
