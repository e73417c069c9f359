"""The fields of one call, from a JSON or a multipart body (vendor docs 641/12433)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from .codes import Code, Refusal
from .multipart import parse_multipart

_TEXT_FIELDS = ("idcard_number", "idcard_name", "url", "session_id", "seq", "image")


@dataclass(frozen=True)
class Form:
    """What the caller asks; an absent field is empty.

    ``session_id`` is the caller's tag, which its mobile clients call ``seq``. ``image`` is
    as received: a file, or the same as Base64 text. ``bucket`` is not kept: the service
    ignores it.
    """

    appid: str = ""
    idcard_number: str = field(default="", repr=False)
    idcard_name: str = field(default="", repr=False)
    url: str = field(default="", repr=False)
    image: bytes = field(default=b"", repr=False)
    session_id: str = ""


def parse_form(content_type: str, body: bytes) -> Form:
    """Read the body as its media type says; ``Refusal`` with code 3 if that fails.

    The vendor prints the media types with capitals and its Java client adds a charset, so
    neither case nor parameters matter.
    """
    media_type, _, parameters = content_type.partition(";")
    media_type = media_type.strip().lower()
    if media_type == "application/json":
        return _form(_parse_json(body))
    if media_type == "multipart/form-data":
        return _form(parse_multipart(parameters, body))
    raise Refusal(Code.BAD_REQUEST)


def _form(fields: Mapping[str, bytes]) -> Form:
    return Form(
        appid=_text(fields, "appid"),
        idcard_number=_text(fields, "idcard_number"),
        idcard_name=_text(fields, "idcard_name"),
        url=_text(fields, "url"),
        image=fields.get("image", b""),
        session_id=_text(fields, "session_id") or _text(fields, "seq"),
    )


def _text(fields: Mapping[str, bytes], name: str) -> str:
    try:
        return fields.get(name, b"").decode("utf-8")
    except UnicodeDecodeError:
        raise Refusal(Code.BAD_REQUEST) from None


def _parse_json(body: bytes) -> dict[str, bytes]:
    try:
        document = json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise Refusal(Code.BAD_REQUEST) from None
    if not isinstance(document, dict):
        raise Refusal(Code.BAD_REQUEST)
    fields = {name: _json_text(document.get(name)) for name in _TEXT_FIELDS}
    fields["appid"] = _json_appid(document.get("appid"))
    return fields


def _json_text(value: Any) -> bytes:
    if value is None:
        return b""
    if not isinstance(value, str):
        raise Refusal(Code.BAD_REQUEST)
    try:
        return value.encode("utf-8")
    except UnicodeEncodeError:  # half of a surrogate pair, as "\\ud800"
        raise Refusal(Code.BAD_REQUEST) from None


def _json_appid(value: Any) -> bytes:
    """An appid is text, and was a number in early versions of the vendor's Java client."""
    if type(value) is int:
        try:
            return str(value).encode()
        except ValueError:  # thousands of digits
            raise Refusal(Code.BAD_REQUEST) from None
    return _json_text(value)


def _refuse_constant(name: str) -> NoReturn:
    """NaN and the infinities are Python's, not JSON's."""
    raise ValueError(name)
