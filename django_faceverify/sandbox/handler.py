"""One HTTP/1.1 connection to the sandbox: routes, answers, and a log that tells nothing personal."""

from __future__ import annotations

import logging
import re
import socket
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING

from .answer import Answer, Reply, Spoken, render
from .body import declares_body, read_body
from .codes import Code, Refusal
from .scenarios import Delivery
from .service import Call
from .tc3 import SignedRequest

if TYPE_CHECKING:
    from .server import SandboxServer

COMPARE_PATH = "/face/idcardcompare"
FACEID_PATH = "/"
#: what the successor says of a body that was not taken
BODY_ERRORS = {
    Code.BODY_TOO_LARGE: "RequestSizeLimitExceeded",
    Code.BAD_REQUEST: "InvalidParameter",
}
HOLD_SECONDS = 120  # at most, for a scenario that never answers
DRAIN_SECONDS = 10
DRAIN_BYTES = 64 * 1024 * 1024

logger = logging.getLogger("django_faceverify.sandbox")

_LOGGABLE_SESSION_ID = re.compile(r"(?![0-9]{17}[0-9Xx]$)[A-Za-z0-9_.:-]{1,64}")


class Handler(BaseHTTPRequestHandler):
    server: SandboxServer
    protocol_version = "HTTP/1.1"
    default_request_version = "HTTP/1.0"  # so that what is not HTTP gets a status line, too
    timeout = 30  # seconds of silence, then the connection is closed
    wbufsize = 64 * 1024  # head and body leave together
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == COMPARE_PATH:
            self._serve_comparison()
        elif path == FACEID_PATH and self.command == "POST":
            self._serve_faceid()
        elif path in self.server.pages:
            self._serve_page(path)
        else:
            self._log("(unknown path)", HTTPStatus.NOT_FOUND)
            self._send(Reply(HTTPStatus.NOT_FOUND, "text/plain; charset=utf-8", b"not found"))

    # The base class finds the methods by these names.
    do_HEAD = do_POST = do_PUT = do_GET  # noqa: N815
    do_PATCH = do_DELETE = do_OPTIONS = do_GET  # noqa: N815

    def _serve_comparison(self) -> None:
        if self.command != "POST":
            self._refuse_method(COMPARE_PATH, "POST")
            return
        self._serve(COMPARE_PATH, self._compare, Answer.refused)

    def _compare(self, body: bytes) -> Spoken:
        return self.server.service.answer(
            Call(
                content_type=self.headers.get("Content-Type", ""),
                authorization=self.headers.get("Authorization", "").strip(),
                body=body,
            )
        )

    def _serve_faceid(self) -> None:
        faceid = self.server.faceid
        self._serve(
            FACEID_PATH,
            lambda body: faceid.answer(SignedRequest(self._plain_headers(), body)),
            lambda code: faceid.refuse(BODY_ERRORS[code]),
        )

    def _plain_headers(self) -> dict[str, str]:
        return {name.lower(): value.strip() for name, value in self.headers.items()}

    def _serve(
        self, path: str, answer: Callable[[bytes], Spoken], refuse: Callable[[Code], Spoken]
    ) -> None:
        """Receive the body, let the service answer or refuse it, log and deliver."""
        started = time.monotonic()
        try:
            body = read_body(self.headers, self.rfile, self._invite_body)
        except Refusal as refusal:
            self.close_connection = True
            spoken = refuse(refusal.code)
        else:
            spoken = answer(body)
        self._log_answer(path, spoken, time.monotonic() - started)
        self._deliver(spoken)

    def _deliver(self, answer: Spoken) -> None:
        if answer.delivery is Delivery.NEVER:
            self._hold()
        elif answer.delivery is Delivery.DROPPED:
            self._reset()
        else:
            self._send(render(answer), body_was_read=True)

    def _serve_page(self, path: str) -> None:
        if self.command not in {"GET", "HEAD"}:
            self._refuse_method(path, "GET, HEAD")
            return
        reply = self.server.pages.show(path)
        self._log(path, reply.status)
        self._send(reply)

    def _refuse_method(self, path: str, allowed: str) -> None:
        envelope = render(Answer.refused(Code.BAD_REQUEST))
        self._log(path, HTTPStatus.METHOD_NOT_ALLOWED)
        self._send(
            Reply(HTTPStatus.METHOD_NOT_ALLOWED, envelope.content_type, envelope.body),
            allowed=allowed,
        )

    # On the wire

    def handle_expect_100(self) -> bool:
        """Do nothing yet: ``_invite_body`` says ``100 Continue``, and not if it is too large."""
        return True

    def _invite_body(self) -> None:
        if self.headers.get("Expect", "").lower() == "100-continue":
            self.send_response_only(HTTPStatus.CONTINUE)
            self.end_headers()
            self.wfile.flush()

    def _send(self, reply: Reply, *, allowed: str = "", body_was_read: bool = False) -> None:
        if not body_was_read and declares_body(self.headers):
            self.close_connection = True
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(len(reply.body)))
        self.send_header("Connection", "close" if self.close_connection else "keep-alive")
        if allowed:
            self.send_header("Allow", allowed)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)
        self.wfile.flush()
        if self.close_connection:
            self._drain()

    def _drain(self) -> None:
        """Read what the client still sends, within bounds, so that it can read our answer.

        Closing a socket with unread bytes resets it, and the answer is lost with it.
        """
        deadline = time.monotonic() + DRAIN_SECONDS
        left = DRAIN_BYTES
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(1)
            while left > 0 and time.monotonic() < deadline:
                data = self.connection.recv(64 * 1024)
                if not data:
                    break
                left -= len(data)

    def _hold(self) -> None:
        """Keep the client waiting until it hangs up or the sandbox stops."""
        self.close_connection = True
        deadline = time.monotonic() + HOLD_SECONDS
        self.connection.settimeout(1)
        while time.monotonic() < deadline:
            with suppress(TimeoutError):
                if not self.connection.recv(64 * 1024):
                    return

    def _reset(self) -> None:
        """Close so that the client's kernel reports a reset, not an orderly end."""
        self.close_connection = True
        linger_for_no_time = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_for_no_time)
        socket.close(self.connection.detach())

    def version_string(self) -> str:
        return "faceverify-sandbox"

    # Logging

    def _log_answer(self, path: str, answer: Spoken, seconds: float) -> None:
        logger.info(
            "%s %s session_id=%s scenario=%s code=%s status=%s %.0f ms",
            self.command,
            path,
            _loggable(answer.session_id),
            answer.scenario or "-",
            format(answer.code),
            _status_text(answer),
            seconds * 1000,
        )

    def _log(self, path: str, status: HTTPStatus) -> None:
        logger.info("%s %s status=%d", self.command, path, status)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer what is not HTTP; unlike the base class, without repeating any of it."""
        logger.info("unreadable request status=%d", code)
        super().send_error(code)
        with suppress(OSError):
            self.wfile.flush()
        self._drain()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing: what the base class logs quotes the request line."""


def _loggable(session_id: str) -> str:
    """Return the tag if it is safe to log: short, plain, and not an ID number."""
    if not session_id:
        return "-"
    return session_id if _LOGGABLE_SESSION_ID.fullmatch(session_id) else "(hidden)"


def _status_text(answer: Spoken) -> str:
    if answer.delivery in {Delivery.NEVER, Delivery.DROPPED}:
        return "-"
    return str(render(answer).status.value)
