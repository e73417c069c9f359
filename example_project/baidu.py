"""A third provider, as an example: Baidu's ``person/verify`` in an afternoon.

Written from what the vendor publishes about version 3 (``/rest/2.0/face/v3/person/verify``),
which is for old customers only. It was never tried against the real service; it shows how
little a provider needs, and that the contract tests hold for one that is nothing like the
built-in ones: no signature, a token that a second service hands out, error numbers.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from typing import Any

import requests
from django.core.checks import CheckMessage

from django_faceverify.exceptions import ProtocolError
from django_faceverify.providers.answer import Answer, clean_message, is_similarity, read_object
from django_faceverify.providers.base import (
    CodeMeaning,
    Comparison,
    ComparisonRequest,
    Operator,
)
from django_faceverify.providers.credentials import Credential, Credentials
from django_faceverify.providers.http import HTTPProvider
from django_faceverify.providers.meaning import (
    ARREARS,
    COMPARED,
    CONFIG,
    DOWN,
    THROTTLED,
    conclude,
    found,
)
from django_faceverify.reasons import ReasonCode

DEFAULT_ENDPOINT = "https://aip.baidubce.com/rest/2.0/face/v3/person/verify"

#: what the service's numbers mean; any other is an answer that we do not understand
CODES: dict[int, CodeMeaning] = {
    0: COMPARED,
    2: DOWN,  # service temporarily unavailable
    4: ARREARS,
    17: ARREARS,  # the day's quota
    18: THROTTLED,
    19: ARREARS,  # the whole quota
    100: CONFIG,
    110: CONFIG,  # access token invalid
    111: CONFIG,  # access token expired
    222202: found(ReasonCode.NO_FACE, "no"),
    222203: found(ReasonCode.IMAGE_UNDECODABLE, "no"),
    222350: found(ReasonCode.ID_PHOTO_POOR),
    222351: found(ReasonCode.ID_NAME_MISMATCH, "yes", counts=True),
    222352: found(ReasonCode.ID_NAME_INVALID),
    222353: found(ReasonCode.ID_NUMBER_INVALID),
    222354: found(ReasonCode.ID_NOT_FOUND),
    222355: found(ReasonCode.ID_PHOTO_MISSING),
    223113: found(ReasonCode.FACE_COVERED, "no"),
    223114: found(ReasonCode.IMAGE_BLURRY, "no"),
    223116: found(ReasonCode.FACE_INCOMPLETE, "no"),
    223120: found(ReasonCode.SPOOF_SUSPECTED, "no"),
}


class BaiduProvider(HTTPProvider):
    """``access_token`` may be a callable: a token lives for thirty days, and the site keeps it."""

    max_image_bytes = 2 * 1024 * 1024 // 4 * 3  # 2 MB once it is base64
    max_body_bytes = 2 * 1024 * 1024 + 4 * 1024
    sends_base64 = True
    # No far_table: the one rate that the vendor published is of version 2, with another scale.
    operator = Operator(name="Baidu AI Cloud", country="CN")

    def __init__(
        self,
        alias: str,
        *,
        access_token: Credential = "",
        endpoint: str = DEFAULT_ENDPOINT,
        timeout: float = 20.0,
        ca_bundle: str | None = None,
    ) -> None:
        super().__init__(alias, endpoint=endpoint, timeout=timeout, ca_bundle=ca_bundle)
        self._credentials = Credentials(alias, access_token=access_token)

    def build_request(self, request: ComparisonRequest) -> requests.Request:
        body = {
            "image": base64.b64encode(request.image or b"").decode(),
            "image_type": "BASE64",
            "id_card_number": request.idcard_number,
            "name": request.idcard_name,
        }
        return requests.Request(
            "POST",
            self.endpoint,
            params=self._credentials.open(),
            headers={"Content-Type": "application/json"},
            data=json.dumps(body).encode(),
        )

    def parse_response(self, answer: Answer, request: ComparisonRequest) -> Comparison:
        content = read_object(answer.body) or {}
        code = content.get("error_code")
        if not isinstance(code, int) or isinstance(code, bool):
            raise self.error_for_status(answer)
        sent = (request.idcard_name, request.idcard_number, *self._credentials.texts())
        message = clean_message(content.get("error_msg"), sent=sent)
        row = CODES.get(code)
        similarity = read_score(content) if code == 0 else None
        if row is None or (code == 0 and not is_similarity(similarity)):
            raise ProtocolError(
                ReasonCode.PROVIDER_PROTOCOL.value, str(code), message, answer.status
            )
        return conclude(
            row,
            answer,
            code=str(code),
            message=message,
            similarity=similarity,
            session_id=str(content.get("log_id", ""))[:100],
        )

    def check(self) -> Iterable[CheckMessage]:
        yield from super().check()
        yield from self._credentials.check()


def read_score(content: dict[str, Any]) -> Any:
    result = content.get("result")
    return result.get("score") if isinstance(result, dict) else None
