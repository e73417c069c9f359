"""What every code of the FaceID service means to us.

Sources: the results and errors of ``ImageRecognitionV2`` and the errors common to all of the
vendor's cloud API (vendor docs 1007/56316 and 1007/31328); what is billed: 1007/47911. Where
that page says nothing, ``is_billed`` follows the rules of ``qcloud_codes``: a call that was
refused, throttled or failed inside the service compared nothing; a finding is ``unknown``.
"""

from __future__ import annotations

from django_faceverify.providers.base import CodeMeaning
from django_faceverify.providers.meaning import (
    ARREARS,
    COMPARED,
    CONFIG,
    DOWN,
    FOREIGN,
    STALE,
    THROTTLED,
    found,
    meaning,
)
from django_faceverify.reasons import ReasonCode

SUCCESS = "Success"
#: compared, and below the service's own threshold: its verdict, whatever ours would say
LOW_SIMILARITY = "FailedOperation.CompareLowSimilarity"

#: findings about the person or the photo, as ``Result`` or as ``Error.Code``
_FINDINGS: dict[str, CodeMeaning] = {
    "CompareLowSimilarity": found(ReasonCode.FACE_MISMATCH, "yes", counts=True),
    # name and number
    "IdNameMisMatch": found(ReasonCode.ID_NAME_MISMATCH, "yes", counts=True),
    "IdNoExistSystem": found(ReasonCode.ID_NOT_FOUND),
    "IdFormatError": found(ReasonCode.ID_NUMBER_INVALID),
    "NameFormatError": found(ReasonCode.ID_NAME_INVALID),
    # the registered portrait
    "IdPhotoNoExist": found(ReasonCode.ID_PHOTO_MISSING),
    "IdPhotoPoorQuality": found(ReasonCode.ID_PHOTO_POOR, "no"),
    # the photo
    "LifePhotoDetectFaces": found(ReasonCode.MULTIPLE_FACES, "no"),
    "LifePhotoDetectNoFaces": found(ReasonCode.NO_FACE, "no"),
    "IncompleteFace": found(ReasonCode.FACE_INCOMPLETE),
    "CoveredFace": found(ReasonCode.FACE_COVERED, "no"),
    "LifePhotoDetectFake": found(ReasonCode.SPOOF_SUSPECTED, "no"),
    "LifePhotoPoorQuality": found(ReasonCode.IMAGE_BLURRY),
    "PoorImageQuality": found(ReasonCode.IMAGE_BLURRY, "no"),
    "ImageBlur": found(ReasonCode.IMAGE_BLURRY),
    "LifePhotoSizeError": found(ReasonCode.IMAGE_TOO_SMALL),
    "ImageSizeTooLarge": found(ReasonCode.IMAGE_TOO_LARGE),
    "ImageDecodeFailed": found(ReasonCode.IMAGE_UNDECODABLE, "no"),
    "EmptyImageError": found(ReasonCode.IMAGE_UNDECODABLE),
    # the service itself
    "IdPhotoSystemNoanswer": DOWN,
    "CompareLibServiceUnavailable": DOWN,
    "CompareSystemError": DOWN,
    "CompareFail": DOWN,
    "DetectEngineSystemError": DOWN,
    "DbError": DOWN,
    "FileSaveError": DOWN,
    "UnKnown": DOWN,
    "DownLoadError": FOREIGN,  # of a URL, which is never sent
    "DownLoadTimeoutError": FOREIGN,
    "RequestLimitExceeded": THROTTLED,
    # of this name or number, until the next day
    "IdentityAuthLimitExceeded": meaning(
        "throttled", ReasonCode.IDENTITY_RATE_LIMITED, "no", retry=True
    ),
    "DecryptSystemError": CONFIG,
    "EncryptSystemError": CONFIG,
    # photos of documents
    "ImageNoIdCard": FOREIGN,
    "OcrFailed": FOREIGN,
    "OcrWarningOccurred": FOREIGN,
}

CODES: dict[str, CodeMeaning] = {
    SUCCESS: COMPARED,
    **{f"FailedOperation.{name}": row for name, row in _FINDINGS.items()},
    # the account
    "UnauthorizedOperation": CONFIG,
    "UnauthorizedOperation.Nonactivated": CONFIG,
    "UnauthorizedOperation.Activating": CONFIG,
    "UnauthorizedOperation.ActivateError": CONFIG,
    "UnauthorizedOperation.NonAuthorize": CONFIG,
    "UnauthorizedOperation.Arrears": ARREARS,
    "UnauthorizedOperation.ChargeStatusException": ARREARS,
    # the signature
    "AuthFailure": CONFIG,
    "AuthFailure.InvalidAuthorization": CONFIG,
    "AuthFailure.InvalidSecretId": CONFIG,
    "AuthFailure.SecretIdNotFound": CONFIG,
    "AuthFailure.SignatureExpire": STALE,
    "AuthFailure.SignatureFailure": CONFIG,
    "AuthFailure.TokenFailure": CONFIG,
    "AuthFailure.MFAFailure": CONFIG,
    "AuthFailure.UnauthorizedOperation": CONFIG,
    # the call
    "ActionOffline": CONFIG,
    "InvalidAction": CONFIG,
    "NoSuchVersion": CONFIG,
    "UnsupportedOperation": CONFIG,
    "UnsupportedProtocol": CONFIG,
    "UnsupportedRegion": CONFIG,
    "MissingParameter": CONFIG,
    "UnknownParameter": CONFIG,
    "InvalidParameter": CONFIG,
    "InvalidParameter.UnsupportEncryptField": CONFIG,
    "InvalidParameterValue": CONFIG,
    "RequestSizeLimitExceeded": found(ReasonCode.IMAGE_TOO_LARGE, "no"),
    "RequestLimitExceeded": THROTTLED,
    "RequestLimitExceeded.UinLimitExceeded": THROTTLED,
    "LimitExceeded": THROTTLED,
    # the service
    "InternalError": DOWN,
    "InternalError.UnKnown": DOWN,
    "InternalError.EncryptSystemError": CONFIG,
    "ServiceUnavailable": DOWN,
    "ResourceUnavailable": DOWN,
}

#: video and liveness calls, which this provider does not make
_FOREIGN_PREFIXES = tuple(
    f"FailedOperation.{kind}" for kind in ("Action", "Lip", "Lives", "Silent", "Video")
)


def meaning_of(code: str) -> CodeMeaning | None:
    """The meaning of a code, or ``None`` for one that the vendor does not document."""
    if code.startswith(_FOREIGN_PREFIXES):
        return FOREIGN
    return CODES.get(code)
