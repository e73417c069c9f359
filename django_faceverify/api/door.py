"""What every view of the API has in common, whatever the site's own defaults are."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, NoReturn

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import translation
from django.utils.cache import patch_vary_headers
from rest_framework.exceptions import NotFound
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from django_faceverify.api.bodies import PhotoUploadHandler, StrictJSONParser
from django_faceverify.api.problems import answer_with_problem, sentence


class Door(APIView):
    """JSON in the caller's language, problem documents, nothing for shared caches.

    Only authentication (and, until we have our own, throttling) is the site's.
    """

    http_method_names = ["get", "head", "post"]
    permission_classes = [IsAuthenticated]
    parser_classes = [StrictJSONParser, MultiPartParser]
    renderer_classes = [JSONRenderer]
    content_negotiation_class = DefaultContentNegotiation
    versioning_class = None
    metadata_class = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Speak the caller's language even where the site has no ``LocaleMiddleware``."""
        with translation.override(translation.get_language_from_request(request)):
            return super().dispatch(request, *args, **kwargs)

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        """Keep names, numbers and photos out of error reports and temporary files."""
        request.sensitive_post_parameters = "__ALL__"  # type: ignore[attr-defined]  # Django's error reporter reads it
        with suppress(AttributeError):  # a middleware of the site has read the body already
            request.upload_handlers = [PhotoUploadHandler(request)]
        return super().initialize_request(request, *args, **kwargs)

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        response = super().finalize_response(request, response, *args, **kwargs)
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers["Content-Language"] = translation.get_language() or ""
        patch_vary_headers(response, ("Accept-Language", "Authorization", "Cookie"))
        return response

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response | None]:
        return answer_with_problem


class Nowhere(Door):
    """Every other address, for every method and everybody."""

    authentication_classes = []
    permission_classes = []

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> NoReturn:
        super().initial(request, *args, **kwargs)
        raise NotFound(sentence("no_such_address"))
