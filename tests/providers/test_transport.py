"""The wire: one deadline, one connection, verified TLS, and nothing from the environment."""

from __future__ import annotations

import gzip
import http.client
import logging
import socket
import ssl
import time
from pathlib import Path
from typing import Any

import pytest

from django_faceverify import transport
from django_faceverify.deadline import Deadline
from django_faceverify.exceptions import NotSent, OutcomeUnknown, ProtocolError, Refused
from django_faceverify.providers.qcloud import QcloudProvider
from django_faceverify.testing import stub
from django_faceverify.testing.contract import NAME, NUMBER, Witness, comparison_request
from django_faceverify.testing.stub import Stub
from django_faceverify.transport import Call, is_loopback, is_private

from .authority import Authority

GOOD = b'{"code": 0, "message": "OK", "data": {"similarity": 95.5, "session_id": ""}}'


def build(endpoint: str, **options: Any) -> QcloudProvider:
    return QcloudProvider(
        "default", appid="1", secret_id="an-id", secret_key="a-key", endpoint=endpoint, **options
    )


def compare(endpoint: str, witness: Witness | None = None, **options: Any) -> float | None:
    provider = build(endpoint, **options)
    return provider.compare(comparison_request(), about_to_send=witness or Witness()).similarity


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


class TestDeadline:
    @pytest.mark.parametrize(
        "behaviour",
        [
            stub.drip_headers(),
            stub.drip_body(GOOD),
            # Whole JSON arrives in time; only the end of the body is open.
            stub.drip_body(GOOD, pause=0.005, sized=False),
            stub.never_answer,
        ],
        ids=["headers", "body", "body without a length", "silence"],
    )
    def test_bounds_the_whole_answer(self, behaviour: stub.Behaviour) -> None:
        witness = Witness()
        started_at = time.monotonic()
        with Stub(behaviour) as server, pytest.raises(OutcomeUnknown) as caught:
            compare(server.url, witness, timeout=0.7)
        assert type(caught.value) is OutcomeUnknown
        assert time.monotonic() - started_at < 30
        assert witness.count == 1

    def test_bounds_the_tls_handshake(self, authority: Authority) -> None:
        witness = Witness()
        with Stub(stub.drip_before_reading()) as server, pytest.raises(NotSent):
            compare(
                server.url.replace("http:", "https:"),
                witness,
                timeout=0.7,
                ca_bundle=authority.bundle,
            )
        assert witness.count == 0

    def test_bounds_the_connection(self) -> None:
        witness = Witness()
        with stub.full_backlog() as port, pytest.raises(NotSent) as caught:
            compare(f"http://127.0.0.1:{port}/", witness, timeout=0.5)
        assert caught.value.code == "provider_unavailable"
        assert witness.count == 0

    def test_bounds_all_addresses_together(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with stub.full_backlog() as port:
            address = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))
            monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: [address] * 100)
            started_at = time.monotonic()
            with pytest.raises(NotSent):
                compare(f"http://127.0.0.1:{port}/", timeout=0.3)
        assert time.monotonic() - started_at < 20

    def test_next_address_is_tried(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with Stub(stub.answer(GOOD)) as server:
            addresses = [
                (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))
                for port in (stub.refused_port(), server.port)
            ]
            monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: addresses)
            assert compare(server.url) == 95.5

    def test_late_name_lookup_sends_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        look_up = socket.getaddrinfo

        def look_up_late(*args: Any, **kwargs: Any) -> Any:
            time.sleep(0.2)
            return look_up(*args, **kwargs)

        monkeypatch.setattr(socket, "getaddrinfo", look_up_late)
        witness = Witness()
        with Stub(stub.answer(GOOD)) as server, pytest.raises(NotSent):
            compare(server.url, witness, timeout=0.1)
        assert witness.count == 0
        assert b"".join(server.received) == b""

    def test_late_announcement_sends_nothing(self) -> None:
        with Stub(stub.answer(GOOD)) as server, pytest.raises(NotSent):
            build(server.url, timeout=0.2).compare(
                comparison_request(), about_to_send=lambda: time.sleep(0.4)
            )
        assert b"".join(server.received) == b""

    def test_over_before_the_announcement(self) -> None:
        witness = Witness()
        with Deadline(0.01) as deadline:
            time.sleep(0.02)
            assert deadline.expired
            with pytest.raises(TimeoutError):
                Call(deadline, witness).announce()
        assert witness.count == 0

    def test_call_is_announced_once(self) -> None:
        witness = Witness()
        with Deadline(5) as deadline:
            call = Call(deadline, witness)
            call.announce()
            with pytest.raises(ConnectionError):
                call.announce()
        assert witness.count == 1


