"""The pages of one verification: to read it, to see its photos, to decide or cancel it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_GET, require_POST, require_safe

from django_faceverify import access, intake, looks, reopening
from django_faceverify.conf import app_settings
from django_faceverify.console.ahead import VerificationAhead
from django_faceverify.console.case import Case, Viewer
from django_faceverify.console.queue import Selection
from django_faceverify.console.redact import VerificationRedactor
from django_faceverify.console.reveal import VerificationRevealer
from django_faceverify.console.review import WORDINGS, ReviewForm, sentence
from django_faceverify.exceptions import Conflict, InputError, NotPermitted, SealBroken
from django_faceverify.faces import quality
from django_faceverify.headers import PHOTO_HEADERS, PHOTO_TYPE
from django_faceverify.lifecycle import user_actor
from django_faceverify.models import Photo, Verification
from django_faceverify.reasons import ReopenReason

Refusal = InputError | Conflict | NotPermitted

#: what a refused form answers
STATUSES: dict[type[Refusal], int] = {InputError: 400, Conflict: 409, NotPermitted: 403}


class VerificationAdmin(VerificationRedactor, VerificationRevealer, VerificationAhead):
    """Each page makes one call into the house at most, and shows the answer."""

    case_template = "django_faceverify/console/case.html"

    def get_urls(self) -> list[URLPattern]:
        case = "<uuid:object_id>"
        pages: list[tuple[str, str, Callable[..., HttpResponse]]] = [
            ("review", f"{case}/review/", self.review_view),
            ("cancel", f"{case}/cancel/", self.cancel_view),
            ("reopen", f"{case}/reopen/", self.reopen_view),
            ("confirm_reopen", f"{case}/reopen/confirm/", self.confirm_reopen_view),
            ("photo", f"{case}/photos/<uuid:photo_id>/", self.photo_view),
        ]
        return [
            path(
                route,
                self.admin_site.admin_view(page),
                name=self.page_name("verification", name),
            )
            for name, route, page in pages
        ] + super().get_urls()

    @method_decorator(require_safe)
    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The case page. Nothing is changed here, whatever the name of the stock view says."""
        return self._case_page(request, self.visible(request, object_id))

    @method_decorator(require_GET)
    @sensitive_variables("picture")
    def photo_view(self, request: HttpRequest, object_id: UUID, photo_id: UUID) -> HttpResponse:
        verification = self.visible(request, object_id)
        access.require_for(request.user, access.VIEW_PHOTO, verification)
        photo = looks.find_photo(verification, photo_id)
        if photo is None:
            raise Http404
        try:
            picture = looks.view_photo(photo, user=request.user)
        except SealBroken:
            raise Http404 from None
        return HttpResponse(picture, content_type=PHOTO_TYPE, headers=PHOTO_HEADERS)

    @method_decorator(require_POST)
    @method_decorator(sensitive_post_parameters("note"))
    def review_view(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        verification = self._reviewable(request, object_id)
        decision = request.POST.get("decision", "")
        if decision not in WORDINGS:
            raise BadRequest
        form = ReviewForm(decision, request.POST)
        if not form.is_valid():
            return self._case_page(request, verification, refused=form)
        try:
            intake.review(
                verification, reviewer=request.user, decision=decision, **form.cleaned_data
            )
        except InputError as error:
            form.add_refusal(error)
        except (Conflict, NotPermitted) as error:
            return self._refuse(request, verification, error, form)
        else:
            return self._judged(request, verification)
        return self._case_page(request, verification, refused=form)

    @method_decorator(require_POST)
    def cancel_view(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        verification = self._reviewable(request, object_id)
        try:
            is_own = access.is_owner(request.user, verification)
            intake.cancel(verification, user=request.user, is_staff=not is_own)
        except Conflict as error:
            return self._refuse(request, verification, error)
        return self._done(request, verification)

    @method_decorator(require_POST)
    def reopen_view(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """Propose to take the decision back."""
        verification = self._overridable(request, object_id)
        try:
            reopening.propose(
                verification, user=request.user, reason_code=request.POST.get("reason_code")
            )
        except (InputError, Conflict, NotPermitted) as error:
            return self._refuse(request, verification, error)
        messages.success(request, _("Proposed. Somebody else must confirm it within a day."))
        return HttpResponseRedirect(self.page_url("verification", "change", verification.pk))

    @method_decorator(require_POST)
    def confirm_reopen_view(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """Take the decision back, as somebody else has proposed."""
        verification = self._overridable(request, object_id)
        try:
            reopening.confirm(verification, user=request.user)
        except (Conflict, NotPermitted) as error:
            return self._refuse(request, verification, error)
        return self._done(request, verification)

    def _overridable(self, request: HttpRequest, object_id: UUID) -> Verification:
        verification = self.visible(request, object_id)
        access.require_for(request.user, access.OVERRIDE, verification)
        return verification

    def _judged(self, request: HttpRequest, verification: Verification) -> HttpResponse:
        """Say what became of it, and go on with the queue that the reviewer works through."""
        self._tell(request, verification, self.judged(verification))
        if not request.POST.get("queue"):
            return HttpResponseRedirect(self.case_address(verification.pk))
        return self.go_on(request, Selection.of(QueryDict(request.POST["queue"])))

    def _done(self, request: HttpRequest, verification: Verification) -> HttpResponse:
        self._tell(request, verification, self.is_now(verification))
        return HttpResponseRedirect(self.case_address(verification.pk))

    def _tell(self, request: HttpRequest, verification: Verification, result: str) -> None:
        case = self.short_id(verification)
        messages.success(request, _("Case %(case)s %(result)s.") % {"case": case, "result": result})

    def _refuse(
        self,
        request: HttpRequest,
        verification: Verification,
        error: Refusal,
        form: ReviewForm | None = None,
    ) -> HttpResponse:
        """Say why not, and show the case as it is now."""
        messages.error(request, sentence(error))
        status = next(code for kind, code in STATUSES.items() if isinstance(error, kind))
        current = self.visible(request, verification.pk)
        return self._case_page(request, current, refused=form, status=status)

    def _case_page(
        self,
        request: HttpRequest,
        verification: Verification,
        *,
        refused: ReviewForm | None = None,
        status: int = 200,
    ) -> HttpResponse:
        """``refused`` is a form that keeps what the reviewer typed, and says what is wrong."""
        case = self._case(request, verification)
        forms = {decision: ReviewForm(decision) for decision in WORDINGS}
        if refused:
            forms[refused.decision] = refused
        selection = self._selection(request)
        context = {
            "selection": selection,
            "undoable": self.undoable(request, 1) if selection or case.own_judgement else [],
            "changes": case.changes_since(_number(request.POST.get("seen_number"))),
            "case": case,
            "verification": verification,
            "forms": forms.values() if case.can_decide else [],
            "review_url": self.page_url("verification", "review", verification.pk),
            "renew_after": app_settings.review.claim_seconds // 3,
            "kin_by_number": self._kin(case.kin.by_number if case.kin else []),
            "kin_by_photo": self._kin(case.kin.by_photo if case.kin else []),
            "claim_url": self.page_url("verification", "claim", verification.pk),
            "release_url": self.page_url("verification", "release", verification.pk),
            "next_url": self.page_url("verification", "next"),
            "ahead_url": self.ahead_url(request, case, selection),
            "leave_url": self.page_url("verification", "leave"),
            "queue_url": self.queue_address(selection or Selection()),
            "redact_url": self.page_url("verification", "redact", verification.pk),
            "cancel_url": self.page_url("verification", "cancel", verification.pk),
            "reveal_url": self.page_url("verification", "reveal", verification.pk),
            "reopen_url": self.page_url("verification", "reopen", verification.pk),
            "confirm_reopen_url": self.page_url("verification", "confirm_reopen", verification.pk),
            "reopen_reasons": ReopenReason.choices,
        }
        title = _("Case %(case)s") % {"case": self.short_id(verification)}
        return self.page(request, self.case_template, title, context, status=status)

    def photo_facts(self, photo: Photo) -> list[tuple[str, str]]:
        """What else is known about a photo, as labels and values: what the local engine saw."""
        return [(label, str(value)) for label, value in quality.describe(photo.facts).items()]

    def _kin(self, cases: list[Verification]) -> list[dict[str, Any]]:
        return [
            {
                "url": self.case_address(other.pk),
                "case": self.short_id(other),
                "status": self.status_badge(other),
                "reason": other.get_reason_code_display() if other.reason_code else "",
                "mask": other.idcard_number_mask,
                "created": self.created(other),
            }
            for other in cases
        ]

    def _selection(self, request: HttpRequest) -> Selection | None:
        """The queue that the reviewer comes from and goes on with, if there is one."""
        if not access.may(request.user, access.REVIEW):
            return None
        if request.POST.get("queue"):
            return Selection.of(QueryDict(request.POST["queue"]))
        return Selection.of(request.GET) if "bucket" in request.GET else None

    def _case(self, request: HttpRequest, verification: Verification) -> Case:
        viewer = Viewer(
            may_redact=self.has_redact_permission(request),
            may_see_photos=access.may(request.user, access.VIEW_PHOTO),
            may_review=access.may(request.user, access.REVIEW),
            may_reveal=access.may(request.user, access.REVEAL_IDENTITY),
            may_override=access.may(request.user, access.OVERRIDE),
            is_own_case=access.is_owner(request.user, verification),
            actor=user_actor(request.user),
            key=request.user.pk,
        )
        return Case(
            verification,
            viewer,
            visible=self.get_queryset(request),
            photo_url=lambda photo: self.page_url(
                "verification", "photo", photo.verification_id, photo.pk
            ),
            photo_facts=self.photo_facts,
        )


def _number(text: str | None) -> int:
    """The number of the newest event that somebody saw; nothing newer when they did not say."""
    return int(text) if text and text.isdecimal() and len(text) < 10 else sys.maxsize
