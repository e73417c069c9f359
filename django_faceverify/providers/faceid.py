"""The living successor: action ``ImageRecognitionV2`` of Tencent Cloud FaceID.

Wire format: vendor docs 1007/56316 (version 2018-03-01). Signature: ``tc3``. Codes:
``faceid_codes``.
"""

from __future__ import annotations

import base64
import json
import os
import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import requests
from django.core.checks import CheckMessage
from django.views.decorators.debug import sensitive_variables

from django_faceverify import journal
from django_faceverify.exceptions import ProtocolError
from django_faceverify.providers import tc3
from django_faceverify.providers.answer import Answer, clean_message, is_similarity, read_object
from django_faceverify.providers.base import Comparison, ComparisonRequest, Operator
from django_faceverify.providers.credentials import Credential, Credentials
from django_faceverify.providers.faceid_codes import LOW_SIMILARITY, SUCCESS, meaning_of
from django_faceverify.providers.far import FarTable
from django_faceverify.providers.field_encryption import encrypt, load_public_key
from django_faceverify.providers.http import HTTPProvider
from django_faceverify.providers.meaning import conclude
from django_faceverify.reasons import ReasonCode

DEFAULT_ENDPOINT = "https://faceid.tencentcloudapi.com/"
SERVICE = "faceid"
ACTION = "ImageRecognitionV2"
VERSION = "2018-03-01"
CONTENT_TYPE = "application/json"  # bare: the signature covers it as it is sent

#: most characters of a photo in base64 (vendor docs 1007/56316 say 3 MB)
MAX_BASE64_LENGTH = 3_000_000
#: most characters of ``Extra``, which the service gives back
EXTRA_LENGTH = 10
MAX_CODE_LENGTH = 64

#: the days of the service's own limits begin here
SERVICE_TIME = ZoneInfo("Asia/Shanghai")


