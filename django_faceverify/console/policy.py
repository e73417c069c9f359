"""The policy lab: other thresholds, tried on what has happened. It changes nothing."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils.decorators import method_decorator
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from django_faceverify import access, policy_lab
from django_faceverify.conf import app_settings
from django_faceverify.console.records import Pages, RecordAdmin
from django_faceverify.console.tables import Column, Mark, Table
from django_faceverify.decision import Thresholds, Zone
from django_faceverify.figures.report import Scope, counted_at
from django_faceverify.figures.scale import Share
from django_faceverify.policy_lab import BAND, Answer, Caution, Question

#: ranges that can be chosen, in weeks, and the usual one
RANGES = (1, 4, 13, 52)
USUAL = 13

ZONES: dict[Zone, str | Promise] = {
    Zone.VERIFIED: _("verified"),
    Zone.IN_REVIEW: _("in review"),
    Zone.MISMATCH: _("mismatch"),
}
CAUTIONS: dict[Caution, str | Promise] = {
    Caution.NO_CASES: _("No case of these weeks was compared, so nothing can be said."),
    Caution.FEW_CASES: _("Few cases: with more of them the numbers may look quite different."),
    Caution.NO_DECISIONS_ABOVE: _(
        "No person has decided a case that would be verified: how many of them are somebody else is not known."
    ),
    Caution.FEW_DECISIONS_ABOVE: _(
        "Few people's decisions on cases that would be verified: that share is little more than a guess."
    ),
    Caution.NO_DECISIONS_BELOW: _(
        "No person has decided a case that would be turned down: how many of them are the right person is not known."
    ),
    Caution.FEW_DECISIONS_BELOW: _(
        "Few people's decisions on cases that would be turned down: that share is little more than a guess."
    ),
    Caution.BELOW_FLOOR: _(
        "The provider itself says no above your review line, so that no case can come into a part of that zone."
    ),
}


class PolicyForm(forms.Form):
    """Which cases, and which two lines to try on them."""

    weeks = forms.TypedChoiceField(label=_("Weeks"), coerce=int)
    provider = forms.ChoiceField(label=_("Provider"))
    level = forms.ChoiceField(label=_("Level"), required=False)
    review_at = forms.DecimalField(
        label=_("Review from"), min_value=0, max_value=100, max_digits=4, decimal_places=1
    )
    verify_at = forms.DecimalField(
        label=_("Verified from"), min_value=0, max_value=100, max_digits=4, decimal_places=1
    )

    def __init__(self, asked: dict[str, Any]) -> None:
        super().__init__(asked, auto_id="fv-%s")
        choices = {
            "weeks": [(weeks, str(weeks)) for weeks in RANGES],
            "provider": [(name, name) for name in app_settings.PROVIDERS],
            "level": [("", gettext("all")), *((name, name) for name in app_settings.LEVELS)],
        }
        for name, known in choices.items():
            self.fields[name].choices = known  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        facts: dict[str, Any] = super().clean() or {}
        review_at, verify_at = facts.get("review_at"), facts.get("verify_at")
        if review_at is not None and verify_at is not None and review_at > verify_at:
            self.add_error("review_at", gettext("Must not be above the line of verification."))
        return facts

    @property
    def question(self) -> Question:
        facts = self.cleaned_data
        return Question(
            Scope.of_weeks(facts["weeks"], level=facts["level"], provider=facts["provider"]),
            Thresholds(float(facts["verify_at"]), float(facts["review_at"])),
        )


class PolicyLabAdmin(RecordAdmin):
    """The pages are for everybody who may see the cases; there is nothing personal on them."""

    policy_template = "django_faceverify/console/policy.html"

    def get_urls(self) -> list[URLPattern]:
        """Only pages of our own: the sums themselves are no records to look at one by one."""
        pages: Pages = [
            ("policy", "policy/", self.policy_view),
            ("policy_csv", "policy/csv/<slug:trial_table>/", self.policy_csv_view),
        ]
        return self.routes("dailyfigure", pages)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return access.is_staff(request.user)

    @method_decorator(require_safe)
    def policy_view(self, request: HttpRequest) -> HttpResponse:
        form = self._policy_form(request)
        context: dict[str, Any] = {
            "form": form,
            "figures_url": self.page_url("dailyfigure", "changelist"),
            "query": request.GET.urlencode(),
            "csv_name": "admin:django_faceverify_dailyfigure_policy_csv",
        }
        is_valid = form.is_valid()
        if is_valid:
            answer = policy_lab.ask(form.question)
            context |= {
                "answer": answer,
                "tables": _tables(answer),
                "cautions": [CAUTIONS[caution] for caution in answer.cautions],
                "snippet": policy_lab.snippet(answer.question),
                "counted_at": counted_at(),
            }
        status = 200 if is_valid else 400
        title = gettext("Policy lab")
        return self.page(request, self.policy_template, title, context, status=status)

    @method_decorator(require_safe)
    def policy_csv_view(self, request: HttpRequest, trial_table: str) -> HttpResponse:
        form = self._policy_form(request)
        if form.is_valid():
            table = _tables(policy_lab.ask(form.question)).get(trial_table)
            if table is not None:
                return table.download(trial_table)
        raise Http404

    def _policy_form(self, request: HttpRequest) -> PolicyForm:
        """What was asked; the thresholds of today's settings until somebody says others."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        asked = request.GET.dict()
        provider = asked.get("provider") or next(iter(app_settings.PROVIDERS), "")
        level = asked.get("level", "")
        now = policy_lab.thresholds_of(provider, level if level in app_settings.LEVELS else "")
        usual = {
            "weeks": USUAL,
            "provider": provider,
            "verify_at": Decimal(str(now.verify_at)),
            "review_at": Decimal(str(now.review_at)),
        }
        return PolicyForm({**usual, **asked})


