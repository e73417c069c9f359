"""The successor of the service: ``ImageRecognitionV2`` (vendor docs 1007/56316), no sockets.

The same people, scenarios and bill as ``service``, told in the successor's words. Every
answer is HTTP 200 with a bare ``application/json``: the vendor's Python client overlooks
errors in anything else. A call that is refused answers with an ``Error``, one that was done
with a ``Result``.
"""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .answer import to_json
from .bill import Bill
from .calls import Calls
from .codes import Code
from .rules import image_format, is_name, is_number
from .scenarios import Delivery, Scenario, ScenarioChooser
from .tc3 import ErrorCode, SignedRequest, TC3Verifier

SERVICE = "faceid"
ACTION = "ImageRecognitionV2"
VERSION = "2018-03-01"
PASSES_FROM = 70.0  # the service's own threshold, not adjustable

MAX_BASE64_LENGTH = 3 * 1024 * 1024
MAX_EXTRA_LENGTH = 10

_PARAMETERS = frozenset({"IdCard", "Name", "ImageBase64", "Extra", "Optional", "Encryption"})
_REQUIRED = ("IdCard", "Name", "ImageBase64")

MESSAGES = {
    "Success": "成功",
    "FailedOperation.CompareLowSimilarity": "比对相似度未达到通过标准",
    "FailedOperation.IdNameMisMatch": "姓名和身份证号不一致，请核实后重试",
    "FailedOperation.IdNoExistSystem": "库中无此号，请到户籍所在地进行核实",
    "FailedOperation.IdPhotoPoorQuality": "证件图片质量差",
    "FailedOperation.IdFormatError": "输入的身份证号有误",
    "FailedOperation.NameFormatError": "输入的姓名有误",
    "FailedOperation.LifePhotoDetectNoFaces": "未能检测到完整人脸",
    "FailedOperation.LifePhotoDetectFaces": "检测到多张人脸",
    "FailedOperation.IncompleteFace": "未能检测到完整人脸",
    "FailedOperation.ImageDecodeFailed": "图片解码失败",
    "FailedOperation.ImageSizeTooLarge": "图片尺寸过大",
    "FailedOperation.EmptyImageError": "图片内容为空",
}

#: the codes of the scenarios, in the successor's words
RESULTS = {
    Code.NAME_MISMATCH: "FailedOperation.IdNameMisMatch",
    Code.NUMBER_INVALID: "FailedOperation.IdNoExistSystem",
    Code.REGISTERED_PHOTO_POOR: "FailedOperation.IdPhotoPoorQuality",
    Code.NO_FACE: "FailedOperation.LifePhotoDetectNoFaces",
    Code.TOO_MANY_FACES: "FailedOperation.LifePhotoDetectFaces",
    Code.NO_FEATURES: "FailedOperation.IncompleteFace",
    Code.IMAGE_UNDECODABLE: "FailedOperation.ImageDecodeFailed",
}
ERRORS = {
    Code.THROTTLED: "RequestLimitExceeded",
    Code.INTERNAL_ERROR: "InternalError",
    Code.BAD_REQUEST: "UnauthorizedOperation.Arrears",  # the scenario of an account in arrears
    Code.SIGNATURE_EXPIRED: "AuthFailure.SignatureExpire",
}


@dataclass(frozen=True, kw_only=True)
class FaceIDAnswer:
    """What one call gets. ``session_id`` is the service's own id of it, ``RequestId``."""

    code: str
    session_id: str
    is_error: bool = False
    similarity: float | None = None
    extra: str = ""
    scenario: str = ""
    delivery: Delivery = Delivery.JSON

    def to_body(self) -> bytes:
        text = MESSAGES.get(self.code, self.code)
        content: dict[str, Any]
        if self.is_error:
            content = {"Error": {"Code": self.code, "Message": text}}
        else:
            content = {
                "Sim": self.similarity or 0,
                "Result": self.code,
                "Description": text,
                "Extra": self.extra,
            }
        body = to_json({"Response": {**content, "RequestId": self.session_id}})
        if self.delivery is Delivery.TRAILING_COMMA:
            return body.removesuffix(b"}}") + b",}}"
        return body


