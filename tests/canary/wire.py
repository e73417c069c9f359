"""A provider between the site and the sandbox, which misbehaves when it is told to.

Its bad answers repeat everything that was sent, in every place of an answer.
"""

from __future__ import annotations

import json
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_FIELD = re.compile(rb'name="(\w+)"[^\r]*\r\n(?:[^\r\n]+\r\n)*\r\n(.*?)\r\n--', re.DOTALL)


class QuietServer(ThreadingHTTPServer):
    """Callers that give up, or are killed, are what it is for."""

    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        pass


class Wire:
    """Where the site's provider is; ``mode`` is what the next calls are answered with."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.mode = "forward"
        self.calls = 0
        wire = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                wire.calls += 1
                wire.answer(self, body)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = QuietServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/face/idcardcompare"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def end(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    @contextmanager
    def misbehaving(self, mode: str) -> Iterator[None]:
        self.mode = mode
        try:
            yield
        finally:
            self.mode = "forward"

    def answer(self, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        if self.mode == "silent":
            handler.close_connection = True
            return
        status, headers, content = (
            self.forward(handler, body) if self.mode == "forward" else GARBAGE[self.mode](body)
        )
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    def forward(self, handler: BaseHTTPRequestHandler, body: bytes) -> Answered:
        # The signature does not cover the host; everything else goes on as it came.
        headers = {
            name: value for name, value in handler.headers.items() if name.lower() != "connection"
        }
        request = urllib.request.Request(self.target, body, headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, {"Content-Type": "application/json"}, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, {"Content-Type": "text/html"}, error.read()
        except OSError:
            return 502, {}, b""


Answered = tuple[int, dict[str, str], bytes]


def sent(body: bytes) -> dict[str, str]:
    """The texts that were sent, by their names, from a form or from JSON."""
    if body.startswith(b"{"):
        return {name: str(value) for name, value in json.loads(body).items()}
    return {name.decode(): value.decode("utf-8", "replace") for name, value in _FIELD.findall(body)}


def as_text(body: bytes) -> str:
    fields = sent(body)
    return " ".join(fields.get(name, "") for name in ("idcard_name", "idcard_number", "url"))


def answered(**content: Any) -> Answered:
    return 200, {"Content-Type": "application/json"}, json.dumps(content).encode()


def success(body: bytes, **data: Any) -> Answered:
    session_id = sent(body).get("session_id", "")
    return answered(
        code=0, message="OK", data={"similarity": 95.0, "session_id": session_id, **data}
    )


GARBAGE: dict[str, Any] = {
    "message": lambda body: answered(code=-5803, message=f"no match: {as_text(body)}"),
    "spaced message": lambda body: answered(code=-5803, message=" ".join(as_text(body))),
    "escaped message": lambda body: answered(code=-5803, message=ascii(as_text(body))),
    "code": lambda body: answered(code=as_text(body), message=""),
    "number as code": lambda body: answered(
        code=int(sent(body)["idcard_number"][:17]), message=as_text(body)
    ),
    "unknown code": lambda body: answered(code=-77777, message=as_text(body)),
    "session": lambda body: success(body, session_id=as_text(body)),
    "similarity": lambda body: success(body, similarity=as_text(body)),
    "extra": lambda body: success(body, echo=as_text(body), **{as_text(body): 1}),
    "JSON": lambda body: (200, {"Content-Type": "application/json"}, b"{" + body),
    "HTML": lambda body: (
        500,
        {"Content-Type": "text/html"},
        f"<pre>{as_text(body)}</pre>".encode() + body,
    ),
    "status": lambda body: (429, {"Retry-After": sent(body)["idcard_number"]}, body),
    "redirect": lambda body: (
        302,
        {"Location": f"http://127.0.0.1:9/?number={sent(body)['idcard_number']}"},
        b"",
    ),
    "type": lambda body: (
        200,
        {"Content-Type": f"text/{sent(body)['idcard_number']}; charset=canary", "X-Echo": "1"},
        body,
    ),
    "gzip": lambda body: (200, {"Content-Encoding": "gzip"}, body),
}
