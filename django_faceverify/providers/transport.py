"""One request on the wire: one fresh connection, one deadline, one moment of no return.

``requests`` gives the message and its parsing; the connections below it are ours, for
three things that it cannot do: end a call at a given time whatever arrives, tell whether
a byte of the request may have left, and let all calls share one loaded CA bundle.

An adapter is used without a ``requests.Session`` on purpose. Without one there are no
redirects, no cookies, and no proxies or ``.netrc`` from the environment.
"""

from __future__ import annotations

import functools
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util import parse_url

#: the most seconds that one address of the host is given to accept the connection
CONNECT_TIMEOUT = 5.0


@functools.cache
def tls_context(ca_bundle: str | None = None) -> ssl.SSLContext:
    """The TLS settings of all calls in this process; certificate and host are verified.

    Loading the bundle takes some 20 ms of CPU, many times the cost of the call itself, so
    each bundle is loaded once. A changed bundle is seen after a restart.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(ca_bundle or DEFAULT_CA_BUNDLE_PATH)
    return context


class Deadline:
    """A clock on a call: when it runs out, the watched sockets are shut down.

    Socket timeouts begin anew with every byte, so a server that drips its answer could
    hold a call for hours. Name lookup is the one step that cannot be cut short; a call
    whose lookup outlasts the deadline is never sent.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._lock = threading.Lock()
        self._watched: list[socket.socket] = []

    def __enter__(self) -> Deadline:
        self._ends_at = time.monotonic() + self.seconds
        self._timer = threading.Timer(self.seconds, self._shut_down)
        self._timer.daemon = True
        self._timer.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._timer.cancel()
        with self._lock:
            for sock in self._watched:
                sock.close()
            self._watched.clear()

    @property
    def expired(self) -> bool:
        return self.remaining() == 0

    def remaining(self) -> float:
        """Seconds that are left, never below zero."""
        return max(0.0, self._ends_at - time.monotonic())

    def check(self) -> None:
        """Raise ``TimeoutError`` when the time is over."""
        if self.expired:
            raise TimeoutError("the deadline of the call has passed")

    def watch(self, sock: socket.socket) -> None:
        """Shut this socket down when the time is over, even in the midst of a TLS handshake."""
        # TLS takes the descriptor away from the plain socket; a duplicate stays ours.
        with self._lock:
            self._watched.append(sock.dup())
        if self.expired:
            self._shut_down()

    def _shut_down(self) -> None:
        with self._lock:
            for sock in self._watched:
                try:
                    sock.shutdown(socket.SHUT_RDWR)
                except OSError:  # not connected yet, or the other side was faster
                    continue


class Call:
    """What has become of one request: whether a byte may have left, and who stopped it."""

    def __init__(self, deadline: Deadline, about_to_send: Callable[[], None]) -> None:
        self.deadline = deadline
        self.may_have_left = False
        self.stopped_by: Exception | None = None
        self._about_to_send = about_to_send
        self._is_announced = False

    def announce(self) -> None:
        """Connected: tell the caller, once, that the request is about to leave.

        Time is looked at again afterwards, because telling may have taken long and a
        request must not leave after the deadline.
        """
        self.deadline.check()
        if self._is_announced:
            raise ConnectionError("a call has one connection only")
        self._is_announced = True
        try:
            self._about_to_send()
        except Exception as error:
            self.stopped_by = error
            raise
        self.deadline.check()
        self.may_have_left = True


class CallConnection(HTTPConnection):
    """A connection for one call: watched by its deadline, announced when it stands."""

    def __init__(self, *args: Any, call: Call, **options: Any) -> None:
        super().__init__(*args, **options)
        self.call = call

    def connect(self) -> None:
        super().connect()
        try:
            self.call.announce()
        except BaseException:
            # urllib3 overlooks a BrokenPipeError here and would wait for an answer.
            self.close()
            raise
        # Until here the socket had the short timeout of connecting.
        self.timeout = self.call.deadline.remaining()
        if self.sock is not None:
            self.sock.settimeout(self.timeout)

    def _new_conn(self) -> socket.socket:
        """Try the addresses of the host in turn, all of them within the deadline."""
        failure = OSError("the host has no address")
        for family, kind, protocol, _, address in socket.getaddrinfo(
            self._dns_host, self.port, type=socket.SOCK_STREAM
        ):
            sock = socket.socket(family, kind, protocol)
            try:
                self.call.deadline.check()
                self.call.deadline.watch(sock)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                sock.settimeout(min(CONNECT_TIMEOUT, self.call.deadline.remaining()))
                sock.connect(address)
            except OSError as error:
                sock.close()
                failure = error
            else:
                return sock
        raise failure


class CallTLSConnection(CallConnection, HTTPSConnection):
    """The same over TLS: it stands when the certificate has been verified."""


class CallPool(HTTPConnectionPool):
    ConnectionCls = CallConnection


class CallTLSPool(HTTPSConnectionPool):
    ConnectionCls = CallTLSConnection


class CallAdapter(HTTPAdapter):
    """Sends one request over one fresh connection, without retries."""

    def __init__(self, call: Call, ca_bundle: str | None = None) -> None:
        super().__init__(max_retries=0)
        self.call = call
        self.ca_bundle = ca_bundle

    def get_connection_with_tls_context(
        self,
        request: requests.PreparedRequest,
        verify: bool | str | None,
        proxies: Any = None,
        cert: Any = None,
    ) -> HTTPConnectionPool:
        """A pool for this call alone; it verifies TLS and uses no proxy, whatever is asked."""
        url = parse_url(request.url or "")
        if url.scheme == "https":
            return CallTLSPool(
                url.host or "", url.port, call=self.call, ssl_context=tls_context(self.ca_bundle)
            )
        return CallPool(url.host or "", url.port, call=self.call)

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Nothing to do: the shared context verifies. To name a bundle here would reload it."""


def is_private(url: object) -> bool:
    """Whether what is sent to this URL cannot be read on the way: TLS, or our own machine.

    A user name in the URL is refused, since it would replace our ``Authorization``.
    """
    try:
        parts = urlsplit(url) if isinstance(url, str) else None
        if parts is None or not parts.hostname or "@" in parts.netloc or parts.port == 0:
            return False
    except ValueError:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(url))


def is_loopback(url: object) -> bool:
    """Whether the URL names this machine: 127.0.0.0/8, ::1 or localhost."""
    try:
        host = urlsplit(url).hostname if isinstance(url, str) else None
        return host == "localhost" or ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False
