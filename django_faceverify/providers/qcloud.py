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
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import requests
from django.core.checks import CheckMessage
from django.views.decorators.debug import sensitive_variables

from django_faceverify.exceptions import (
    NotSent,
    ProtocolError,
    ProviderError,
    Refused,
    Throttled,
)
from django_faceverify.providers.answer import Answer, clean_message, is_number, read_object
from django_faceverify.providers.base import Comparison, ComparisonRequest
from django_faceverify.providers.http import HTTPProvider, image_type, logger
from django_faceverify.providers.qcloud_codes import CODES, meaning_of
from django_faceverify.reasons import ReasonCode

__all__ = ["CODES", "QcloudProvider", "encode_multipart", "meaning_of", "sign", "sign_call"]

#: a credential, or a callable that fetches it anew for each call, such as from a vault
Credential = str | Callable[[], str]

DEFAULT_ENDPOINT = "https://recognition.image.myqcloud.com/face/idcardcompare"

#: seconds for which a signature is good: longer than any call, so that none outlasts it
SIGNATURE_LIFETIME = 180

#: the vendor's codes have at most five digits; a number beyond this is not one of them
MAX_CODE = 999_999

FILENAMES = {"image/jpeg": "photo.jpg", "image/png": "photo.png"}

ERRORS: dict[str, type[ProviderError]] = {
    "throttled": Throttled,
    "refused": Refused,
    "unknown": ProtocolError,
}


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
        # What settings hold may be of any type; ``check`` looks at it.
        self._credentials: dict[str, Any] = {
            "appid": appid,
            "secret_id": secret_id,
            "secret_key": secret_key,
        }

    @sensitive_variables()
    def build_request(self, request: ComparisonRequest) -> requests.Request:
        """JSON when the photo is a URL, a multipart form when it is bytes; signed afresh."""
        account = self.account()
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
            logger.warning("Provider %s: unknown code %d", self.alias, code)
        if (
            meaning is None
            or echo not in ("", request.session_id)
            or (code == 0 and not is_similarity(similarity))
        ):
            raise ProtocolError(
                ReasonCode.PROVIDER_PROTOCOL.value, str(code), message, answer.status
            )
        if meaning.kind != "answered":
            raise ERRORS[meaning.kind](
                meaning.reason_code, str(code), message, answer.status, answer.retry_after
            )
        return Comparison(
            similarity=None if similarity is None else float(similarity),
            reason_code=meaning.reason_code,
            is_billed=meaning.is_billed,
            provider_code=str(code),
            provider_message=message,
            provider_session_id=echo,
            http_status=answer.status,
        )

    @sensitive_variables()
    def read_message(self, content: Mapping[str, object], request: ComparisonRequest) -> str:
        """The vendor's message, unless it repeats something that we sent."""
        credentials = (value for value in self._credentials.values() if isinstance(value, str))
        sent = (request.idcard_number, request.idcard_name, request.url, *credentials)
        return clean_message(content.get("message"), sent=sent)

    @sensitive_variables()
    def account(self) -> dict[str, str]:
        """The credentials for one call; ``NotSent`` when a callable does not give its own."""
        try:
            account = {name: reveal(value) for name, value in self._credentials.items()}
        except Exception as error:  # noqa: BLE001 (its text could hold a credential)
            logger.error("Provider %s: no credentials (%s)", self.alias, type(error).__name__)
        else:
            return account
        raise NotSent(ReasonCode.PROVIDER_CONFIG.value)

    def check(self) -> Iterable[CheckMessage]:
        yield from super().check()
        for name, value in self._credentials.items():
            if not (isinstance(value, str) or callable(value)):
                yield self.problem(
                    "E204", f"{name} must be a string.", "Or a callable that returns one."
                )
            elif value == "":
                yield self.problem("E201", f"{name} is missing.", f"Set OPTIONS[{name!r}].")


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


def reveal(credential: Any) -> str:
    """A credential in clear; raises ``TypeError`` unless it is a non-empty string."""
    value = credential() if callable(credential) else credential
    if not isinstance(value, str) or not value:
        raise TypeError("a credential is a non-empty string")
    return value


def is_code(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= MAX_CODE


def is_similarity(value: object) -> bool:
    """A number from 0 to 100 (vendor docs 641/12433)."""
    return is_number(value) and 0 <= value <= 100  # type: ignore[operator]
