"""The successor's service, with the vendor's own Python client and by hand."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from tencentcloud.common.credential import Credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.faceid.v20180301.faceid_client import FaceidClient
from tencentcloud.faceid.v20180301.models import ImageRecognitionV2Request

from django_faceverify.sandbox import Sandbox, scenario_number

from .caller import EXAMPLE_NUMBER, JPEG, NAME, SECRET_ID, SECRET_KEY, sign_tc3

PHOTO = base64.b64encode(JPEG).decode()

# the vendor's client uses what Python 3.12 deprecates
pytestmark = pytest.mark.filterwarnings("ignore:.*utcfromtimestamp.*:DeprecationWarning")


@pytest.fixture
def client(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> FaceidClient:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return client_of(sandbox)


def client_of(sandbox: Sandbox, key: str = SECRET_KEY) -> FaceidClient:
    profile = HttpProfile(protocol="http", endpoint=f"127.0.0.1:{sandbox.port}")
    return FaceidClient(Credential(SECRET_ID, key), "", ClientProfile(httpProfile=profile))


def question(number: str = EXAMPLE_NUMBER, **members: str) -> ImageRecognitionV2Request:
    request = ImageRecognitionV2Request()
    given = {"IdCard": number, "Name": NAME, "ImageBase64": PHOTO, **members}
    for name, value in given.items():
        setattr(request, name, value)
    return request


def post(sandbox: Sandbox, parameters: Any, **changes: str) -> dict[str, Any]:
    body = parameters if isinstance(parameters, bytes) else json.dumps(parameters).encode()
    headers = sign_tc3(body, host=urlsplit(sandbox.faceid_url).netloc) | changes
    answer = requests.post(sandbox.faceid_url, data=body, headers=headers, timeout=10)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    content: dict[str, Any] = answer.json()["Response"]
    assert content.pop("RequestId")
    return content


GOOD = {"IdCard": EXAMPLE_NUMBER, "Name": NAME, "ImageBase64": PHOTO}


class TestVendorClient:
    def test_success(self, client: FaceidClient, sandbox: Sandbox) -> None:
        answer = client.ImageRecognitionV2(question(Extra="tail-of-it"))
        assert (answer.Result, answer.Sim, answer.Extra) == ("Success", 100.0, "tail-of-it")
        assert answer.Description == "成功"
        assert [line.session_id for line in sandbox.bill.lines] == [answer.RequestId]

    def test_extra_is_empty_if_it_was_not_sent(self, client: FaceidClient) -> None:
        assert client.ImageRecognitionV2(question()).Extra == ""

    @pytest.mark.parametrize(
        ("scenario", "result", "similarity", "is_billed"),
        [
            ("001", "Success", 95.0, True),
            ("002", "Success", 72.0, True),
            ("003", "FailedOperation.CompareLowSimilarity", 12.0, True),
            ("004", "FailedOperation.IdNameMisMatch", 0, True),
            ("005", "FailedOperation.IdNoExistSystem", 0, False),
            ("006", "FailedOperation.IdPhotoPoorQuality", 0, False),
            ("010", "FailedOperation.LifePhotoDetectNoFaces", 0, False),
            ("011", "FailedOperation.LifePhotoDetectFaces", 0, False),
            ("012", "FailedOperation.IncompleteFace", 0, False),
        ],
    )
    def test_results(
        self,
        client: FaceidClient,
        sandbox: Sandbox,
        scenario: str,
        result: str,
        similarity: float,
        is_billed: bool,
    ) -> None:
        answer = client.ImageRecognitionV2(question(scenario_number(scenario)))
        assert (answer.Result, answer.Sim) == (result, similarity)
        assert len(sandbox.bill.lines) == is_billed

    @pytest.mark.parametrize(
        ("scenario", "code"),
        [
            ("030", "RequestLimitExceeded"),
            ("040", "InternalError"),
            ("050", "UnauthorizedOperation.Arrears"),
            ("051", "AuthFailure.SignatureExpire"),
        ],
    )
    def test_errors(self, client: FaceidClient, scenario: str, code: str) -> None:
        with pytest.raises(TencentCloudSDKException) as caught:
            client.ImageRecognitionV2(question(scenario_number(scenario)))
        assert caught.value.code == code

    def test_throttled_once(self, client: FaceidClient) -> None:
        with pytest.raises(TencentCloudSDKException):
            client.ImageRecognitionV2(question(scenario_number("031")))
        assert client.ImageRecognitionV2(question(scenario_number("031"))).Sim == 95.0

    def test_wrong_key(self, sandbox: Sandbox) -> None:
        with pytest.raises(TencentCloudSDKException) as caught:
            client_of(sandbox, "guessed").ImageRecognitionV2(question())
        assert caught.value.code == "AuthFailure.SignatureFailure"
        assert sandbox.faceid.calls == {}


@pytest.mark.parametrize(
    ("changes", "result"),
    [
        ({"IdCard": "1101"}, "FailedOperation.IdFormatError"),
        ({"Name": " "}, "FailedOperation.NameFormatError"),
        ({"ImageBase64": ""}, "FailedOperation.EmptyImageError"),
        ({"ImageBase64": f"data:image/jpeg;base64,{PHOTO}"}, "FailedOperation.ImageDecodeFailed"),
        ({"ImageBase64": PHOTO.rstrip("=")[:-1]}, "FailedOperation.ImageDecodeFailed"),
        (
            {"ImageBase64": base64.b64encode(b"GIF89a").decode()},
            "FailedOperation.ImageDecodeFailed",
        ),
        ({"ImageBase64": "A" * (3 * 1024 * 1024 + 4)}, "FailedOperation.ImageSizeTooLarge"),
    ],
)
def test_what_cannot_be_compared(sandbox: Sandbox, changes: dict[str, str], result: str) -> None:
    assert post(sandbox, GOOD | changes)["Result"] == result
    assert sandbox.bill.lines == []


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        (b"no JSON", "InvalidParameter"),
        (b"[]", "InvalidParameter"),
        ({"IdCard": EXAMPLE_NUMBER}, "MissingParameter"),
        ({**GOOD, "IdCard": 7}, "InvalidParameter"),
        ({**GOOD, "Colour": "blue"}, "UnknownParameter"),
        ({**GOOD, "Extra": "eleven char"}, "InvalidParameterValue"),
        ({**GOOD, "Encryption": {}}, "InvalidParameter.UnsupportEncryptField"),
    ],
)
def test_what_is_no_call(sandbox: Sandbox, parameters: Any, code: str) -> None:
    assert post(sandbox, parameters)["Error"]["Code"] == code


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"x-tc-version": "2017-03-12"}, "NoSuchVersion"),
        ({"x-tc-action": "ImageRecognition"}, "ActionOffline"),
        ({"x-tc-action": "DeletePhotos"}, "InvalidAction"),
    ],
)
def test_other_actions(sandbox: Sandbox, changes: dict[str, str], code: str) -> None:
    assert post(sandbox, GOOD, **changes)["Error"]["Code"] == code


def test_a_body_that_is_too_large(sandbox: Sandbox) -> None:
    answer = post(sandbox, {**GOOD, "ImageBase64": "A" * 7 * 1024 * 1024})
    assert answer["Error"]["Code"] == "RequestSizeLimitExceeded"


def test_a_comma_too_many(sandbox: Sandbox) -> None:
    body = json.dumps(GOOD | {"IdCard": scenario_number("045")}).encode()
    headers = sign_tc3(body, host=urlsplit(sandbox.faceid_url).netloc)
    answer = requests.post(sandbox.faceid_url, data=body, headers=headers, timeout=10)
    assert answer.content.endswith(b",}}")


def test_the_page_for_people_is_still_there(sandbox: Sandbox) -> None:
    page = requests.get(sandbox.faceid_url, timeout=10)
    assert page.headers["Content-Type"].startswith("text/html")
    assert "FailedOperation.CompareLowSimilarity" in page.text
