"""The pages of one verification: to read it, to see its photos, to decide or cancel it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST, require_safe

from django_faceverify import intake
from django_faceverify.console.case import Case, Viewer
from django_faceverify.console.find import VerificationFinder
from django_faceverify.console.photos import photo_response
from django_faceverify.console.review import WORDINGS, ReviewForm, sentence
from django_faceverify.exceptions import Conflict, InputError, NotPermitted, SealBroken
from django_faceverify.models import Photo, Verification

REVIEW = "django_faceverify.review_verification"
VIEW_PHOTO = "django_faceverify.view_photo"


class VerificationAdmin(VerificationFinder):
    """Each page makes one call into ``intake`` at most, and shows the answer."""

    case_template = "django_faceverify/console/case.html"

    def get_urls(self) -> list[URLPattern]:
        case = "<uuid:object_id>"
        pages: list[tuple[str, str, Callable[..., HttpResponse]]] = [
            ("review", f"{case}/review/", self.review_view),
            ("cancel", f"{case}/cancel/", self.cancel_view),
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

    def has_review_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(REVIEW))

    def has_photo_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(VIEW_PHOTO))

    @method_decorator(require_safe)
    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The case page. Nothing is changed here, whatever the name of the stock view says."""
        return self._case_page(request, self._visible(request, object_id))

    @method_decorator(require_GET)
    def photo_view(self, request: HttpRequest, object_id: UUID, photo_id: UUID) -> HttpResponse:
        verification = self._visible(request, object_id)
        if not self.has_photo_permission(request):
            raise PermissionDenied
        photo = verification.photos.filter(pk=photo_id, purged_at=None).exclude(file_name="")
        try:
            return photo_response(intake.view_photo(photo.get(), user=request.user))
        except (Photo.DoesNotExist, SealBroken):
            raise Http404 from None

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
            return self._done(request, verification)
        return self._case_page(request, verification, refused=form)

    @method_decorator(require_POST)
    def cancel_view(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        verification = self._reviewable(request, object_id)
        try:
            intake.cancel(verification, user=request.user, is_staff=True)
        except Conflict as error:
            return self._refuse(request, verification, error)
        return self._done(request, verification)

    def _visible(self, request: HttpRequest, object_id: object) -> Verification:
        """The verification, if it is there for this person to see."""
        verification: Verification | None = self.get_object(request, str(object_id))
        if not self.has_view_permission(request, verification):
            raise PermissionDenied
        if verification is None:
            raise Http404
        return verification

    def _reviewable(self, request: HttpRequest, object_id: UUID) -> Verification:
        verification = self._visible(request, object_id)
        if not self.has_review_permission(request):
            raise PermissionDenied
        return verification

    def _done(self, request: HttpRequest, verification: Verification) -> HttpResponse:
        messages.success(
            request,
            _("Case %(case)s is now: %(status)s.")
            % {"case": self.short_id(verification), "status": verification.get_status_display()},
        )
        return HttpResponseRedirect(self.page_url("verification", "change", verification.pk))

    def _refuse(
        self,
        request: HttpRequest,
        verification: Verification,
        error: Conflict | NotPermitted,
        form: ReviewForm | None = None,
    ) -> HttpResponse:
        """Say why not, and show the case as it is now."""
        messages.error(request, sentence(error))
        status = 409 if isinstance(error, Conflict) else 403
        current = self._visible(request, verification.pk)
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
        context = {
            "case": case,
            "verification": verification,
            "forms": forms.values() if case.can_decide else [],
            "review_url": self.page_url("verification", "review", verification.pk),
            "cancel_url": self.page_url("verification", "cancel", verification.pk),
        }
        title = _("Case %(case)s") % {"case": self.short_id(verification)}
        return self.page(request, self.case_template, title, context, status=status)

    def _case(self, request: HttpRequest, verification: Verification) -> Case:
        viewer = Viewer(
            may_see_photos=self.has_photo_permission(request),
            may_review=self.has_review_permission(request),
            is_own_case=verification.user_id == request.user.pk,
        )
        return Case(
            verification,
            viewer,
            photo_url=lambda photo: self.page_url(
                "verification", "photo", verification.pk, photo.pk
            ),
        )
