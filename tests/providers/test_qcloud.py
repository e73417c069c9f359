"""The qcloud provider against its documents: signature, request, answer, options."""

from __future__ import annotations

import base64
import io
import json
import logging
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.http.multipartparser import MultiPartParser
from django.test import RequestFactory
from hypothesis import given, settings
from hypothesis import strategies as st

from django_faceverify.exceptions import NotSent, ProtocolError, ProviderError, Refused
from django_faceverify.providers import qcloud
from django_faceverify.providers.answer import Answer
from django_faceverify.providers.base import Comparison
from django_faceverify.providers.meaning import ERRORS
from django_faceverify.providers.qcloud import QcloudProvider, sign, sign_call
from django_faceverify.testing import stub
from django_faceverify.testing.contract import (
    JPEG,
    NAME,
    NUMBER,
    PNG,
    SESSION_ID,
    ProviderContract,
    Witness,
    comparison_request,
    everything_in,
)

SAMPLES = json.loads((Path(__file__).parent / "samples.json").read_text("utf-8"))
SIGNATURES = SAMPLES["signature_vectors"]
RESPONSES = {sample["id"]: sample["response"] for sample in SAMPLES["samples"]}


def build(endpoint: str = "https://example.com/compare", **options: Any) -> QcloudProvider:
    credentials = {
        "appid": "1250000000",
        "secret_id": "canary-secret-id",
        "secret_key": "canary-secret-key",
    }
    return QcloudProvider("default", **{**credentials, "endpoint": endpoint, **options})


def parse(body: object, *, status: int = 200, **changes: Any) -> Comparison:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return build().parse_response(Answer(status=status, body=data), comparison_request(**changes))


def outcome(body: object, *, status: int = 200) -> Comparison | ProviderError:
    try:
        return parse(body, status=status)
    except ProviderError as error:
        return error


class TestQcloudProvider(ProviderContract):
    def provider(self, endpoint: str, **options: Any) -> QcloudProvider:
        return build(endpoint, **options)

    def says(self, similarity: object, session_id: str = SESSION_ID) -> bytes:
        data = {"similarity": similarity, "session_id": session_id}
        return json.dumps({"code": 0, "message": "OK", "data": data}).encode()


class TestSignature:
    @pytest.mark.parametrize("name", SIGNATURES["vectors"])
    def test_vectors(self, name: str) -> None:
        vector = SIGNATURES["vectors"][name]
        fields = dict(pair.split("=") for pair in vector["orig"].split("&"))
        assert sign(SIGNATURES["secret_key"], fields) == vector["authorization"]

    def test_the_vendors_own_client_signs_alike(self) -> None:
        auth = pytest.importorskip("qcloud_image.auth")
        client = auth.Auth("1250000000", "an-id", "a-key")
        with (
            mock.patch("time.time", return_value=1_500_000_000.7),
            mock.patch("random.randint", return_value=42),
        ):
            theirs = client.get_sign("BUCKET", 60).decode()
        fields: dict[str, str | int] = {
            "a": "1250000000",
            "b": "BUCKET",
            "k": "an-id",
            "e": 1_500_000_060,
            "t": 1_500_000_000,
            "r": 42,
            "f": "",
        }
        assert sign("a-key", fields) == theirs

    def test_each_call_is_signed_for_now_without_a_bucket(self) -> None:
        with mock.patch("time.time", return_value=1_500_000_000.9):
            authorization = sign_call("1250000000", "an-id", "a-key")
            other = sign_call("1250000000", "an-id", "a-key")
        assert authorization != other
        text = base64.b64decode(authorization, validate=True)[20:].decode()
        fields = dict(pair.split("=") for pair in text.split("&"))
        assert list(fields) == ["a", "k", "e", "t", "r", "u", "f"]
        assert fields["t"] == "1500000000"
        assert 60 <= int(fields["e"]) - int(fields["t"]) <= 300
        assert fields["r"].isdigit()
        assert len(fields["r"]) <= 10


