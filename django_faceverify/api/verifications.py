"""The verifications: open, list, look at, send a photo, cancel, decide, search."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import Prefetch
from django.utils.cache import patch_vary_headers
from django.views.decorators.debug import sensitive_variables
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from django_faceverify import intake, looks, tokens
from django_faceverify.access import (
    DELEGATE,
    REDACT,
    REVIEW,
    VIEW,
    acts_as_owner,
    is_owner,
    is_staff,
    require,
    require_for,
    visible_to,
)
from django_faceverify.api.answers import answer_with, lists_tag, tag_of
from django_faceverify.api.bodies import read_fields, take_submission
from django_faceverify.api.cases import find_verification
from django_faceverify.api.door import Door
from django_faceverify.api.filters import EXPAND, VerificationFilter, expansions, narrow
from django_faceverify.api.pages import NewestCreated, page
from django_faceverify.api.representation import represent_attempt, represent_verification
from django_faceverify.api.tokens import require_purpose
from django_faceverify.api.waiting import seconds_asked, wait_while
from django_faceverify.conf import app_settings
from django_faceverify.exceptions import Conflict, InputError
from django_faceverify.inputs import CONSENT_MEMBERS
from django_faceverify.models import (
    Consent,
    IdempotencyRecord,
    Verification,
    VerificationAttempt,
)
from django_faceverify.tokens import Purpose

#: columns that no list shows and that are costly to read
SEALED = ("idcard_name", "idcard_number", "review_note")
#: what a person may correct, and no token
IDENTITY = ("idcard_name", "idcard_number")


class VerificationList(Door):
    def get(self, request: Request) -> Response:
        """The caller's verifications, or all for staff; newest first."""
        for_staff = is_staff(request.user)
        rows = narrow(
            visible_to(request.user),
            request.query_params,
            VerificationFilter,
            is_staff=for_staff,
            more=(EXPAND,),
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
        self.alternative_url = app_settings.alternative_url(fields.get("level", "default"))
        submission = take_submission(fields)
        required = {"idcard_name": None, "idcard_number": None}
        verification = intake.create(
            user=request.user,
            submission=submission,
            is_level_free=is_staff(request.user),
            consent_method=Consent.Method.API,
            **{**required, **fields},
        )
        return answer_with(request, verification, status=202 if submission else 201)


class VerificationDetail(Door):
    token_purposes: ClassVar = {"GET": Purpose.READ}

    def get(self, request: Request, verification_id: str) -> Response:
        """One verification; 304 when the caller has seen it as it is.

        With ``Prefer: wait``, not before it was processed or the time is over.
        """
        expansions(request.query_params, is_staff=is_staff(request.user))
        verification = find_verification(request.user, verification_id)
        seconds = seconds_asked(request)
        is_applied = seconds > 0
        if is_applied and self._has_no_news(request, verification):
            processing = Verification.objects.filter(
                pk=verification.pk, status=Verification.Status.PROCESSING
            )
            is_applied = wait_while(processing.exists, seconds)
            verification = find_verification(request.user, verification_id)
        response = answer_with(request, verification)
        tag = tag_of(response.data)
        if lists_tag(request.headers.get("If-None-Match"), tag):
            response.status_code = 304
            response.data = None
        if is_applied:
            response["Preference-Applied"] = f"wait={seconds}"
        response["ETag"] = tag
        response["Cache-Control"] = "private, no-cache"
        patch_vary_headers(response, ("Prefer",))
        return response

    def _has_no_news(self, request: Request, verification: Verification) -> bool:
        """Whether it is being processed, and as the caller has seen it, if they say so."""
        if verification.status != Verification.Status.PROCESSING:
            return False
        seen = request.headers.get("If-None-Match")
        current = represent_verification(verification, for_staff=is_staff(request.user))
        return seen is None or lists_tag(seen, tag_of(current))


class VerificationPhotos(Door):
    token_purposes: ClassVar = {"POST": Purpose.SUBMIT}

    @sensitive_variables()
    def post(self, request: Request, verification_id: str) -> Response:
        """Send the photo that a verification waits for; only the person may."""
        verification = find_verification(request.user, verification_id)
        if not is_owner(request.user, verification):
            raise PermissionDenied
        self.alternative_url = app_settings.alternative_url(verification.level)
        fields = read_fields(request, "image", "url", *IDENTITY, "consent")
        if "consent" in fields:
            require_purpose(request.user, Purpose.CONSENT)
        if not fields.keys().isdisjoint(IDENTITY):  # whose case it is, the site has said
            require_purpose(request.user, None)
        submission = take_submission(fields)
        if submission is None:
            raise InputError("required", "image")
        verification = intake.submit(
            verification,
            submission,
            user=request.user,
            consent_method=Consent.Method.API,
            **fields,
        )
        return answer_with(request, verification, status=202)


class VerificationConsent(Door):
    token_purposes: ClassVar = {"POST": Purpose.CONSENT}

    def post(self, request: Request, verification_id: str) -> Response:
        """Agree to the current text; only the person may, or the guardian who opened it."""
        verification = find_verification(request.user, verification_id)
        if not is_owner(request.user, verification):
            raise PermissionDenied
        self.alternative_url = app_settings.alternative_url(verification.level)
        declared = read_fields(request, *CONSENT_MEMBERS)
        try:
            verification = intake.give_consent(
                verification, declared, user=request.user, consent_method=Consent.Method.API
            )
        except InputError as error:  # the whole body is the consent
            raise InputError(error.code) from None
        return answer_with(request, verification)


class VerificationConsentWithdrawal(Door):
    token_purposes: ClassVar = {"POST": Purpose.CONSENT}

    def post(self, request: Request, verification_id: str) -> Response:
        """Take the consent back: ends what is not decided, and destroys the personal data."""
        verification = find_verification(request.user, verification_id)
        if not is_owner(request.user, verification):
            raise PermissionDenied
        self.alternative_url = app_settings.alternative_url(verification.level)
        read_fields(request)
        return answer_with(request, intake.withdraw_consent(verification, user=request.user))


class VerificationCancel(Door):
    token_purposes: ClassVar = {"POST": Purpose.SUBMIT}

    def post(self, request: Request, verification_id: str) -> Response:
        """End a verification that is not decided: the person, or a reviewer."""
        verification = find_verification(request.user, verification_id)
        by_owner = acts_as_owner(request.user, REVIEW, verification)
        read_fields(request)
        verification = intake.cancel(verification, user=request.user, is_staff=not by_owner)
        return answer_with(request, verification)


class VerificationRedact(Door):
    def post(self, request: Request, verification_id: str) -> Response:
        """Destroy the personal data of a verification: the person, or staff who may."""
        verification = find_verification(request.user, verification_id)
        by_owner = acts_as_owner(request.user, REDACT, verification)
        read_fields(request)
        verification = intake.redact(verification, user=request.user, is_staff=not by_owner)
        return answer_with(request, verification)


class VerificationToken(Door):
    def post(self, request: Request, verification_id: str) -> Response:
        """Make a client token: the owner, who is the site's backend, or staff who may.

        It is shown in this answer and never again.
        """
        verification = _find_for_token(request, verification_id)
        fields = read_fields(request, "origins", "purposes", "expires_in")
        issued = tokens.issue(verification, user=request.user, **fields)
        body = {
            "token": issued.secret,
            "verification": verification.pk,
            "purposes": issued.purposes,
            "origins": issued.origins,
            "expires_at": issued.expires_at,
        }
        return Response(body, status=201)

    def replay(self, request: Request, record: IdempotencyRecord) -> Response:
        raise Conflict("idempotency_key_spent")


class VerificationTokenRevocation(Door):
    def post(self, request: Request, verification_id: str) -> Response:
        """Let the client token work no more, if there is one."""
        verification = _find_for_token(request, verification_id)
        read_fields(request)
        tokens.revoke(verification, user=request.user)
        return answer_with(request, verification)


class VerificationReview(Door):
    @sensitive_variables()
    def post(self, request: Request, verification_id: str) -> Response:
        """Decide a verification that is in review, as it was when ``If-Match`` was seen."""
        verification = find_verification(request.user, verification_id)
        require_for(request.user, REVIEW, verification)
        fields = read_fields(request, "decision", "reason_code", "note")
        fields = {"decision": None, "reason_code": None, **fields}
        seen_at = self._seen_at(request, verification)
        verification = intake.review(verification, reviewer=request.user, seen_at=seen_at, **fields)
        return answer_with(request, verification)

    def _seen_at(self, request: Request, verification: Verification) -> Any:
        """The moment of the version that the reviewer looked at, if one was named."""
        wanted = request.headers.get("If-Match")
        if wanted is None:
            return None
        current = represent_verification(verification, for_staff=is_staff(request.user))
        if not lists_tag(wanted, tag_of(current)):
            raise Conflict("changed_meanwhile")
        return verification.updated_at


class VerificationSearch(Door):
    is_read_only = True

    @sensitive_variables()
    def post(self, request: Request) -> Response:
        """All verifications about one ID number, which never stands in an address."""
        require(request.user, VIEW)
        number = read_fields(request, "idcard_number").get("idcard_number")
        rows = looks.search(number, user=request.user)
        return _list(request, rows, for_staff=True)


def _find_for_token(request: Request, verification_id: str) -> Verification:
    """The case of an owner, or of staff who may give out tokens."""
    verification = find_verification(request.user, verification_id)
    acts_as_owner(request.user, DELEGATE, verification)
    return verification


def _list(request: Request, rows: Any, *, for_staff: bool) -> Response:
    """One page of verifications; with ``expand=attempts``, their calls as well."""
    rows = rows.defer(*SEALED)
    is_expanded = "attempts" in expansions(request.query_params, is_staff=for_staff)
    if is_expanded:
        in_order = VerificationAttempt.objects.order_by("number")
        rows = rows.prefetch_related(Prefetch("attempts", in_order))

    def represent(verification: Verification) -> dict[str, Any]:
        shown = represent_verification(verification, for_staff=for_staff, with_evidence=False)
        if is_expanded:
            shown["attempts"] = [represent_attempt(one) for one in verification.attempts.all()]
        return shown

    return page(request, rows, represent, NewestCreated())
