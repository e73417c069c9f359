"""What every view of the API has in common, whatever the site's own defaults are."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Any, ClassVar, NoReturn

from django.db import transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import translation
from django.utils.cache import patch_vary_headers
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import NotFound
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from django_faceverify import idempotency, throttles
from django_faceverify.api import cors
from django_faceverify.api.answers import answer_again
from django_faceverify.api.bodies import PhotoUploadHandler, StrictJSONParser, fingerprint_parts
from django_faceverify.api.principal import principal
from django_faceverify.api.problems import BadHeader, answer_with_problem, sentence
from django_faceverify.api.tokens import (
    TokenAuthentication,
    is_bearer,
    refuse_in_address,
    require_scope,
)
from django_faceverify.exceptions import Conflict
from django_faceverify.models import IdempotencyRecord
from django_faceverify.models.token import TokenHolder


class Door(APIView):
    """JSON in the caller's language, problem documents, nothing for shared caches.

    Only authentication is the site's. Once a view knows it, ``alternative_url`` is shown with
    every refusal: another way to verify.
    """

    alternative_url = ""

    #: for which purpose a client token may use a method; no token is good for the others
    token_purposes: ClassVar[dict[str, str]] = {}

    http_method_names = ["get", "head", "post"]
    permission_classes = [IsAuthenticated]
    parser_classes = [StrictJSONParser, MultiPartParser]
    renderer_classes = [JSONRenderer]
    content_negotiation_class = DefaultContentNegotiation
    versioning_class = None
    metadata_class = None
    throttle_classes = []
    schema = None  # a site's own description leaves us out: there is one of ours

    #: whether a POST changes nothing, so that it may be done as often as it is asked for
    is_read_only = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Give every POST its ``Idempotency-Key``, whichever view it belongs to."""
        super().__init_subclass__(**kwargs)
        if "post" in vars(cls) and not cls.is_read_only:
            cls.post = _once(cls.post)  # type: ignore[attr-defined]  # it is there

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        """Where a site puts requests into transactions, ours have their own all the same."""
        return transaction.non_atomic_requests(super().as_view(**initkwargs))

    def replay(self, request: Request, record: IdempotencyRecord) -> Response:
        """The answer to a request that was done before; for a view with more to tell, its own.

        What there was nothing to change in, the address names.
        """
        verification_id = record.verification_id or self.kwargs.get("verification_id")
        if verification_id is None:
            raise Conflict("idempotency_key_spent")
        return answer_again(request, verification_id, record.http_status)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Speak the caller's language even where the site has no ``LocaleMiddleware``."""
        self.standings: list[throttles.Standing] = []
        if answer := cors.preflight(request, self.token_purposes):
            return answer
        with translation.override(translation.get_language_from_request(request)):
            return super().dispatch(request, *args, **kwargs)

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        """Keep names, numbers and photos out of error reports and temporary files."""
        request.sensitive_post_parameters = "__ALL__"  # type: ignore[attr-defined]  # Django's error reporter reads it
        with suppress(AttributeError):  # a middleware of the site has read the body already
            request.upload_handlers = [PhotoUploadHandler(request)]
        return super().initialize_request(request, *args, **kwargs)

    def perform_authentication(self, request: Request) -> None:
        """Count the address first: whoever tries passwords is slowed down as well."""
        self._count(throttles.count_address(BaseThrottle().get_ident(request)))
        refuse_in_address(request)
        super().perform_authentication(request)

    def get_authenticators(self) -> list[BaseAuthentication]:
        return [TokenAuthentication(), *super().get_authenticators()]

    def get_authenticate_header(self, request: Request) -> str | None:  # type: ignore[override]  # as in the framework
        """Challenge as the site does, except whoever came with a token."""
        first, *of_the_site = self.get_authenticators()
        challenger = first if is_bearer(request) else next(iter(of_the_site), None)
        return challenger.authenticate_header(request) if challenger else None

    def check_permissions(self, request: Request) -> None:
        super().check_permissions(request)
        user: Any = request.user
        if isinstance(user, TokenHolder):
            method = "GET" if request.method == "HEAD" else str(request.method)
            purpose = self.token_purposes.get(method)
            require_scope(request, user, purpose, self.kwargs.get("verification_id"))

    def check_throttles(self, request: Request) -> None:
        who = principal(request)
        if not who:
            return
        self._count(throttles.count(throttles.PRINCIPAL, who))
        if request.method == "POST":
            self._count(throttles.count(throttles.POSTS, who))

    def _count(self, standing: throttles.Standing | None) -> None:
        if standing is not None:
            self.standings.append(standing)
            standing.require()

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        response = super().finalize_response(request, response, *args, **kwargs)
        response.headers.setdefault("Cache-Control", "no-store")
        for header, value in throttles.headers(self.standings).items():
            response.headers[header] = value
        response.headers["Content-Language"] = translation.get_language() or ""
        patch_vary_headers(response, ("Accept-Language", "Authorization", "Cookie"))
        if self.token_purposes:
            cors.let_read(request._request, response)
        return response

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response | None]:
        return answer_with_problem


def _once(post: Callable[..., Response]) -> Callable[..., Response]:
    """Do a POST that comes with a key once, however often it is sent."""

    @wraps(post)
    def post_once(view: Door, request: Request, **named: str) -> Response:
        key = request.headers.get("Idempotency-Key")
        if key is None:
            return post(view, request, **named)
        if not idempotency.is_key(key):
            raise BadHeader("Idempotency-Key", "idempotency_key_invalid")
        held = idempotency.reserve(
            scope=(principal(request), "POST", request.path),
            key=key,
            body=fingerprint_parts(request),
        )
        if isinstance(held, IdempotencyRecord):
            response = view.replay(request, held)
            response["Idempotent-Replayed"] = "true"
            return response
        with idempotency.working(held):
            response = post(view, request, **named)
        idempotency.finish(held, response.status_code)
        return response

    return post_once


class Nowhere(Door):
    """Every other address, for every method and everybody."""

    authentication_classes = []
    permission_classes = []

    def get_authenticators(self) -> list[BaseAuthentication]:
        return []

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> NoReturn:
        super().initial(request, *args, **kwargs)
        raise NotFound(sentence("no_such_address"))
