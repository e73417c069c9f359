"""Who compares: what each provider can do, whether its host is there, and the engine here."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

from django_faceverify.conf import app_settings
from django_faceverify.doctor.findings import ERROR, OK, Finding, Findings
from django_faceverify.exceptions import InvalidProvider
from django_faceverify.faces import engine
from django_faceverify.providers import providers
from django_faceverify.providers.base import Provider
from django_faceverify.providers.local import LocalProvider

CONNECT_TIMEOUT = 3


def look_at_providers() -> Findings:
    """What can it do, and can its host be reached? A TCP connection only."""
    for alias in app_settings.PROVIDERS:
        try:
            provider = providers[alias]
        except InvalidProvider as error:
            yield Finding(ERROR, "provider", f"{alias}: {error}")
            continue
        yield Finding(OK, "provider", f"{alias}: {', '.join(_capabilities(provider))}")
        endpoint = getattr(provider, "endpoint", None)
        if endpoint is None:
            yield Finding(OK, "provider", f"{alias}: has no endpoint to reach")
            continue
        yield _reach(alias, endpoint)


def _capabilities(provider: Provider) -> Iterator[str]:
    """What the class says of itself, and the site of who runs it."""
    if provider.takes_bytes:
        how = "as base64" if provider.sends_base64 else "as they are"
        yield f"photos up to {provider.max_image_bytes} bytes, sent {how}"
    yield "photos by address" if provider.takes_url else "no photos by address"
    if provider.lowest_threshold:
        yield f"its own threshold is {provider.lowest_threshold:g}"
    table = provider.far_table
    yield (
        f"table of rates {table.version}, published {table.published}"
        if table
        else "no table of rates"
    )
    yield "judges liveness" if provider.checks_liveness else "does not judge liveness"
    yield "can be asked" if provider.can_be_asked else "cannot be asked"
    if provider.operator:
        yield f"run by {provider.operator.name} ({provider.operator.country})"
    legal = app_settings.legal(provider.alias)
    yield (
        f"legal name {legal.name}, region {legal.region or '-'}" if legal.name else "no legal name"
    )


def _reach(alias: str, endpoint: str) -> Finding:
    parts = urlsplit(endpoint)
    port = parts.port or {"http": 80}.get(parts.scheme, 443)
    where = f"{alias}: {parts.hostname}:{port}"
    try:
        socket.create_connection((parts.hostname or "", port), CONNECT_TIMEOUT).close()
    except OSError as error:
        return Finding(
            ERROR, "provider", f"{where} is not reachable ({error.strerror or 'timeout'})"
        )
    return Finding(OK, "provider", f"{where} is reachable")


def look_at_faces() -> Findings:
    """Does the local engine work, where it is asked? Its weights are read and checked."""
    uses = [alias for alias in app_settings.PROVIDERS if _is_local(alias)]
    if app_settings.quality.is_checked:
        uses.append("QUALITY")
    if not uses:
        yield Finding(OK, "faces", "none is looked at on this machine")
        return
    try:
        engine.load()
    except (engine.EngineUnavailable, engine.EngineBusy) as error:
        yield Finding(ERROR, "faces", f"{', '.join(uses)}: {error}")
        return
    yield Finding(OK, "faces", f"{', '.join(uses)}: the weights are whole, and the nets run")


def _is_local(alias: str) -> bool:
    try:
        return isinstance(providers[alias], LocalProvider)
    except InvalidProvider:
        return False