class FaceIDProvider(HTTPProvider):
    """Compares name, ID number and photo with the registered portrait.

    ``secret_id`` and ``secret_key`` are the account's, ``token`` belongs to temporary ones;
    each may be a callable without arguments. ``region`` is sent only if it is given, the
    action needs none. With ``encryption_key``, the public key from the vendor's console,
    name and number are encrypted once more within the connection. ``timeout`` is in seconds.

    The service judges too, at a fixed similarity of 70: below it, it says that this is not
    the person, and no threshold of ours makes that a match.
    """

    max_image_bytes = MAX_BASE64_LENGTH // 4 * 3
    #: the rest of the body takes less than 8 KB, also in cipher
    max_body_bytes = MAX_BASE64_LENGTH + 8 * 1024
    sends_base64 = True
    lowest_threshold = 70.0
    far_table = FarTable(
        version="faceid-v2-2026-04",
        source="The vendor's Python SDK for FaceID, 3.1.80: ImageRecognitionV2",
        published=date(2026, 4, 16),
        rows=((Decimal("1e-4"), 70.0),),
    )
    operator = Operator(name="Tencent Cloud", country="CN")

    def __init__(
        self,
        alias: str,
        *,
        secret_id: Credential = "",
        secret_key: Credential = "",
        token: Credential = "",
        endpoint: str = DEFAULT_ENDPOINT,
        region: str = "",
        encryption_key: str = "",
        timeout: float = 20.0,
        ca_bundle: str | os.PathLike[str] | None = None,
    ) -> None:
        super().__init__(alias, endpoint=endpoint, timeout=timeout, ca_bundle=ca_bundle)
        self._credentials = Credentials(
            alias, optional=["token"], secret_id=secret_id, secret_key=secret_key, token=token
        )
        # What settings hold may be of any type; ``check`` looks at it.
        self._region: Any = region
        self._encryption_key: Any = encryption_key

    @sensitive_variables()
    def build_request(self, request: ComparisonRequest) -> requests.Request:
        """JSON, signed over the very bytes and headers that are sent."""
        account = self._credentials.open()
        body = json.dumps(self.parameters(request)).encode()
        timestamp = int(time.time())
        host = urlsplit(self.endpoint).netloc
        headers = {
            "Host": host,
            "Content-Type": CONTENT_TYPE,
            "X-TC-Action": ACTION,
            "X-TC-Version": VERSION,
            "X-TC-Timestamp": str(timestamp),
            "Authorization": tc3.authorization(
                account["secret_id"],
                account["secret_key"],
                service=SERVICE,
                host=host,
                content_type=CONTENT_TYPE,
                body=body,
                timestamp=timestamp,
            ),
        }
        if self._region:
            headers["X-TC-Region"] = self._region
        if account["token"]:
            headers["X-TC-Token"] = account["token"]
        return requests.Request("POST", self.endpoint, headers=headers, data=body)

    @sensitive_variables()
    def parameters(self, request: ComparisonRequest) -> dict[str, Any]:
        """The action's parameters; ``Extra`` carries as much of our session id as it holds."""
        identity: dict[str, Any] = {"IdCard": request.idcard_number, "Name": request.idcard_name}
        if self._encryption_key:
            identity = encrypt(identity, load_public_key(self._encryption_key))
        return {
            **identity,
            "ImageBase64": base64.b64encode(request.image or b"").decode(),
            "Extra": extra_of(request.session_id),
        }

    @sensitive_variables()
    def parse_response(self, answer: Answer, request: ComparisonRequest) -> Comparison:
        """``Error`` or else ``Result`` decides, whatever the HTTP status.

        The answer must be about our call: an ``Extra`` other than ours is refused, an empty
        or missing one is accepted. Without a code the status decides.
        """
        content = (read_object(answer.body) or {}).get("Response")
        if not isinstance(content, dict):
            raise self.error_for_status(answer)
        code, text = read_code(content)
        if code is None:
            raise self.error_for_status(answer)
        message = clean_message(text, sent=self.sent_with(request))
        row = meaning_of(code)
        if row is None:
            journal.tell("code_unknown", provider=self.alias)
        is_compared = code in (SUCCESS, LOW_SIMILARITY)
        similarity = content.get("Sim") if is_compared else None
        is_ours = content.get("Extra") in (None, "", extra_of(request.session_id))
        if row is None or not is_ours or (is_compared and not is_similarity(similarity)):
            raise ProtocolError(ReasonCode.PROVIDER_PROTOCOL.value, code, message, answer.status)
        if row.reason_code == ReasonCode.IDENTITY_RATE_LIMITED:
            answer = replace(answer, retry_after=seconds_to_next_day())
        return conclude(
            row,
            answer,
            code=code,
            message=message,
            similarity=similarity,
            session_id=read_request_id(content),
        )

    @sensitive_variables()
    def sent_with(self, request: ComparisonRequest) -> tuple[str, ...]:
        """What no message of the service may repeat."""
        return (request.idcard_number, request.idcard_name, *self._credentials.texts())

    def check(self) -> Iterable[CheckMessage]:
        yield from super().check()
        yield from self._credentials.check()
        if urlsplit(self.endpoint).path not in ("", "/") or urlsplit(self.endpoint).query:
            yield self.problem(
                "E206",
                "endpoint must have no path.",
                f"The signature is that of '/': {DEFAULT_ENDPOINT} is usual.",
            )
        if not isinstance(self._region, str):
            yield self.problem("E207", "region must be a string.", "Such as 'ap-guangzhou'.")
        if self._encryption_key and not is_public_key(self._encryption_key):
            yield self.problem(
                "E208",
                "encryption_key is not an RSA public key.",
                "Copy it from the FaceID console, as PEM or its base64 alone.",
            )


def extra_of(session_id: str) -> str:
    """The end of our session id: its beginning is the time, alike for calls of one moment."""
    return session_id[-EXTRA_LENGTH:]


def read_code(content: dict[str, Any]) -> tuple[str | None, object]:
    """Code and message of either layer: the call was refused, or done with this result."""
    error = content.get("Error")
    if error is None:
        code, text = content.get("Result"), content.get("Description")
    elif isinstance(error, dict):
        code, text = error.get("Code"), error.get("Message")
    else:
        return None, None
    if not isinstance(code, str) or not 0 < len(code) <= MAX_CODE_LENGTH or not code.isprintable():
        return None, None
    return code, text


def read_request_id(content: dict[str, Any]) -> str:
    """The vendor's id of the call, which its bill and its support go by."""
    request_id = content.get("RequestId")
    if not isinstance(request_id, str) or len(request_id) > MAX_CODE_LENGTH:
        return ""
    return request_id if request_id.isascii() and request_id.isprintable() else ""


def seconds_to_next_day() -> float:
    """Until midnight where the service counts its days."""
    now = datetime.now(SERVICE_TIME)
    midnight = datetime.combine(now.date() + timedelta(days=1), time_of_day(), SERVICE_TIME)
    return (midnight - now).total_seconds()


def is_public_key(text: object) -> bool:
    try:
        load_public_key(text)  # type: ignore[arg-type]
    except (ValueError, TypeError):
        return False
    return True
