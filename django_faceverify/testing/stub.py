"""A server on loopback that behaves as scripted, well or badly, one connection at a time.

``Stub(answer(b"..."))`` plays its last behaviour again for further connections. What each
connection sent stands in ``received``; ``connections`` counts them.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator

Behaviour = Callable[["Exchange"], None]


class Exchange:
    """One accepted connection, from the server's side."""

    def __init__(self, stub: Stub, sock: socket.socket) -> None:
        self.stub = stub
        self.sock = sock

    def read_request(self) -> bytes:
        """Read head and body; what has come is kept also when the rest never does."""
        request = b""
        index = len(self.stub.received)
        self.stub.received.append(request)
        while b"\r\n\r\n" not in request or len(request) < _length(request):
            chunk = self.sock.recv(65536)
            if not chunk:
                break
            request += chunk
            self.stub.received[index] = request
        return request

    def drip(self, data: bytes, pause: float) -> None:
        for byte in data:
            if self.stub.closing.wait(pause):
                return
            self.sock.sendall(bytes([byte]))


class Stub:
    def __init__(self, *script: Behaviour, tls: ssl.SSLContext | None = None) -> None:
        self.script = script
        self.tls = tls
        self.received: list[bytes] = []
        self.connections = 0
        self.closing = threading.Event()

    @property
    def url(self) -> str:
        scheme = "https" if self.tls else "http"
        return f"{scheme}://127.0.0.1:{self.port}/"

    def __enter__(self) -> Stub:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.closing.set()
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(timeout=5)

    def _serve(self) -> None:
        while not self.closing.is_set():
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            behaviour = self.script[min(self.connections, len(self.script) - 1)]
            self.connections += 1
            with contextlib.suppress(OSError), sock:
                sock.settimeout(5)
                if self.tls is None:
                    behaviour(Exchange(self, sock))
                else:
                    with self.tls.wrap_socket(sock, server_side=True) as secured:
                        behaviour(Exchange(self, secured))


def answer(body: bytes, *, status: int = 200, headers: dict[str, str] | None = None) -> Behaviour:
    def behave(exchange: Exchange) -> None:
        exchange.read_request()
        exchange.sock.sendall(_message(body, status, headers))

    return behave


def answer_raw(message: bytes) -> Behaviour:
    """Send exactly these bytes, status line and all, then close."""

    def behave(exchange: Exchange) -> None:
        exchange.read_request()
        exchange.sock.sendall(message)

    return behave


def drip_headers(pause: float = 0.1) -> Behaviour:
    def behave(exchange: Exchange) -> None:
        exchange.read_request()
        exchange.drip(_message(b"{}", 200, {"X-Padding": "x" * 5000}), pause)

    return behave


def drip_body(body: bytes, pause: float = 0.1, *, sized: bool = True) -> Behaviour:
    """Headers at once, then the body byte by byte, padded with blanks that JSON ignores."""

    def behave(exchange: Exchange) -> None:
        exchange.read_request()
        body_ = body + b" " * 5000
        size = f"Content-Length: {len(body_)}\r\n" if sized else ""
        exchange.sock.sendall(f"HTTP/1.1 200 OK\r\n{size}\r\n".encode())
        exchange.drip(body_, pause)

    return behave


def drip_before_reading(pause: float = 0.1) -> Behaviour:
    """What a broken TLS peer does: the first bytes of a record that never gets complete."""

    def behave(exchange: Exchange) -> None:
        exchange.drip(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc\x03\x03" + b"x" * 5000, pause)

    return behave


def close_without_answer(exchange: Exchange) -> None:
    exchange.read_request()


def reset(exchange: Exchange) -> None:
    exchange.read_request()
    exchange.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def never_answer(exchange: Exchange) -> None:
    exchange.read_request()
    exchange.stub.closing.wait(30)


def redirect_to(url: str, status: int = 307) -> Behaviour:
    return answer(b"", status=status, headers={"Location": url})


def refused_port() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


@contextlib.contextmanager
def full_backlog() -> Iterator[int]:
    """A port that takes no more connections and does not refuse them either."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        address = listener.getsockname()
        for _ in range(8):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(address)
        time.sleep(0.05)
        yield address[1]


def _message(body: bytes, status: int, headers: dict[str, str] | None) -> bytes:
    fields = {"Content-Type": "application/json", "Content-Length": str(len(body))}
    fields |= headers or {}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} Scripted\r\n{lines}\r\n".encode() + body


def _length(request: bytes) -> int:
    """How long the whole request is, by its own account."""
    head, _, _ = request.partition(b"\r\n\r\n")
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return len(head) + 4 + int(value)
    return len(head) + 4
