"""The page of figures: what happened, day by day, as charts over tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils.decorators import method_decorator
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from django_faceverify import access
from django_faceverify.conf import app_settings
from django_faceverify.console.figure_tables import calls, cases, people
from django_faceverify.console.policy import PolicyLabAdmin
from django_faceverify.console.records import Pages
from django_faceverify.console.tables import Table
from django_faceverify.figures import report
from django_faceverify.figures.report import Reviewing, Scope
from django_faceverify.lifecycle import user_actor

#: ranges that can be chosen, in days
RANGES = (7, 30, 90)
#: reviewers by name on the page, the busiest; the file has a line for everybody
REVIEWERS_SHOWN = 20


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


class Found:
    """What several tables are made from, each asked for once and only if it is wanted."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    @cached_property
    def days(self) -> list[report.DayOfCases]:
        return report.cases_by_day(self.scope)

    @cached_property
    def ages(self) -> list[report.QueueAge]:
        return report.queue(self.scope)

    @cached_property
    def calls(self) -> report.CallReport:
        return report.calls(self.scope)


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
        found = Found(scope)
        tables = self._tables(request, found)
        context = {
            "form": form,
            "facts": _facts(report.whole(found.days), found.ages),
            "tables": {name: table() for name, table in tables.items()},
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
        tables = self._tables(request, Found(form.scope), is_anonymous=True)
        if name not in tables:
            raise Http404
        return tables[name]().download(name)

    def require_view(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied

    def _form(self, request: HttpRequest) -> ScopeForm:
        return ScopeForm({"days": 30, **request.GET.dict()})

    def _tables(
        self, request: HttpRequest, found: Found, *, is_anonymous: bool = False
    ) -> dict[str, Callable[[], Table]]:
        """Each is made only when it is wanted."""
        scope = found.scope
        return {
            "volume": lambda: cases.volume(found.days),
            "pass-rate": lambda: cases.passed(found.days),
            "similarities": lambda: cases.similarities(scope),
            "reasons": lambda: cases.reasons(scope),
            "calls": lambda: calls.by_day(found.calls.by_day),
            "latency": lambda: calls.latency(found.calls.by_day),
            "costs": lambda: calls.costs(found.calls.by_day),
            "providers": lambda: calls.providers(found.calls.by_provider),
            "queue": lambda: people.queue(found.ages),
            "waiting": lambda: people.waiting(scope),
            "reviewers": lambda: self._reviewers(request, scope, is_anonymous),
        }

    def _reviewers(self, request: HttpRequest, scope: Scope, is_anonymous: bool) -> Table:
        """Everybody by name for those who may take decisions back; others see themselves."""
        found = report.reviewing(scope)
        if not access.may(request.user, access.OVERRIDE):
            own = user_actor(request.user)
            all_of_them = Reviewing("")
            for person in found:
                all_of_them.add(person)
            lines = [(gettext("you"), one) for one in found if one.actor == own]
            lines.append((gettext("all reviewers"), all_of_them))
        elif is_anonymous:
            lines = [
                (gettext("reviewer %(number)s") % {"number": number}, person)
                for number, person in enumerate(found, 1)
            ]
        else:
            busiest, others = found[:REVIEWERS_SHOWN], Reviewing("")
            for person in found[REVIEWERS_SHOWN:]:
                others.add(person)
            names = _names(person.actor for person in busiest)
            lines = [(names.get(person.actor, person.actor), person) for person in busiest]
            if others.decisions:
                lines.append((gettext("all others"), others))
        return people.reviewers(lines)


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
