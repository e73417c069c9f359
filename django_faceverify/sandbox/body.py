"""Reading the body of an HTTP request, by length or in chunks, and never more than allowed."""

from __future__ import annotations

import re
from collections.abc import Callable
from email.message import Message
from typing import Protocol

from .codes import Code, Refusal

MAX_BODY_BYTES = 6 * 1024 * 1024  # the whole body, vendor docs 641/12433

_MAX_LINE_BYTES = 1024  # of a chunk's size and its extensions, or of a trailer
_MAX_TRAILERS = 100


class Stream(Protocol):
    def read(self, size: int, /) -> bytes: ...
    def readline(self, size: int, /) -> bytes: ...


def declares_body(headers: Message) -> bool:
    return "Transfer-Encoding" in headers or headers.get("Content-Length", "0").strip() != "0"


def read_body(headers: Message, stream: Stream, about_to_read: Callable[[], None]) -> bytes:
    """Return the whole body.

    ``about_to_read`` is called once the headers promise a body that will be taken. After a
    ``Refusal`` (23 too large, 3 not readable) it is unknown where the body ends, so that the
    connection cannot carry another request.
    """
    if "Transfer-Encoding" not in headers:
        length = _declared_length(headers)
        about_to_read()
        return _read_exactly(stream, length)
    if "Content-Length" in headers or headers["Transfer-Encoding"].strip().lower() != "chunked":
        raise Refusal(Code.BAD_REQUEST)
    about_to_read()
    return _read_chunks(stream)


def _declared_length(headers: Message) -> int:
    lengths = {value.strip() for value in headers.get_all("Content-Length", ["0"])}
    text = lengths.pop()
    if lengths or not re.fullmatch("[0-9]{1,18}", text):
        raise Refusal(Code.BAD_REQUEST)
    if int(text) > MAX_BODY_BYTES:
        raise Refusal(Code.BODY_TOO_LARGE)
    return int(text)


def _read_chunks(stream: Stream) -> bytes:
    """Read a body in HTTP's chunked coding (RFC 9112, section 7.1)."""
    body = bytearray()
    while size := _read_chunk_size(stream):
        if len(body) + size > MAX_BODY_BYTES:
            raise Refusal(Code.BODY_TOO_LARGE)
        body += _read_exactly(stream, size)
        if _read_line(stream):
            raise Refusal(Code.BAD_REQUEST)
    _skip_trailers(stream)
    return bytes(body)


def _read_chunk_size(stream: Stream) -> int:
    size = _read_line(stream).partition(b";")[0].strip()
    if not re.fullmatch(b"[0-9A-Fa-f]{1,15}", size):
        raise Refusal(Code.BAD_REQUEST)
    return int(size, 16)


def _skip_trailers(stream: Stream) -> None:
    for _ in range(_MAX_TRAILERS):
        if not _read_line(stream):
            return
    raise Refusal(Code.BAD_REQUEST)


def _read_line(stream: Stream) -> bytes:
    line = stream.readline(_MAX_LINE_BYTES)
    if not line.endswith(b"\n"):
        raise Refusal(Code.BAD_REQUEST)
    return line.rstrip(b"\r\n")


def _read_exactly(stream: Stream, size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise Refusal(Code.BAD_REQUEST)
    return data
