"""What staff see behind a verification: its calls, its history, its pictures."""

from __future__ import annotations

from django.http import HttpResponse
from django.views.decorators.debug import sensitive_variables
from rest_framework.exceptions import NotFound
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from django_faceverify import looks
from django_faceverify.access import VIEW, VIEW_PHOTO, require, require_for
from django_faceverify.api.cases import find_photo, find_verification
from django_faceverify.api.door import Door
from django_faceverify.api.filters import AttemptFilter, narrow
from django_faceverify.api.pages import NewestStarted, Numbered, page
from django_faceverify.api.representation import represent_attempt, represent_event
from django_faceverify.exceptions import SealBroken
from django_faceverify.headers import PHOTO_HEADERS, PHOTO_TYPE
from django_faceverify.models import VerificationAttempt


class AttemptList(Door):
    def get(self, request: Request) -> Response:
        """All calls, newest first; with ``session_id`` the one that has it, if any."""
        require(request.user, VIEW)
        rows = narrow(VerificationAttempt.objects.all(), request.query_params, AttemptFilter)
        return page(request, rows, represent_attempt, NewestStarted())


class VerificationAttempts(Door):
    def get(self, request: Request, verification_id: str) -> Response:
        """The calls made for one verification, in order."""
        verification = find_verification(request.user, verification_id)
        require_for(request.user, VIEW, verification)
        return page(request, verification.attempts.all(), represent_attempt, Numbered())


class VerificationEvents(Door):
    def get(self, request: Request, verification_id: str) -> Response:
        """The history of one verification, in order."""
        verification = find_verification(request.user, verification_id)
        require_for(request.user, VIEW, verification)
        return page(request, verification.events.all(), represent_event, Numbered())


class PhotoFile(Door):
    """The picture itself; each look is recorded."""

    def perform_content_negotiation(
        self, request: Request, force: bool = False
    ) -> tuple[BaseRenderer, str]:
        """Whoever accepts only pictures is right here, and gets problems as JSON."""
        return super().perform_content_negotiation(request, force=True)

    @sensitive_variables()
    def get(self, request: Request, verification_id: str, photo_id: str) -> HttpResponse:
        verification = find_verification(request.user, verification_id)
        require_for(request.user, VIEW_PHOTO, verification)
        photo = find_photo(verification, photo_id)
        try:
            picture = looks.view_photo(photo, user=request.user)
        except SealBroken as error:
            if error.code == "photo_lost":
                raise NotFound from None
            raise
        return HttpResponse(picture, content_type=PHOTO_TYPE, headers=PHOTO_HEADERS)