class FaceIDService:
    """Checks a signed call, plays its scenario, and charges for the work."""

    def __init__(self, verifier: TC3Verifier, bill: Bill, chooser: ScenarioChooser) -> None:
        self._verifier = verifier
        self._bill = bill
        self._chooser = chooser
        self._calls = Calls()

    @property
    def calls(self) -> dict[str, int]:
        """The calls that passed every check, by ``RequestId``."""
        return self._calls.counts()

    def refuse(self, code: str) -> FaceIDAnswer:
        return FaceIDAnswer(code=code, is_error=True, session_id=str(uuid.uuid4()))

    def answer(self, request: SignedRequest) -> FaceIDAnswer:
        try:
            self._verifier.verify(request)
            check_action(request.headers)
            parameters = parse_parameters(request)
        except ErrorCode as error:
            return self.refuse(error.code)
        answer = self._find(parameters) or self._compare(parameters)
        self._calls.add(answer.session_id)
        return answer

    def _find(self, parameters: dict[str, str]) -> FaceIDAnswer | None:
        """What is wrong with the parameters themselves, if anything."""
        code = find_fault(parameters)
        if code is None:
            return None
        return FaceIDAnswer(
            code=code, extra=parameters.get("Extra", ""), session_id=str(uuid.uuid4())
        )

    def _compare(self, parameters: dict[str, str]) -> FaceIDAnswer:
        image = base64.b64decode(parameters["ImageBase64"])
        scenario = self._chooser.choose(parameters["IdCard"], parameters["Name"], image)
        answer = FaceIDAnswer(
            code=code_of(scenario),
            is_error=scenario.code in ERRORS,
            session_id=str(uuid.uuid4()),
            similarity=scenario.similarity,
            extra=parameters.get("Extra", ""),
            scenario=scenario.name,
            delivery=scenario.delivery,
        )
        if scenario.is_billed:
            self._bill.charge(answer)
        return answer


def code_of(scenario: Scenario) -> str:
    """A scenario's outcome as ``Result`` or ``Error.Code``; the service judges similarities."""
    if scenario.similarity is not None:
        passes = scenario.similarity >= PASSES_FROM
        return "Success" if passes else "FailedOperation.CompareLowSimilarity"
    return ERRORS.get(scenario.code) or RESULTS[scenario.code]


def check_action(headers: Mapping[str, str]) -> None:
    """Raise an ``ErrorCode`` unless the one action is asked for in its one version."""
    if headers.get("x-tc-version") != VERSION:
        raise ErrorCode("NoSuchVersion")
    action = headers.get("x-tc-action", "")
    if action == "ImageRecognition":
        raise ErrorCode("ActionOffline")
    if action != ACTION:
        raise ErrorCode("InvalidAction")


def parse_parameters(request: SignedRequest) -> dict[str, str]:
    """The parameters of the body, all of them text; an ``ErrorCode`` for anything else."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise ErrorCode("InvalidParameter")
    try:
        parameters = json.loads(request.body.decode("utf-8"))
    except (ValueError, RecursionError):
        raise ErrorCode("InvalidParameter") from None
    if not isinstance(parameters, dict):
        raise ErrorCode("InvalidParameter")
    given = {name: value for name, value in parameters.items() if value is not None}
    if not _PARAMETERS.issuperset(given):
        raise ErrorCode("UnknownParameter")
    if "Encryption" in given:  # the sandbox has no key to open it with
        raise ErrorCode("InvalidParameter.UnsupportEncryptField")
    if any(name not in given for name in _REQUIRED):
        raise ErrorCode("MissingParameter")
    if not all(isinstance(value, str) for value in given.values()):
        raise ErrorCode("InvalidParameter")
    if len(given.get("Extra", "")) > MAX_EXTRA_LENGTH:
        raise ErrorCode("InvalidParameterValue")
    return given


def find_fault(parameters: Mapping[str, str]) -> str | None:
    """The ``Result`` for name, number or photo that cannot be compared."""
    if not is_number(parameters["IdCard"]):
        return "FailedOperation.IdFormatError"
    if not is_name(parameters["Name"]):
        return "FailedOperation.NameFormatError"
    return find_image_fault(parameters["ImageBase64"])


def find_image_fault(text: str) -> str | None:
    """Standard base64 with its padding, without ``data:``, of a JPEG or PNG, at most 3 MB."""
    if not text:
        return "FailedOperation.EmptyImageError"
    if len(text) > MAX_BASE64_LENGTH:
        return "FailedOperation.ImageSizeTooLarge"
    try:
        image = base64.b64decode(text, validate=True)
    except ValueError:
        return "FailedOperation.ImageDecodeFailed"
    is_photo = image_format(image) in ("jpeg", "png")
    return None if is_photo else "FailedOperation.ImageDecodeFailed"
