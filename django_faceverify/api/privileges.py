"""What needs a permission of its own: to reveal, to export, to take a decision back."""

from __future__ import annotations

from typing import Any

from django.views.decorators.debug import sensitive_variables
from rest_framework.request import Request
from rest_framework.response import Response

from django_faceverify import dossier, looks, reopening
from django_faceverify.access import EXPORT, OVERRIDE, REVEAL_IDENTITY, require_for
from django_faceverify.api.answers import answer_with
from django_faceverify.api.bodies import read_fields
from django_faceverify.api.cases import find_verification
from django_faceverify.api.door import Door
from django_faceverify.exceptions import Conflict
from django_faceverify.headers import PRIVATE_HEADERS
from django_faceverify.models import IdempotencyRecord


class ShownOnce(Door):
    """What is told in clear is told once: under the same key, it is not told again."""

    def replay(self, request: Request, record: IdempotencyRecord) -> Response:
        raise Conflict("idempotency_key_spent")


class VerificationReveal(ShownOnce):
    @sensitive_variables()
    def post(self, request: Request, verification_id: str) -> Response:
        """The name and the ID number in clear, for somebody who says why; recorded."""
        verification = find_verification(request.user, verification_id)
        require_for(request.user, REVEAL_IDENTITY, verification)
        fields = read_fields(request, "reason_code", "note")
        fields = {"reason_code": None, "note": "", **fields}
        identity = looks.reveal_identity(verification, user=request.user, **fields)
        shown: dict[str, Any] = {
            "id": verification.pk,
            "idcard_name": identity.idcard_name,
            "idcard_number": identity.idcard_number,
        }
        return Response(shown, headers=PRIVATE_HEADERS)


class VerificationExport(ShownOnce):
    @sensitive_variables()
    def post(self, request: Request, verification_id: str) -> Response:
        """Everything held about one case, in clear, for a request of access; recorded."""
        verification = find_verification(request.user, verification_id)
        require_for(request.user, EXPORT, verification)
        note = read_fields(request, "note").get("note", "")
        told = dossier.export(verification, user=request.user, note=note)
        return Response(told, headers=PRIVATE_HEADERS)


class VerificationReopen(Door):
    def post(self, request: Request, verification_id: str) -> Response:
        """Propose to take a decision back: 202, until a second person confirms it."""
        verification = find_verification(request.user, verification_id)
        require_for(request.user, OVERRIDE, verification)
        reason_code = read_fields(request, "reason_code").get("reason_code")
        reopening.propose(verification, user=request.user, reason_code=reason_code)
        return answer_with(request, verification, status=202)


class VerificationReopenConfirm(Door):
    def post(self, request: Request, verification_id: str) -> Response:
        """Take a decision back as somebody else has proposed; the case is in review again."""
        verification = find_verification(request.user, verification_id)
        require_for(request.user, OVERRIDE, verification)
        read_fields(request)
        return answer_with(request, reopening.confirm(verification, user=request.user))
