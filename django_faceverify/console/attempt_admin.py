"""The ledger of calls, as the provider's statement lists them, and what they cost."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from django_faceverify import agreement
from django_faceverify.console import cells
from django_faceverify.console.filters import ProviderFilter
from django_faceverify.console.records import RecordAdmin
from django_faceverify.console.search import search_attempts
from django_faceverify.figures.report import Scope, cost_by_day, counted_at
from django_faceverify.models import ShadowRun, VerificationAttempt

#: how many days the report of costs shows
DAYS_SHOWN = 30


class AttemptAdmin(RecordAdmin):
    """Attempts across verifications; each links to its case, which tells the rest."""

    list_display = (
        "session",
        "case",
        "provider",
        "role",
        "state_badge",
        "is_billed",
        "answer",
        "score",
        "took",
        "started",
    )
    list_display_links = None
    list_select_related = ("verification",)
    list_filter = ("state", "is_billed", "role", ProviderFilter)
    ordering = ("-started_at",)
    search_fields = ("session_id",)
    search_help_text = _("An exact session id.")
    nothing_found = _("No call has exactly this session id; parts of one find nothing.")
    costs_template = "django_faceverify/console/costs.html"
    agreement_template = "django_faceverify/console/agreement.html"

    def get_urls(self) -> list[URLPattern]:
        views = {"costs": self.costs_view, "agreement": self.agreement_view}
        pages = [
            path(
                f"{name}/",
                self.admin_site.admin_view(view),
                name=self.page_name("verificationattempt", name),
            )
            for name, view in views.items()
        ]
        return [*pages, *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        tools = {
            "costs_url": self.page_url("verificationattempt", "costs"),
            "agreement_url": self.page_url("verificationattempt", "agreement"),
        }
        return super().changelist_view(request, tools | (extra_context or {}))

    def costs_view(self, request: HttpRequest) -> HttpResponse:
        """Calls and their cost by day and provider."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {
            "lines": cost_by_day(Scope.of_last(DAYS_SHOWN)),
            "day_count": DAYS_SHOWN,
            "counted_at": counted_at(),
        }
        return self.page(request, self.costs_template, gettext("Costs"), context)

    def agreement_view(self, request: HttpRequest) -> HttpResponse:
        """How often two providers said the same about the same photo."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {
            "comparisons": agreement.compare(Scope.of_last(agreement.DAYS)),
            "day_count": agreement.DAYS,
            "counted_at": counted_at(),
            "band_names": agreement.BAND_NAMES,
            "verdicts": [label for _, label in ShadowRun.Verdict.choices],
        }
        title = gettext("Agreement of two providers")
        return self.page(request, self.agreement_template, title, context)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """An attempt has no page of its own: its case tells what it was for."""
        attempt = self.get_object(request, object_id)
        if attempt is None:
            raise Http404
        return HttpResponseRedirect(
            self.page_url("verification", "change", attempt.verification_id)
        )

    def get_search_results(
        self,
        request: HttpRequest,
        queryset: QuerySet[VerificationAttempt],
        search_term: str,
    ) -> tuple[QuerySet[VerificationAttempt], bool]:
        return search_attempts(queryset, search_term), False

    @admin.display(description=_("session id"))
    def session(self, attempt: VerificationAttempt) -> SafeString | str:
        return cells.code(attempt.session_id)

    @admin.display(description=_("verification"))
    def case(self, attempt: VerificationAttempt) -> SafeString:
        url = self.page_url("verification", "change", attempt.verification_id)
        return format_html('<a href="{}">{}</a>', url, str(attempt.verification_id)[-8:])

    @admin.display(description=_("state"))
    def state_badge(self, attempt: VerificationAttempt) -> SafeString:
        return cells.badge(attempt.state, attempt.get_state_display())

    @admin.display(description=_("provider's code"))
    def answer(self, attempt: VerificationAttempt) -> str:
        return cells.NOTHING if cells.is_withheld(attempt) else attempt.provider_code

    @admin.display(description=_("similarity"))
    def score(self, attempt: VerificationAttempt) -> str:
        return cells.number(None if cells.is_withheld(attempt) else attempt.similarity)

    @admin.display(description=_("duration"))
    def took(self, attempt: VerificationAttempt) -> str:
        return cells.duration(attempt.duration_ms)

    @admin.display(description=_("started"))
    def started(self, attempt: VerificationAttempt) -> str:
        return cells.moment(attempt.started_at)
