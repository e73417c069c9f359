"""The consent text that a person has to read before a photo is taken."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import Any, ClassVar

from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from rest_framework.request import Request
from rest_framework.response import Response

from django_faceverify.access import is_staff, visible_to
from django_faceverify.api.door import Door
from django_faceverify.api.problems import bad_parameter
from django_faceverify.conf import Level, app_settings
from django_faceverify.consent import GUARDIAN_AGE, current_text, second_providers
from django_faceverify.models.token import TokenHolder
from django_faceverify.tokens import Purpose


class CurrentConsent(Door):
    token_purposes: ClassVar = {"GET": Purpose.CONSENT}

    def get(self, request: Request) -> HttpResponseBase:
        """The current text of a level in the caller's language; 304 when it was seen as it is."""
        level = _level(request)
        text = current_text(level)
        body = {
            "text_version": text.version,
            "purpose": text.purpose,
            "locale": text.locale,
            "text": text.text,
            "text_sha256": text.sha256,
            "is_required": app_settings.consent.is_required,
            "guardian_age": GUARDIAN_AGE,
            "provider": asdict(app_settings.legal(level.provider)),
            "second_providers": second_providers(text.version),
            "alternative_url": level.alternative_url or None,
        }
        tag = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:32]
        headers = {"ETag": f'"{tag}"', "Cache-Control": "private, no-cache"}
        response = Response(body, headers=headers)
        seen: HttpResponseBase = get_conditional_response(  # type: ignore[assignment]  # given a response, it gives one
            request._request, etag=headers["ETag"], response=response
        )
        return seen


def _level(request: Request) -> Level:
    """The level that was asked for, if the caller may name it; a token's own unless told."""
    for name in request.query_params:
        if name not in ("level", "format"):
            raise bad_parameter(name, "unknown_parameter")
        if len(request.query_params.getlist(name)) > 1:
            raise bad_parameter(name, "repeated_parameter")
    user: Any = request.user
    own = visible_to(user).get().level if isinstance(user, TokenHolder) else None
    name = request.query_params.get("level", own or "default")
    if name not in app_settings.LEVELS:
        raise bad_parameter("level", "level_unknown")
    level = app_settings.level(name)
    if not (level.is_open or name == own or is_staff(user)):
        raise bad_parameter("level", "level_unknown")
    return level