class TestRequest:
    @pytest.mark.parametrize(
        ("image", "filename", "media_type"),
        [(JPEG, "photo.jpg", "image/jpeg"), (PNG, "photo.png", "image/png")],
    )
    def test_photo_goes_as_raw_bytes_in_a_form(
        self, image: bytes, filename: str, media_type: str
    ) -> None:
        prepared = build().prepare(comparison_request(image=image))
        fields, files = parse_form(prepared)
        assert list(fields.items()) == [
            ("appid", "1250000000"),
            ("idcard_number", NUMBER),
            ("idcard_name", NAME),
            ("session_id", SESSION_ID),
        ]
        assert list(files) == ["image"]
        assert files["image"].name == filename
        assert files["image"].content_type == media_type
        assert files["image"].read() == image

    @pytest.mark.parametrize("name", ["张三", "买买提·吐尔逊", "𠮷田", "名" * 60, 'a"b\r\nc'])
    def test_names_arrive_as_they_are(self, name: str) -> None:
        fields, _ = parse_form(build().prepare(comparison_request(idcard_name=name)))
        assert fields["idcard_name"] == name

    @pytest.mark.parametrize("image", [None, JPEG])
    def test_url_goes_as_json_and_wins(self, image: bytes | None) -> None:
        url = "https://img.example.com/a.jpg?sig=1&x=2"
        prepared = build().prepare(comparison_request(image=image, url=url))
        assert prepared.headers["Content-Type"] == "application/json"
        assert isinstance(prepared.body, bytes)
        assert NAME.encode() in prepared.body
        assert json.loads(prepared.body) == {
            "appid": "1250000000",
            "idcard_number": NUMBER,
            "idcard_name": NAME,
            "session_id": SESSION_ID,
            "url": url,
        }

    def test_headers(self) -> None:
        headers = build().prepare(comparison_request()).headers
        assert headers["Accept-Encoding"] == "identity"
        assert headers["Connection"] == "close"
        assert base64.b64decode(headers["Authorization"])[20:].startswith(b"a=1250000000&k=")

    @pytest.mark.parametrize("secret", [lambda: "", lambda: None, lambda: 1 / 0])
    def test_credentials_that_are_not_given_stop_the_call(self, secret: Any) -> None:
        witness = Witness()
        with pytest.raises(NotSent) as caught:
            build("http://127.0.0.1:9/", secret_key=secret).compare(
                comparison_request(), about_to_send=witness
            )
        assert caught.value.code == "provider_config"
        assert caught.value.__context__ is None
        assert witness.count == 0


