"""A verification as an answer: with its status, and where and when to look again."""

from __future__ import annotations

import hashlib
import json
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.http import parse_etags
from rest_framework.request import Request
from rest_framework.response import Response

from django_faceverify.access import is_staff
from django_faceverify.api.cases import find_verification
from django_faceverify.api.representation import represent_verification
from django_faceverify.models import Verification

#: seconds after which a processing verification is worth another look: at least, and at
#: most where its next call is far away
POLL_AFTER, POLL_WITHIN = 1, 15


def answer_with(request: Request, verification: Verification, status: int = 200) -> Response:
    """What the caller may know about one verification."""
    response = Response(
        represent_verification(verification, for_staff=is_staff(request.user)), status=status
    )
    if verification.status == Verification.Status.PROCESSING:
        seconds = (response.data["last_error"] or {}).get("retry_after", POLL_AFTER)
        response["Retry-After"] = str(min(seconds, POLL_WITHIN))
    if status in (201, 202):
        response["Location"] = _address(request, verification)
    return response


def answer_again(request: Request, verification_id: UUID | str, status: int | None) -> Response:
    """The answer to a request that was done before, as things stand now.

    Without a ``status`` the worker died between its work and its answer.
    """
    verification = find_verification(request.user, str(verification_id))
    if status is None:
        status = 202 if verification.status == Verification.Status.PROCESSING else 200
    return answer_with(request, verification, status)


def tag_of(representation: dict[str, Any]) -> str:
    """The ETag of what the caller sees: it changes when that does.

    Only that time passes is no change: the seconds of ``retry_after`` are left out.
    """
    error = representation["last_error"]
    if error:
        error = {name: value for name, value in error.items() if name != "retry_after"}
    seen = {**representation, "last_error": error}
    text = json.dumps(seen, default=str, sort_keys=True)
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def lists_tag(header: str | None, tag: str) -> bool:
    """Whether a list of ETags holds this one. Compression on the way makes a tag weak."""
    tags = {seen.removeprefix("W/") for seen in parse_etags(header or "")}
    return tag in tags or "*" in tags


def _address(request: Request, verification: Verification) -> str:
    namespace = request.resolver_match.namespace if request.resolver_match else None
    path = reverse("faceverify:verification", args=[verification.pk], current_app=namespace)
    return request.build_absolute_uri(path)
