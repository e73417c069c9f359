"""The face comparison of the qcloud gateway: ``POST /face/idcardcompare``.

Wire format: vendor docs 641/12433. Signature: vendor docs 641/12409.
"""

from __future__ import annotations

import base64
import hmac
import json
import os
import secrets
import time
from collections.abc import Iterable, Mapping

import requests
from django.core.checks import CheckMessage
from django.views.decorators.debug import sensitive_variables

from django_faceverify import journal
from django_faceverify.exceptions import ProtocolError
from django_faceverify.providers.answer import Answer, clean_message, is_similarity, read_object
from django_faceverify.providers.base import Comparison, ComparisonRequest, Operator
from django_faceverify.providers.credentials import Credential, Credentials
from django_faceverify.providers.http import HTTPProvider, image_type
from django_faceverify.providers.meaning import conclude
from django_faceverify.providers.qcloud_codes import CODES, meaning_of
from django_faceverify.reasons import ReasonCode

__all__ = ["CODES", "QcloudProvider", "encode_multipart", "meaning_of", "sign", "sign_call"]

DEFAULT_ENDPOINT = "https://recognition.image.myqcloud.com/face/idcardcompare"

#: seconds for which a signature is good: longer than any call, so that none outlasts it
SIGNATURE_LIFETIME = 180

#: the vendor's codes have at most five digits; a number beyond this is not one of them
MAX_CODE = 999_999

FILENAMES = {"image/jpeg": "photo.jpg", "image/png": "photo.png"}


class QcloudProvider(HTTPProvider):
    """Compares name, ID number and photo with the registered portrait.

    ``appid``, ``secret_id`` and ``secret_key`` are the account's; each may be a callable
    without arguments. ``timeout`` is in seconds. The photo goes as raw bytes, or as a URL
    from which the service fetches it.
    """

    max_body_bytes = 6 * 1024 * 1024
    #: the rest of the body, four short fields and the part headers, takes less than 4 KB
    max_image_bytes = max_body_bytes - 4 * 1024
    takes_url = True
    # No far_table: the vendor published rates for sibling calls, and only "above 75" for this.
    operator = Operator(name="Tencent Cloud", country="CN")

    def __init__(
        self,
        alias: str,
        *,
        appid: Credential = "",
        secret_id: Credential = "",
        secret_key: Credential = "",
        endpoint: str = DEFAULT_ENDPOINT,
        timeout: float = 20.0,
        ca_bundle: str | os.PathLike[str] | None = None,
    ) -> None:
        super().__init__(alias, endpoint=endpoint, timeout=timeout, ca_bundle=ca_bundle)
        self._credentials = Credentials(
            alias, appid=appid, secret_id=secret_id, secret_key=secret_key
        )

    @sensitive_variables()
    def build_request(self, request: ComparisonRequest) -> requests.Request:
        """JSON when the photo is a URL, a multipart form when it is bytes; signed afresh."""
        account = self._credentials.open()
        fields = {
            "appid": account["appid"],
            "idcard_number": request.idcard_number,
            "idcard_name": request.idcard_name,
            "session_id": request.session_id,
        }
        if request.url:
            body = json.dumps({**fields, "url": request.url}, ensure_ascii=False).encode()
            content_type = "application/json"
        else:
            body, content_type = encode_multipart(fields, request.image or b"")
        headers = {"Authorization": sign_call(**account), "Content-Type": content_type}
        return requests.Request("POST", self.endpoint, headers=headers, data=body)

    @sensitive_variables()
    def parse_response(self, answer: Answer, request: ComparisonRequest) -> Comparison:
        """The vendor's code decides, whatever the HTTP status; without one, the status does.

        The answer must be about our call: a ``session_id`` other than ours is refused, an
        empty or missing one is accepted, since the vendor's own sample shows it empty.
        """
        content = read_object(answer.body)
        if content is None or not is_code(content.get("code")):
            raise self.error_for_status(answer)
        code = content["code"]
        data = content["data"] if isinstance(content.get("data"), dict) else {}
        similarity = data.get("similarity") if code == 0 else None
        echo = "" if data.get("session_id") is None else data["session_id"]
        message = self.read_message(content, request)
        meaning = meaning_of(code, message)
        if meaning is None:
            journal.tell("code_unknown", provider=self.alias, provider_code=code)
        if (
            meaning is None
            or echo not in ("", request.session_id)
            or (code == 0 and not is_similarity(similarity))
        ):
            raise ProtocolError(
                ReasonCode.PROVIDER_PROTOCOL.value, str(code), message, answer.status
            )
        return conclude(
            meaning,
            answer,
            code=str(code),
            message=message,
            similarity=similarity,
            session_id=echo,
        )

    @sensitive_variables()
    def read_message(self, content: Mapping[str, object], request: ComparisonRequest) -> str:
        """The vendor's message, unless it repeats something that we sent."""
        sent = (
            request.idcard_number,
            request.idcard_name,
            request.url,
            *self._credentials.texts(),
        )
        return clean_message(content.get("message"), sent=sent)

    def check(self) -> Iterable[CheckMessage]:
        yield from super().check()
        yield from self._credentials.check()


@sensitive_variables()
def sign(secret_key: str, fields: Mapping[str, str | int]) -> str:
    """The ``Authorization`` of one call: Base64 of HMAC-SHA1(fields), then of the fields.

    The service checks the text that it is given, so ``fields`` may have any order (vendor
    docs 641/12409): ``a`` appid, ``b`` bucket, ``k`` SecretId, ``e`` expiry and ``t`` now in
    whole seconds of Unix time, ``r`` random of at most ten digits, ``u`` user, ``f`` file.
    """
    text = "&".join(f"{name}={value}" for name, value in fields.items()).encode()
    return base64.b64encode(hmac.digest(secret_key.encode(), text, "sha1") + text).decode()


@sensitive_variables()
def sign_call(appid: str, secret_id: str, secret_key: str) -> str:
    """A signature for now. It names no bucket: one is not needed, and a wrong one hurts."""
    now = int(time.time())
    fields: dict[str, str | int] = {
        "a": appid,
        "k": secret_id,
        "e": now + SIGNATURE_LIFETIME,
        "t": now,
        "r": secrets.randbelow(10**10),
        "u": 0,
        "f": "",
    }
    return sign(secret_key, fields)


@sensitive_variables()
def encode_multipart(fields: Mapping[str, str], image: bytes) -> tuple[bytes, str]:
    """A form of text parts and then the ``image``; returns the body and its content type.

    Joined once, by hand: half a photo less memory and a fifth of the time of a general
    encoder, which matters because every call pays for it.
    """
    boundary = secrets.token_hex(16)
    media_type = image_type(image) or "application/octet-stream"
    filename = FILENAMES.get(media_type, "photo")
    texts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n'
        for name, text in fields.items()
    ]
    head = (
        f"--{boundary}\r\n"
        f'Content-Disposition: form-data; name="image"; filename="{filename}"\r\n'
        f"Content-Type: {media_type}\r\n\r\n"
    )
    tail = f"\r\n--{boundary}--\r\n"
    body = b"".join([*(text.encode() for text in texts), head.encode(), image, tail.encode()])
    return body, f"multipart/form-data; boundary={boundary}"


def is_code(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= MAX_CODE