class TestAnswer:
    def test_the_documented_sample_with_its_trailing_comma(self) -> None:
        body = RESPONSES["idcardcompare_doc_literal_body"]["text"].encode()
        answer = parse(body)
        assert answer.similarity == 100.0
        assert answer.provider_session_id == ""

    @pytest.mark.parametrize("sample", [name for name in RESPONSES if "error" in name])
    def test_documented_errors(self, sample: str) -> None:
        response = RESPONSES[sample]
        code = response["json"]["code"]
        meaning = qcloud.meaning_of(code, response["json"]["message"])
        assert meaning is not None
        answer = outcome(response["json"])
        if isinstance(answer, Comparison):
            assert answer.reason_code == meaning.reason_code
            assert meaning.kind == "answered"
        else:
            assert answer.code == meaning.reason_code
            assert type(answer) is ERRORS[meaning.kind]
        assert answer.provider_code == str(code)
        assert answer.is_billed == meaning.is_billed
        assert answer.provider_message

    @pytest.mark.parametrize("code", sorted(qcloud.CODES))
    def test_every_code_ends_as_its_row_says(self, code: int) -> None:
        meaning = qcloud.CODES[code]
        body = {"code": code, "message": "m", "data": {"similarity": 50}}
        if meaning.kind == "answered":
            answer = parse(body)
            assert answer.reason_code == meaning.reason_code
            assert answer.similarity == (50 if code == 0 else None)
            assert answer.is_billed == meaning.is_billed
        else:
            with pytest.raises(ProviderError) as caught:
                parse(body)
            assert type(caught.value) is ERRORS[meaning.kind]
            assert caught.value.code == meaning.reason_code
            assert caught.value.is_billed == meaning.is_billed
            assert caught.value.provider_code == str(code)

    @pytest.mark.parametrize("data", [None, {}, [], "", {"session_id": None}])
    @pytest.mark.parametrize("status", [200, 400, 500, 503])
    def test_the_code_decides_whatever_data_and_status(self, data: object, status: int) -> None:
        answer = parse({"code": -5803, "message": "m", "data": data}, status=status)
        assert answer.reason_code == "id_name_mismatch"
        assert answer.http_status == status
        assert parse({"code": -5803}).reason_code == "id_name_mismatch"

    def test_arrears_are_told_by_the_message_of_code_3(self) -> None:
        with pytest.raises(Refused) as caught:
            parse({"code": 3, "message": "account abnormal,errorno is:2"})
        assert caught.value.code == "provider_arrears"
        with pytest.raises(Refused) as caught:
            parse({"code": 3, "message": "bad request"})
        assert caught.value.code == "provider_config"

    def test_unknown_code_is_kept_and_logged_alone(self, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.DEBUG), pytest.raises(ProtocolError) as caught:
            parse({"code": -7777, "message": f"hello {NUMBER}"})
        assert caught.value.provider_code == "-7777"
        assert caught.value.provider_message == ""
        assert "-7777" in caplog.text
        assert NUMBER not in caplog.text

    @pytest.mark.parametrize(("echo", "recorded"), [(SESSION_ID, SESSION_ID), ("", ""), (None, "")])
    def test_session_id_is_echoed_or_left_out(self, echo: str | None, recorded: str) -> None:
        body = {"code": 0, "data": {"similarity": 1, "session_id": echo}}
        assert parse(body).provider_session_id == recorded

    @pytest.mark.parametrize("echo", ["other", SESSION_ID.upper(), 0, False, [], {}, 7])
    @pytest.mark.parametrize("code", [0, -5803, 15])
    def test_another_session_id_is_refused_with_any_code(self, code: int, echo: object) -> None:
        with pytest.raises(ProtocolError):
            parse({"code": code, "data": {"similarity": 1, "session_id": echo}})

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"null",
            b"[]",
            b"0",
            b'"code"',
            b"{",
            b'{"code": 0}',
            b'{"code": true, "data": {"similarity": 90}}',
            b'{"code": "0", "data": {"similarity": 90}}',
            b'{"code": 0.0, "data": {"similarity": 90}}',
            b'{"code": null, "data": {"similarity": 90}}',
            b'{"data": {"similarity": 90}}',
            b'{"code": 0, "code": -5803, "data": {"similarity": 90}}',
            b'{"code": 0, "data": {"similarity": 12, "similarity": 90}}',
            b'{"code": 0, "data": {"similarity": NaN}}',
            b'{"code": 0, "data": {"similarity": Infinity}}',
            b'{"code": 0, "data": {"similarity": -Infinity}}',
            b'{"code": 0, "data": {"similarity": 1e999}}',
            b'{"code": 0, "data": {"similarity": ' + b"9" * 5000 + b"}}",
            b'{"code": ' + b"9" * 100 + b', "data": {"similarity": 90}}',
            b'{"code": 0, "data": [{"similarity": 90}]}',
            b'{"code": 0, "data": "90"}',
            b'{"code": 0, "data": {"similarity": 90}} trailing',
            b'{"code": 0, "data": {"similarity": 90}}{"code": 0}',
            b'{"code": 0,, "data": {"similarity": 90}}',
            b"{'code': 0}",
            b"\xef\xbb\xbf" + b'{"code": 0, "data": {"similarity": 90}}',
            '{"code": 0, "data": {"similarity": 90}}'.encode("utf-16"),
            b'{"code": 0, "message": "\xff", "data": {"similarity": 90}}',
            b'{"a": ' * 100_000,
            b"[" * 900_000,
            b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
            b'"' + b'\\"' * 400_000,
            b"," * 900_000,
            b"<html>500</html>",
        ],
        ids=lambda body: repr(body[:40]),
    )
    def test_anything_else_is_a_protocol_error(self, body: bytes) -> None:
        with pytest.raises(ProtocolError) as caught:
            parse(body)
        assert caught.value.code == "provider_protocol"
        assert caught.value.__context__ is None

    @pytest.mark.parametrize(
        ("message", "kept"),
        [
            ("签名过期", "签名过期"),
            ("a\x00b\x1b[31mc\u202ed\ud800e\n", "ab[31mcde"),
            ("x" * 500, "x" * 200),
            (f"number {NUMBER} invalid", ""),
            ("number 1101 0119 9003 0700 00 invalid", ""),
            ("number １１０１０１１９９００３０７００００ invalid", ""),
            (f"{NAME}不存在", ""),
            (NAME.replace("·", "•"), ""),
            ("x" * 195 + NUMBER, ""),
            ("no key for canary-secret-id", ""),
            ("", ""),
            (None, ""),
            (["list"], ""),
            (17, ""),
        ],
    )
    def test_message_is_short_printable_and_repeats_nothing(
        self, message: object, kept: str
    ) -> None:
        assert parse({"code": -5803, "message": message}).provider_message == kept

    def test_message_that_repeats_the_url_is_dropped(self) -> None:
        url = "https://img.example.com/a.jpg"
        answer = parse({"code": -5805, "message": f"cannot get {url}"}, image=None, url=url)
        assert answer.provider_message == ""


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=8,
)
CODED = st.fixed_dictionaries(
    {"code": st.sampled_from(sorted(qcloud.CODES)) | JSON},
    optional={
        "message": JSON,
        "data": JSON
        | st.fixed_dictionaries(
            {}, optional={"similarity": JSON, "session_id": st.just(SESSION_ID) | JSON}
        ),
    },
)


