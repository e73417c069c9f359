"""Problem documents: which statuses and codes an operation may be refused with."""

from __future__ import annotations

from typing import Any

from django_faceverify.api.openapi.values import Schema, component, text
from django_faceverify.api.problems import MEDIA_TYPE, TYPE

#: how each status is called and what it means, whichever operation answers it
MEANINGS = {
    400: ("Unusable", "The request cannot be used."),
    401: ("NotSignedIn", "Not signed in, or by a token that is over."),
    403: ("NotAllowed", "Not allowed."),
    404: ("NotFound", "No such case for you."),
    406: ("NotAvailable", "Not available in that form."),
    409: ("Conflict", "Not possible in this status, or being worked on."),
    412: ("Outdated", "Changed meanwhile."),
    413: ("TooLarge", "Too large."),
    415: ("UnknownContent", "Unknown kind of content."),
    422: ("KeyReused", "The Idempotency-Key was used for something else."),
    429: ("TooMany", "Too many requests, or a quota is used up."),
}

#: codes of statuses that the site's own authentication may answer with codes of its own
OF_THE_SITE = (401, 403)

#: what may go wrong anywhere
ANYWHERE: dict[int, tuple[str, ...]] = {
    400: ("invalid_input",),
    406: ("not_acceptable",),
    429: ("throttled",),
}
SIGNED_IN: dict[int, tuple[str, ...]] = {
    401: ("not_authenticated", "authentication_failed", "token_invalid"),
    403: ("permission_denied", "not_authenticated", "token_purpose", "origin_not_allowed"),
}
OF_A_BODY: dict[int, tuple[str, ...]] = {
    400: ("invalid_input", "parse_error"),
    413: ("too_large",),
    415: ("unsupported_media_type",),
}
#: of every POST that changes something
OF_A_KEY: dict[int, tuple[str, ...]] = {
    409: ("request_in_progress", "idempotency_key_spent"),
    422: ("idempotency_key_reused",),
}
OF_ONE: dict[int, tuple[str, ...]] = {404: ("not_found",)}
#: codes that do not stand in the names of responses
NOTHING_SPECIAL = {
    code
    for table in (ANYWHERE, SIGNED_IN, OF_A_BODY, OF_A_KEY, OF_ONE)
    for codes in table.values()
    for code in codes
} - {"parse_error"}


def together(*tables: dict[int, tuple[str, ...]]) -> dict[int, tuple[str, ...]]:
    """All codes of these tables by status, each once."""
    found: dict[int, list[str]] = {}
    for table in tables:
        for status, codes in table.items():
            known = found.setdefault(status, [])
            known.extend(code for code in codes if code not in known)
    return {status: tuple(found[status]) for status in sorted(found)}


def name_of(status: int, codes: tuple[str, ...]) -> str:
    """Under which name a response with these codes stands among the components."""
    special = [code.title().replace("_", "") for code in codes if code not in NOTHING_SPECIAL]
    return MEANINGS[status][0] + "".join(special)


def problem(status: int, codes: tuple[str, ...], headers: dict[str, Any]) -> dict[str, Any]:
    """One response: a problem document with one of these codes."""
    members = {"status": {"const": status}, "code": _codes(status, codes)}
    return {
        "description": MEANINGS[status][1],
        "headers": headers,
        "content": {
            MEDIA_TYPE: {
                "schema": {"allOf": [component("Problem"), {"properties": members}]},
                "example": _example(status, codes[0]),
            }
        },
    }


def _codes(status: int, codes: tuple[str, ...]) -> Schema:
    if status in OF_THE_SITE:
        return text("Or what the site's own authentication says.", examples=list(codes))
    return {"enum": list(codes)}


def _example(status: int, code: str) -> dict[str, Any]:
    meaning = MEANINGS[status][1]
    example: dict[str, Any] = {
        "type": TYPE.format(code=code),
        "title": meaning.rstrip("."),
        "status": status,
        "detail": meaning,
        "code": code,
    }
    if code == "invalid_input":
        error = {"pointer": "#/odd", "code": "unknown_field", "detail": "There is no such field."}
        example["errors"] = [error]
    return example
