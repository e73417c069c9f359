"""Which pages of other origins may call us: those of ``CLIENT_TOKENS["ORIGINS"]``, by token.

A browser asks first (a preflight), without the token. So that is answered by the settings
alone, alike for every case; the request itself is held to the origins of its token. Cookies
are never let through: no answer says ``Access-Control-Allow-Credentials``.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

from django_faceverify.conf import app_settings

#: seconds for which a browser need not ask again
MAX_AGE = 600

REQUEST_HEADERS = (
    "Accept-Language, Authorization, Content-Type, Idempotency-Key, If-None-Match, "
    "Last-Event-ID, Prefer"
)
ANSWER_HEADERS = (
    "Content-Language, ETag, Idempotent-Replayed, Location, Preference-Applied, RateLimit, "
    "RateLimit-Policy, Retry-After, WWW-Authenticate"
)


def preflight(request: HttpRequest, methods: Iterable[str]) -> HttpResponse | None:
    """What a browser is told that asks for one of our pages' origins; ``None`` to all others."""
    methods = tuple(methods)
    if request.method != "OPTIONS" or not methods or not _is_known(request):
        return None
    if "Access-Control-Request-Method" not in request.headers:
        return None
    response = HttpResponse(status=204)
    response["Access-Control-Allow-Methods"] = ", ".join(methods)
    response["Access-Control-Allow-Headers"] = REQUEST_HEADERS
    response["Access-Control-Max-Age"] = str(MAX_AGE)
    let_read(request, response)
    requested = ("Access-Control-Request-Method", "Access-Control-Request-Headers")
    patch_vary_headers(response, requested)
    return response


def let_read(request: HttpRequest, response: HttpResponseBase) -> None:
    """Let a page of a known origin read an answer."""
    patch_vary_headers(response, ("Origin",))
    if _is_known(request):
        response["Access-Control-Allow-Origin"] = request.headers["Origin"]
        response["Access-Control-Expose-Headers"] = ANSWER_HEADERS


def comes_from(request: HttpRequest, origins: Iterable[str]) -> bool:
    """Whether a request comes from a page of these origins or of ours, or from no page."""
    origin = request.headers.get("Origin")
    if origin is None or origin == f"{request.scheme}://{request.get_host()}":
        return True
    return origin in origins and _is_known(request)


def _is_known(request: HttpRequest) -> bool:
    return request.headers.get("Origin") in app_settings.client_tokens.origins
