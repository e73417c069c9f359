"""Reading ``multipart/form-data`` (RFC 7578) as this provider's clients really write it.

The vendor's documents end Content-Disposition with a semicolon, its Python client gives
every text field a filename, and its PHP client gives an image none. So only the field name
counts, and every value is bytes.
"""

from __future__ import annotations

import re

from .codes import Code, Refusal

_MAX_PARTS = 50
_MAX_HEAD_BYTES = 8 * 1024
_PARAMETER = re.compile(r';\s*([\w-]+)=(?:"((?:\\.|[^"\\])*)"|([^;\s"]*))')


def parse_multipart(parameters: str, body: bytes) -> dict[str, bytes]:
    """Return field name to value; of a field given twice, the last.

    ``parameters`` is what follows ``multipart/form-data;`` and holds the boundary. Raises
    ``Refusal`` with code 3 for a body that is not well formed, is cut off, or has more than
    fifty parts.
    """
    boundary = _parameters(parameters).get("boundary", "")
    if not 1 <= len(boundary) <= 70:
        raise Refusal(Code.BAD_REQUEST)
    delimiter = b"\r\n--" + boundary.encode("latin-1", "replace")
    _, *sections = (b"\r\n" + body).split(delimiter, _MAX_PARTS + 1)
    if not sections or not sections.pop().startswith(b"--"):
        raise Refusal(Code.BAD_REQUEST)
    return dict(_parse_part(section) for section in sections)


def _parse_part(section: bytes) -> tuple[str, bytes]:
    rest_of_delimiter, _, part = section.partition(b"\r\n")
    head, blank_line, value = part.partition(b"\r\n\r\n")
    if rest_of_delimiter.strip() or not blank_line or len(head) > _MAX_HEAD_BYTES:
        raise Refusal(Code.BAD_REQUEST)
    return _field_name(head), value


def _field_name(head: bytes) -> str:
    for line in head.decode("utf-8", "replace").split("\r\n"):
        header, _, value = line.partition(":")
        disposition, _, parameters = value.partition(";")
        if header.strip().lower() == "content-disposition":
            if disposition.strip().lower() != "form-data":
                break
            return _parameters(parameters).get("name", "")
    raise Refusal(Code.BAD_REQUEST)


def _parameters(text: str) -> dict[str, str]:
    return {
        match[1].lower(): match[3] if match[2] is None else match[2]
        for match in _PARAMETER.finditer(";" + text)
    }
