"""One verification as it changes: server-sent events, where the site runs under ASGI.

Each change is one event with the whole representation, its ETag is the event's id, and the
last one is that of a final status. Polling is the floor: it tells the same.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import ClassVar

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.db import DatabaseError
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import translation
from rest_framework.exceptions import APIException, NotFound
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request

from django_faceverify.access import is_staff
from django_faceverify.api.answers import tag_of
from django_faceverify.api.cases import find_verification
from django_faceverify.api.door import Door
from django_faceverify.api.problems import sentence
from django_faceverify.api.representation import represent_verification
from django_faceverify.api.waiting import Places
from django_faceverify.conf import app_settings
from django_faceverify.exceptions import QuotaExceeded
from django_faceverify.models import Verification
from django_faceverify.models.transactions import release_connections
from django_faceverify.tokens import Purpose

HEADERS = {
    "Cache-Control": "no-store, no-transform",
    "X-Accel-Buffering": "no",  # nginx would keep events back until there are many
}
MEDIA_TYPE = "text/event-stream"

#: seconds between two looks while a worker is at it, and while a person is
PAUSES = {Verification.Status.PROCESSING.value: 0.5}
LONG_PAUSE = 2.0
#: seconds of silence after which proxies are told that the line is alive
HEARTBEAT = 15.0
#: milliseconds after which a browser comes back when a stream has ended
COME_BACK = b"retry: 2000\n\n"
#: seconds after which somebody without a place may ask again
BUSY = 5.0

streams = Places()


class StreamUnavailable(APIException):
    """The site does not run under ASGI."""

    status_code = 406
    default_code = "stream_unavailable"


class VerificationStream(Door):
    token_purposes: ClassVar = {"GET": Purpose.READ}

    def perform_content_negotiation(
        self, request: Request, force: bool = False
    ) -> tuple[BaseRenderer, str]:
        """Whoever accepts only events is right here, and gets problems as JSON."""
        return super().perform_content_negotiation(request, force=True)

    def get(self, request: Request, verification_id: str) -> HttpResponseBase:
        """Changes of one verification as they happen; 204 when the last was seen."""
        verification = find_verification(request.user, verification_id)
        if not isinstance(request._request, ASGIRequest):
            raise StreamUnavailable(sentence("stream_unavailable"))
        if streams.taken >= app_settings.polling.max_streams:
            raise QuotaExceeded("throttled", BUSY)
        seen = request.headers.get("Last-Event-ID", "")
        if verification.is_final and _Look(request, verification_id).tag == seen:
            return HttpResponse(status=204)
        if request.method == "HEAD":
            return HttpResponse(content_type=MEDIA_TYPE, headers=HEADERS)
        events = _events(request, verification_id, seen, translation.get_language())
        return StreamingHttpResponse(events, content_type=MEDIA_TYPE, headers=HEADERS)


class _Look:
    """A verification as its caller sees it at one moment."""

    def __init__(self, request: Request, verification_id: str) -> None:
        verification = find_verification(request.user, verification_id)
        shown = represent_verification(verification, for_staff=is_staff(request.user))
        self.tag = tag_of(shown).strip('"')
        self.data: bytes = JSONRenderer().render(shown)
        self.is_last = verification.is_final
        self.pause = PAUSES.get(verification.status, LONG_PAUSE)

    @property
    def event(self) -> bytes:
        return b"event: verification\nid: %s\ndata: %s\n\n" % (self.tag.encode(), self.data)


async def _events(
    request: Request, verification_id: str, seen: str, language: str | None
) -> AsyncIterator[bytes]:
    """Events until the status is final, the time is over, or there is nothing to be seen."""
    polling = app_settings.polling
    end = time.monotonic() + polling.stream_seconds

    def look() -> _Look | None:
        try:
            with translation.override(language):  # the request's is over
                return _Look(request, verification_id)
        except (NotFound, DatabaseError):
            return None
        finally:
            release_connections()

    with streams.place(polling.max_streams) as may_stream:
        yield COME_BACK
        spoken_at = time.monotonic()
        while may_stream and (found := await sync_to_async(look)()):
            if found.tag != seen:
                seen, spoken_at = found.tag, time.monotonic()
                yield found.event
            if found.is_last or time.monotonic() >= end:
                return
            if time.monotonic() - spoken_at >= HEARTBEAT:
                spoken_at = time.monotonic()
                yield b":\n\n"
            await asyncio.sleep(found.pause)
