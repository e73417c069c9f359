"""What was sent: JSON and multipart become the same named fields, or are refused.

The values stay raw; ``intake`` judges them. Here is refused what would otherwise be
ignored or guessed: unknown fields, fields sent twice, numbers that JSON cannot carry.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from hashlib import sha256
from io import BytesIO
from typing import Any

from django.core.files.uploadedfile import InMemoryUploadedFile, UploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.http import QueryDict
from django.views.decorators.debug import sensitive_variables
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser
from rest_framework.request import Request

from django_faceverify import throttles
from django_faceverify.conf import app_settings
from django_faceverify.exceptions import InputError
from django_faceverify.submission import Submission

#: more digits than any number of a site's has; databases differ in what they do with them
MAX_INTEGER_DIGITS = 18

#: fields that are objects, and so come as JSON texts in multipart
OBJECT_FIELDS = frozenset({"metadata", "consent"})

#: what a form of a site may add for its CSRF check
CSRF_FIELD = "csrfmiddlewaretoken"


class StrictJSONParser(JSONParser):
    """JSON without double names, infinities, endless numbers or bottomless nesting."""

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        encoding = (parser_context or {}).get("encoding", "utf-8")
        try:
            return parse_json(stream.read().decode(encoding))
        except (LookupError, ValueError) as error:  # LookupError: not a charset of texts
            raise ParseError(f"JSON parse error - {error}") from None


class PhotoUploadHandler(FileUploadHandler):
    """Keeps uploads in memory: Django would write large ones to a temporary file, in clear.

    The limit holds for all files of a request together.
    """

    def __init__(self, request: Any = None) -> None:
        super().__init__(request)
        self.received = 0

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self.file = BytesIO()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self.received += len(raw_data)
        if self.received > app_settings.MAX_UPLOAD_BYTES:
            raise InputError("image_too_large", "image")
        self.file.write(raw_data)

    def file_complete(self, file_size: int) -> UploadedFile[bytes]:
        self.file.seek(0)
        return InMemoryUploadedFile(
            self.file, self.field_name, self.file_name or "", self.content_type, file_size, None
        )


@sensitive_variables()
def read_fields(request: Request, *names: str) -> dict[str, Any]:
    """The fields that were sent; ``null`` counts as left out.

    Raises ``InputError`` for a body that is not an object, for a field that is not one of
    ``names`` and for one that was sent twice, and ``QuotaExceeded`` when an ID number is
    asked about too often.
    """
    data = request.data
    if isinstance(data, QueryDict):
        fields = {name: _form_value(data, name) for name in data if name != CSRF_FIELD}
    elif isinstance(data, dict):
        fields = data
    else:
        raise InputError("body_not_object")
    for name in fields:
        if name not in names:
            raise InputError("unknown_field", name)
    throttles.require_idcard(fields.get("idcard_number"))
    return {name: value for name, value in fields.items() if value is not None}


@sensitive_variables()
def fingerprint_parts(request: Request) -> tuple[bytes, ...]:
    """What was sent, in one order whatever the order of its fields; files by their hashes."""
    data = request.data
    if not isinstance(data, QueryDict):
        return (b"json", json.dumps(data, sort_keys=True).encode())
    fields = [
        [name, [_digest(value) if isinstance(value, UploadedFile) else value for value in values]]
        for name, values in sorted(data.lists())
        if name != CSRF_FIELD
    ]
    return (b"form", json.dumps(fields).encode())


def _digest(file: UploadedFile[bytes]) -> dict[str, str]:
    digest = sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    file.seek(0)
    return {"sha256": digest.hexdigest()}


@sensitive_variables()
def take_submission(fields: dict[str, Any]) -> Submission | None:
    """Take ``image`` and ``url`` out of the fields; ``None`` when there is neither."""
    image, url = fields.pop("image", None), fields.pop("url", None)
    if image is None and url is None:
        return None
    if image is None:
        if not isinstance(url, str):
            raise InputError("url_invalid", "url")
        return Submission(url=url)
    if url is not None:
        raise InputError("image_or_url", "url")
    if not isinstance(image, UploadedFile):
        raise InputError("image_not_a_file", "image")
    if (image.size or 0) > app_settings.MAX_UPLOAD_BYTES:  # a middleware has read it before us
        raise InputError("image_too_large", "image")
    return Submission(image=image.read())


@sensitive_variables()
def parse_json(text: str) -> Any:
    """Parse JSON as strictly as it is written; ``ValueError`` says what is wrong."""
    try:
        return json.loads(
            text,
            object_pairs_hook=_unique_names,
            parse_int=_short_integer,
            parse_float=_finite_float,
            parse_constant=_no_constant,
        )
    except RecursionError:
        raise ValueError("nested too deeply") from None


@sensitive_variables()
def _form_value(data: QueryDict, name: str) -> Any:
    values = data.getlist(name)
    if len(values) > 1:
        raise InputError("repeated_field", name)
    value = values[0] if values else None
    if name in OBJECT_FIELDS and isinstance(value, str):
        try:
            return parse_json(value)
        except ValueError:
            return value  # a text where an object belongs: intake refuses it
    return value


@sensitive_variables()
def _unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name appears twice in an object")
    return members


@sensitive_variables()
def _short_integer(digits: str) -> int:
    if len(digits.lstrip("-")) > MAX_INTEGER_DIGITS:
        raise ValueError("a number has too many digits")
    return int(digits)


@sensitive_variables()
def _finite_float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is too large")
    return number


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not a JSON number")
