"""The verifications: open, list, look at, send a photo, cancel, decide, search."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.urls import reverse
from django.utils.http import parse_etags
from django.views.decorators.debug import sensitive_variables
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from django_faceverify import intake
from django_faceverify.api.access import (
    REVIEW,
    VIEW,
    find_verification,
    is_owner,
    is_staff,
    require,
    visible_to,
)
from django_faceverify.api.bodies import read_fields, take_submission
from django_faceverify.api.door import Door
from django_faceverify.api.filters import VerificationFilter, narrow
from django_faceverify.api.pages import NewestCreated, page
from django_faceverify.api.representation import represent_verification
from django_faceverify.exceptions import Conflict, InputError
from django_faceverify.models import Verification

#: seconds after which a processing verification is worth another look
POLL_AFTER = 1

#: columns that no list shows and that are costly to read
SEALED = ("idcard_name", "idcard_number", "review_note")


class VerificationList(Door):
    def get(self, request: Request) -> Response:
        """The caller's verifications, or all for staff; newest first."""
        for_staff = is_staff(request.user)
        rows = narrow(
            visible_to(request.user),
            request.query_params,
            VerificationFilter,
            is_staff=for_staff,
        )
        return _list(request, rows, for_staff=for_staff)

    @sensitive_variables()
    def post(self, request: Request) -> Response:
        """Open a verification: 201, or 202 when a photo came along."""
        fields = read_fields(
            request,
            "idcard_name", "idcard_number", "level", "reference", "metadata", "consent",
            "image", "url",
        )  # fmt: skip
        submission = take_submission(fields)
        required = {"idcard_name": None, "idcard_number": None}
        verification = intake.create(
            user=request.user,
            submission=submission,
            is_level_free=is_staff(request.user),
            **{**required, **fields},
        )
        return _respond(request, verification, status=202 if submission else 201)


class VerificationDetail(Door):
    def get(self, request: Request, verification_id: str) -> Response:
        """One verification; 304 when the caller has seen it as it is."""
        verification = find_verification(request.user, verification_id)
        response = _respond(request, verification)
        tag = _tag(response.data)
        if _lists_tag(request.headers.get("If-None-Match"), tag):
            response.status_code = 304
            response.data = None
        response["ETag"] = tag
        response["Cache-Control"] = "private, no-cache"
        return response


class VerificationPhotos(Door):
    @sensitive_variables()
    def post(self, request: Request, verification_id: str) -> Response:
        """Send the photo that a verification waits for; only the person may."""
        verification = find_verification(request.user, verification_id)
        if not is_owner(request.user, verification):
            raise PermissionDenied
        fields = read_fields(request, "image", "url", "idcard_name", "idcard_number")
        submission = take_submission(fields)
        if submission is None:
            raise InputError("required", "image")
        verification = intake.submit(verification, submission, user=request.user, **fields)
        return _respond(request, verification, status=202)


class VerificationCancel(Door):
    def post(self, request: Request, verification_id: str) -> Response:
        """End a verification that is not decided: the person, or a reviewer."""
        verification = find_verification(request.user, verification_id)
        by_owner = is_owner(request.user, verification)
        if not by_owner:
            require(request.user, REVIEW)
        read_fields(request)
        verification = intake.cancel(verification, user=request.user, is_staff=not by_owner)
        return _respond(request, verification)


class VerificationReview(Door):
    @sensitive_variables()
    def post(self, request: Request, verification_id: str) -> Response:
        """Decide a verification that is in review, as it was when ``If-Match`` was seen."""
        verification = find_verification(request.user, verification_id)
        require(request.user, REVIEW)
        fields = read_fields(request, "decision", "reason_code", "note")
        fields = {"decision": None, "reason_code": None, **fields}
        seen_at = self._seen_at(request, verification)
        verification = intake.review(verification, reviewer=request.user, seen_at=seen_at, **fields)
        return _respond(request, verification)

    def _seen_at(self, request: Request, verification: Verification) -> Any:
        """The moment of the version that the reviewer looked at, if one was named."""
        wanted = request.headers.get("If-Match")
        if wanted is None:
            return None
        current = represent_verification(verification, for_staff=is_staff(request.user))
        if not _lists_tag(wanted, _tag(current)):
            raise Conflict("changed_meanwhile")
        return verification.updated_at


class VerificationSearch(Door):
    @sensitive_variables()
    def post(self, request: Request) -> Response:
        """All verifications about one ID number, which never stands in an address."""
        require(request.user, VIEW)
        number = read_fields(request, "idcard_number").get("idcard_number")
        rows = intake.find_by_idcard_number(number)
        return _list(request, rows, for_staff=True)


def _list(request: Request, rows: Any, *, for_staff: bool) -> Response:
    def represent(verification: Verification) -> dict[str, Any]:
        return represent_verification(verification, for_staff=for_staff, with_evidence=False)

    return page(request, rows.defer(*SEALED), represent, NewestCreated())


def _respond(request: Request, verification: Verification, status: int = 200) -> Response:
    response = Response(
        represent_verification(verification, for_staff=is_staff(request.user)), status=status
    )
    if verification.status == Verification.Status.PROCESSING:
        response["Retry-After"] = str(POLL_AFTER)
    if status in (201, 202):
        response["Location"] = _address(request, verification)
    return response


def _address(request: Request, verification: Verification) -> str:
    namespace = request.resolver_match.namespace if request.resolver_match else None
    path = reverse("faceverify:verification", args=[verification.pk], current_app=namespace)
    return request.build_absolute_uri(path)


def _tag(representation: dict[str, Any]) -> str:
    """The ETag of what the caller sees: it changes exactly when that does."""
    text = json.dumps(representation, default=str, sort_keys=True)
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def _lists_tag(header: str | None, tag: str) -> bool:
    """Whether a list of ETags holds this one. Compression on the way makes a tag weak."""
    tags = {seen.removeprefix("W/") for seen in parse_etags(header or "")}
    return tag in tags or "*" in tags
