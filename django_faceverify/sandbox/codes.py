"""The provider's return codes that the sandbox can answer.

Vendor docs 641/12433 (face verification) and, for ``TOO_MANY_FACES``, ``BAD_IMAGE_FORMAT``
and ``INVALID_PARAMETER``, the code lists of the sibling services on the same gateway.
The vendor documents meanings, not the text on the wire; clients go by ``code`` alone.
"""

from __future__ import annotations

from enum import IntEnum


class Code(IntEnum):
    OK = 0
    BAD_REQUEST = 3
    SIGNATURE_EMPTY = 4
    SIGNATURE_MALFORMED = 5
    APPID_NOT_SIGNED = 6
    SIGNATURE_EXPIRED = 9
    APPID_UNKNOWN = 10
    SECRET_ID_UNKNOWN = 11
    SIGNATURE_REPLAYED = 13
    SIGNATURE_WRONG = 14
    THROTTLED = 15
    INVALID_PARAMETER = 21
    BODY_TOO_LARGE = 23
    NO_FEATURES = -4006
    IMAGE_UNDECODABLE = -4011
    NO_FACE = -4012
    TOO_MANY_FACES = -1309
    BAD_IMAGE_FORMAT = -1400
    IDENTITY_MISSING = -5801
    INTERNAL_ERROR = -5802
    NAME_MISMATCH = -5803
    NUMBER_INVALID = -5804
    IMAGE_MISSING = -5805
    IDENTITY_MALFORMED = -5806
    REGISTERED_PHOTO_POOR = -5817


MESSAGES = {
    Code.OK: "OK",
    Code.BAD_REQUEST: "错误的请求",
    Code.SIGNATURE_EMPTY: "签名为空",
    Code.SIGNATURE_MALFORMED: "签名串错误",
    Code.APPID_NOT_SIGNED: "签名中的 appid/bucket 与操作目标不匹配",
    Code.SIGNATURE_EXPIRED: "签名过期",
    Code.APPID_UNKNOWN: "appid 不存在",
    Code.SECRET_ID_UNKNOWN: "secretid 不存在",
    Code.SIGNATURE_REPLAYED: "重放攻击",
    Code.SIGNATURE_WRONG: "签名校验失败",
    Code.THROTTLED: "操作太频繁，触发频控",
    Code.INVALID_PARAMETER: "无效参数",
    Code.BODY_TOO_LARGE: "请求包体过大",
    Code.NO_FEATURES: "自拍照特征提取失败",
    Code.IMAGE_UNDECODABLE: "照片解码失败",
    Code.NO_FACE: "照片人脸检测失败",
    Code.TOO_MANY_FACES: "人脸个数超过限制：检测到多张人脸",
    Code.BAD_IMAGE_FORMAT: "非法的图片格式",
    Code.IDENTITY_MISSING: "请求缺少身份证号码或身份证姓名",
    Code.INTERNAL_ERROR: "服务器内部错误，服务暂时不可用",
    Code.NAME_MISMATCH: "身份证姓名与身份证号码不一致",
    Code.NUMBER_INVALID: "身份证号码无效",
    Code.IMAGE_MISSING: "用户未输入图像或者 url 下载失败",
    Code.IDENTITY_MALFORMED: "身份证号码或者姓名格式错误",
    Code.REGISTERED_PHOTO_POOR: "证件照质量较差",
}

#: with code 3, this text alone says that the account owes money (vendor docs 641/12433)
ARREARS_MESSAGE = "account abnormal,errorno is:2"


class Refusal(Exception):
    """The request fails one of the provider's checks; ``code`` is what it answers."""

    def __init__(self, code: Code) -> None:
        super().__init__(code)
        self.code = code
