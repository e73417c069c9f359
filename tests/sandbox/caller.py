"""A caller of the sandbox, written from the vendor's documents and from no code of ours."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import socket
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

APPID = "1250000000"
SECRET_ID = "docs-example-secret-id"
SECRET_KEY = "docs-example-secret-key"
NAME = "张三"
EXAMPLE_NUMBER = "110110199909090909"
JPEG = b"\xff\xd8\xff\xe0 no more than the beginning of a JPEG"


@dataclass
class Response:
    status: int
    headers: dict[str, str]
    body: bytes = field(repr=False)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> int:
        return int(self.json["code"])


def sign_text(text: str, secret_key: str = SECRET_KEY) -> str:
    digest = hmac.new(secret_key.encode(), text.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest + text.encode()).decode()


def sign(
    appid: str = APPID,
    secret_id: str = SECRET_ID,
    secret_key: str = SECRET_KEY,
    issued_at: int | None = None,
    lifetime: int = 60,
) -> str:
    issued_at = int(time.time()) if issued_at is None else issued_at
    expires_at = issued_at + lifetime
    return sign_text(f"a={appid}&b=&k={secret_id}&e={expires_at}&t={issued_at}&r=7&f=", secret_key)


def fields(number: str = EXAMPLE_NUMBER, **others: Any) -> dict[str, Any]:
    """Return the fields of a call by URL; a value of None leaves a field out."""
    given = {
        "appid": APPID,
        "idcard_number": number,
        "idcard_name": NAME,
        "url": "http://img.example.com/a.jpg",
        **others,
    }
    return {name: value for name, value in given.items() if value is not None}


def multipart(values: dict[str, str | bytes], boundary: str = "frontier") -> bytes:
    body = b""
    for name, value in values.items():
        filename = '; filename="a.jpg"' if isinstance(value, bytes) else ""
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{filename}\r\n\r\n'
        body += head.encode() + (value if isinstance(value, bytes) else value.encode()) + b"\r\n"
    return body + f"--{boundary}--\r\n".encode()


def request(
    url: str, body: Any = None, headers: dict[str, str] | None = None, method: str = "POST"
) -> Response:
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=10)
    try:
        connection.request(method, address.path, body, headers or {})
        answer = connection.getresponse()
        return Response(answer.status, dict(answer.getheaders()), answer.read())
    finally:
        connection.close()


def get(url: str) -> Response:
    return request(url, method="GET")


def compare(url: str, values: dict[str, Any] | None = None, **headers: str) -> Response:
    """Send a signed call as JSON; ``headers`` replace ours."""
    ours = {"Content-Type": "application/json", "Authorization": sign()}
    body = json.dumps(fields() if values is None else values)
    return request(url, body, {**ours, **headers})


def compare_photo(endpoint: str, image: bytes, **others: str) -> Response:
    """Send a signed call as multipart, with a photo in place of its address."""
    values = {**fields(url=None), **others}
    headers = {
        "Content-Type": "multipart/form-data; boundary=frontier",
        "Authorization": sign(),
    }
    return request(endpoint, multipart({**values, "image": image}), headers)


def send_raw(url: str, data: bytes) -> bytes:
    """Send bytes, close our half, and return everything that comes back."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while received := connection.recv(65536):
            answer += received
        return answer


def sign_tc3(
    body: bytes,
    *,
    timestamp: int | None = None,
    day: str = "",
    secret_id: str = SECRET_ID,
    secret_key: str = SECRET_KEY,
    host: str = "127.0.0.1",
) -> dict[str, str]:
    """The headers of one call of ``ImageRecognitionV2``, names in lower case."""
    timestamp = int(time.time()) if timestamp is None else timestamp
    day = day or time.strftime("%Y-%m-%d", time.gmtime(timestamp))
    scope = f"{day}/faceid/tc3_request"
    canonical = (
        f"POST\n/\n\ncontent-type:application/json\nhost:{host}\n\ncontent-type;host\n"
        + hashlib.sha256(body).hexdigest()
    )
    text = (
        f"TC3-HMAC-SHA256\n{timestamp}\n{scope}\n" + hashlib.sha256(canonical.encode()).hexdigest()
    )
    key = b"TC3" + secret_key.encode()
    for part in (day, "faceid", "tc3_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    return {
        "authorization": f"TC3-HMAC-SHA256 Credential={secret_id}/{scope}, "
        f"SignedHeaders=content-type;host, Signature={signature}",
        "content-type": "application/json",
        "host": host,
        "x-tc-timestamp": str(timestamp),
        "x-tc-version": "2018-03-01",
        "x-tc-action": "ImageRecognitionV2",
    }
