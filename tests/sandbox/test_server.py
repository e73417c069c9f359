from __future__ import annotations

import http.client
import json
import logging
import socket

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from django_faceverify.sandbox import Sandbox

from .caller import (
    EXAMPLE_NUMBER,
    JPEG,
    NAME,
    SECRET_ID,
    SECRET_KEY,
    compare,
    compare_photo,
    fields,
    get,
    request,
    send_raw,
    sign,
)


def test_success_looks_as_documented(sandbox: Sandbox) -> None:
    answer = compare(sandbox.url, fields(session_id="s-1"))
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json == {
        "data": {"similarity": 100.0, "session_id": "s-1"},
        "code": 0,
        "message": "OK",
    }


def test_refusal_looks_as_documented(sandbox: Sandbox) -> None:
    answer = compare(sandbox.url, Authorization="")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json == {"data": {}, "code": 4, "message": "签名为空"}


@pytest.mark.parametrize("host", ["service.image.myqcloud.com", "recognition.image.myqcloud.com"])
def test_any_host(sandbox: Sandbox, host: str) -> None:
    assert compare(sandbox.url, Host=host).code == 0


def test_methods(sandbox: Sandbox) -> None:
    answer = get(sandbox.url)
    assert (answer.status, answer.headers["Allow"], answer.code) == (405, "POST", 3)
    answer = request(sandbox.base_url + "/bill", b"x" * 100_000)
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")
    assert request(sandbox.url, method="HEAD").body == b""
    assert request(sandbox.url, method="BREW").status == 501


def test_connection_is_kept(sandbox: Sandbox) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", sandbox.port, timeout=10)
    headers = {"Content-Type": "application/json", "Authorization": sign()}
    sockets = set()
    for authorization in (sign(), "", sign()):
        headers["Authorization"] = authorization
        connection.request("POST", "/face/idcardcompare", json.dumps(fields()), headers)
        answer = connection.getresponse()
        assert answer.headers["Connection"] == "keep-alive"
        answer.read()
        sockets.add(connection.sock)
    assert len(sockets) == 1
    connection.close()


def test_pages(sandbox: Sandbox) -> None:
    assert (get(sandbox.base_url + "/health").status, get(sandbox.base_url + "/health").body) == (
        200,
        b"ok",
    )
    page = get(sandbox.base_url + "/")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert b"000000199003070010" in page.body
    assert b"<script" not in page.body
    assert "the vendor&#x27;s own example" in page.body.decode()
    assert get(sandbox.base_url + "/face/detect").status == 404
    assert request(sandbox.base_url + "/", method="HEAD").body == b""


def test_log_holds_nothing_personal(sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    authorization = sign()
    compare(sandbox.url, fields(session_id="s-1"), Authorization=authorization)
    compare(sandbox.url, fields(session_id=EXAMPLE_NUMBER))
    compare(sandbox.url, fields(session_id="s\nforged line"))
    compare_photo(sandbox.url, JPEG + EXAMPLE_NUMBER.encode())
    get(f"{sandbox.base_url}/{EXAMPLE_NUMBER}")
    send_raw(sandbox.url, f"GET /?n={EXAMPLE_NUMBER} HTTP/1.1\r\n\r\n".encode())
    send_raw(sandbox.url, f"{EXAMPLE_NUMBER} {NAME}\r\n\r\n".encode())
    text = caplog.text
    assert "POST /face/idcardcompare session_id=s-1 scenario=example code=0 status=200" in text
    assert len(caplog.records) == 7
    secrets = (EXAMPLE_NUMBER, NAME, "img.example", "JPEG", authorization, SECRET_ID, SECRET_KEY)
    assert [secret for secret in (*secrets, "forged") if secret in text] == []


def test_a_client_that_leaves_is_no_fault(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    for data in (
        b"",
        b"POST /face",
        b"POST /face/idcardcompare HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc",
    ):
        connection = socket.create_connection(("127.0.0.1", sandbox.port))
        connection.sendall(data)
        connection.close()
    assert get(sandbox.base_url + "/health").body == b"ok"
    assert [record for record in caplog.records if record.levelno > logging.INFO] == []
    assert capfd.readouterr().err == ""


def test_other_credentials() -> None:
    with Sandbox(appid="7", secret_id="us", secret_key="hush") as sandbox:
        authorization = sign(appid="7", secret_id="us", secret_key="hush")
        assert compare(sandbox.url, fields(appid=7), Authorization=authorization).code == 0


def test_stop_frees_the_port_and_hangs_up() -> None:
    with Sandbox() as sandbox:
        idle = http.client.HTTPConnection("127.0.0.1", sandbox.port, timeout=10)
        idle.request("GET", "/health")
        idle.getresponse().read()
        connection = idle.sock
    assert connection is not None
    assert connection.recv(1) == b""
    idle.close()
    sandbox.stop()
    with pytest.raises(ConnectionRefusedError):
        get(sandbox.base_url + "/health")
    with Sandbox(port=sandbox.port) as successor:
        assert successor.url == sandbox.url


def test_a_sandbox_that_never_started_can_be_stopped() -> None:
    Sandbox().stop()


def test_ipv6() -> None:
    try:
        sandbox = Sandbox(host="::1")
    except OSError:
        pytest.skip("no IPv6 here")
    with sandbox:
        assert sandbox.url.startswith("http://[::1]:")
        assert compare(sandbox.url).code == 0


REQUEST_LINES = [b"POST /face/idcardcompare HTTP/1.1\r\n", b"GET / HTTP/1.1\r\n", b"\r\n", b""]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.sampled_from(REQUEST_LINES), st.binary(max_size=300))
def test_any_bytes(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture, start: bytes, rest: bytes
) -> None:
    send_raw(sandbox.url, start + rest + b"\r\n\r\n")
    assert [record for record in caplog.records if record.levelno > logging.INFO] == []


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"\xff\xfe\x00 /\r\n\r\n", b"400"),
        (b"POST /face/idcardcompare HTTP/9.9\r\n\r\n", b"505"),
        (b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n", b"414"),
        (b"GET / HTTP/1.1\r\nA: " + b"a" * 1_000_000 + b"\r\n\r\n", b"431"),
        (b"GET / HTTP/1.1\r\n" + b"A: a\r\n" * 1000 + b"\r\n", b"431"),
    ],
)
def test_what_is_not_http_gets_an_answer(sandbox: Sandbox, data: bytes, status: bytes) -> None:
    assert send_raw(sandbox.url, data).split()[1] == status
