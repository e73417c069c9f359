"""The signature of the cloud API against its documented vector and the vendor's own client."""

from __future__ import annotations

import hashlib
from datetime import datetime, timezone

import pytest

from django_faceverify.providers import tc3

SECRET_ID, SECRET_KEY = "docs-example-secret-id", "docs-example-secret-key"
BODY = rb'{"IdCard": "11204416541220243X", "Name": "\u97e6\u5c0f\u5b9d", "ImageBase64": "/9j/4AAQ"}'
HOST = "faceid.tencentcloudapi.com"
SIGNATURE = "d07f67081523f5d7b75a680d3bba0a474bd77ccfd4a33d5a72315a0e20bb1de0"


def sign(**changes: object) -> str:
    given = {
        "service": "faceid",
        "host": HOST,
        "content_type": "application/json",
        "body": BODY,
        "timestamp": 1_700_000_000,
    }
    return tc3.authorization(SECRET_ID, SECRET_KEY, **(given | changes))  # type: ignore[arg-type]


def test_vector() -> None:
    assert len(BODY) == 89
    assert hashlib.sha256(BODY).hexdigest().startswith("28c6b448a55dbeac")
    assert tc3.signing_key(SECRET_KEY, "2023-11-14/faceid/tc3_request").hex() == (
        "c5f9d7e993e12f93fd24c085bd1309801159e4f6a6b7a3f3d3ebe8b669f8737a"
    )
    assert sign() == (
        f"TC3-HMAC-SHA256 Credential={SECRET_ID}/2023-11-14/faceid/tc3_request, "
        f"SignedHeaders=content-type;host, Signature={SIGNATURE}"
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"body": BODY + b" "},
        {"host": f"{HOST}:8443"},
        {"content_type": "application/json; charset=utf-8"},
        {"service": "ocr"},
        {"timestamp": 1_700_000_001},
    ],
)
def test_everything_that_is_sent_is_signed(changes: dict[str, object]) -> None:
    assert SIGNATURE not in sign(**changes)


def test_the_day_is_that_of_utc() -> None:
    last_second = int(datetime(2026, 11, 21, 23, 59, 59, tzinfo=timezone.utc).timestamp())
    assert "/2026-11-21/" in sign(timestamp=last_second)
    assert "/2026-11-22/" in sign(timestamp=last_second + 1)
