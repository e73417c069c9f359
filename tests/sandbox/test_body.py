"""Bodies over the wire: length, chunks, limits."""

from __future__ import annotations

import json
import socket

import pytest

from django_faceverify.sandbox import Sandbox

from .caller import (
    JPEG,
    fields,
    multipart,
    request,
    send_raw,
    sign,
)

MAX_BODY = 6_291_456


def photo_call(size: int) -> tuple[bytes, dict[str, str]]:
    """Return a call whose whole body has this many bytes."""
    values = fields(url=None, image=JPEG)
    padding = size - len(multipart(values))
    body = multipart({**values, "image": JPEG + bytes(padding)})
    assert len(body) == size
    content_type = "multipart/form-data; boundary=frontier"
    return body, {"Content-Type": content_type, "Authorization": sign()}


def test_six_megabytes_exactly(sandbox: Sandbox) -> None:
    assert request(sandbox.url, *photo_call(MAX_BODY)).code == 0
    answer = request(sandbox.url, *photo_call(MAX_BODY + 1))
    assert (answer.status, answer.code) == (200, 23)
    assert answer.headers["Connection"] == "close"


def test_far_too_large(sandbox: Sandbox) -> None:
    assert request(sandbox.url, bytes(20 * 1024 * 1024)).code == 23


@pytest.mark.parametrize(("size", "code"), [(MAX_BODY, 0), (MAX_BODY + 1, 23)])
def test_body_in_chunks(sandbox: Sandbox, size: int, code: int) -> None:
    body, headers = photo_call(size)
    chunks = (body[start : start + 100_000] for start in range(0, len(body), 100_000))
    assert request(sandbox.url, chunks, headers).code == code


def chunked(coding: bytes) -> bytes:
    head = f"POST /face/idcardcompare HTTP/1.1\r\nAuthorization: {sign()}\r\n"
    head += "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head.encode() + coding


def test_chunk_extensions_and_trailers(sandbox: Sandbox) -> None:
    body = json.dumps(fields()).encode()
    coding = b"%x;note=1\r\n%s\r\n0\r\nTrailer: 1\r\n\r\n" % (len(body), body)
    assert b'"code": 0' in send_raw(sandbox.url, chunked(coding))


@pytest.mark.parametrize(
    "coding",
    [b"", b"zz\r\n", b"-1\r\n", b"5\r\nab", b"2\r\nabc\r\n0\r\n\r\n", b"0\r\n" + b"T: 1\r\n" * 200],
)
def test_broken_chunks(sandbox: Sandbox, coding: bytes) -> None:
    assert b'"code": 3' in send_raw(sandbox.url, chunked(coding))


def test_chunk_of_absurd_size(sandbox: Sandbox) -> None:
    assert b'"code": 23' in send_raw(sandbox.url, chunked(b"fffffffffff\r\nab"))


@pytest.mark.parametrize(
    "headers",
    [
        b"Content-Length: -1",
        b"Content-Length: many",
        b"Content-Length: " + b"1" * 5000,
        b"Content-Length: 5\r\nContent-Length: 6",
        b"Content-Length: 1000",
        b"Content-Length: 5\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: gzip",
        b"X-Nothing: 0",
    ],
)
def test_unusable_body_headers(sandbox: Sandbox, headers: bytes) -> None:
    head = b"POST /face/idcardcompare HTTP/1.1\r\nContent-Type: application/json\r\n"
    assert b'"code": 3' in send_raw(sandbox.url, head + headers + b"\r\n\r\nhello")


def expect_continue(sandbox: Sandbox, length: int) -> tuple[socket.socket, bytes]:
    head = f"POST /face/idcardcompare HTTP/1.1\r\nContent-Length: {length}\r\n"
    head += f"Content-Type: application/json\r\nAuthorization: {sign()}\r\n"
    head += "Expect: 100-continue\r\n\r\n"
    connection = socket.create_connection(("127.0.0.1", sandbox.port), timeout=10)
    connection.sendall(head.encode())
    return connection, connection.recv(4096)


def test_expect_100_continue(sandbox: Sandbox) -> None:
    body = json.dumps(fields()).encode()
    connection, invitation = expect_continue(sandbox, len(body))
    assert invitation == b"HTTP/1.1 100 Continue\r\n\r\n"
    connection.sendall(body)
    assert connection.recv(4096).startswith(b"HTTP/1.1 200 OK\r\n")
    connection.close()


def test_a_body_too_large_is_not_invited(sandbox: Sandbox) -> None:
    connection, answer = expect_continue(sandbox, MAX_BODY + 1)
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b'"code": 23' in answer
    connection.close()
