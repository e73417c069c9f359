"""The description, for anybody: there is no secret in it, and no site's name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from django.urls import URLPattern
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request
from rest_framework.response import Response

from django_faceverify.api.door import Door
from django_faceverify.api.openapi.inspector import Generator


class Description(Door):
    authentication_classes = []
    permission_classes = []

    #: the addresses that it describes
    patterns: Sequence[URLPattern] = ()

    _made: ClassVar[dict[str, Any]] = {}

    def get_authenticators(self) -> list[BaseAuthentication]:
        return []

    def get(self, request: Request) -> Response:
        """The whole API in OpenAPI 3.1, at the address where the site has it."""
        if not self._made:
            self._made.update(Generator(patterns=self.patterns).get_schema())
        head = {name: self._made[name] for name in ("openapi", "info")}
        servers = [{"url": request.path.removesuffix("schema/").rstrip("/")}]
        return Response({**head, "servers": servers, **self._made})
