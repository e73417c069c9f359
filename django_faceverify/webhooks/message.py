"""What is sent: a thin body without personal data, signed as Standard Webhooks says.

The body is made anew for each try, from the delivery's row and the verification's, so that
no copy of it lies anywhere.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import os
from collections.abc import Iterable
from datetime import timezone
from typing import Any

from django_faceverify.models import Verification, WebhookDelivery

Status = Verification.Status

#: what has happened when a verification comes to a status
EVENT_BY_STATUS: dict[str, str] = {
    Status.PROCESSING: "verification.submitted",
    Status.REQUIRES_INPUT: "verification.requires_input",
    Status.IN_REVIEW: "verification.in_review",
    Status.VERIFIED: "verification.verified",
    Status.REJECTED: "verification.rejected",
    Status.CANCELED: "verification.canceled",
    Status.EXPIRED: "verification.expired",
}
REDACTED = "verification.redacted"
#: sent by staff to one endpoint, to see whether it answers
TEST = "webhook.test"
#: what an endpoint may choose from
EVENTS = (*EVENT_BY_STATUS.values(), REDACTED)

SECRET_PREFIX = "whsec_"  # noqa: S105 (the beginning of every secret)
#: lengths in bytes that the standard allows
SHORTEST_SECRET, LONGEST_SECRET = 24, 64


def new_secret() -> str:
    return SECRET_PREFIX + base64.b64encode(os.urandom(32)).decode()


def decode_secret(secret: str) -> bytes:
    """The key in a secret as it is shown; ``ValueError`` when it is not one."""
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("not base64") from None
    if not SHORTEST_SECRET <= len(key) <= LONGEST_SECRET:
        raise ValueError("too short or too long")
    return key


def body_of(delivery: WebhookDelivery) -> bytes:
    """The message as JSON: what happened, when, and to which verification."""
    verification = delivery.verification
    data: dict[str, Any]
    if verification is None:
        data = {"endpoint": str(delivery.endpoint_id)}
    else:
        data = {
            "id": str(verification.pk),
            "status": delivery.status,
            "reason_code": delivery.reason_code,
            "level": verification.level,
            "reference": verification.reference,
            "is_live": verification.is_live,
        }
    at = delivery.occurred_at.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")
    message = {"type": delivery.event, "timestamp": at, "data": data}
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


def headers_of(
    delivery: WebhookDelivery, body: bytes, *, secrets: Iterable[str], sent_at: int
) -> dict[str, str]:
    """The headers by which a receiver knows the message and checks who sent it.

    ``sent_at`` is in seconds since 1970. There is a signature for each secret.
    """
    message_id = str(delivery.pk)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(sent_at),
        "webhook-signature": " ".join(
            sign(body, secret=secret, message_id=message_id, sent_at=sent_at) for secret in secrets
        ),
    }


def sign(body: bytes, *, secret: str, message_id: str, sent_at: int) -> str:
    signed = f"{message_id}.{sent_at}.".encode() + body
    mac = hmac.new(decode_secret(secret), signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(mac).decode()}"