class TestAnyAnswer:
    """Whatever comes back ends as a comparison or as one of our errors, and nothing else."""

    @settings(max_examples=300, deadline=None)
    @given(body=st.binary(max_size=300) | st.text().map(str.encode), status=st.integers(100, 999))
    def test_bytes(self, body: bytes, status: int) -> None:
        self.judge(body, status)

    @settings(max_examples=300, deadline=None)
    @given(content=JSON | CODED, status=st.sampled_from([200, 204, 302, 400, 401, 429, 500, 503]))
    def test_json(self, content: object, status: int) -> None:
        self.judge(json.dumps(content).encode(), status)

    @settings(max_examples=200, deadline=None)
    @given(data=st.data())
    def test_damaged_good_answer(self, data: st.DataObject) -> None:
        good = json.dumps({"code": 0, "message": "OK", "data": {"similarity": 99.5}}).encode()
        start = data.draw(st.integers(0, len(good)))
        end = data.draw(st.integers(start, len(good)))
        self.judge(good[:start] + data.draw(st.binary(max_size=5)) + good[end:], 200)

    def judge(self, body: bytes, status: int) -> None:
        answer = outcome(body, status=status)
        if isinstance(answer, Comparison):
            assert (answer.similarity is None) == bool(answer.reason_code)
            assert answer.similarity is None or 0 <= answer.similarity <= 100
        else:
            assert answer.code
            assert answer.is_billed in ("no", "unknown")
            assert NUMBER not in " ".join(everything_in(answer))
        assert len(answer.provider_code) <= 7
        assert len(answer.provider_message) <= 200


class TestOptions:
    @pytest.mark.parametrize(
        ("options", "ids"),
        [
            ({"appid": ""}, ["E201"]),
            ({"secret_id": "", "secret_key": ""}, ["E201", "E201"]),
            ({"appid": 1250000000}, ["E204"]),
            ({"secret_key": None}, ["E204"]),
            ({"secret_key": b"bytes"}, ["E204"]),
            ({"endpoint": "http://example.com/"}, ["E202"]),
            ({"endpoint": "http://127.0.0.1.example.com/"}, ["E202"]),
            ({"endpoint": "ftp://127.0.0.1/"}, ["E202"]),
            ({"endpoint": "example.com"}, ["E202"]),
            ({"endpoint": "https://"}, ["E202"]),
            ({"endpoint": "https://[::1"}, ["E202"]),
            ({"endpoint": "https://example.com:99999/"}, ["E202"]),
            ({"endpoint": None}, ["E202"]),
            ({"timeout": 0}, ["E203"]),
            ({"timeout": -1}, ["E203"]),
            ({"timeout": 121}, ["E203"]),
            ({"timeout": "20"}, ["E203"]),
            ({"timeout": True}, ["E203"]),
            ({"timeout": float("nan")}, ["E203"]),
            ({"timeout": None}, ["E203"]),
            ({"ca_bundle": "/does/not/exist"}, ["E205"]),
            ({"ca_bundle": 7}, ["E205"]),
            ({"timeout": 0.5, "endpoint": "http://127.9.9.9:8410/"}, []),
            ({"endpoint": "http://[::1]:8410/"}, []),
            ({"endpoint": "http://localhost/"}, []),
        ],
    )
    def test_checks(self, options: dict[str, Any], ids: list[str]) -> None:
        messages = list(build(**options).check())
        assert [message.id for message in messages] == [f"faceverify.{number}" for number in ids]
        assert all(message.hint for message in messages)
        assert not [m for m in messages if "canary" in f"{m.msg} {m.hint} {m.obj!r}"]

    def test_defaults_are_the_service_over_tls(self) -> None:
        provider = QcloudProvider("default", appid="1", secret_id="2", secret_key="3")
        assert provider.endpoint == "https://recognition.image.myqcloud.com/face/idcardcompare"
        assert provider.timeout == 20
        assert not provider.is_sandbox
        assert list(provider.check()) == []

    def test_sandbox_is_known_by_its_address(self) -> None:
        assert build("http://127.0.0.1:8410/face/idcardcompare").is_sandbox
        assert build("https://localhost/face/idcardcompare").is_sandbox


def test_over_the_wire_with_chinese_name() -> None:
    with stub.Stub(stub.answer(b'{"code": -4012, "message": "x"}')) as server:
        provider = build(f"{server.url}face/idcardcompare")
        answer = provider.compare(comparison_request(), about_to_send=Witness())
    assert answer.reason_code == "no_face"
    assert server.connections == 1
    head, _, body = server.received[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /face/idcardcompare HTTP/1.1\r\n")
    assert f"\r\nContent-Length: {len(body)}".encode() in head
    assert JPEG in body
    assert NAME.encode() in body


def parse_form(prepared: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """What Django, as a server, reads from the request."""
    meta = {
        "CONTENT_TYPE": prepared.headers["Content-Type"],
        "CONTENT_LENGTH": prepared.headers["Content-Length"],
    }
    request = RequestFactory().post("/")
    handlers = [MemoryFileUploadHandler(request)]
    fields, files = MultiPartParser(meta, io.BytesIO(prepared.body), handlers).parse()
    assert all(len(values) == 1 for _, values in fields.lists())
    return fields.dict(), files.dict()
