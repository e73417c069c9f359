"""The signature of the successor's calls, TC3-HMAC-SHA256 (vendor docs 1007/31324).

What is signed is rebuilt here from the request as it came in: the body and the two headers
that every client signs.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone

from .signature import Account

LONGEST_DRIFT = 300  # seconds between the caller's clock and ours

_AUTHORIZATION = re.compile(
    r"TC3-HMAC-SHA256 Credential=(?P<secret_id>[^/ ,]+)/(?P<day>\d{4}-\d\d-\d\d)/"
    r"(?P<service>[a-z]+)/tc3_request, ?SignedHeaders=(?P<headers>[a-z0-9;-]+), ?"
    r"Signature=(?P<signature>[0-9a-f]{64})"
)
_UNIX_SECONDS = re.compile(r"[0-9]{1,12}")


class ErrorCode(Exception):
    """The request fails one of the checks; ``code`` is the ``Error.Code`` of the answer."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class SignedRequest:
    """What of a request is needed to check its signature; header names are in lower case."""

    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class TC3Verifier:
    """Judges signed requests by the account's key and the clock."""

    def __init__(
        self, account: Account, service: str, clock: Callable[[], float] = time.time
    ) -> None:
        self._account = account
        self._service = service
        self._clock = clock

    def verify(self, request: SignedRequest) -> None:
        """Raise an ``ErrorCode`` of ``AuthFailure`` unless the request is honest and current."""
        match = _AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
        names = match["headers"].split(";") if match else []
        if match is None or not {"content-type", "host"}.issubset(names):
            raise ErrorCode("AuthFailure.InvalidAuthorization")
        if match["secret_id"] != self._account.secret_id:
            raise ErrorCode("AuthFailure.SecretIdNotFound")
        timestamp = self._timestamp(request)
        scope = f"{_utc_day(timestamp)}/{self._service}/tc3_request"
        if scope != f"{match['day']}/{match['service']}/tc3_request":
            raise ErrorCode("AuthFailure.SignatureFailure")
        expected = self._signature(request, names, timestamp, scope)
        if not hmac.compare_digest(expected, match["signature"]):
            raise ErrorCode("AuthFailure.SignatureFailure")

    def _timestamp(self, request: SignedRequest) -> int:
        text = request.headers.get("x-tc-timestamp", "")
        if not _UNIX_SECONDS.fullmatch(text):
            raise ErrorCode("AuthFailure.InvalidAuthorization")
        if abs(self._clock() - int(text)) > LONGEST_DRIFT:
            raise ErrorCode("AuthFailure.SignatureExpire")
        return int(text)

    def _signature(
        self, request: SignedRequest, names: list[str], timestamp: int, scope: str
    ) -> str:
        headers = "".join(f"{name}:{request.headers.get(name, '').lower()}\n" for name in names)
        lines = ["POST", "/", "", headers, ";".join(names), _sha256(request.body)]
        canonical = "\n".join(lines).encode()
        text = f"TC3-HMAC-SHA256\n{timestamp}\n{scope}\n{_sha256(canonical)}"
        key = f"TC3{self._account.secret_key}".encode()
        for part in (*scope.split("/"), text):
            key = hmac.digest(key, part.encode(), "sha256")
        return key.hex()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _utc_day(timestamp: int) -> str:
    return datetime.fromtimestamp(timestamp, timezone.utc).strftime("%Y-%m-%d")
