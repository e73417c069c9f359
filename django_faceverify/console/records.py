"""What the admins of this app share: lists to read, of any length, with nothing to edit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import SEARCH_VAR, ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from django_faceverify.console.paginator import CappedPaginator
from django_faceverify.console.search import looks_like_idcard_number


class NewestFirst(ChangeList):
    """Sorted by the admin's ``ordering`` and nothing more.

    The key that the stock list appends as a tie-break runs against the index, and some
    databases would sort the whole table for it.
    """

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        return list(self.model_admin.ordering or [])


class RecordAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # the stubs' parameter is not in Django
    """Records: they are searched and read; no one adds, edits or deletes them here."""

    actions: Sequence[str] | None = None
    list_per_page = 50
    list_max_show_all = 50
    paginator = CappedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    sortable_by = ()
    change_list_template = "django_faceverify/console/change_list.html"

    class Media:
        css = {"all": ["django_faceverify/console.css"]}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """By the filters of the list only; the stock admin takes every column, sealed or not.

        An address could otherwise ask for the blind index, letter by letter and uncounted.
        """
        names = [_parameter(one) for one in self.get_list_filter(request)]
        is_filter = any(lookup == name or lookup.startswith(f"{name}__") for name in names)
        return is_filter and super().lookup_allowed(lookup, value, request)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return NewestFirst

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if looks_like_idcard_number(request.GET.get(SEARCH_VAR, "")):
            return self._send_to_idcard_number_form(request)
        # Without the site's sidebar, all columns fit a common screen.
        context = {"is_nav_sidebar_enabled": False} | (extra_context or {})
        return super().changelist_view(request, context)

    def _send_to_idcard_number_form(self, request: HttpRequest) -> HttpResponse:
        """Away from a URL that holds what may be an ID number."""
        messages.warning(
            request,
            _("ID numbers are searched with this form only, so that no address or log keeps them."),
        )
        return HttpResponseRedirect(self.page_url("verification", "find"))

    def page_name(self, model_name: str, page: str) -> str:
        return f"{self.opts.app_label}_{model_name}_{page}"

    def page_url(self, model_name: str, page: str, *args: Any) -> str:
        """The address of one of our pages, on whichever admin site this is."""
        name = f"admin:{self.page_name(model_name, page)}"
        return reverse(name, args=args, current_app=self.admin_site.name)

    def page(
        self,
        request: HttpRequest,
        template: str,
        title: str,
        context: dict[str, Any],
        *,
        status: int = 200,
    ) -> HttpResponse:
        """A page of our own in the frame of the admin."""
        request.current_app = self.admin_site.name  # where {% url %} looks
        frame = {
            **self.admin_site.each_context(request),
            "title": title,
            "original": title,  # ends the breadcrumbs
            "opts": self.opts,
            "media": self.media,
            "has_view_permission": True,
            "is_nav_sidebar_enabled": False,
        }
        return TemplateResponse(request, template, frame | context, status=status)


def _parameter(list_filter: Any) -> str:
    """How an address names a filter: by its column, or as its class says."""
    if isinstance(list_filter, str):
        return list_filter
    if isinstance(list_filter, tuple | list):
        return str(list_filter[0])
    return str(list_filter.parameter_name)
