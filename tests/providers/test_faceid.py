"""The FaceID provider against its documents and against the vendor's own client."""

from __future__ import annotations

import base64
import json
from datetime import datetime, timezone
from typing import Any
from unittest import mock
from zoneinfo import ZoneInfo

import pytest
from tencentcloud.common.credential import Credential
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.faceid.v20180301.faceid_client import FaceidClient
from tencentcloud.faceid.v20180301.models import ImageRecognitionV2Request

from django_faceverify.exceptions import ProtocolError, ProviderError, Refused, Throttled
from django_faceverify.providers import faceid
from django_faceverify.providers.answer import Answer
from django_faceverify.providers.base import Comparison
from django_faceverify.providers.faceid import FaceIDProvider
from django_faceverify.providers.faceid_codes import CODES, meaning_of
from django_faceverify.providers.meaning import ERRORS
from django_faceverify.reasons import REASONS
from django_faceverify.testing import stub
from django_faceverify.testing.contract import (
    JPEG,
    NAME,
    NUMBER,
    SESSION_ID,
    ProviderContract,
    Witness,
    comparison_request,
)
from django_faceverify.testing.stub import Stub

from .test_field_encryption import PEM, decrypt

# the vendor's client uses what Python 3.12 deprecates
pytestmark = pytest.mark.filterwarnings("ignore:.*utcfromtimestamp.*:DeprecationWarning")

EXTRA = SESSION_ID[-10:]
LOW_SIMILARITY = "FailedOperation.CompareLowSimilarity"


def build(endpoint: str = "https://example.com/", **options: Any) -> FaceIDProvider:
    credentials = {"secret_id": "canary-secret-id", "secret_key": "canary-secret-key"}
    return FaceIDProvider("default", **{**credentials, "endpoint": endpoint, **options})


def result(code: str = "Success", **members: Any) -> dict[str, Any]:
    return {
        "Response": {
            "Sim": 89.88,
            "Result": code,
            "Description": "成功",
            "Extra": EXTRA,
            "RequestId": "e8e2b3c2-0000-4000-8000-000000000001",
            **members,
        }
    }


def failure(code: str, message: str = "no") -> dict[str, Any]:
    return {"Response": {"Error": {"Code": code, "Message": message}, "RequestId": "an-id"}}


def parse(body: object, status: int = 200) -> Comparison:
    answer = Answer(status=status, body=json.dumps(body).encode())
    return build().parse_response(answer, comparison_request())


def outcome(body: object) -> Comparison | ProviderError:
    try:
        return parse(body)
    except ProviderError as error:
        return error


class TestFaceIDProvider(ProviderContract):
    def provider(self, endpoint: str, **options: Any) -> FaceIDProvider:
        return build(endpoint, **options)

    def says(self, similarity: object, session_id: str = SESSION_ID) -> bytes:
        return json.dumps(result(Sim=similarity, Extra=session_id[-10:])).encode()


class TestRequest:
    def test_parameters(self) -> None:
        prepared = build().prepare(comparison_request())
        assert json.loads(prepared.body or b"") == {
            "IdCard": NUMBER,
            "Name": NAME,
            "ImageBase64": base64.b64encode(JPEG).decode(),
            "Extra": EXTRA,
        }

    def test_headers(self) -> None:
        with mock.patch("time.time", return_value=1_700_000_000.9):
            headers = (
                build(region="ap-guangzhou", token="a-token").prepare(comparison_request()).headers
            )
        assert headers["Host"] == "example.com"
        assert headers["Content-Type"] == "application/json"
        assert headers["X-TC-Action"] == "ImageRecognitionV2"
        assert headers["X-TC-Version"] == "2018-03-01"
        assert headers["X-TC-Timestamp"] == "1700000000"
        assert headers["X-TC-Region"] == "ap-guangzhou"
        assert headers["X-TC-Token"] == "a-token"

    def test_region_and_token_are_left_out_unless_given(self) -> None:
        headers = build().prepare(comparison_request()).headers
        assert not {"X-TC-Region", "X-TC-Token"} & set(headers)

    def test_largest_photo_is_within_the_documented_limit(self) -> None:
        image = JPEG.ljust(FaceIDProvider.max_image_bytes, b"\x00")
        parameters = build().parameters(comparison_request(image=image))
        assert len(parameters["ImageBase64"]) <= 3_000_000

    def test_name_and_number_in_cipher(self) -> None:
        body = build(encryption_key=PEM).prepare(comparison_request()).body or b""
        assert decrypt(json.loads(body)) == {"IdCard": NUMBER, "Name": NAME}
        assert NUMBER not in str(body)
        assert json.loads(body)["ImageBase64"] == base64.b64encode(JPEG).decode()

    def test_signed_and_sent_are_the_same_bytes(self) -> None:
        """What the vendor's own client sends for the same call differs in nothing signed."""
        now = 1_700_000_000
        with Stub(stub.answer(json.dumps(result()).encode())) as server:
            endpoint = f"http://127.0.0.1:{server.port}/"
            with mock.patch("time.time", return_value=now):
                build(endpoint).compare(comparison_request(), about_to_send=Witness())
                their_client(f"127.0.0.1:{server.port}").ImageRecognitionV2(their_request())
        ours, theirs = (split(request) for request in server.received)
        assert ours["body"] == theirs["body"]
        for header in ("authorization", "host", "content-type", "x-tc-timestamp"):
            assert ours[header] == theirs[header]
        for header in ("x-tc-action", "x-tc-version"):
            assert ours[header] == theirs[header]


