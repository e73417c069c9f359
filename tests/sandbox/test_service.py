"""Field rules and the order of the checks, over the wire."""

from __future__ import annotations

import base64
import time

import pytest

from django_faceverify.sandbox import Sandbox

from .caller import (
    APPID,
    JPEG,
    SECRET_ID,
    compare,
    compare_photo,
    fields,
    get,
    sign,
    sign_text,
)

PNG = b"\x89PNG\r\n\x1a\n and no more"


@pytest.mark.parametrize("image", [JPEG, PNG, base64.b64encode(JPEG), base64.encodebytes(PNG)])
def test_photos(sandbox: Sandbox, image: bytes) -> None:
    assert compare_photo(sandbox.url, image).code == 0
    assert sandbox.bill.lines[0].similarity == 100


@pytest.mark.parametrize(
    ("image", "code"),
    [(b"", -5805), (b"GIF89a", -1400), (base64.b64encode(b"GIF89a"), -1400), (b"x" * 46, -4011)],
)
def test_unusable_photos(sandbox: Sandbox, image: bytes, code: int) -> None:
    assert compare_photo(sandbox.url, image).code == code


def test_with_both_the_url_is_used(sandbox: Sandbox) -> None:
    address = "http://img.example.com/a.jpg"
    assert compare_photo(sandbox.url, b"not an image", url=address).code == 0


@pytest.mark.parametrize(
    "url", ["", None, "img.example.com/a.jpg", "ftp://x.example/", "http://[", "http://x.invalid/"]
)
def test_unusable_urls(sandbox: Sandbox, url: str | None) -> None:
    assert compare(sandbox.url, fields(url=url)).code == -5805


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"appid": "1"}, 6),
        ({"appid": None}, 6),
        ({"idcard_name": None}, -5801),
        ({"idcard_name": " "}, -5801),
        ({"idcard_number": ""}, -5801),
        ({"idcard_number": "11011019990909090"}, -5806),
        ({"idcard_number": "X10110199909090909"}, -5806),
        ({"idcard_number": "１10110199909090909"}, -5806),
        ({"idcard_name": "张3"}, -5806),
        ({"idcard_name": "张\n三"}, -5806),
        ({"idcard_name": "张" * 61}, -5806),
        ({"session_id": "s" * 257}, 21),
        ({"idcard_name": "阿凡提·买买提"}, 0),
        ({"idcard_name": "O'Neil Mary-Ann"}, 0),
        ({"bucket": "anything"}, 0),
    ],
)
def test_field_rules(sandbox: Sandbox, changes: dict[str, str], code: int) -> None:
    assert compare(sandbox.url, {**fields(), **changes}).code == code


#: every broken check, in the order in which they are made: with several, the first counts
FAULTS = [
    ("Content-Type", "text/plain", 3),
    ("Authorization", "", 4),
    ("Authorization", "%%%", 5),
    ("Authorization", sign(secret_id="another", appid="1"), 11),
    ("Authorization", sign(appid="1", secret_key="another"), 10),
    ("Authorization", sign(secret_key="another", issued_at=1), 14),
    ("Authorization", sign(issued_at=1_500_000_000), 9),
    ("Authorization", sign(lifetime=100 * 24 * 3600), 5),
    ("appid", "1", 6),
    ("idcard_name", "", -5801),
    ("idcard_number", "123", -5806),
    ("url", "", -5805),
    ("idcard_number", "110101199003070000", -5804),
]


@pytest.mark.parametrize("first", range(len(FAULTS)))
def test_order_of_checks(sandbox: Sandbox, first: int) -> None:
    values = fields()
    headers: dict[str, str] = {}
    for name, value, _ in reversed(FAULTS[first:]):
        (headers if name[0].isupper() else values)[name] = value
    assert compare(sandbox.url, values, **headers).code == FAULTS[first][2]


def test_calls_are_counted_by_session_id(sandbox: Sandbox) -> None:
    for session_id in ("s-1", "s-2", "s-1"):
        compare(sandbox.url, fields(session_id=session_id))
    compare(sandbox.url, fields(session_id="s-3"), Authorization="")
    assert get(sandbox.base_url + "/calls").json == {
        "count": 3,
        "lines": [{"session_id": "s-1", "count": 2}, {"session_id": "s-2", "count": 1}],
    }


def test_single_use_signature(sandbox: Sandbox) -> None:
    authorization = sign_text(f"a={APPID}&k={SECRET_ID}&e=0&t={int(time.time())}&f=file")
    assert compare(sandbox.url, Authorization=authorization).code == 0
    assert compare(sandbox.url, Authorization=authorization).code == 13
