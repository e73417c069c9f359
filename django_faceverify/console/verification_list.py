"""The list of verifications."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.filters import ListFilter
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join
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
from django_faceverify.console.records import NewestFirst, RecordAdmin
from django_faceverify.console.search import search_verifications
from django_faceverify.models import Verification, VerificationAttempt

#: with several filters, a list looks through the newest so many cases of the rarest one: enough
#: for twenty pages of what is frequent, and soon read where nothing is found
LOOKED_THROUGH = 1000
#: enough of an id to tell the rows of a page apart; its beginning is the time
SHORT = 8


class VerificationChanges(NewestFirst):
    """With several filters at once, a part of the list at a time.

    An index holds the cases of one filter in the order of time. Two that exclude each other
    would be looked for among all cases of one of them, however many there are.
    """

    #: where this part ends; ``None`` where the list is whole
    reached: datetime | None = None

    def get_queryset(
        self, request: HttpRequest, exclude_parameters: Any = None
    ) -> QuerySet[Verification]:
        found: QuerySet[Verification] = super().get_queryset(request, exclude_parameters)
        if not self.query and not found.query.is_empty():  # a search is exact, and finds few
            self.reached = self._end(request)
        return found.filter(created_at__gte=self.reached) if self.reached else found

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if self.reached or (self._created and self._created.before):
            messages.info(request, self._part())

    @property
    def _created(self) -> CreatedFilter | None:
        """``None`` on a site that has taken the filter out, and with it the way to older cases."""
        return next((one for one in self.filter_specs if isinstance(one, CreatedFilter)), None)

    def _end(self, request: HttpRequest) -> datetime | None:
        """Since when the rarest filter alone has found enough; ``None`` if it never has."""
        if self._created is None:
            return None
        within = _narrowed(self._created, request, self.root_queryset)
        others = [one for one in self.filter_specs if one is not self._created]
        alone = [(one, _narrowed(one, request, within)) for one in others]
        used = [(one, rows) for one, rows in alone if _is_narrower(rows, within)]
        # A band has an index in the order of similarity, not of time.
        timed = [rows for one, rows in used if not isinstance(one, SimilarityFilter)]
        has_days = _is_narrower(within, self.root_queryset)
        if len(used) < 2 and (timed or not used or not has_days):
            return None  # one index holds the list
        ends = [_newest(rows, LOOKED_THROUGH) for rows in timed or [within]]
        return None if None in ends else min(end for end in ends if end)

    def _part(self) -> SafeString:
        """Which cases these are, and the way to the others."""
        before = self._created.before if self._created else None
        facts = {
            "start": cells.moment(self.reached) if self.reached else "",
            "end": cells.moment(before) if before else "",
        }
        links = []
        if self.reached:
            older = {"created_before": self.reached.isoformat()}
            links.append((self.get_query_string(older), _("Go on with older cases")))
        if before:
            newest = self.get_query_string(remove=["created_before"])
            links.append((newest, _("Begin with the newest")))
        if not self.reached:
            sentence = _("Only cases created before %(end)s are listed.")
        elif not before:
            sentence = _(
                "Several filters at once are looked for in a part of the cases at a time"
                " (created since %(start)s)."
            )
        else:
            sentence = _(
                "Several filters at once are looked for in a part of the cases at a time"
                " (created from %(start)s until %(end)s)."
            )
        return format_html(
            "{} {}",
            sentence % facts,
            format_html_join(" ", '<a href="{}">{}</a>', links),
        )


def _narrowed(one: ListFilter, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
    narrowed = one.queryset(request, rows)
    return rows if narrowed is None else narrowed


def _is_narrower(rows: QuerySet[Any], before: QuerySet[Any]) -> bool:
    """Whether a filter has added a condition."""
    return bool(rows.query.where != before.query.where)


def _newest(rows: QuerySet[Any], number: int) -> datetime | None:
    """When the case was created that has so many newer ones."""
    moments = rows.order_by("-created_at").values_list("created_at", flat=True)
    moment: datetime | None = moments[number : number + 1].first()
    return moment


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

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return VerificationChanges

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
