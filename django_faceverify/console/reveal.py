"""Showing a name and an ID number: on a page of its own, for a reason, for a minute."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from django_faceverify import access, looks
from django_faceverify.console import cells, history
from django_faceverify.console.find import VerificationFinder
from django_faceverify.console.review import sentence
from django_faceverify.exceptions import (
    Conflict,
    FaceVerifyError,
    InputError,
    NotPermitted,
    QuotaExceeded,
    SealBroken,
)
from django_faceverify.headers import PRIVATE_HEADERS
from django_faceverify.inputs import MAX_NOTE
from django_faceverify.looks import LEAST_NOTE, SHOWN_FOR
from django_faceverify.models import Verification
from django_faceverify.reasons import RevealReason

#: how many earlier looks are listed
LOOKS_SHOWN = 20

#: what a refusal answers; the form is shown again with what was typed
STATUSES: tuple[tuple[type[FaceVerifyError], int], ...] = (
    (InputError, 400),
    (Conflict, 409),
    (SealBroken, 409),
    (QuotaExceeded, 429),
)
REFUSALS = tuple(kind for kind, _status in STATUSES)


class RevealForm(forms.Form):
    """Why somebody needs to see it: a reason from the list, and words of their own."""

    reason_code = forms.ChoiceField(
        label=gettext_lazy("Reason"), choices=[("", "–"), *RevealReason.choices]
    )
    note = forms.CharField(
        label=gettext_lazy("In your own words, such as the number of the complaint"),
        min_length=LEAST_NOTE,
        max_length=MAX_NOTE,
        widget=forms.Textarea(attrs={"rows": 2, "autocomplete": "off"}),
    )

    @sensitive_variables()
    def clean_note(self) -> str:
        note: str = self.cleaned_data["note"]
        return note.replace("\r\n", "\n")  # browsers send both, whatever was typed


@dataclass(frozen=True)
class EarlierReveal:
    """Who saw it before, when and why."""

    at: datetime
    actor: str
    reason: str
    note: str | Promise


class VerificationRevealer(VerificationFinder):
    """The form that asks why, and the answer, which is never kept and soon goes away."""

    reveal_template = "django_faceverify/console/reveal.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.reveal_view)
        name = self.page_name("verification", "reveal")
        return [path("<uuid:object_id>/reveal/", view, name=name), *super().get_urls()]

    @method_decorator(require_http_methods(["GET", "POST"]))
    @method_decorator(sensitive_post_parameters("note"))
    @sensitive_variables("form", "identity")
    def reveal_view(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """A GET asks why and shows nothing; a POST shows it once."""
        verification = self.visible(request, object_id)
        try:
            access.require_as_staff(request.user, access.REVEAL_IDENTITY, verification)
        except NotPermitted:
            raise PermissionDenied from None
        form = RevealForm(request.POST if request.method == "POST" else None)
        if not form.is_valid():
            return self._ask(request, verification, form, 400 if form.is_bound else 200)
        try:
            identity = looks.reveal_identity(verification, user=request.user, **form.cleaned_data)
        except REFUSALS as error:
            form.add_error(None, sentence(error))
            status = next(status for kind, status in STATUSES if isinstance(error, kind))
            return self._ask(request, verification, form, status)
        response = self._reveal_page(request, verification, {"identity": identity})
        back = self.page_url("verification", "change", verification.pk)
        response.headers["Refresh"] = f"{SHOWN_FOR}; url={back}"
        return response

    def _ask(
        self, request: HttpRequest, verification: Verification, form: RevealForm, status: int
    ) -> HttpResponse:
        context = {"form": form, "earlier": earlier_reveals(verification)}
        return self._reveal_page(request, verification, context, status=status)

    @sensitive_variables("context")
    def _reveal_page(
        self,
        request: HttpRequest,
        verification: Verification,
        context: dict[str, Any],
        status: int = 200,
    ) -> HttpResponse:
        frame = {
            "verification": verification,
            "case_url": self.page_url("verification", "change", verification.pk),
            "shown_for": SHOWN_FOR,
        }
        title = _("Name and ID number of case %(case)s") % {"case": self.short_id(verification)}
        response = self.page(request, self.reveal_template, title, frame | context, status=status)
        for header, value in PRIVATE_HEADERS.items():
            response.headers[header] = value
        return response


@sensitive_variables("notes")
def earlier_reveals(verification: Verification) -> list[EarlierReveal]:
    """The newest looks at sealed data of this case, with the notes that were given."""
    events = list(verification.events.filter(action="revealed").order_by("-number")[:LOOKS_SHOWN])
    notes = {reveal.event_number: reveal.note for reveal in verification.reveals.all()}
    return [
        EarlierReveal(
            at=entry.event.at,
            actor=entry.actor,
            reason=history.reason_label(entry.event),
            note=cells.note(notes.get(entry.event.number)),
        )
        for entry in history.tell(events, names=history.names_of_users(events), photo_numbers={})
    ]