def _tables(answer: Answer) -> dict[str, Table]:
    return {
        "outcomes": _outcomes(answer),
        "estimates": _estimates(answer),
        "people": _bands(answer),
        "neighbours": _neighbours(answer),
    }


def _outcomes(answer: Answer) -> Table:
    """Where the cases fell, and where they would: one line for each zone of then."""
    return Table(
        _("What would change"),
        [
            Column(_("decided then"), "text"),
            Column(_("cases")),
            *(Column(_("would be: %(zone)s") % {"zone": label}) for label in ZONES.values()),
        ],
        [
            (
                label,
                answer.was[before],
                *(answer.moved[before, after] for after in ZONES),
            )
            for before, label in ZONES.items()
        ]
        + [(_("all"), answer.total, *(answer.trial.zones[after] for after in ZONES))],
        _(
            "Each case once, by its last comparison and the thresholds of that time. What the provider itself refused stays refused, whatever the thresholds."
        ),
    )


def _estimates(answer: Answer) -> Table:
    trial = answer.trial
    return Table(
        _("What people's decisions say about it"),
        [
            Column(_("of those that people decided"), "text"),
            Column(_("share"), "percent"),
            Column(_("at least"), "percent"),
            Column(_("at most"), "percent"),
            Column(_("cases")),
            Column(_("of so many")),
        ],
        [
            (label, *_bounds(share), share.count, share.total)
            for label, share in (
                (_("would be verified, and people rejected them"), trial.wrongly_verified),
                (_("would be turned down, and people verified them"), trial.wrongly_refused),
            )
        ],
        _(
            "People see only some of the cases, mostly those between the lines of that time. For all others nothing is known: these are no rates of the whole."
        ),
    )


def _bands(answer: Answer) -> Table:
    bands = answer.bands
    start = bands[0].low if bands else 0.0
    lines = answer.question.candidate
    return Table(
        _("What people decided, by similarity"),
        [
            Column(_("similarity from"), "text"),
            Column(_("cases")),
            Column(_("not decided by a person"), series="bar", colour="quiet"),
            Column(_("verified by people"), series="bar", colour="good"),
            Column(_("rejected by people"), series="bar", colour="bad"),
            Column(_("asked again by people"), series="bar", colour="wait"),
            Column(_("verified, of those decided"), "percent"),
            Column(_("at least"), "percent"),
            Column(_("at most"), "percent"),
        ],
        [
            (
                f"{band.low:g}",
                band.cases,
                band.undecided,
                band.verified,
                band.rejected,
                band.asked_again,
                *_bounds(band.accepted),
            )
            for band in bands
        ],
        _(
            "Without the provider's own refusals. At least, at most: where the true share is, in 95 of 100 such samples (Wilson)."
        ),
        "stack",
        [
            Mark(_("review line, %(value)s") % {"value": f"{lines.review_at:g}"},
                 (lines.review_at - start) / BAND - 0.5, "wait"),
            Mark(_("verification line, %(value)s") % {"value": f"{lines.verify_at:g}"},
                 (lines.verify_at - start) / BAND - 0.5, "good"),
        ],
    )  # fmt: skip


def _neighbours(answer: Answer) -> Table:
    return Table(
        _("Other lines of verification"),
        [
            Column(_("verified from"), "text"),
            Column(_("verified"), series="bar", colour="good"),
            Column(_("in review"), series="bar", colour="wait"),
            Column(_("mismatch"), series="bar", colour="bad"),
            Column(_("rejected by people, of those verified here"), "percent"),
            Column(_("at least"), "percent"),
            Column(_("at most"), "percent"),
            Column(_("of so many")),
        ],
        [
            (
                f"{trial.thresholds.verify_at:g}",
                *(trial.zones[zone] for zone in ZONES),
                *_bounds(trial.wrongly_verified),
                trial.wrongly_verified.total,
            )
            for trial in answer.neighbours
        ],
        _("With the same review line. The shares are known only where people have decided."),
        "stack",
    )


def _bounds(share: Share) -> tuple[float | None, float | None, float | None]:
    """The share and its bounds; nothing where nobody has decided."""
    if not share.total:
        return None, None, None
    return share.value, *share.interval
