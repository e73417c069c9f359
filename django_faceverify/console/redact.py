"""Destroying personal data from the admin: one case, or those that were ticked in the list."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from django_faceverify import access, intake
from django_faceverify.console.find import VerificationFinder
from django_faceverify.console.review import sentence
from django_faceverify.exceptions import NotPermitted
from django_faceverify.models import Verification


class VerificationRedactor(VerificationFinder):
    """The list with its action, which asks first and says for each case what became of it."""

    actions = ("redact_selected",)
    redact_template = "django_faceverify/console/redact.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.redact_view)
        name = self.page_name("verification", "redact")
        return [path("<uuid:object_id>/redact/", view, name=name), *super().get_urls()]

    def has_redact_permission(self, request: HttpRequest) -> bool:
        return access.may(request.user, access.REDACT)

    def get_actions(self, request: HttpRequest) -> Any:
        """Ours alone: what a site adds to all of its lists was not written for these rows."""
        actions = super().get_actions(request)
        return {name: action for name, action in actions.items() if name in self.actions}

    @admin.action(
        description=gettext_lazy("Destroy personal data of the selected cases"),
        permissions=["redact"],
    )
    def redact_selected(
        self, request: HttpRequest, queryset: QuerySet[Verification]
    ) -> HttpResponse | None:
        if request.POST.get("select_across", "0") != "0":
            messages.error(request, _("Please tick the cases one by one, on one page."))
            return None
        cases = list(queryset)
        is_done = "confirmed" in request.POST
        context = {
            "rows": [
                (self.short_id(case), self.status_badge(case), self._redact(request, case))
                if is_done
                else (self.short_id(case), self.status_badge(case), "")
                for case in cases
            ],
            "keys": [case.pk for case in cases],
            "key_name": ACTION_CHECKBOX_NAME,
            "is_done": is_done,
            "list_url": self.page_url("verification", "changelist"),
        }
        return self.page(request, self.redact_template, _("Destroy personal data"), context)

    @method_decorator(require_POST)
    def redact_view(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """One case, from its page, where the question was asked."""
        verification = self.get_object(request, str(object_id))
        if verification is None or not self.has_redact_permission(request):
            raise PermissionDenied
        case = self.short_id(verification)
        result = self._redact(request, verification)
        messages.info(request, _("Case %(case)s: %(result)s.") % {"case": case, "result": result})
        return HttpResponseRedirect(self.page_url("verification", "change", object_id))

    def _redact(self, request: HttpRequest, verification: Verification) -> str:
        """What became of one case, in words."""
        if verification.redacted_at is not None:
            return _("had been destroyed before")
        try:
            access.require_as_staff(request.user, access.REDACT, verification)
            intake.redact(verification, user=request.user, is_staff=True)
        except NotPermitted as error:
            return str(sentence(error))
        except DatabaseError:  # the others are to be tried all the same
            return _("not destroyed; please try again")
        return _("personal data destroyed")
