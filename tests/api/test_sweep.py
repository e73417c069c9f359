"""Anything, from anybody, anywhere: a problem document, never a fault, and nothing is stored."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.authentication import BasicAuthentication, SessionAuthentication
from rest_framework.test import APIClient

from django_faceverify import tokens
from django_faceverify.api import urls as api_urls
from django_faceverify.api.door import Door
from django_faceverify.models import Event, IdempotencyRecord, Photo
from tests.api.asking import API, VERIFICATIONS, assert_problem, in_review, one, plain_case, stock

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "X-Y"]
UNKNOWN = "01890000-0000-7000-8000-000000000000"
#: the parameters of the URLconf, and what a test fills in
NAMES = {"<str:verification_id>": "{id}", "<str:photo_id>": "{photo}", "<str:delivery_id>": UNKNOWN}


def path_of(route: str) -> str:
    for parameter, name in NAMES.items():
        route = route.replace(parameter, name)
    return route


PATHS = ["", *(path_of(str(pattern.pattern)) for pattern in api_urls.addresses)]
POSTS = ("photos", "consent", "withdraw", "cancel", "redact", "review", "reveal", "export",
         "reopen", "confirm", "token", "revoke", "undo")  # fmt: skip
#: what needs no fields, so that an empty body is a good one
NEED_NOTHING = ("cancel/", "withdraw/", "redact/", "token/", "revoke/")
IDS = ["{case}", UNKNOWN, "nobody", "%00", "a" * 5000, "..%2e", "{case}%20", "{CASE}%0a"]

JSON = "application/json"
FORM = "multipart/form-data; boundary=b"


def form(*parts: bytes) -> bytes:
    return b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + b"--b--\r\n"


def part(name: bytes, value: bytes, more: bytes = b"") -> bytes:
    return b'Content-Disposition: form-data; name="' + name + b'"' + more + b"\r\n\r\n" + value


#: bodies that are good nowhere
BODIES: dict[str, tuple[bytes, str]] = {
    "nothing that JSON is": (b" ", JSON),
    "NUL": (b"\x00", JSON),
    "half a character": (b'{"idcard_name": "\\ud800", "odd": 1}', JSON),
    "an odd name": (b'{"\\udfff\\u0000": "\\ud800"}', JSON),
    "a name twice": (b'{"note": "a", "note": "b"}', JSON),
    "a deep list": (b"[" * 100_000 + b"]" * 100_000, JSON),
    "a deep object": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, JSON),
    "a long number": (b'{"a": ' + b"9" * 100_000 + b"}", JSON),
    "not UTF-8": (b'{"idcard_name": "\xc3\x28"}', JSON),
    "another charset": ('{"odd": "张"}'.encode("gbk"), f"{JSON}; charset=gbk"),
    "a charset that is none": (b"{}", f"{JSON}; charset=rot13"),
    "a list": (b"[1]", JSON),
    "a text": (b'"a"', JSON),
    "cut off": (b'{"idcard_name": "a', JSON),
    "plain text": (b"{}", "text/plain"),
    "a form of old": (b"idcard_name=a", "application/x-www-form-urlencoded"),
    "no type": (b'{"a": 1}', ""),
    "a long type": (b'{"a": 1}', "application/" + "j" * 100_000),
    "a form without its end": (b"--b\r\n" + part(b"odd", b"x"), FORM),
    "a form of an odd field": (form(part("é".encode(), b"\xff")), FORM),
    "a form with a field twice": (form(part(b"note", b"a"), part(b"note", b"b")), FORM),
    "a form with a file for a text": (
        form(part(b"decision", b"x", b'; filename="\x00/../a"'), part(b"odd", b"1")), FORM,
    ),
    "a form of many fields": (form(*[part(b"f%d" % n, b"x") for n in range(1200)]), FORM),
    "a form in base64": (
        form(part(b"image", b"====", b'; filename="a"\r\nContent-Transfer-Encoding: base64')), FORM,
    ),
}  # fmt: skip

LONG = "x" * 20_000
ODD_TEXTS = ["", LONG, "\x00", "\xff\xfe", "\xe9\x80", ",;=\"'\\", "%s%n{0}", "*", "-1", "1" * 5000]
#: headers that something behind the API reads
HEADERS = [
    "HTTP_ACCEPT", "HTTP_ACCEPT_ENCODING", "HTTP_ACCEPT_LANGUAGE", "HTTP_AUTHORIZATION",
    "HTTP_COOKIE", "HTTP_IDEMPOTENCY_KEY", "HTTP_IF_MATCH", "HTTP_IF_MODIFIED_SINCE",
    "HTTP_IF_NONE_MATCH", "HTTP_LAST_EVENT_ID", "HTTP_ORIGIN", "HTTP_PREFER", "HTTP_RANGE",
    "HTTP_REFERER", "HTTP_X_CSRFTOKEN", "HTTP_X_FORWARDED_FOR", "HTTP_X_HTTP_METHOD_OVERRIDE",
    "HTTP_X_REQUESTED_WITH",
]  # fmt: skip


@pytest.fixture
def everybody(
    as_anonymous: APIClient,
    as_alice: APIClient,
    as_bob: APIClient,
    as_reviewer: APIClient,
    as_root: APIClient,
    bob: User,
) -> list[APIClient]:
    """Those with and without an account, and last whoever holds a token of Bob's case."""
    with_token = APIClient()
    secret = tokens.issue(plain_case(bob)).secret
    with_token.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    return [as_anonymous, as_alice, as_bob, as_reviewer, as_root, with_token]


