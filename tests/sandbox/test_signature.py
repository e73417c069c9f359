from __future__ import annotations

import base64
import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_faceverify.sandbox.codes import Code, Refusal
from django_faceverify.sandbox.signature import Account, SignatureVerifier, Token

from .caller import APPID, SECRET_ID, SECRET_KEY, sign, sign_text

SIGNATURES = json.loads(Path(__file__).with_name("samples.json").read_text("utf-8"))["signatures"]
ISSUED_AT = 1_500_000_000
DAY = 24 * 3600


def verifier(now: float = ISSUED_AT) -> SignatureVerifier:
    return SignatureVerifier(Account(APPID, SECRET_ID, SECRET_KEY), clock=lambda: now)


def refusal(authorization: str, now: float = ISSUED_AT) -> Code:
    with pytest.raises(Refusal) as caught:
        verifier(now).verify(authorization)
    return caught.value.code


@pytest.mark.parametrize("name", SIGNATURES)
def test_published_vectors(name: str) -> None:
    vector = SIGNATURES[name]
    token = verifier().verify(vector["authorization"])
    assert token.signed_text.decode() == vector["orig"]
    assert token.digest.hex() == vector["hmac_hex"]
    assert token.issued_at == ISSUED_AT


@pytest.mark.parametrize(
    "order", ["a b k e t r u f", "a k e t r u f", "a b k t e", "a k t r u b e", "t e k a"]
)
def test_any_order_and_set_of_fields(order: str) -> None:
    values = {
        "a": APPID, "b": "bucket", "k": SECRET_ID, "e": ISSUED_AT + 60, "t": ISSUED_AT,
        "r": 1, "u": 0, "f": "",
    }  # fmt: skip
    text = "&".join(f"{name}={values[name]}" for name in order.split())
    assert verifier().verify(sign_text(text)).appid == APPID


def test_empty() -> None:
    assert refusal("") == Code.SIGNATURE_EMPTY


@pytest.mark.parametrize(
    "authorization",
    [
        "FCHXdPTEwMDAwMzc5Jms9QUtJRGVRZDBrRU1yM2J4ZjhRckJi==",  # the placeholder in the docs
        "not base64!",
        "签名",
        base64.b64encode(b"only a digest, no te").decode(),
        sign() + "=",
        sign() + "\n",
        sign()[:30] + "\n" + sign()[30:],
        base64.urlsafe_b64encode(b"\xfb\xff" * 30).decode(),
        base64.b64encode(b"\xff" * 60).decode(),
        sign_text(f"a={APPID}&k={SECRET_ID}&t={ISSUED_AT}"),
        sign_text(f"a={APPID}&k={SECRET_ID}&e=&t={ISSUED_AT}"),
        sign_text(f"a={APPID}&k={SECRET_ID}&e={ISSUED_AT + 60}.5&t={ISSUED_AT}"),
        sign_text(f"a={APPID}&k={SECRET_ID}&e=-1&t={ISSUED_AT}"),
        sign_text(f"a={APPID}&k={SECRET_ID}&e={'9' * 5000}&t={ISSUED_AT}"),
        sign_text(f"a={APPID}&a={APPID}&k={SECRET_ID}&e={ISSUED_AT + 60}&t={ISSUED_AT}"),
        sign_text(f"a={APPID}&k={SECRET_ID}&e={ISSUED_AT + 60}&t={ISSUED_AT}&r"),
        sign_text(f"a={APPID}&k={SECRET_ID}&e={ISSUED_AT + 60}&t={ISSUED_AT}&u=张"),
    ],
)
def test_malformed(authorization: str) -> None:
    assert refusal(authorization) == Code.SIGNATURE_MALFORMED


def test_owner() -> None:
    assert refusal(sign(secret_id="another")) == Code.SECRET_ID_UNKNOWN
    assert refusal(sign(appid="1")) == Code.APPID_UNKNOWN
    assert refusal(sign(appid="1", secret_id="another")) == Code.SECRET_ID_UNKNOWN


def test_wrong_key_is_found_before_expiry() -> None:
    assert refusal(sign(secret_key="another", issued_at=1)) == Code.SIGNATURE_WRONG


def test_digest_as_hexadecimal_text() -> None:
    text = f"a={APPID}&k={SECRET_ID}&e={ISSUED_AT + 60}&t={ISSUED_AT}&f="
    hexadecimal = base64.b64decode(sign_text(text))[:20].hex()
    authorization = base64.b64encode((hexadecimal + text).encode()).decode()
    assert refusal(authorization) == Code.SIGNATURE_MALFORMED


def test_expiry_to_the_second() -> None:
    authorization = sign(issued_at=ISSUED_AT, lifetime=60)
    assert verifier(ISSUED_AT + 60).verify(authorization) is not None
    assert refusal(authorization, now=ISSUED_AT + 61) == Code.SIGNATURE_EXPIRED


def test_lifetime_of_three_months_at_most() -> None:
    assert verifier().verify(sign(issued_at=ISSUED_AT, lifetime=90 * DAY)) is not None
    too_long = sign(issued_at=ISSUED_AT, lifetime=90 * DAY + 1)
    assert refusal(too_long) == Code.SIGNATURE_MALFORMED
    expires_when_issued = sign(issued_at=ISSUED_AT, lifetime=0)
    assert refusal(expires_when_issued) == Code.SIGNATURE_MALFORMED


def test_many_uses_until_expiry() -> None:
    our_verifier = verifier()
    authorization = sign(issued_at=ISSUED_AT)
    assert our_verifier.verify(authorization) == our_verifier.verify(authorization)


def test_single_use() -> None:
    our_verifier = verifier()
    authorization = SIGNATURES["V6"]["authorization"]
    our_verifier.verify(authorization)
    with pytest.raises(Refusal) as caught:
        our_verifier.verify(authorization)
    assert caught.value.code == Code.SIGNATURE_REPLAYED


def test_single_use_must_be_bound_to_a_file() -> None:
    unbound = sign_text(f"a={APPID}&k={SECRET_ID}&e=0&t={ISSUED_AT}&f=")
    assert refusal(unbound) == Code.SIGNATURE_MALFORMED


def test_the_key_is_not_shown() -> None:
    assert SECRET_KEY not in repr(Account(APPID, SECRET_ID, SECRET_KEY))


@given(st.one_of(st.text(), st.binary().map(lambda data: base64.b64encode(data).decode())))
def test_anything_is_parsed_or_refused(authorization: str) -> None:
    with suppress(Refusal):
        Token.parse(authorization)
