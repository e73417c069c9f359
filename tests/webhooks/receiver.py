"""A site that is told: a real HTTP server on loopback, with a clock that can be moved on."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from django.db.models import F
from standardwebhooks import Webhook

from django_faceverify.models import WebhookDelivery, WebhookEndpoint


@dataclass(frozen=True)
class Received:
    """One request as it came."""

    headers: dict[str, str]
    body: bytes

    @property
    def webhook_id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def message(self) -> Any:
        return json.loads(self.body)

    def verified_by(self, secret: str) -> Any:
        """The message, if the reference library takes the signature; else it raises."""
        return Webhook(secret).verify(self.body, self.headers)


class Receiver:
    """Answers with ``status``, or as ``behave`` says; keeps what it was sent."""

    def __init__(self, status: int = 204) -> None:
        self.status = status
        self.headers: dict[str, str] = {}
        self.behave: Callable[[BaseHTTPRequestHandler], None] | None = None
        self.received: list[Received] = []
        self.lock = threading.Lock()
        #: how many requests with one webhook-id were open at the same time, at most
        self.most_at_once = 0
        self._open: dict[str, int] = {}

    def __enter__(self) -> Receiver:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver.take(self)

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(timeout=5)

    @property
    def port(self) -> int:
        return int(self.server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks"

    def take(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in handler.headers.items()}
        one = headers.get("webhook-id", "")
        with self.lock:
            self.received.append(Received(headers, body))
            self._open[one] = self._open.get(one, 0) + 1
            self.most_at_once = max(self.most_at_once, self._open[one])
        try:
            if self.behave:
                self.behave(handler)
            handler.send_response(self.status)
            for name, value in self.headers.items():
                handler.send_header(name, value)
            handler.send_header("Content-Length", "0")
            handler.end_headers()
        finally:
            with self.lock:
                self._open[one] -= 1


def pass_time(seconds: float) -> None:
    """Let so much time pass for the outbox: its moments lie that much further back."""
    by = timedelta(seconds=seconds)
    for name in ("due_at", "give_up_at"):
        WebhookDelivery.objects.filter(**{f"{name}__isnull": False}).update(**{name: F(name) - by})
    WebhookEndpoint.objects.filter(failing_since__isnull=False).update(
        failing_since=F("failing_since") - by
    )
