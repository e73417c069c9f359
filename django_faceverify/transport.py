"""One request on the wire: one fresh connection, one deadline, one moment of no return.

``requests`` builds the message; it is sent over urllib3's connections, without a
``requests.Session`` and without a pool. Those cannot do three things: end a call at a given
time whatever arrives, tell whether a byte of the request may have left, and let all calls
share one loaded CA bundle. And what is not there repeats nothing, follows no redirect,
keeps no cookie, and takes no proxy or ``.netrc`` from the environment. A name is looked up
once, so an address that was admitted is the one that is connected to.
"""

from __future__ import annotations

import contextlib
import functools
import ipaddress
import re
import socket
import ssl
from collections.abc import Callable
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.response import BaseHTTPResponse

from django_faceverify.deadline import Deadline

#: the most seconds that one address of the host is given to accept the connection
CONNECT_TIMEOUT = 5.0

#: the shortest wait in seconds that an answer can ask for
SHORTEST_RETRY_AFTER = 1.0


class AddressRefused(OSError):
    """No address of the host may be connected to."""


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


class Call:
    """What has become of one request: whether a byte may have left, and who stopped it.

    ``admits`` says which of the host's addresses may be connected to.
    """

    def __init__(
        self,
        deadline: Deadline,
        about_to_send: Callable[[], None],
        *,
        admits: Callable[[str], bool] = lambda address: True,
    ) -> None:
        self.deadline = deadline
        self.admits = admits
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
            self.close()
            raise
        # Until here the socket had the short timeout of connecting.
        self.timeout = self.call.deadline.remaining()
        if self.sock is not None:
            self.sock.settimeout(self.timeout)

    def _new_conn(self) -> socket.socket:
        """Try the addresses of the host in turn, all of them within the deadline.

        A refused one is passed over; when all are, the call was stopped by that.
        """
        found = socket.getaddrinfo(self._dns_host, self.port, type=socket.SOCK_STREAM)
        admitted = [entry for entry in found if self.call.admits(str(entry[4][0]))]
        if found and not admitted:
            self.call.stopped_by = AddressRefused("no address of the host is admitted")
            raise self.call.stopped_by
        failure = OSError("the host has no address")
        for family, kind, protocol, _, address in admitted:
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


def send(
    outgoing: requests.PreparedRequest, call: Call, ca_bundle: str | None = None
) -> BaseHTTPResponse:
    """Connect, announce, send once; return when status line and headers are there."""
    connection = _connection(outgoing.url or "", call, ca_bundle)
    try:
        with contextlib.suppress(BrokenPipeError):
            # It may have stopped listening in the midst of a photo, after saying why.
            connection.request(
                outgoing.method or "",
                outgoing.path_url,
                body=outgoing.body,
                headers=outgoing.headers,
                preload_content=False,
                decode_content=False,
            )
        return connection.getresponse()
    except BaseException:
        connection.close()
        raise


def _connection(url: str, call: Call, ca_bundle: str | None) -> CallConnection:
    """Not connected yet; over TLS it verifies, and it uses no proxy, whatever is asked."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "https":
        return CallTLSConnection(
            host, parts.port, call=call, timeout=CONNECT_TIMEOUT, ssl_context=tls_context(ca_bundle)
        )
    return CallConnection(host, parts.port, call=call, timeout=CONNECT_TIMEOUT)


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


def parse_retry_after(value: str | None, *, longest: float = 3600.0) -> float | None:
    """Seconds from a ``Retry-After`` header (seconds or HTTP-date), from 1 to ``longest``.

    ``None`` when there is no header or it cannot be read; then the caller's own wait holds.
    """
    seconds = None if value is None else _seconds(value.strip())
    if seconds is None:
        return None
    return min(longest, max(SHORTEST_RETRY_AFTER, seconds))


def _seconds(value: str) -> float | None:
    """How long from now, unbounded; ``None`` when it is neither a number nor a date."""
    if number := re.fullmatch(r"(-?)0*([0-9]+)", value, re.ASCII):
        sign, digits = number.groups()
        return float(f"{sign}{digits}") if len(digits) < 10 else float(f"{sign}inf")
    try:
        at = parsedate_to_datetime(value)
        if at.tzinfo is None:
            at = at.replace(tzinfo=timezone.utc)
        return (at - datetime.now(timezone.utc)).total_seconds()
    except (ValueError, OverflowError, TypeError, IndexError):  # as old Pythons had it
        return None