def their_client(endpoint: str) -> FaceidClient:
    profile = HttpProfile(protocol="http", endpoint=endpoint)
    credential = Credential("canary-secret-id", "canary-secret-key")
    return FaceidClient(credential, "", ClientProfile(httpProfile=profile))


def their_request() -> ImageRecognitionV2Request:
    request = ImageRecognitionV2Request()
    request.IdCard, request.Name, request.Extra = NUMBER, NAME, EXTRA
    request.ImageBase64 = base64.b64encode(JPEG).decode()
    return request


def split(request: bytes) -> dict[str, bytes]:
    head, _, body = request.partition(b"\r\n\r\n")
    headers = (line.partition(b": ") for line in head.split(b"\r\n")[1:])
    return {name.decode().lower(): value for name, _, value in headers} | {"body": body}


class TestAnswer:
    def test_success(self) -> None:
        assert parse(result()) == Comparison(
            similarity=89.88,
            is_billed="yes",
            provider_code="Success",
            provider_message="成功",
            provider_session_id="e8e2b3c2-0000-4000-8000-000000000001",
            http_status=200,
        )

    @pytest.mark.parametrize("similarity", [26.04, 69.99, 70, 99.9])
    def test_the_verdict_of_the_service_comes_with_its_similarity(self, similarity: float) -> None:
        answer = parse(result(LOW_SIMILARITY, Sim=similarity))
        assert (answer.similarity, answer.reason_code) == (similarity, "face_mismatch")
        assert answer.is_billed == "yes"

    @pytest.mark.parametrize("layer", [result, failure])
    @pytest.mark.parametrize("code", sorted(set(CODES) - {"Success", LOW_SIMILARITY}))
    def test_every_code_ends_as_its_row_says_in_both_layers(self, code: str, layer: Any) -> None:
        row = CODES[code]
        ended = outcome(layer(code))
        if isinstance(ended, Comparison):
            assert row.kind == "answered"
            assert ended.similarity is None
            assert (ended.reason_code, ended.is_billed) == (row.reason_code, row.is_billed)
        else:
            assert type(ended) is ERRORS[row.kind]
            assert (ended.code, ended.provider_code) == (row.reason_code, code)

    def test_every_row_has_a_known_reason(self) -> None:
        reasons = {row.reason_code for row in CODES.values()} - {""}
        assert reasons <= set(REASONS)

    @pytest.mark.parametrize("code", ["FailedOperation.LipFaceNotFound", "FailedOperation.VideoX"])
    def test_answers_about_videos_are_not_ours(self, code: str) -> None:
        assert type(outcome(result(code))) is ProtocolError

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"Response": None},
            {"Response": []},
            {"Response": {}},
            result(code=None),  # type: ignore[arg-type]
            result(code=""),
            result(code="x" * 65),
            result(code="FailedOperation.NeverHeardOf"),
            result(Extra="another"),
            result(Extra=7),
            result(Sim=None),
            result(LOW_SIMILARITY, Sim="26"),
            failure("NeverHeardOf"),
            {"Response": {"Error": "AuthFailure"}},
        ],
    )
    def test_other_answers_are_a_protocol_error(self, body: object) -> None:
        assert type(outcome(body)) is ProtocolError

    @pytest.mark.parametrize("extra", [None, ""])
    def test_a_missing_echo_is_accepted(self, extra: object) -> None:
        assert parse(result(Extra=extra)).similarity == 89.88

    @pytest.mark.parametrize("request_id", [None, 7, "x" * 65, "名"])
    def test_an_unusable_request_id_is_left_out(self, request_id: object) -> None:
        assert parse(result(RequestId=request_id)).provider_session_id == ""

    def test_a_message_that_repeats_the_person_is_left_out(self) -> None:
        assert parse(result(Description=f"{NAME}一致")).provider_message == ""

    def test_a_person_asked_about_too_often_waits_for_the_next_day(self) -> None:
        evening = datetime(2026, 11, 22, 15, 0, tzinfo=timezone.utc)  # 23:00 in Shanghai

        with mock.patch.object(faceid, "datetime", wraps=datetime) as clock:
            clock.now = evening.astimezone
            ended = outcome(result("FailedOperation.IdentityAuthLimitExceeded"))
        assert isinstance(ended, Throttled)
        assert ended.code == "identity_rate_limited"
        assert ended.retry_after == 3600
        assert ZoneInfo("Asia/Shanghai") == faceid.SERVICE_TIME

    def test_an_expired_signature_may_pass_when_signed_afresh(self) -> None:
        ended = outcome(failure("AuthFailure.SignatureExpire"))
        assert type(ended) is Refused
        row = meaning_of("AuthFailure.SignatureExpire")
        assert row is not None
        assert row.is_retryable


class TestOptions:
    @pytest.mark.parametrize(
        ("options", "expected"),
        [
            ({"secret_id": ""}, "E201"),
            ({"secret_key": None}, "E204"),
            ({"token": 7}, "E204"),
            ({"endpoint": "https://faceid.tencentcloudapi.com/v2"}, "E206"),
            ({"endpoint": "https://faceid.tencentcloudapi.com/?a=b"}, "E206"),
            ({"region": None}, "E207"),
            ({"encryption_key": "not a key"}, "E208"),
        ],
    )
    def test_checks(self, options: dict[str, Any], expected: str) -> None:
        (message,) = build(**options).check()
        assert message.id == f"faceverify.{expected}"
        assert message.hint

    @pytest.mark.parametrize(
        "endpoint", ["https://faceid.tencentcloudapi.com", "https://faceid.tencentcloudapi.com/"]
    )
    def test_good_endpoints(self, endpoint: str) -> None:
        assert list(build(endpoint).check()) == []
