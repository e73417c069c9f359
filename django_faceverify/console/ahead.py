"""The case that comes next, kept for a reviewer and its photo fetched while they work on another.

The photo waits in the reviewer's browser, in memory. That it was sent is on record at once; the
look is recorded when the case is opened, before its page is sent.
"""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.urls import URLPattern
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_GET, require_POST

from django_faceverify import access, looks, reviewing
from django_faceverify.conf import app_settings
from django_faceverify.console.case import Case
from django_faceverify.console.queue import Selection
from django_faceverify.console.records import Pages
from django_faceverify.console.work import VerificationQueue
from django_faceverify.exceptions import Conflict, SealBroken
from django_faceverify.headers import PHOTO_HEADERS, PHOTO_TYPE
from django_faceverify.models import Photo


class VerificationAhead(VerificationQueue):
    """What the script of the case page asks for; without it, nothing here is used."""

    def get_urls(self) -> list[URLPattern]:
        pages: Pages = [
            ("ahead", "queue/ahead/", self.ahead_view),
            ("leave", "queue/leave/", self.leave_view),
            (
                "photo_ahead",
                "<uuid:object_id>/photos/<uuid:photo_id>/ahead/",
                self.photo_ahead_view,
            ),
        ]
        return self.routes("verification", pages) + super().get_urls()

    def may_fetch_ahead(self, request: HttpRequest) -> bool:
        is_on = app_settings.review.photo_ahead
        return is_on and access.may(request.user, access.VIEW_PHOTO)

    def ahead_url(self, request: HttpRequest, case: Case, selection: Selection | None) -> str:
        """Where to ask for the next case, for whoever works through a queue on this one."""
        is_at_work = selection is not None and case.can_decide
        is_wanted = is_at_work and self.may_fetch_ahead(request)
        return self.page_url("verification", "ahead") if is_wanted else ""

    @method_decorator(require_POST)
    def ahead_view(self, request: HttpRequest) -> HttpResponse:
        """Keep the case after this one for the reviewer, and say where its photo is."""
        self._demand_reviewer(request)
        photo = self._next_photo(request) if self.may_fetch_ahead(request) else None
        return JsonResponse({"photo": self._addresses(photo) if photo else None})

    @method_decorator(require_POST)
    def leave_view(self, request: HttpRequest) -> HttpResponse:
        """Let others have the case that is kept for this reviewer."""
        self._demand_reviewer(request)
        reviewing.let_go(user=request.user)
        return JsonResponse({})

    @method_decorator(require_GET)
    @sensitive_variables("picture")
    def photo_ahead_view(
        self, request: HttpRequest, object_id: UUID, photo_id: UUID
    ) -> HttpResponse:
        """A photo of the case that is kept for this reviewer, for nobody else and no other case."""
        verification = self._reviewable(request, object_id)
        access.require_for(request.user, access.VIEW_PHOTO, verification)
        photo = looks.find_photo(verification, photo_id)
        if photo is None or not self.may_fetch_ahead(request):
            raise Http404
        try:
            picture = looks.send_photo_ahead(photo, user=request.user)
        except (Conflict, SealBroken):
            raise Http404 from None
        return HttpResponse(picture, content_type=PHOTO_TYPE, headers=PHOTO_HEADERS)

    def opened(self, request: HttpRequest, key: UUID) -> None:
        """A browser that has got the photo ahead does not ask for it again: this is the look."""
        if "photo_ahead" not in request.POST or not access.may(request.user, access.VIEW_PHOTO):
            return
        photo = _shown_at_once(self.visible(request, key).pk)
        if photo is not None and str(photo.pk) == request.POST["photo_ahead"]:
            looks.show_photo_sent_ahead(photo, user=request.user)

    def _next_photo(self, request: HttpRequest) -> Photo | None:
        """Of the case that is kept for the reviewer now."""
        case = request.POST.get("case")
        current = self.visible(request, case).pk if case else None
        selection = Selection.of(QueryDict(request.POST.get("queue", "")))
        kept = self._queue(request, selection).keep_next(current)
        return _shown_at_once(kept) if kept else None

    def _addresses(self, photo: Photo) -> dict[str, str]:
        """Where the page will look for it, and where it is to be had ahead."""
        key = (photo.verification_id, photo.pk)
        return {
            "id": str(photo.pk),
            "shown": self.page_url("verification", "photo", *key),
            "ahead": self.page_url("verification", "photo_ahead", *key),
        }


def _shown_at_once(key: UUID) -> Photo | None:
    """The photo that the page of a case does not fold up: the newest, if we hold its picture."""
    newest = Photo.objects.filter(verification=key).order_by("-number").first()
    return newest if newest and newest.file_name and newest.purged_at is None else None
