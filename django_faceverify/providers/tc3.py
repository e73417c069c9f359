"""Signatures of the provider's cloud API, TC3-HMAC-SHA256 (vendor docs 1007/31324).

The signature covers the body and two headers, byte for byte as they are sent; nothing may
change them afterwards.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timezone

from django.views.decorators.debug import sensitive_variables

ALGORITHM = "TC3-HMAC-SHA256"
SIGNED_HEADERS = "content-type;host"


@sensitive_variables()
def authorization(
    secret_id: str,
    secret_key: str,
    *,
    service: str,
    host: str,
    content_type: str,
    body: bytes,
    timestamp: int,
) -> str:
    """The ``Authorization`` of one POST to ``/``, signed at ``timestamp`` (Unix seconds).

    ``host`` is the ``Host`` header, with the port where it is not the scheme's own. The day
    of the scope is that of UTC: with the local one every call fails from midnight on.
    """
    scope = f"{utc_day(timestamp)}/{service}/tc3_request"
    canonical_request = "\n".join(
        [
            "POST",
            "/",
            "",  # no query
            f"content-type:{content_type}\nhost:{host}\n".lower(),
            SIGNED_HEADERS,
            hashlib.sha256(body).hexdigest(),
        ]
    )
    digest = hashlib.sha256(canonical_request.encode()).hexdigest()
    text = "\n".join([ALGORITHM, str(timestamp), scope, digest])
    key = signing_key(secret_key, scope)
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    return (
        f"{ALGORITHM} Credential={secret_id}/{scope}, SignedHeaders={SIGNED_HEADERS}, "
        f"Signature={signature}"
    )


@sensitive_variables()
def signing_key(secret_key: str, scope: str) -> bytes:
    """The key of one day and service: the account's key, bound to each part of the scope."""
    key = f"TC3{secret_key}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def utc_day(timestamp: int) -> str:
    return datetime.fromtimestamp(timestamp, timezone.utc).strftime("%Y-%m-%d")
