"""The far end of a webhook, as another program of the site's would have it.

It would know nothing of django-faceverify, so nothing of it is imported here: a signature is
checked with the standard library. The package ``standardwebhooks`` does the same.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import time
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from example_project.models import ReceivedWebhook

logger = logging.getLogger(__name__)

#: seconds that a message may have been under way, so that an old one cannot be played again
TOLERANCE = 300


def verify(body: bytes, headers: Mapping[str, str], secrets: Iterable[str]) -> dict[str, Any]:
    """The message in ``body``; ``ValueError`` or ``KeyError`` when no secret has signed it."""
    message_id, sent_at = headers["webhook-id"], headers["webhook-timestamp"]
    if not sent_at.isdecimal() or abs(time.time() - int(sent_at)) > TOLERANCE:
        raise ValueError("too old, or from the future")
    signed = f"{message_id}.{sent_at}.".encode() + body
    given = [part.partition(",")[2] for part in headers["webhook-signature"].split(" ")]
    for secret in secrets:
        key = base64.b64decode(secret.removeprefix("whsec_"))
        mac = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        if any(hmac.compare_digest(mac.encode(), one.encode()) for one in given):
            message: dict[str, Any] = json.loads(body)
            return message
    raise ValueError("no signature fits")


@csrf_exempt
@require_POST
def receive(request: HttpRequest) -> HttpResponse:
    """Check who sent it, remember its id, act once, answer fast."""
    try:
        message = verify(request.body, request.headers, [settings.WEBHOOK_SECRET])
    except (KeyError, ValueError):
        return HttpResponse(status=HTTPStatus.BAD_REQUEST)
    with transaction.atomic():
        _, is_new = ReceivedWebhook.objects.get_or_create(
            webhook_id=request.headers["webhook-id"],
            defaults={"event": message["type"], "verification_id": message["data"].get("id")},
        )
        if is_new:
            act_on(message)
    return HttpResponse(status=HTTPStatus.NO_CONTENT)


def act_on(message: dict[str, Any]) -> None:
    """What the site does about it, in the transaction that remembers the id."""
    logger.info("Told: %s.", message["type"])
