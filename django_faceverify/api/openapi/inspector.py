"""drf-spectacular reads the table: which addresses there are, and who may sign in how."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import EndpointEnumerator, SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ComponentRegistry, ResolvedComponent, normalize_result_object

import django_faceverify
from django_faceverify.api.openapi import sent, told
from django_faceverify.api.openapi.description import HEADERS, describe, problems
from django_faceverify.api.openapi.operations import TAGS
from django_faceverify.api.tokens import TokenAuthentication

VERSION = "3.1.0"
TITLE = "Face verification"
DESCRIPTION = (
    "Is the person in this photo the holder of this ID number? All addresses end with a slash. "
    "What is refused is answered as a problem document (RFC 9457), whose codes are stable."
)


class TokenScheme(OpenApiAuthenticationExtension):
    """Client tokens, where a view lets them in; the purpose stands where scopes do."""

    target_class = TokenAuthentication
    name = "clientToken"

    def get_security_requirement(self, auto_schema: AutoSchema) -> dict[str, list[Any]] | None:  # type: ignore[override]  # the caller knows None
        view: Any = auto_schema.view
        purpose = view.token_purposes.get(auto_schema.method)
        return {self.name: [str(purpose)]} if purpose else None

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "fvt_...",
            "description": "A client token, which opens one verification for its purposes.",
        }


class Inspector(AutoSchema):
    """Describes an operation as the table says it, and its security as its view does."""

    def get_operation(
        self,
        path: str,
        path_regex: str,
        path_prefix: str,
        method: str,
        registry: ComponentRegistry,
    ) -> dict[str, Any]:
        self.path, self.method, self.registry = path, method, registry
        return {**describe(method, path.lstrip("/")), "security": self.get_auth()}


class Endpoints(EndpointEnumerator):
    """All our addresses. Those of the site have its own hooks, and ours are not among them."""

    def get_api_endpoints(self, patterns: Any = None, prefix: str = "") -> list[Any]:
        return sorted(self._get_api_endpoints(patterns, prefix), key=lambda one: (one[0], one[2]))

    def should_include_endpoint(self, path: str, callback: Any) -> bool:
        return True


class Generator(SchemaGenerator):
    """Makes the description of our own addresses; what the site has set for its own is apart."""

    endpoint_inspector_cls = Endpoints

    def create_view(self, callback: Any, method: str, request: Any = None) -> Any:
        view = super().create_view(callback, method)
        schema = Inspector()
        schema.view = view
        self._set_schema_to_view(view, schema)
        return view

    def get_schema(self, request: Any = None, public: bool = True) -> dict[str, Any]:
        self._initialise_endpoints()
        paths: dict[str, dict[str, Any]] = {}
        for path, regex, method, view in self._get_paths_and_endpoints():
            operation = view.schema.get_operation(path, regex, "", method, self.registry)
            paths.setdefault(path, {})[method.lower()] = operation
        for kind, components in (
            (ResolvedComponent.SCHEMA, {**told.COMPONENTS, **sent.COMPONENTS}),
            (ResolvedComponent.HEADER, HEADERS),
            (ResolvedComponent.RESPONSE, problems()),
        ):
            for name, schema in components.items():
                self.registry.register(ResolvedComponent(name, kind, schema, object=name))
        described: dict[str, Any] = normalize_result_object(
            {
                "openapi": VERSION,
                "info": {
                    "title": TITLE,
                    "version": django_faceverify.__version__,
                    "description": DESCRIPTION,
                    "license": {"name": "MIT", "identifier": "MIT"},
                },
                "tags": [{"name": name, "description": about} for name, about in TAGS.items()],
                "paths": paths,
                "components": self.registry.build({}),
            }
        )
        return described
