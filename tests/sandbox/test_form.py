from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_faceverify.sandbox.codes import Code, Refusal
from django_faceverify.sandbox.form import Form, parse_form

from .caller import APPID, EXAMPLE_NUMBER, JPEG, NAME, fields, multipart

MULTIPART = "multipart/form-data; boundary=frontier"


def refusal(content_type: str, body: bytes) -> Code:
    with pytest.raises(Refusal) as caught:
        parse_form(content_type, body)
    return caught.value.code


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "Application/json",
        "application/json; charset=utf-8",
        " APPLICATION/JSON;",
    ],
)
def test_json(content_type: str) -> None:
    form = parse_form(content_type, json.dumps(fields(session_id="s-1")).encode())
    assert form == Form(
        appid=APPID,
        idcard_number=EXAMPLE_NUMBER,
        idcard_name=NAME,
        url="http://img.example.com/a.jpg",
        session_id="s-1",
    )


@pytest.mark.parametrize("is_escaped", [True, False])
def test_name_escaped_or_as_utf_8(is_escaped: bool) -> None:
    body = json.dumps(fields(), ensure_ascii=is_escaped).encode()
    assert parse_form("application/json", body).idcard_name == NAME


@pytest.mark.parametrize("appid", [APPID, int(APPID)])
def test_appid_as_text_or_number(appid: str | int) -> None:
    body = json.dumps(fields(appid=appid)).encode()
    assert parse_form("application/json", body).appid == APPID


@pytest.mark.parametrize(
    ("tags", "session_id"),
    [
        ({}, ""),
        ({"session_id": "s-1"}, "s-1"),
        ({"seq": "q-1"}, "q-1"),
        ({"session_id": "", "seq": "q-1"}, "q-1"),
        ({"session_id": "s-1", "seq": "q-1"}, "s-1"),
    ],
)
def test_session_id_or_seq(tags: dict[str, str], session_id: str) -> None:
    as_json = parse_form("application/json", json.dumps(fields(**tags)).encode())
    as_multipart = parse_form(MULTIPART, multipart(fields(**tags)))
    assert as_json.session_id == as_multipart.session_id == session_id


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"1",
        b'"text"',
        b"{'appid': 1}",
        b'{"appid": NaN}',
        b'{"appid": 1.5}',
        b'{"appid": true}',
        b'{"appid": ' + b"1" * 5000 + b"}",
        b'{"idcard_number": 110110199909090909}',
        b'{"idcard_name": ["a"]}',
        b'{"idcard_name": "\\ud800"}',
        '{"idcard_name": "张三"}'.encode("gb18030"),
        b"[" * 200_000,
        b'{"a":' * 200_000,
    ],
    ids=lambda body: repr(body[:30]),
)
def test_json_that_cannot_be_used(body: bytes) -> None:
    assert refusal("application/json", body) == Code.BAD_REQUEST


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "application/x-www-form-urlencoded", ";"]
)
def test_other_media_types(content_type: str) -> None:
    assert refusal(content_type, json.dumps(fields()).encode()) == Code.BAD_REQUEST


@pytest.mark.parametrize(
    "content_type",
    [
        MULTIPART,
        "Multipart/form-data;boundary=frontier",
        'multipart/form-data; charset=utf-8; Boundary="frontier"',
    ],
)
def test_multipart(content_type: str) -> None:
    body = multipart(fields(url=None, image=JPEG))
    assert parse_form(content_type, body) == Form(
        appid=APPID, idcard_number=EXAMPLE_NUMBER, idcard_name=NAME, image=JPEG
    )


def test_photo_keeps_every_byte() -> None:
    photo = JPEG + bytes(range(256)) + b"\r\n\r\n--front\r\n\n--\r\n"
    assert parse_form(MULTIPART, multipart({"image": photo})).image == photo


@pytest.mark.parametrize(
    "head",
    [
        'Content-Disposition: form-data; name="idcard_name"',
        'Content-Disposition: form-data; name="idcard_name";',
        'Content-Disposition: form-data; name="idcard_name"; filename="idcard_name"',
        "content-disposition:form-data;name=idcard_name",
        'Content-Disposition: form-data; filename="; name=\\"appid\\""; name="idcard_name"',
        'Content-Type: text/plain\r\nContent-Disposition: form-data; name="idcard_name"',
    ],
)
def test_only_the_field_name_of_a_part_counts(head: str) -> None:
    body = f"preamble\r\n--frontier\r\n{head}\r\n\r\n{NAME}\r\n--frontier--\r\nepilogue".encode()
    assert parse_form(MULTIPART, body) == Form(idcard_name=NAME)


WHOLE = multipart(fields(url=None, image=JPEG))


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", WHOLE),
        ("multipart/form-data; boundary=", WHOLE),
        ("multipart/form-data; boundary=" + "b" * 71, WHOLE),
        ("multipart/form-data; boundary=another", WHOLE),
        (MULTIPART, b""),
        (MULTIPART, WHOLE[: len(WHOLE) // 2]),
        (MULTIPART, WHOLE[:-6]),
        (MULTIPART, WHOLE.replace(b"\r\n", b"\n")),
        (MULTIPART, b"--frontier\r\nContent-Disposition: form-data; name=a\r\n--frontier--"),
        (MULTIPART, b"--frontier\r\nContent-Disposition: file; name=a\r\n\r\n1\r\n--frontier--"),
        (MULTIPART, b"--frontier\r\nX: " + b"x" * 9000 + b"\r\n\r\n1\r\n--frontier--"),
        (MULTIPART, multipart({f"f{number}": "1" for number in range(51)})),
        (MULTIPART, multipart({"idcard_name": NAME.encode("gb18030")})),
    ],
)
def test_multipart_that_cannot_be_used(content_type: str, body: bytes) -> None:
    assert refusal(content_type, body) == Code.BAD_REQUEST


def test_nothing_personal_in_the_repr() -> None:
    form = Form(idcard_number=EXAMPLE_NUMBER, idcard_name=NAME, url="http://x.example/", image=JPEG)
    assert repr(form) == "Form(appid='', session_id='')"


@given(st.sampled_from(["application/json", MULTIPART]), st.binary())
def test_anything_is_parsed_or_refused(content_type: str, body: bytes) -> None:
    pieces = body.replace(b"\x00", b"\r\n--frontier").replace(b"\x01", b"\r\n\r\n")
    for candidate in (body, pieces):
        with suppress(Refusal):
            parse_form(content_type, candidate)


@given(st.text(), st.binary(max_size=50))
def test_any_content_type(content_type: str, body: bytes) -> None:
    with pytest.raises(Refusal):
        parse_form("multipart/form-data;" + content_type, body + b"\xff")