class TestOneConnection:
    def test_fresh_for_each_call(self) -> None:
        with Stub(stub.answer(GOOD)) as server:
            assert [compare(server.url) for _ in range(3)] == [95.5] * 3
        assert server.connections == 3

    def test_is_never_retried(self) -> None:
        with Stub(stub.reset, stub.answer(GOOD)) as server, pytest.raises(OutcomeUnknown):
            compare(server.url)
        assert server.connections == 1

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_redirect_is_not_followed(self, status: int) -> None:
        with (
            Stub(stub.answer(GOOD)) as elsewhere,
            Stub(stub.redirect_to(elsewhere.url, status)) as server,
            pytest.raises(Refused) as caught,
        ):
            compare(server.url)
        assert caught.value.code == "provider_config"
        assert caught.value.is_billed == "no"
        assert elsewhere.connections == 0
        assert server.connections == 1

    def test_environment_is_ignored(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        dead = f"http://127.0.0.1:{stub.refused_port()}"
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, dead)
            monkeypatch.setenv(name.lower(), dead)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        netrc = tmp_path / "netrc"
        netrc.write_text("default login somebody password else\n")
        monkeypatch.setenv("NETRC", str(netrc))
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/does/not/exist")
        with Stub(stub.answer(GOOD, headers={"Set-Cookie": "a=b"})) as server:
            assert compare(server.url) == 95.5
            assert compare(server.url) == 95.5
        assert b"Basic " not in server.received[0]
        assert b"Cookie" not in server.received[1]

    def test_ipv6_loopback(self) -> None:
        try:
            socket.create_server(("::1", 0), family=socket.AF_INET6).close()
        except OSError:
            pytest.skip("this machine has no IPv6")
        with pytest.raises(NotSent) as caught:
            compare("http://[::1]:9/")
        assert caught.value.code == "provider_unavailable"

    def test_answer_before_the_question_is_not_taken(self) -> None:
        objection = BrokenPipeError("database")
        server = Stub(lambda exchange: exchange.sock.sendall(framed(GOOD, "sized")))
        with server, pytest.raises(BrokenPipeError) as caught:
            compare(server.url, Witness(objection))
        assert caught.value is objection

    @pytest.mark.parametrize("secured", [False, True])
    def test_slow_sending_has_the_time_of_the_call(
        self, authority: Authority, monkeypatch: pytest.MonkeyPatch, secured: bool
    ) -> None:
        def read_late(exchange: stub.Exchange) -> None:
            exchange.stub.closing.wait(0.6)
            stub.answer(GOOD)(exchange)

        monkeypatch.setattr(transport, "CONNECT_TIMEOUT", 0.3)
        tls = authority.server_context() if secured else None
        with Stub(read_late, tls=tls) as server:
            answer = build(server.url, ca_bundle=authority.bundle).compare(
                comparison_request(image=b"\xff\xd8\xff" + bytes(6_000_000)),
                about_to_send=Witness(),
            )
        assert answer.similarity == 95.5


