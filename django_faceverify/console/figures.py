"""The page of figures: what happened, day by day, as charts over tables."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from django import forms
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils.decorators import method_decorator
from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from django_faceverify import access
from django_faceverify.conf import app_settings
from django_faceverify.console.history import ACTIONS
from django_faceverify.console.policy import PolicyLabAdmin
from django_faceverify.console.records import Pages
from django_faceverify.console.tables import Column, Mark, Table, long_time
from django_faceverify.figures import report
from django_faceverify.figures.report import Calls, Reviewing, Scope
from django_faceverify.lifecycle import user_actor
from django_faceverify.reasons import ReasonCode

#: ranges that can be chosen, in days
RANGES = (7, 30, 90)
#: reasons that the table shows; there are more only where somebody has invented some
REASONS_SHOWN = 40

Item = TypeVar("Item")

DAY = Column(_("Day"), "day")


class ScopeForm(forms.Form):
    """Which days, which level, which provider. An empty choice is all of them."""

    days = forms.TypedChoiceField(label=_("Days"), coerce=int, initial=30)
    level = forms.ChoiceField(label=_("Level"), required=False)
    provider = forms.ChoiceField(label=_("Provider"), required=False)

    def __init__(self, asked: dict[str, Any]) -> None:
        super().__init__(asked, auto_id="fv-%s")
        every = ("", gettext("all"))
        self.fields["days"].choices = [(days, str(days)) for days in RANGES]  # type: ignore[attr-defined]
        for name, known in (("level", app_settings.LEVELS), ("provider", app_settings.PROVIDERS)):
            self.fields[name].choices = [every, *((one, one) for one in known)]  # type: ignore[attr-defined]

    @property
    def scope(self) -> Scope:
        """What was asked for; the usual for what is not one of the choices."""
        facts = self.cleaned_data
        return Scope.of_last(
            facts.get("days") or self.fields["days"].initial,
            level=facts.get("level", ""),
            provider=facts.get("provider", ""),
        )


@dataclass(frozen=True)
class Fact:
    """A number at the top of the page."""

    label: str | Promise
    text: str


class FiguresAdmin(PolicyLabAdmin):
    """Stands where the list of daily sums would be, which nobody wants to read."""

    figures_template = "django_faceverify/console/figures.html"

    def get_urls(self) -> list[URLPattern]:
        pages: Pages = [
            ("changelist", "", self.changelist_view),
            ("csv", "csv/<slug:name>/", self.csv_view),
        ]
        return self.routes("dailyfigure", pages) + super().get_urls()

    @method_decorator(require_safe)
    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        self.require_view(request)
        form = self._form(request)
        is_valid, scope = form.is_valid(), form.scope
        days = report.cases_by_day(scope)
        ages = report.queue(scope)
        context = {
            "form": form,
            "facts": _facts(report.whole(days), ages),
            "tables": list(self._tables(request, scope, days, ages)),
            "counted_at": report.counted_at(),
            "query": request.GET.urlencode(),
            "csv_name": "admin:django_faceverify_dailyfigure_csv",
            "policy_url": self.page_url("dailyfigure", "policy"),
            **(extra_context or {}),
        }
        title = gettext("Figures")
        status = 200 if is_valid else 400
        return self.page(request, self.figures_template, title, context, status=status)

    @method_decorator(require_safe)
    def csv_view(self, request: HttpRequest, name: str) -> HttpResponse:
        """One of the tables, with numbers in the place of names."""
        self.require_view(request)
        form = self._form(request)
        if not form.is_valid():
            raise Http404
        scope = form.scope
        days, ages = report.cases_by_day(scope), report.queue(scope)
        for table in self._tables(request, scope, days, ages, is_anonymous=True):
            if table.name == name:
                return table.download()
        raise Http404

    def require_view(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied

    def _form(self, request: HttpRequest) -> ScopeForm:
        return ScopeForm({"days": 30, **request.GET.dict()})

    def _tables(
        self,
        request: HttpRequest,
        scope: Scope,
        days: list[report.DayOfCases],
        ages: list[report.QueueAge],
        *,
        is_anonymous: bool = False,
    ) -> Iterable[Table]:
        calls = report.calls(scope)
        yield _volume(days)
        yield _passed(days)
        yield _similarities(scope)
        yield _reasons(scope)
        yield _calls(calls.by_day)
        yield _latency(calls.by_day)
        yield _costs(calls.by_day)
        yield _providers(calls.by_provider)
        yield _queue(ages)
        yield _waiting(scope)
        yield self._reviewers(request, scope, is_anonymous)

    def _reviewers(self, request: HttpRequest, scope: Scope, is_anonymous: bool) -> Table:
        """Everybody by name for those who may take decisions back; others see themselves."""
        people = report.reviewing(scope)
        if not access.may(request.user, access.OVERRIDE):
            own = user_actor(request.user)
            all_of_them = Reviewing("")
            for person in people:
                all_of_them.add(person)
            lines = [(gettext("you"), one) for one in people if one.actor == own]
            lines.append((gettext("all reviewers"), all_of_them))
        elif is_anonymous:
            lines = [
                (gettext("reviewer %(number)s") % {"number": number}, person)
                for number, person in enumerate(people, 1)
            ]
        else:
            names = _names(person.actor for person in people)
            lines = [(names.get(person.actor, person.actor), person) for person in people]
        return _reviewers(lines)


def _facts(whole: report.DayOfCases, ages: list[report.QueueAge]) -> list[Fact]:
    waiting = sum(age.count for age in ages)
    bound = "+" if waiting >= report.QUEUE_LIMIT else ""
    return [
        Fact(_("opened"), f"{whole.opened}"),
        Fact(_("decided"), f"{whole.passed.total}"),
        Fact(_("verified, of those decided"), _percent(whole.passed.value)),
        Fact(_("decided without a person"), _percent(whole.automatic.value)),
        Fact(_("in review now"), f"{waiting}{bound}"),
    ]


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"


def _names(actors: Iterable[str]) -> dict[str, str]:
    """User names by actor; accounts that are gone have none."""
    keys = {actor.partition(":")[2]: actor for actor in actors if actor.startswith("user:")}
    users = get_user_model()._default_manager.filter(pk__in=list(keys))
    return {keys[str(user.pk)]: user.get_username() for user in users}


def newest_first(days: Iterable[Item]) -> list[Item]:
    return list(days)[::-1]


# --- the tables ----------------------------------------------------------------------------


def _volume(days: list[report.DayOfCases]) -> Table:
    return Table(
        "volume",
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


def _passed(days: list[report.DayOfCases]) -> Table:
    return Table(
        "pass-rate",
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


def _similarities(scope: Scope) -> Table:
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
        "similarities",
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


def _reasons(scope: Scope) -> Table:
    lines = report.reasons(scope)[:REASONS_SHOWN]
    labels = dict(ReasonCode.choices)
    return Table(
        "reasons",
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


def _calls(days: dict[Any, Calls]) -> Table:
    return Table(
        "calls",
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


def _latency(days: dict[Any, Calls]) -> Table:
    return Table(
        "latency",
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


def _costs(days: dict[Any, Calls]) -> Table:
    return Table(
        "costs",
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


def _providers(providers: dict[str, Calls]) -> Table:
    budgets = report.budgets(list(providers))
    return Table(
        "providers",
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


def _queue(ages: list[report.QueueAge]) -> Table:
    return Table(
        "queue",
        _("The queue of review now"),
        [Column(_("opened"), "text"), Column(_("cases"), series="bar", colour="wait")],
        [(_age(age), age.count) for age in ages],
        _("By the time since the case was opened; the oldest 10,000 cases."),
        "bars",
    )


def _age(age: report.QueueAge) -> str:
    if age.to_hours is None:
        return gettext("more than %(time)s ago") % {"time": long_time(age.from_hours * 3600)}
    return gettext("less than %(time)s ago") % {"time": long_time(age.to_hours * 3600)}


def _waiting(scope: Scope) -> Table:
    return Table(
        "waiting",
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


def _reviewers(lines: list[tuple[str, Reviewing]]) -> Table:
    return Table(
        "reviewers",
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


def _seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000