@pytest.fixture
def paths(alice: User) -> list[str]:
    """Every address, about a case of Alice's that is in review."""
    case = in_review(alice)
    return [path.format(id=case.pk, photo=Photo.objects.get().pk) for path in PATHS]


def assert_refused(response: Any) -> None:
    """A problem, and one that is the caller's."""
    assert 400 <= response.status_code < 500, response.content[:200]
    if response.request["REQUEST_METHOD"] != "HEAD":
        assert_problem(response, response.status_code)


def assert_no_fault(response: Any) -> None:
    assert response.status_code < 500
    if response.status_code >= 400:
        assert_refused(response)


def test_any_method_on_any_address_by_anybody(
    everybody: list[APIClient], paths: list[str], photo_folder: Path
) -> None:
    looks = Event.objects.filter(action="photo_viewed")
    before = stock(photo_folder)
    for client in everybody:
        for path in paths:
            for method in METHODS:
                body, kind = ("[1]", JSON) if method != "GET" else ("", "")
                response = client.generic(method, API + path, body, content_type=kind)
                assert_no_fault(response)
                if method not in ("GET", "HEAD"):
                    assert_refused(response)
    after = stock(photo_folder)
    assert after == (*before[:4], before[4] + looks.count(), *before[5:])


@pytest.mark.parametrize("name", BODIES)
def test_any_body_to_any_address_by_anybody(
    everybody: list[APIClient], paths: list[str], photo_folder: Path, name: str
) -> None:
    body, kind = BODIES[name]
    before = stock(photo_folder)
    for client in everybody:
        for path in paths:
            assert_refused(post(client, path, body, kind))
            assert_refused(post(client, path, body, kind, HTTP_IDEMPOTENCY_KEY="k"))
    assert stock(photo_folder) == before
    assert not IdempotencyRecord.objects.exists()


@pytest.mark.one_database
@pytest.mark.parametrize("kind", [JSON, FORM, "application/octet-stream", ""])
def test_ten_megabytes(
    everybody: list[APIClient], paths: list[str], photo_folder: Path, kind: str
) -> None:
    photo = part(b"image", b"\xff" * 10_000_000, b'; filename="a.jpg"')
    body = form(photo) if kind == FORM else b'{"idcard_name": "' + b"x" * 10_000_000 + b'"}'
    before = stock(photo_folder)
    for client in (everybody[0], everybody[1], *everybody[-2:]):
        for path in paths:
            assert_refused(post(client, path, body, kind))
    assert stock(photo_folder) == before