class TestAnswerOnTheWire:
    def test_early_answer_to_a_large_photo_is_read(self) -> None:
        def refuse_early(exchange: stub.Exchange) -> None:
            exchange.sock.recv(1024)
            exchange.sock.sendall(
                b'HTTP/1.1 413 Too Large\r\nContent-Length: 12\r\n\r\n{"code": 23}'
            )
            exchange.sock.shutdown(socket.SHUT_WR)
            while exchange.sock.recv(65536):
                pass

        with Stub(refuse_early) as server:
            answer = build(server.url).compare(
                comparison_request(image=b"\xff\xd8\xff" + bytes(3_000_000)),
                about_to_send=Witness(),
            )
        assert answer.reason_code == "image_too_large"

    @pytest.mark.parametrize("framing", ["sized", "chunked", "closed"])
    def test_more_than_a_megabyte_is_a_protocol_error(self, framing: str) -> None:
        body = b" " * (1024 * 1024 + 1 - len(GOOD)) + GOOD
        with (
            Stub(stub.answer_raw(framed(body, framing))) as server,
            pytest.raises(ProtocolError) as caught,
        ):
            compare(server.url)
        assert caught.value.http_status == 200

    @pytest.mark.parametrize("framing", ["sized", "chunked", "closed"])
    def test_a_megabyte_is_read(self, framing: str) -> None:
        body = b" " * (1024 * 1024 - len(GOOD)) + GOOD
        with Stub(stub.answer_raw(framed(body, framing))) as server:
            assert compare(server.url) == 95.5

    def test_endless_answer_is_left(self) -> None:
        def pour(exchange: stub.Exchange) -> None:
            exchange.read_request()
            exchange.sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            while not exchange.stub.closing.is_set():
                exchange.sock.sendall(b" " * 65536)

        with Stub(pour) as server, pytest.raises(ProtocolError):
            compare(server.url)

    def test_compressed_answer_is_not_unpacked(self) -> None:
        bomb = gzip.compress(b" " * 5_000_000 + GOOD)
        headers = {"Content-Encoding": "gzip"}
        with Stub(stub.answer(bomb, headers=headers)) as server, pytest.raises(ProtocolError):
            compare(server.url)
        assert b"accept-encoding: identity" in server.received[0].lower()

    def test_small_compressed_answer_is_not_unpacked_either(self) -> None:
        headers = {"Content-Encoding": "gzip"}
        server = Stub(stub.answer(gzip.compress(GOOD), headers=headers))
        with server, pytest.raises(ProtocolError):
            compare(server.url)

    def test_longer_length_than_body_is_unknown(self) -> None:
        headers = {"Content-Length": str(len(GOOD) + 10)}
        with (
            Stub(stub.answer(GOOD, headers=headers)) as server,
            pytest.raises(OutcomeUnknown) as caught,
        ):
            compare(server.url)
        assert type(caught.value) is OutcomeUnknown

    def test_shorter_length_than_body_is_a_protocol_error(self) -> None:
        headers = {"Content-Length": str(len(GOOD) - 10)}
        with Stub(stub.answer(GOOD, headers=headers)) as server, pytest.raises(ProtocolError):
            compare(server.url)

    @pytest.mark.parametrize(
        "message",
        [
            b"garbage\r\n\r\n",
            b"HTTP/1.1 abc\r\n\r\n",
            b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n" + GOOD,
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 5",
            b"\x00" * 100_000,
            b"SSH-2.0-OpenSSH\r\n",
        ],
        ids=lambda message: repr(message[:20]),
    )
    def test_broken_http_is_unknown(self, message: bytes) -> None:
        with Stub(stub.answer_raw(message)) as server, pytest.raises(OutcomeUnknown) as caught:
            compare(server.url, timeout=5)
        assert caught.value.__context__ is None


