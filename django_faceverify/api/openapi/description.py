"""How OpenAPI says what the table of operations holds: parameters, responses, refusals, headers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django_faceverify.api.openapi import sent
from django_faceverify.api.openapi.operations import OPERATIONS, Answer
from django_faceverify.api.openapi.refused import (
    ANYWHERE,
    OF_A_BODY,
    OF_A_KEY,
    OF_ONE,
    SIGNED_IN,
    name_of,
    problem,
    together,
)
from django_faceverify.api.openapi.values import text, whole

#: headers of answers, by name
HEADERS: dict[str, dict[str, Any]] = {
    "Content-Language": {"schema": text("The language of the sentences.")},
    "Cache-Control": {"schema": text("Nothing is for shared caches."), "required": True},
    "RateLimit-Policy": {"schema": text("The limits, by the IETF's draft 11.")},
    "RateLimit": {"schema": text("What is left of them.")},
    "ETag": {"schema": text("Of what the caller sees.", pattern='^"'), "required": True},
    "Location": {"schema": text("The verification.", format="uri"), "required": True},
    "Retry-After": {"schema": whole("In how many seconds to ask again.", minimum=0)},
    "Preference-Applied": {"schema": text("For how long it was waited for news.")},
    "Idempotent-Replayed": {"schema": text("It was done before, and is not done again.")},
    "WWW-Authenticate": {"schema": text("How to sign in.")},
}
EVERYWHERE = ("Content-Language", "Cache-Control", "RateLimit-Policy", "RateLimit")


def describe(method: str, address: str) -> dict[str, Any]:
    """One operation as OpenAPI says it, except for who may sign in how; ``KeyError``."""
    operation = OPERATIONS[method, address]
    is_once = method == "POST" and not operation.is_read_only
    parameters = [
        *(sent.in_path(name) for name in _names_in(address)),
        *operation.parameters,
        sent.ACCEPT_LANGUAGE,
        *([sent.IDEMPOTENCY_KEY] if is_once else []),
    ]
    return {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": operation.summary,
        "parameters": parameters,
        **({"requestBody": operation.request} if operation.request else {}),
        "responses": {
            **{
                str(status): _success(answer, is_once)
                for status, answer in operation.answers.items()
            },
            **{
                str(status): {"$ref": f"#/components/responses/{name_of(status, codes)}"}
                for status, codes in refusals(method, address).items()
            },
        },
    }


def refusals(method: str, address: str) -> dict[int, tuple[str, ...]]:
    """With which codes an operation may be refused, by status."""
    operation = OPERATIONS[method, address]
    is_post = method == "POST"
    return together(
        operation.refusals,
        ANYWHERE,
        {} if operation.is_open else SIGNED_IN,
        OF_ONE if _names_in(address) else {},
        OF_A_BODY if is_post else {},
        OF_A_KEY if is_post and not operation.is_read_only else {},
    )


def problems() -> dict[str, dict[str, Any]]:
    """Every response that refuses, by its name."""
    return {
        name_of(status, codes): problem(status, codes, _headers(_of_a_problem(status)))
        for method, address in OPERATIONS
        for status, codes in refusals(method, address).items()
    }


def _names_in(address: str) -> list[str]:
    return [part[1:-1] for part in address.split("/") if part.startswith("{")]


def _success(answer: Answer, is_once: bool) -> dict[str, Any]:
    headers = [*answer.header_names, *(["Idempotent-Replayed"] if is_once else [])]
    response: dict[str, Any] = {"description": answer.meaning, "headers": _headers(headers)}
    if answer.content:
        response["content"] = {kind: {"schema": schema} for kind, schema in answer.content.items()}
    if answer.links:
        response["links"] = {
            name: {
                "operationId": name,
                "parameters": {"verification_id": "$response.body#/id"},
            }
            for name in answer.links
        }
    return response


def _of_a_problem(status: int) -> list[str]:
    return {401: ["WWW-Authenticate"], 409: ["Retry-After"], 429: ["Retry-After"]}.get(status, [])


def _headers(names: Sequence[str]) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in (*names, *EVERYWHERE)}
