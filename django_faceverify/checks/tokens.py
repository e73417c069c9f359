"""System checks of ``CLIENT_TOKENS``: whose pages may come, and for how long tokens live."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.core.checks import CheckMessage, Tags, register
from django.core.exceptions import ImproperlyConfigured

from django_faceverify.checks.findings import Messages, error, unknown_keys, warning
from django_faceverify.checks.values import is_whole
from django_faceverify.conf import CLIENT_TOKEN_DEFAULTS, app_settings
from django_faceverify.tokens import SHORTEST_LIFE

WHERE = "FACEVERIFY['CLIENT_TOKENS']"

#: as browsers write an origin: small letters, no path, and no port that goes without saying
ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://(\[[0-9a-f:]+\]|[a-z0-9._-]+)(:[1-9][0-9]{0,4})?", re.A)
UNSAID_PORTS = re.compile(r"http://.*:80|https://.*:443")
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")


@register(Tags.compatibility)
def check_client_tokens(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    try:
        given = app_settings.raw.get("CLIENT_TOKENS", {})
    except ImproperlyConfigured:
        return []  # the checks of the settings say so
    if not isinstance(given, dict):
        keys = ", ".join(CLIENT_TOKEN_DEFAULTS)
        return [error("E160", f"{WHERE} must be a dict.", f"Keys: {keys}.")]
    entry = {**CLIENT_TOKEN_DEFAULTS, **given}
    unknown = unknown_keys(given, CLIENT_TOKEN_DEFAULTS, WHERE, "E161")
    return [*unknown, *_origins(entry["ORIGINS"]), *_lives(entry)]


def _origins(origins: Any) -> Messages:
    if not isinstance(origins, list | tuple):
        yield error("E162", f"{WHERE}['ORIGINS'] must be a list.", "Such as ['https://shop.com'].")
        return
    for origin in origins:
        if (
            not isinstance(origin, str)
            or not ORIGIN.fullmatch(origin)
            or UNSAID_PORTS.fullmatch(origin)
        ):
            yield error(
                "E163",
                f"{WHERE}['ORIGINS'] holds {origin!r}, which is not an origin.",
                "Write it as browsers do: 'https://shop.example', without a path, a final slash, "
                "a wildcard or the scheme's usual port.",
            )
        elif _is_in_clear(origin) and not app_settings.is_debug:
            yield warning(
                "W164",
                f"{WHERE}['ORIGINS'] holds {origin!r}: its pages travel in clear.",
                "Whoever is on the way could change them and take their tokens. Use https.",
            )


def _is_in_clear(origin: str) -> bool:
    parts = urlsplit(origin)
    return parts.scheme == "http" and parts.hostname not in LOCAL_HOSTS


def _lives(entry: dict[str, Any]) -> Messages:
    for key in ("LIFETIME", "MAX_LIFETIME"):
        value = entry[key]
        if not is_whole(value, SHORTEST_LIFE):
            yield error(
                "E165",
                f"{WHERE}[{key!r}] must be whole seconds, {SHORTEST_LIFE} at least.",
                f"The default is {CLIENT_TOKEN_DEFAULTS[key]}.",
            )
            return
    if entry["LIFETIME"] > entry["MAX_LIFETIME"]:
        yield error(
            "E166",
            f"{WHERE}['LIFETIME'] is above MAX_LIFETIME.",
            "Raise the one, or lower the other.",
        )
