from __future__ import annotations

import time

import pytest

from django_faceverify.sandbox.signature import Account
from django_faceverify.sandbox.tc3 import ErrorCode, SignedRequest, TC3Verifier

from .caller import APPID, SECRET_ID, SECRET_KEY, sign_tc3

NOW = 1_700_000_000
BODY = rb'{"IdCard": "11204416541220243X", "Name": "\u97e6\u5c0f\u5b9d", "ImageBase64": "/9j/4AAQ"}'


def signed(timestamp: int = NOW) -> SignedRequest:
    return SignedRequest(sign_tc3(BODY, timestamp=timestamp), BODY)


def changed(header: str, value: str) -> SignedRequest:
    return SignedRequest(signed().headers | {header: value}, BODY)


def refusal(request: SignedRequest, now: float = NOW) -> str:
    verifier = TC3Verifier(Account(APPID, SECRET_ID, SECRET_KEY), "faceid", lambda: now)
    try:
        verifier.verify(request)
    except ErrorCode as error:
        return error.code
    return ""


def test_the_documented_vector_is_honest() -> None:
    signature = "d07f67081523f5d7b75a680d3bba0a474bd77ccfd4a33d5a72315a0e20bb1de0"
    request = SignedRequest(
        {
            "authorization": f"TC3-HMAC-SHA256 Credential={SECRET_ID}/2023-11-14/faceid/"
            f"tc3_request, SignedHeaders=content-type;host, Signature={signature}",
            "content-type": "application/json",
            "host": "faceid.tencentcloudapi.com",
            "x-tc-timestamp": str(NOW),
        },
        BODY,
    )
    assert refusal(request) == ""


def test_an_honest_request() -> None:
    assert refusal(signed()) == ""


@pytest.mark.parametrize("drift", [-300, 300])
def test_clocks_may_differ_by_five_minutes(drift: int) -> None:
    assert refusal(signed(), now=NOW + drift) == ""
    beyond = NOW + drift + (1 if drift > 0 else -1)
    assert refusal(signed(), now=beyond) == "AuthFailure.SignatureExpire"


def test_a_body_changed_on_the_way() -> None:
    honest = signed()
    assert refusal(SignedRequest(honest.headers, BODY + b" ")) == "AuthFailure.SignatureFailure"


@pytest.mark.parametrize("header", ["host", "content-type"])
def test_a_header_changed_on_the_way(header: str) -> None:
    assert refusal(changed(header, "another")) == "AuthFailure.SignatureFailure"


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Basic YTpi",
        "TC3-HMAC-SHA256",
        f"TC3-HMAC-SHA256 Credential={SECRET_ID}/2023-11-14/faceid/tc3_request, "
        f"SignedHeaders=host, Signature={'0' * 64}",
    ],
)
def test_what_is_no_signature(authorization: str) -> None:
    request = changed("authorization", authorization)
    assert refusal(request) == "AuthFailure.InvalidAuthorization"


@pytest.mark.parametrize("timestamp", ["", "now", "1.5", "-1"])
def test_what_is_no_time(timestamp: str) -> None:
    request = changed("x-tc-timestamp", timestamp)
    assert refusal(request) == "AuthFailure.InvalidAuthorization"


def test_another_account_and_a_guessed_key() -> None:
    headers = sign_tc3(BODY, timestamp=NOW, secret_id="nobody")
    assert refusal(SignedRequest(headers, BODY)) == "AuthFailure.SecretIdNotFound"
    headers = sign_tc3(BODY, timestamp=NOW, secret_key="guessed")
    assert refusal(SignedRequest(headers, BODY)) == "AuthFailure.SignatureFailure"


def test_the_day_of_the_scope_is_that_of_utc() -> None:
    headers = sign_tc3(BODY, timestamp=NOW, day="2023-11-15")
    assert refusal(SignedRequest(headers, BODY)) == "AuthFailure.SignatureFailure"


def test_now_is_the_clock_of_this_machine() -> None:
    verifier = TC3Verifier(Account(APPID, SECRET_ID, SECRET_KEY), "faceid")
    verifier.verify(signed(timestamp=int(time.time())))
