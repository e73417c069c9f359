"""What the admins of this app share: lists to read, of any length, with nothing to edit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.apps import apps
from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import SEARCH_VAR, ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.formats import number_format
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from django_faceverify.console import paginator
from django_faceverify.console.filters import TypedFilter
from django_faceverify.console.search import looks_like_idcard_number

#: the name of each page, its route and its view
Pages = Iterable[tuple[str, str, Callable[..., HttpResponse]]]


class NewestFirst(ChangeList):
    """Sorted as the admin says, which an index has, then by key; never by a click.

    The stock list appends the key the other way round, against the end of MariaDB's indexes,
    and the whole table would be sorted for a page.
    """

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        return [*self.model_admin.get_ordering(request), "pk"]

    def get_results(self, request: HttpRequest) -> None:
        """A page that is not there is said to be so; the stock list drops all filters for it."""
        try:
            super().get_results(request)
        except IncorrectLookupParameters:
            messages.warning(request, self._no_such_page())
            self.page_num = 1
            super().get_results(request)
        # The stock list takes all rows of a single page. PostgreSQL then plans for as many as it
        # guesses, and looks for more where all are found.
        self.result_list = self.result_list[: min(self.result_count, self.list_per_page)]

    def _no_such_page(self) -> str:
        return _(
            "There is no such page: a list ends after %(limit)s rows. Filter by days to reach"
            " older ones."
        ) % {"limit": number_format(paginator.COUNT_LIMIT, force_grouping=True)}


#: django-unfold's, where the site has installed it: its templates ask for more than Django's
SiteAdmin: Any = admin.ModelAdmin
if apps.is_installed("unfold"):
    SiteAdmin = import_string("unfold.admin.ModelAdmin")


class RecordAdmin(SiteAdmin):  # type: ignore[misc]  # one of two classes, known when Django starts
    """Records: they are searched and read; no one adds, edits or deletes them here."""

    actions: Sequence[str] | None = None
    #: what an empty result of the search box says
    nothing_found: Any = ""
    list_per_page = 50
    list_max_show_all = 50
    list_fullwidth = True  # read by django-unfold
    paginator = paginator.CappedPaginator
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
        filters = self.get_list_filter(request)
        is_filter = any(_reads(one, lookup) for one in filters)
        return is_filter and super().lookup_allowed(lookup, value, request)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return NewestFirst

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if looks_like_idcard_number(request.GET.get(SEARCH_VAR, "")):
            return self._send_to_idcard_number_form(request)
        response: HttpResponse = super().changelist_view(
            request, self._frame() | (extra_context or {})
        )
        return response

    def _frame(self) -> dict[str, Any]:
        """Without Django's sidebar, all columns fit a common screen; unfold's has the menu."""
        if apps.is_installed("unfold"):
            return {"is_unfold": True}
        return {"is_nav_sidebar_enabled": False}

    def _send_to_idcard_number_form(self, request: HttpRequest) -> HttpResponse:
        """Away from a URL that holds what may be an ID number."""
        messages.warning(
            request,
            _("ID numbers are searched with this form only, so that no address or log keeps them."),
        )
        return HttpResponseRedirect(self.page_url("verification", "find"))

    def routes(self, model_name: str, pages: Pages) -> list[URLPattern]:
        """Pages of our own, behind the door of whichever admin site this is."""
        return [
            path(route, self.admin_site.admin_view(page), name=self.page_name(model_name, name))
            for name, route, page in pages
        ]

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
            **self._frame(),
        }
        return TemplateResponse(request, template, frame | context, status=status)


def _reads(list_filter: Any, parameter: str) -> bool:
    """Whether a filter takes this part of an address: a column's, or what its class names."""
    if isinstance(list_filter, str | tuple | list):
        column = list_filter if isinstance(list_filter, str) else list_filter[0]
        return parameter == column or parameter.startswith(f"{column}__")
    if issubclass(list_filter, TypedFilter):
        return parameter in list_filter.parameter_names()
    return bool(parameter == list_filter.parameter_name)
