"""Finding verifications by ID number."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from django_faceverify import looks
from django_faceverify.console.review import sentence
from django_faceverify.console.verification_list import VerificationList
from django_faceverify.exceptions import InputError, QuotaExceeded
from django_faceverify.models import Verification

#: how many of the verifications of one ID number are listed
FOUND_SHOWN = 50


class UnrepeatedInput(forms.TextInput):
    """Never shows again what was typed into it."""

    @sensitive_variables()
    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        return super().get_context(name, None, attrs)


class FindForm(forms.Form):
    """Sent by POST only, so that no address, log or history holds the number."""

    idcard_number = forms.CharField(
        label=gettext_lazy("ID number"),
        widget=UnrepeatedInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "size": 24, "maxlength": 40}
        ),
    )


class VerificationFinder(VerificationList):
    """The list, and the form that finds all cases of one ID number."""

    find_template = "django_faceverify/console/find.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.find_view)
        return [
            path("find/", view, name=self.page_name("verification", "find")),
            *super().get_urls(),
        ]

    @method_decorator(require_http_methods(["GET", "POST"]))
    @method_decorator(sensitive_post_parameters("idcard_number"))
    @sensitive_variables("form")
    def find_view(self, request: HttpRequest) -> HttpResponse:
        """Look up what was posted. A GET shows the empty form and reads nothing."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = FindForm(request.POST if request.method == "POST" else None)
        found: list[Verification] | None = None
        if form.is_valid():
            try:
                found = self._find(request, form.cleaned_data["idcard_number"])
            except (InputError, QuotaExceeded) as error:
                form.add_error("idcard_number", sentence(error))
        shown = (found or [])[:FOUND_SHOWN]
        context = {
            "form": form,
            "is_searched": found is not None,
            "is_cut": len(found or []) > FOUND_SHOWN,
            "headers": [getattr(self, name).short_description for name in self.list_display],
            "rows": [self._row(verification) for verification in shown],
        }
        return self.page(request, self.find_template, _("Find by ID number"), context)

    @sensitive_variables("idcard_number")
    def _find(self, request: HttpRequest, idcard_number: str) -> list[Verification]:
        """The newest, and one more than is shown if there are more."""
        found = looks.search(idcard_number, user=request.user)
        visible = self.get_queryset(request).filter(pk__in=found.values("pk"))
        return list(visible.select_related("user").order_by("-created_at")[: FOUND_SHOWN + 1])

    def _row(self, verification: Verification) -> dict[str, Any]:
        """One line of the result, with the columns of the list."""
        return {
            "url": self.page_url("verification", "change", verification.pk),
            "cells": [getattr(self, name)(verification) for name in self.list_display],
        }
