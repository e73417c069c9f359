"""A stand-in for the provider's service: 95 for everybody, after a given time.

``python -m benchmarks.stub PORT TLS_PORT CHAIN`` answers ``POST`` like ``idcardcompare``.
Unlike the sandbox it checks nothing, so that it takes next to nothing of the machine.
``PUT /latency/300`` forgets all calls and answers from now on after 300 ms; ``GET /stats``
tells of the calls since then.
"""

from __future__ import annotations

import asyncio
import json
import re
import ssl
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, cast

BUFFER_BYTES = 256 * 1024
#: of a body this much is kept: the fields that stand before the photo
KEPT_BYTES = 4096

CONTENT_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
SESSION_ID = re.compile(rb'name="session_id"\r\n\r\n([^\r]*)\r\n')


@dataclass
class Calls:
    """The comparisons since the last change of the latency (in seconds)."""

    latency: float = 0.0
    in_flight: int = 0
    answered_at: list[float] = field(default_factory=list)
    session_ids: Counter[str] = field(default_factory=Counter)

    def stats(self) -> dict[str, Any]:
        """What is asked for often, in a few bytes."""
        return {"answered": len(self.answered_at), "in_flight": self.in_flight}

    def record(self) -> dict[str, Any]:
        """Everything: when each answer was given, and how often each session was paid for."""
        return {
            "answered_at": self.answered_at,
            "sessions": len(self.session_ids),
            "most_calls_of_a_session": max(self.session_ids.values(), default=0),
        }


class StubProtocol(asyncio.BufferedProtocol):
    """One connection; photos are counted, not kept."""

    calls = Calls()

    def __init__(self) -> None:
        self.buffer = memoryview(bytearray(BUFFER_BYTES))  # TLS writes into slices of it
        self.begin()

    def begin(self) -> None:
        """Wait for the next request."""
        self.start = bytearray()
        self.missing: int | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self.buffer

    def buffer_updated(self, nbytes: int) -> None:
        if len(self.start) < KEPT_BYTES:
            self.start += self.buffer[:nbytes]
        if self.missing is None:
            head, separator, body = self.start.partition(b"\r\n\r\n")
            if not separator:
                return
            length = CONTENT_LENGTH.search(head)
            self.missing = (int(length[1]) if length else 0) - len(body)
        else:
            self.missing -= nbytes
        if self.missing == 0:
            request = bytes(self.start)
            self.begin()
            self.serve(request)

    def serve(self, request: bytes) -> None:
        method, path, _ = request.split(b" ", 2)
        if method == b"POST":
            self.compare(request)
        elif path.startswith(b"/latency/"):
            StubProtocol.calls = Calls(latency=int(path.rpartition(b"/")[2]) / 1000)
            self.reply(self.calls.stats())
        elif path == b"/record":
            self.reply(self.calls.record())
        else:
            self.reply(self.calls.stats())

    def compare(self, request: bytes) -> None:
        found = SESSION_ID.search(request)
        session_id = found[1].decode() if found else ""
        calls = self.calls
        calls.session_ids[session_id] += 1
        calls.in_flight += 1
        asyncio.get_running_loop().call_later(calls.latency, self.answer, calls, session_id)

    def answer(self, calls: Calls, session_id: str) -> None:
        calls.in_flight -= 1
        calls.answered_at.append(time.monotonic())
        data = {"similarity": 95.0, "session_id": session_id}
        self.reply({"data": data, "code": 0, "message": "OK"})

    def reply(self, document: dict[str, Any]) -> None:
        body = json.dumps(document).encode()
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        self.transport.write(head % len(body) + body)


async def serve(port: int, tls_port: int, chain: str) -> None:
    """Answer on both ports until the end of the process."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    loop = asyncio.get_running_loop()
    await loop.create_server(StubProtocol, "127.0.0.1", port, backlog=1024)
    server = await loop.create_server(
        StubProtocol, "127.0.0.1", tls_port, ssl=context, backlog=1024
    )
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
