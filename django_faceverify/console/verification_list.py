"""The list of verifications."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from django_faceverify.console import cells
from django_faceverify.console.filters import (
    CreatedFilter,
    LevelFilter,
    ProviderFilter,
    ReasonFilter,
    SimilarityFilter,
    UserFilter,
)
from django_faceverify.console.records import RecordAdmin
from django_faceverify.console.search import search_verifications
from django_faceverify.models import Verification, VerificationAttempt

#: enough of an id to tell the rows of a page apart; its beginning is the time
SHORT = 8


class VerificationList(RecordAdmin):
    """Columns, filters and search; a subclass may narrow ``get_queryset`` for its staff.

    Names and numbers appear only as masks, and photos not at all: each look at one is
    recorded, so it must be meant.
    """

    list_display = (
        "id_and_level",
        "status_badge",
        "similarity_scale",
        "reason",
        "idcard_number_masked",
        "reference_and_user",
        "last_session_id",
        "created",
    )
    list_filter = (
        "status",
        CreatedFilter,
        SimilarityFilter,
        LevelFilter,
        ProviderFilter,
        ("reason_code", ReasonFilter),
        UserFilter,
    )
    list_select_related = ("user",)
    ordering = ("-created_at",)
    search_fields = ("reference",)
    search_help_text = _("An exact id, session id or reference. Never an ID number.")
    nothing_found = _("No case has exactly this id, session id or reference; parts find nothing.")

    def visible(self, request: HttpRequest, object_id: object) -> Verification:
        """The verification, if it is there for this person to see."""
        verification: Verification | None = self.get_object(request, str(object_id))
        if not self.has_view_permission(request, verification):
            raise PermissionDenied
        if verification is None:
            raise Http404
        return verification

    def get_queryset(self, request: HttpRequest) -> QuerySet[Verification]:
        calls = VerificationAttempt.objects.of_the_case().filter(verification=OuterRef("pk"))
        last_attempt = calls.order_by("-number")
        queryset: QuerySet[Verification] = super().get_queryset(request)
        return queryset.annotate(
            last_session=Subquery(last_attempt.values("session_id")[:1]),
            last_provider_code=Subquery(last_attempt.values("provider_code")[:1]),
        )

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """A band begins with its highest: an index finds it in that order, and no other rows."""
        is_band = SimilarityFilter.bounds(request.GET.get(SimilarityFilter.parameter_name))
        return ("-similarity",) if is_band else self.ordering

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Verification], search_term: str
    ) -> tuple[QuerySet[Verification], bool]:
        return search_verifications(queryset, search_term), False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        tools = {"find_by_idcard_number_url": self.page_url("verification", "find")}
        return super().changelist_view(request, tools | (extra_context or {}))

    @admin.display(description=_("case"))
    def id_and_level(self, verification: Verification) -> SafeString | str:
        kind = "" if verification.is_live else cells.badge("test", _("test"))
        level = format_html("{} {}", verification.level, kind)
        return cells.stacked(self.short_id(verification), level)

    def short_id(self, verification: Verification) -> str:
        return str(verification.pk)[-SHORT:]

    @admin.display(description=_("status"))
    def status_badge(self, verification: Verification) -> SafeString:
        return cells.badge(verification.status, verification.get_status_display())

    @admin.display(description=_("similarity"))
    def similarity_scale(self, verification: Verification) -> SafeString | str:
        return cells.similarity(verification)

    @admin.display(description=_("reason"))
    def reason(self, verification: Any) -> SafeString | str:
        reason = verification.get_reason_code_display() if verification.reason_code else ""
        return cells.stacked(reason, cells.answer(verification.last_provider_code))

    @admin.display(description=_("ID number"))
    def idcard_number_masked(self, verification: Verification) -> SafeString | str:
        if verification.redacted_at:
            return cells.badge("redacted", _("redacted"))
        return cells.code(verification.idcard_number_mask)

    @admin.display(description=_("reference"))
    def reference_and_user(self, verification: Verification) -> SafeString | str:
        user = verification.user
        if not user:
            return cells.stacked(verification.reference, "")
        everything = self.page_url("verification", "changelist")
        cases = format_html('<a href="{}?user={}">{}</a>', everything, user.pk, user.get_username())
        return cells.stacked(verification.reference, cases)

    @admin.display(description=_("last call"))
    def last_session_id(self, verification: Any) -> SafeString | str:
        return cells.code(verification.last_session or "")

    @admin.display(description=_("created"))
    def created(self, verification: Verification) -> str:
        return cells.moment(verification.created_at)