class TestTLS:
    def test_verified_and_its_bundle_loaded_once(
        self, authority: Authority, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        loads: list[Any] = []
        load = ssl.SSLContext.load_verify_locations

        def count(self: ssl.SSLContext, *args: Any, **kwargs: Any) -> None:
            loads.append(args or kwargs)
            load(self, *args, **kwargs)

        monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", count)
        monkeypatch.setattr(ssl.SSLContext, "load_default_certs", count)
        transport.tls_context.cache_clear()
        with Stub(stub.answer(GOOD), tls=authority.server_context()) as server:
            for _ in range(3):
                assert compare(server.url, ca_bundle=authority.bundle) == 95.5
            for _ in range(3):
                with pytest.raises(NotSent):  # the usual bundle does not know this authority
                    compare(server.url)
        assert len(loads) == 2

    @pytest.mark.parametrize(
        "server",
        [{"self_signed": True}, {"days": -1}, {"host": "example.com"}, {"host": "127.0.0.2"}],
        ids=["self-signed", "expired", "other host", "other address"],
    )
    def test_unverified_server_gets_nothing(
        self, authority: Authority, server: dict[str, Any]
    ) -> None:
        witness = Witness()
        with (
            Stub(stub.answer(GOOD), tls=authority.server_context(**server)) as impostor,
            pytest.raises(NotSent) as caught,
        ):
            compare(impostor.url, witness, ca_bundle=authority.bundle)
        assert caught.value.code == "provider_unavailable"
        assert caught.value.is_billed == "no"
        assert witness.count == 0
        assert impostor.connections == 1
        assert impostor.received == []

    def test_told_once_and_after_the_handshake(self, authority: Authority) -> None:
        witness = Witness()
        with Stub(stub.answer(GOOD), tls=authority.server_context()) as server:
            assert compare(server.url, witness, ca_bundle=authority.bundle) == 95.5
        assert witness.count == 1

    def test_dripped_answer_is_cut(self, authority: Authority) -> None:
        with (
            Stub(stub.drip_body(GOOD), tls=authority.server_context()) as server,
            pytest.raises(OutcomeUnknown),
        ):
            compare(server.url, timeout=0.7, ca_bundle=authority.bundle)

    def test_objection_passes_unchanged(self, authority: Authority) -> None:
        objection = ConnectionResetError("database")
        with (
            Stub(stub.answer(GOOD), tls=authority.server_context()) as server,
            pytest.raises(ConnectionResetError) as caught,
        ):
            compare(server.url, Witness(objection), ca_bundle=authority.bundle)
        assert caught.value is objection
        assert b"".join(server.received) == b""

    def test_context_refuses_old_protocols(self) -> None:
        context = transport.tls_context()
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname
        assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_logs_hold_nothing_personal(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), Stub(stub.answer(GOOD), stub.reset) as server:
        compare(server.url)
        with pytest.raises(OutcomeUnknown):
            compare(server.url)
    assert "ConnectionResetError" in caplog.text
    assert not [text for text in (NAME, NUMBER, "an-id", "a-key") if text in caplog.text]


def test_http_client_is_not_left_talking() -> None:
    assert http.client.HTTPConnection.debuglevel == 0


@pytest.mark.parametrize(
    ("url", "private", "loopback"),
    [
        ("https://example.com/x", True, False),
        ("https://user@example.com/", False, False),
        ("http://example.com/", False, False),
        ("http://localhost:8410/", True, True),
        ("http://LOCALHOST/", True, True),
        ("http://127.0.0.1/", True, True),
        ("http://127.255.0.1/", True, True),
        ("http://[::1]/", True, True),
        ("http://localhost.example.com/", False, False),
        ("http://127.0.0.1@example.com/", False, False),
        ("http://127.0.0.1\\@example.com/", False, False),
        ("http://128.0.0.1/", False, False),
        ("http://0.0.0.0/", False, False),
        ("//localhost/", False, True),
        ("file:///etc/passwd", False, False),
        ("", False, False),
        (None, False, False),
        (b"https://example.com/", False, False),
    ],
)
def test_where_it_is_safe_to_send(url: object, private: bool, loopback: bool) -> None:
    assert is_private(url) is private
    assert is_loopback(url) is loopback


def framed(body: bytes, framing: str) -> bytes:
    head = b"HTTP/1.1 200 OK\r\n"
    if framing == "sized":
        return head + b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    if framing == "chunked":
        chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
        return head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks
    return head + b"\r\n" + body
