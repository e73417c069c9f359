"""What the service demands of the fields before it compares (vendor docs 641/12433)."""

from __future__ import annotations

import base64
import re
from urllib.parse import urlsplit

from .codes import Code, Refusal
from .form import Form

_NUMBER = re.compile(r"[0-9]{17}[0-9Xx]")
_NAME = re.compile(r"[A-Za-z .'\-\u00a0-\U0010ffff]{1,60}")
_MAX_SESSION_ID = 256

_SIGNATURES = {b"\xff\xd8\xff": "jpeg", b"\x89PNG\r\n\x1a\n": "png", b"GIF8": "gif"}
_WHITESPACE = b" \t\r\n"


def check_fields(form: Form) -> None:
    """Raise a ``Refusal`` for the first rule that the fields break."""
    check_session_id(form.session_id)
    check_identity(form.idcard_name, form.idcard_number)
    if form.url:
        check_url(form.url)  # with both, only the url is used
    else:
        check_image(form.image)


def check_session_id(session_id: str) -> None:
    """Code 21 for more than 256 characters: every answer and every bill line repeats it."""
    if len(session_id) > _MAX_SESSION_ID:
        raise Refusal(Code.INVALID_PARAMETER)


def check_identity(name: str, number: str) -> None:
    """Code -5801 if one is missing, -5806 if one cannot be a name or a number."""
    if not name.strip() or not number.strip():
        raise Refusal(Code.IDENTITY_MISSING)
    if not is_number(number) or not is_name(name):
        raise Refusal(Code.IDENTITY_MALFORMED)


def is_number(text: str) -> bool:
    return bool(_NUMBER.fullmatch(text))


def is_name(text: str) -> bool:
    return bool(text.strip() and _NAME.fullmatch(text))


def check_url(url: str) -> None:
    """Code -5805 if the photo cannot be at this address.

    The sandbox fetches nothing. A host that ends in ``.invalid`` stands for a download that
    fails.
    """
    try:
        address = urlsplit(url)
        host = address.hostname or ""
    except ValueError:
        raise Refusal(Code.IMAGE_MISSING) from None
    if address.scheme not in {"http", "https"} or not host or host.endswith(".invalid"):
        raise Refusal(Code.IMAGE_MISSING)


def check_image(image: bytes) -> None:
    """Code -5805 without an image, -1400 for a GIF, -4011 if it is neither JPEG nor PNG.

    Only the first bytes are looked at, so that tests need no real photo.
    """
    if not image:
        raise Refusal(Code.IMAGE_MISSING)
    kind = image_format(image) or image_format(_decode_base64(image))
    if kind == "gif":
        raise Refusal(Code.BAD_IMAGE_FORMAT)
    if not kind:
        raise Refusal(Code.IMAGE_UNDECODABLE)


def read_image(image: bytes) -> bytes:
    """The file itself, also where it came as Base64 text."""
    return image if image_format(image) else _decode_base64(image)


def image_format(image: bytes) -> str:
    """``jpeg``, ``png`` or ``gif`` by the first bytes, empty for anything else."""
    for signature, kind in _SIGNATURES.items():
        if image.startswith(signature):
            return kind
    return ""


def _decode_base64(text: bytes) -> bytes:
    try:
        return base64.b64decode(text.translate(None, _WHITESPACE), validate=True)
    except ValueError:
        return b""
