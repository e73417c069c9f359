"""Errors as problem documents (RFC 9457): one table from exceptions to HTTP.

``code`` is stable and for programs, ``detail`` is a sentence for people in their language.
Fields of a body are named by a JSON pointer, parameters of a query and headers by
their name. Anything
that is not listed here is a fault of ours and stays an exception.
"""

from __future__ import annotations

from math import ceil
from typing import Any

from django.core.exceptions import (
    BadRequest,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.http import Http404, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from django_faceverify.exceptions import (
    Conflict,
    InProgress,
    InputError,
    NotPermitted,
    QuotaExceeded,
    SealBroken,
)
from django_faceverify.reasons import REASONS

MEDIA_TYPE = "application/problem+json"
TYPE = "urn:django-faceverify:problem:{code}"

TITLES: dict[int, str | Promise] = {
    400: _("The request cannot be used"),
    401: _("Please sign in"),
    403: _("Not allowed"),
    404: _("Not found"),
    405: _("Method not allowed"),
    406: _("Not available in that form"),
    409: _("Not possible in this state"),
    412: _("Changed meanwhile"),
    413: _("Too large"),
    415: _("Unknown kind of content"),
    422: _("Not what was sent before"),
    429: _("Too many requests"),
}

#: sentences for what only this door can refuse; all others stand in ``REASONS``
SENTENCES: dict[str, str | Promise] = {
    "body_not_object": _("Please send one JSON object, or multipart/form-data."),
    "unknown_field": _("There is no such field here."),
    "repeated_field": _("This field may be sent only once."),
    "image_not_a_file": _("Please send the photo as a file in multipart/form-data."),
    "image_or_url": _("Please send either the photo or its address, not both."),
    "seal_broken": _("The stored data cannot be opened. Please tell the site's operators."),
    "too_large": _("The request is too large."),
    "parse_error": _("The request is malformed."),
    "unknown_parameter": _("There is no such parameter here."),
    "repeated_parameter": _("This parameter may be given only once."),
    "empty_parameter": _("Please give this parameter a value, or leave it out."),
    "staff_only": _("Only staff may ask for this."),
    "expand_invalid": _("Only attempts can be expanded."),
    "stream_unavailable": _("No stream here. Please ask for the verification again and again."),
    "page_size_invalid": _("A page size is a whole number from 1 to 100."),
    "cursor_invalid": _("This cursor is not one of ours."),
    "idempotency_key_invalid": _("An Idempotency-Key is 1 to 255 visible ASCII characters."),
    "idempotency_key_reused": _("This Idempotency-Key was used for another request."),
    "idempotency_key_spent": _("This was done already; its answer cannot be given again."),
    "request_in_progress": _("The same request is being worked on. Please ask again."),
    "throttled": _("Too many requests. Please wait a little."),
    "token_invalid": _("This token is unknown, over or taken back. Please ask for a new one."),
    "token_purpose": _("This token is not for that."),
    "token_in_address": _("A token never belongs into an address. Please take a new one."),
    "origin_not_allowed": _("This token may not be used from this page."),
    "origins_invalid": _("Please name only origins that the site has listed."),
    "purposes_invalid": _("Please name at least one of: consent, submit, read."),
    "expires_in_invalid": _("Please give a number of seconds that the site allows."),
    "no_such_address": _("There is nothing at this address. Addresses end with a slash."),
}


#: conflicts that have a status of their own
CONFLICTS = {"changed_meanwhile": 412, "idempotency_key_reused": 422}


class BadHeader(Exception):
    """A header of the request cannot be used."""

    def __init__(self, header: str, code: str) -> None:
        super().__init__(header, code)
        self.header = header
        self.code = code


def sentence(code: str) -> str:
    """What to tell people about a code, in the active language."""
    return str(SENTENCES[code] if code in SENTENCES else REASONS[code].message)


def bad_parameter(name: str, code: str) -> exceptions.ValidationError:
    """The error for one parameter of a query."""
    return exceptions.ValidationError({name: [exceptions.ErrorDetail(sentence(code), code)]})


def answer_with_problem(error: Exception, context: dict[str, Any]) -> Response | None:
    """The exception handler of our views; ``None`` leaves the exception to the server."""
    response = _respond(error)
    if response is not None:
        set_rollback()
        if alternative := getattr(context.get("view"), "alternative_url", ""):
            response.data["alternative_url"] = alternative
    return response


def _respond(error: Exception) -> Response | None:
    if isinstance(error, InputError):
        return _invalid([_field_error(error)])
    if isinstance(error, BadHeader):
        named = {"header": error.header, "code": error.code, "detail": sentence(error.code)}
        return _invalid([named])
    if isinstance(error, Conflict):
        response = _problem(CONFLICTS.get(error.code, 409), error.code, sentence(error.code))
        if isinstance(error, InProgress):
            response["Retry-After"] = str(error.retry_after)
        return response
    if isinstance(error, QuotaExceeded):
        response = _problem(429, error.code, sentence(error.code))
        response["Retry-After"] = str(ceil(error.retry_after))
        return response
    if isinstance(error, NotPermitted):
        return _problem(403, error.code, sentence(error.code))
    if isinstance(error, SealBroken):
        return _problem(409, "seal_broken", sentence("seal_broken"))
    if isinstance(error, RequestDataTooBig):
        return _problem(413, "too_large", sentence("too_large"))
    if isinstance(
        error, (SuspiciousOperation, BadRequest, MultiPartParserError, UnreadablePostError)
    ):
        return _problem(400, "parse_error", sentence("parse_error"))
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if isinstance(error, exceptions.ValidationError):
        return _invalid(_parameter_errors(error.detail))
    if isinstance(error, exceptions.APIException):
        return _from_framework(error)
    return None


def _problem(status: int, code: str, detail: str, **more: Any) -> Response:
    body = {
        "type": TYPE.format(code=code),
        "title": str(TITLES.get(status, detail)),
        "status": status,
        "detail": detail,
        "code": code,
        **more,
    }
    return Response(body, status=status, content_type=MEDIA_TYPE)


def _invalid(errors: list[dict[str, str]]) -> Response:
    return _problem(400, "invalid_input", errors[0]["detail"], errors=errors)


def _field_error(error: InputError) -> dict[str, str]:
    return {
        "pointer": _pointer(error.field),
        "code": error.code,
        "detail": sentence(error.code),
    }


def _pointer(field: str) -> str:
    """A JSON pointer. The name of an unknown field is the caller's: no strange one is echoed."""
    return f"#/{field}" if field.isascii() and field.isidentifier() and len(field) <= 50 else "#"


def _parameter_errors(detail: Any) -> list[dict[str, str]]:
    by_name = detail if isinstance(detail, dict) else {"": detail}
    return [
        {"parameter": str(name), "code": str(one.code), "detail": str(one)}
        for name, errors in by_name.items()
        for one in (errors if isinstance(errors, list) else [errors])
    ]


def _from_framework(error: exceptions.APIException) -> Response:
    """Errors of the framework and of the site's authentication keep their own words.

    Except what a parser says: it is in English, and about bytes.
    """
    if isinstance(error, exceptions.ParseError):
        return _problem(400, "parse_error", sentence("parse_error"))
    detail = error.detail
    if not isinstance(detail, exceptions.ErrorDetail):
        detail = exceptions.ErrorDetail(str(error.default_detail), error.default_code)
    response = _problem(error.status_code, str(detail.code), str(detail))
    if challenge := getattr(error, "auth_header", None):
        response["WWW-Authenticate"] = challenge
    if wait := getattr(error, "wait", None):
        response["Retry-After"] = str(wait)
    return response