def test_no_body_at_all(everybody: list[APIClient], paths: list[str], photo_folder: Path) -> None:
    before = stock(photo_folder)
    for client in everybody:
        for path in paths:
            if not path.endswith(NEED_NOTHING):
                for kind in (JSON, FORM, ""):
                    assert_refused(post(client, path, b"", kind))
    assert stock(photo_folder) == before


def test_any_id_by_anybody(everybody: list[APIClient], alice: User) -> None:
    """For whom it is not, a case is as if it were not there."""
    case = plain_case(alice)
    for client in everybody[2:]:
        for path in PATHS:
            if "{id}" not in path:
                continue
            unknown = ask(client, path.format(id=UNKNOWN, photo=UNKNOWN))
            assert_problem(unknown, 404, "not_found")
            for text in IDS[2:]:
                text = text.format(case=case.pk, CASE=str(case.pk).upper())
                response = ask(client, path.format(id=text, photo=text))
                assert response.content == unknown.content, (path, text)
    bob = everybody[2]
    for path in PATHS:
        if "{id}" in path:
            foreign = ask(bob, path.format(id=case.pk, photo=UNKNOWN))
            assert foreign.content == ask(bob, path.format(id=UNKNOWN, photo=UNKNOWN)).content


def post(client: APIClient, path: str, body: bytes, kind: str, **headers: str) -> Any:
    sent: Any = body
    more: dict[str, Any] = {**headers}
    return client.generic("POST", API + path, sent, content_type=kind, **more)


def ask(client: APIClient, path: str) -> Any:
    is_post = path.rstrip("/").rpartition("/")[2] in POSTS
    return client.generic("POST" if is_post else "GET", API + path, "{}" if is_post else "", JSON)


def headers() -> Iterator[dict[str, Any]]:
    for name in HEADERS:
        for text in ODD_TEXTS:
            yield {name: text}
            if name == "HTTP_AUTHORIZATION":
                yield {name: f"Basic {text}"}
                yield {name: f"Bearer {text}"}


def test_any_header(alice: User, monkeypatch: pytest.MonkeyPatch, photo_folder: Path) -> None:
    """With the authentication of a real site."""
    monkeypatch.setattr(
        Door, "authentication_classes", [BasicAuthentication, SessionAuthentication]
    )
    case = plain_case(alice)
    client = APIClient()
    client.force_login(alice)
    session = client.cookies.output(header="", sep=";")
    before = stock(photo_folder)
    for sent in headers():
        sent.setdefault("HTTP_COOKIE", session)
        assert_no_fault(client.get(one(case), **sent))
        assert_no_fault(client.get(one(case, "stream/"), **sent))
        assert_no_fault(client.get(VERIFICATIONS, **sent))
        assert_refused(client.post(VERIFICATIONS, "{}", content_type=JSON, **sent))
    assert stock(photo_folder) == before


ODD = st.text(st.characters(codec="latin-1"), max_size=40)


@given(
    key=ODD | st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=300),
    prefer=ODD | st.from_regex(r"wait ?= ?\"?[0-9]{1,9}\"?", fullmatch=True),
    seen=ODD,
    expand=st.text(max_size=20),
)
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_no_header_breaks_it(
    as_alice: APIClient, as_reviewer: APIClient, alice: User, idcard: dict[str, Any],
    key: str, prefer: str, seen: str, expand: str,
) -> None:  # fmt: skip
    more: dict[str, Any] = {"HTTP_IDEMPOTENCY_KEY": key}
    body = json.dumps(idcard)
    response = as_alice.post(VERIFICATIONS, body, content_type=JSON, **more)
    if response.status_code != 201:
        assert_problem(response, 400, "idempotency_key_invalid")
        return
    again = as_alice.post(VERIFICATIONS, body, content_type=JSON, **more)
    assert again.json()["id"] == response.json()["id"]
    look: dict[str, Any] = {"HTTP_PREFER": prefer, "HTTP_IF_NONE_MATCH": seen}
    assert_no_fault(as_alice.get(response["Location"], **look))
    assert_no_fault(as_reviewer.get(VERIFICATIONS, {"expand": expand}))
