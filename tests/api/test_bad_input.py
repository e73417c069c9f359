"""Whatever is sent: a problem document, nothing stored, nobody called."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from django_faceverify.models import Verification
from tests import photos
from tests.api.asking import (
    AGREED,
    VERIFICATIONS,
    as_file,
    assert_problem,
    decided,
    found,
    one,
    send,
    stock,
)
from tests.conftest import CONSENT, draw_jpeg

WRONG_TYPES: list[object] = [7, 1.5, True, [], ["a"], {}, {"a": 1}]
BAD_TEXTS = ["\x00", "a\x00b", "\x1b[31m", "\u202e", "a\u200bb", "\ud800", "\ue000"]
BAD_NAMES = ["", "   ", "😀", "张" * 61, "x" * 10_000, "<b>", "张三;", "1", "·", *BAD_TEXTS]
BAD_NUMBERS = [
    "", " ", "1", "0" * 17, "0" * 19, "x" * 10_000, "😀" * 18, "00000019900101001X1",
    "000000199013010011",  # no month 13
    "000000199002300011",  # no 30 February
    "000000189901010011",  # too long ago
    "000000299901010011",  # not yet born
    "11010519491231002X",  # a number that a real person could hold
    *BAD_TEXTS,
]  # fmt: skip
BAD_METADATA: list[object] = [
    "text", 7, True, [], ["a"], {"a": {}}, {"a": ["b"]}, {"a": "x" * 201}, {"x" * 201: 1},
    {str(n): n for n in range(21)}, *({"a": text} for text in BAD_TEXTS),
]  # fmt: skip
BAD_CONSENT: list[object] = [
    "yes", 7, True, [], {}, {"granted": True}, {"granted": False, "text_version": "1"},
    {"granted": "true", "text_version": "1"}, {"granted": True, "text_version": 1},
    {"granted": True, "text_version": "x" * 51}, {"granted": True, "text_version": ""},
    *({"granted": True, "text_version": text} for text in BAD_TEXTS),
]  # fmt: skip
BAD_URLS: list[object] = [
    "", "me.jpg", "ftp://example.com/a.jpg", "javascript:alert(1)", "https://", "https://u:p@h/",
    "https://example.com:99999/", "https://[::1", "https://例子.cn/", "https://a/" + "x" * 2000,
    "file:///etc/passwd", *WRONG_TYPES, *BAD_TEXTS,
]  # fmt: skip

BAD_VALUES: list[tuple[str, object]] = [
    *[("idcard_name", value) for value in (*WRONG_TYPES, None, *BAD_NAMES)],
    *[("idcard_number", value) for value in (*WRONG_TYPES, None, *BAD_NUMBERS)],
    *[("level", value) for value in (*WRONG_TYPES, "", "no such", "x" * 10_000, *BAD_TEXTS)],
    *[("reference", value) for value in (*WRONG_TYPES, "x" * 101, *BAD_TEXTS)],
    *[("metadata", value) for value in BAD_METADATA],
    *[("consent", value) for value in BAD_CONSENT],
    *[("url", value) for value in BAD_URLS],
    *[("image", value) for value in (*WRONG_TYPES, "", "aGVsbG8=", "\ud800")],
    ("idcard_nam", "张三"),
    ("verify_at", 0),
]


@contextmanager
def nothing_happens(folder: Path) -> Iterator[None]:
    before = stock(folder)
    yield
    assert stock(folder) == before


def test_every_field_as_json(
    as_alice: APIClient, idcard: dict[str, Any], photo_folder: Path
) -> None:
    with nothing_happens(photo_folder):
        for field, value in BAD_VALUES:
            response = send(as_alice, VERIFICATIONS, {**idcard, "consent": CONSENT, field: value})
            assert_problem(response, 400, "invalid_input", field)


def test_every_field_as_multipart(
    as_alice: APIClient, idcard: dict[str, Any], photo_folder: Path
) -> None:
    with nothing_happens(photo_folder):
        for field, value in BAD_VALUES:
            if isinstance(value, list | dict) and field in ("metadata", "consent"):
                text = json.dumps(value)
            elif isinstance(value, str) and value.isprintable():
                text = value
            else:
                continue
            body = {**idcard, **AGREED, field: text}
            response = as_alice.post(VERIFICATIONS, body, format="multipart")
            assert_problem(response, 400, "invalid_input", field)


def test_every_field_of_a_correction(as_alice: APIClient, alice: User, photo_folder: Path) -> None:
    case = decided(alice, found("id_name_mismatch"))
    values = [pair for pair in BAD_VALUES if pair[0] in ("idcard_name", "idcard_number")]
    with nothing_happens(photo_folder):
        for field, value in values:
            if value is not None:
                body = {field: value, "url": "https://example.com/me.jpg"}
                response = send(as_alice, one(case, "photos/"), body)
                assert_problem(response, 400, "invalid_input", field)
        empty: list[dict[str, Any]] = [{}, {"idcard_name": "张三"}, {"image": None, "url": None}]
        for body in empty:
            response = send(as_alice, one(case, "photos/"), body)
            assert_problem(response, 400, "required", "image")


def test_a_live_level_takes_only_right_numbers(
    as_alice: APIClient, idcard: dict[str, Any], photo_folder: Path
) -> None:
    with nothing_happens(photo_folder):
        for number, code in (
            ("110105194912310021", "idcard_number_check_digit"),
            ("99010519491231002X", "idcard_number_region"),
        ):
            body = {**idcard, "level": "live", "idcard_number": number}
            assert_problem(send(as_alice, VERIFICATIONS, body), 400, code, "idcard_number")


def test_an_image_in_json_is_told_the_way(as_alice: APIClient, idcard: dict[str, Any]) -> None:
    response = send(as_alice, VERIFICATIONS, {**idcard, "image": "aGVsbG8="})
    body = assert_problem(response, 400, "image_not_a_file", "image")
    assert "multipart/form-data" in body["detail"]


def test_image_and_address(as_alice: APIClient, idcard: dict[str, Any], jpeg: bytes) -> None:
    body = {**idcard, **AGREED, "image": as_file(jpeg), "url": "https://example.com/me.jpg"}
    response = as_alice.post(VERIFICATIONS, body, format="multipart")
    assert_problem(response, 400, "image_or_url", "url")


def photo_corpus() -> dict[str, tuple[bytes, str]]:
    good = photos.jpeg()
    return {
        "GIF": (photos.encode(photos.scene(), "GIF"), "image_format"),
        "WebP": (photos.encode(photos.scene(), "WEBP"), "image_format"),
        "animation": (
            photos.png(save_all=True, append_images=[photos.noise()]), "image_animated",
        ),
        "truncated": (good[: len(good) // 2], "image_undecodable"),
        "empty": (b"", "image_empty"),
        "text": (b"not a photo at all", "image_format"),
        "page": (b"<html><script>alert(1)</script>", "image_format"),
        "signature only": (b"\xff\xd8\xff", "image_undecodable"),
        "bomb": (photos.resized_jpeg_header(good, 20_000, 20_000), "image_too_many_pixels"),
        "small": (photos.jpeg(photos.scene(63, 200)), "image_too_small"),
        "large": (good + b"\0" * 7_000_000, "image_too_large"),
    }  # fmt: skip


@pytest.mark.parametrize("name", photo_corpus())
def test_photos(
    as_alice: APIClient, alice: User, idcard: dict[str, Any], photo_folder: Path, name: str
) -> None:
    data, code = photo_corpus()[name]
    case = decided(alice, found("no_face"))
    with nothing_happens(photo_folder):
        for address, body in ((VERIFICATIONS, {**idcard, **AGREED}), (one(case, "photos/"), {})):
            sent = {**body, "image": as_file(data, "me.jpg")}
            response = as_alice.post(address, sent, format="multipart")
            assert_problem(response, 400, code, "image")


def test_a_large_photo_through_a_session(
    alice: User, idcard: dict[str, Any], photo_folder: Path
) -> None:
    """The CSRF check reads the body before our parser does."""
    browser = APIClient(enforce_csrf_checks=True)
    browser.force_login(alice)
    browser.cookies["csrftoken"] = "x" * 32
    body = {**idcard, **AGREED, "image": as_file(b"\xff" * 7_000_000)}
    with nothing_happens(photo_folder):
        response = browser.post(VERIFICATIONS, body, format="multipart")
        assert_problem(response, 400, "image_too_large", "image")
        broken = browser.post(VERIFICATIONS, b"x", content_type="multipart/form-data; boundary=\t")
        assert_problem(broken, 400, "parse_error")


def test_files_where_texts_belong(
    as_alice: APIClient, idcard: dict[str, Any], jpeg: bytes, photo_folder: Path
) -> None:
    fields = ("idcard_name", "idcard_number", "level", "reference", "metadata", "consent", "url")
    with nothing_happens(photo_folder):
        for field in fields:
            body = {**idcard, field: as_file(jpeg, "default")}
            response = as_alice.post(VERIFICATIONS, body, format="multipart")
            assert_problem(response, 400, "invalid_input", field)
        two = {**idcard, "image": [as_file(jpeg), as_file(jpeg)]}
        response = as_alice.post(VERIFICATIONS, two, format="multipart")
        assert_problem(response, 400, "repeated_field", "image")
        twice = {**idcard, "idcard_name": ["张三", "李四"]}
        response = as_alice.post(VERIFICATIONS, twice, format="multipart")
        assert_problem(response, 400, "repeated_field", "idcard_name")
        other = {**idcard, "selfie": as_file(jpeg)}
        response = as_alice.post(VERIFICATIONS, other, format="multipart")
        assert_problem(response, 400, "unknown_field", "selfie")


BROKEN_BODIES: list[tuple[bytes, str]] = [
    (b"", "required"),
    (b"{}", "required"),
    (b"null", "body_not_object"),
    (b"[]", "body_not_object"),
    (b'"text"', "body_not_object"),
    (b"7", "body_not_object"),
    (b"{", "parse_error"),
    (b"{'a': 1}", "parse_error"),
    (b'{"idcard_name": "a", "idcard_name": "b"}', "parse_error"),
    (b'{"metadata": {"a": NaN}}', "parse_error"),
    (b'{"metadata": {"a": -Infinity}}', "parse_error"),
    (b'{"metadata": {"a": 1e999}}', "parse_error"),
    (b'{"metadata": {"a": ' + b"9" * 5000 + b"}}", "parse_error"),
    (b'{"metadata": {"a": 1000000000000000000000}}', "parse_error"),
    (b"[" * 200_000, "parse_error"),
    (b'{"a":' * 200_000, "parse_error"),
    (b"\xff\xfe\xfd", "parse_error"),
    (b"\xef\xbb\xbf{}", "parse_error"),
    (b"\x00", "parse_error"),
    (b'{"idcard_name": "\x00"}', "parse_error"),
    (b'{"\\ud800": 1}', "unknown_field"),
    (b'{"' + b"x" * 10_000 + b'": 1}', "unknown_field"),
]


def test_broken_bodies(as_reviewer: APIClient, alice: User, photo_folder: Path) -> None:
    case = decided(alice, found("no_face"))
    in_json: dict[str, Any] = {"content_type": "application/json"}
    addresses = [VERIFICATIONS, f"{VERIFICATIONS}search/", one(case, "review/")]
    with nothing_happens(photo_folder):
        for body, code in BROKEN_BODIES:
            for address in addresses:
                response = as_reviewer.post(address, body, **in_json)
                expected = "invalid_input" if code in ("required", "unknown_field") else code
                assert_problem(response, 400, expected)
            if code != "required":
                assert_problem(as_reviewer.post(one(case, "cancel/"), body, **in_json), 400)


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json; charset=utf-16", 400),
        ("application/json; charset=bz2_codec", 400),
        ("application/json; charset=idna", 400),
        ("application/json; charset=no-such", 400),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("application/xml", 415),
        ("é", 415),
        ("", 415),
        ("multipart/form-data", 400),
        ("multipart/form-data; boundary=é", 400),
        ("multipart/form-data; boundary=", 400),
        ("multipart/form-data; boundary=" + "x" * 300, 400),
        ("multipart/form-data; boundary=other", 400),
    ],
)
def test_content_types(as_alice: APIClient, content_type: str, status: int) -> None:
    body = '{"idcard_name": 7}'
    response = as_alice.generic("POST", VERIFICATIONS, body, content_type=content_type)
    if content_type.startswith("multipart/form-data; boundary=xxx"):
        status = response.status_code if response.status_code == 415 else status
    assert_problem(response, status)


def test_a_body_that_is_too_large(as_alice: APIClient) -> None:
    body = {"idcard_name": "x" * 3_000_000}
    assert_problem(send(as_alice, VERIFICATIONS, body), 413, "too_large")
    response = as_alice.post(VERIFICATIONS, body, format="multipart")
    assert_problem(response, 413, "too_large")
    many = {f"field{n}": "x" for n in range(1100)}
    assert_problem(as_alice.post(VERIFICATIONS, many, format="multipart"), 400, "parse_error")


def test_what_was_sent_is_not_repeated(as_alice: APIClient) -> None:
    for name in ("秘密的名字<", "a@b.c"):
        response = send(as_alice, VERIFICATIONS, {"idcard_name": name, "idcard_number": "1234567"})
        assert name not in response.content.decode()
        assert "1234567" not in response.content.decode()
        assert name not in send(as_alice, VERIFICATIONS, {name: 1}).content.decode()


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)  # fmt: skip
FIELDS = st.sampled_from(
    ["idcard_name", "idcard_number", "level", "reference", "metadata", "consent", "url", "image"]
)
BODIES = st.dictionaries(FIELDS | st.text(max_size=5), VALUES, max_size=6) | VALUES


@given(body=BODIES, is_on_top=st.booleans())
@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_no_body_breaks_it(
    as_alice: APIClient, idcard: dict[str, Any], body: Any, is_on_top: bool
) -> None:
    if is_on_top and isinstance(body, dict):
        body = {**idcard, "consent": CONSENT, **body}
    response = send(as_alice, VERIFICATIONS, body)
    if response.status_code >= 400:
        assert_problem(response, 400)
    else:
        assert response.status_code in (201, 202)
        assert as_alice.get(response["Location"]).json()["id"] == response.json()["id"]


@given(note=VALUES, decision=VALUES, reason_code=VALUES)
@settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_no_review_breaks_it(
    as_reviewer: APIClient, alice: User, note: Any, decision: Any, reason_code: Any
) -> None:
    case = Verification.objects.first() or decided(alice)
    body = {"note": note, "decision": decision, "reason_code": reason_code}
    assert_problem(send(as_reviewer, one(case, "review/"), body), 400)
    body = {"note": note, "decision": "verify", "reason_code": "same_person"}
    assert send(as_reviewer, one(case, "review/"), body).status_code in (400, 409)


def test_a_good_photo_is_good(as_alice: APIClient, idcard: dict[str, Any]) -> None:
    """The corpus fails for what is in it, not for how it is sent."""
    for data in (draw_jpeg(), photos.png(), photos.jpeg(progressive=True)):
        sent = {**idcard, **AGREED, "image": as_file(data, "me.gif", "text/plain")}
        assert as_alice.post(VERIFICATIONS, sent, format="multipart").status_code == 202
