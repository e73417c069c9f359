"""What every code of the qcloud gateway means to us.

Sources: the return codes of face verification (vendor docs 641/12433 and 868/17580, all
versions united) and of face recognition on the same gateway (641/12410). The vendor
documents no billing for single codes, so ``is_billed`` follows these rules:

- a comparison (0) is billed, and so is a name that does not fit the number (-5803): the
  successor service bills it (vendor docs 1007/47911);
- calls that were refused, throttled or failed inside the service compared nothing: no;
- what was found in a photo is not billed where the successor says so of the same finding;
- everything else: unknown.
"""

from __future__ import annotations

from dataclasses import replace

from django_faceverify.providers.base import CodeMeaning
from django_faceverify.reasons import REASONS, ReasonCode


def _meaning(
    kind: str, reason: ReasonCode, is_billed: str, *, retry: bool = False, counts: bool = False
) -> CodeMeaning:
    return CodeMeaning(
        reason_code=reason.value,
        kind=kind,
        fixable_by=REASONS[reason].fixable_by.value,
        is_retryable=retry,
        is_billed=is_billed,
        counts_as_try=counts,
    )


def _found(reason: ReasonCode, is_billed: str = "unknown", *, counts: bool = False) -> CodeMeaning:
    """The service did its work, and this is what it says about the person or the photo."""
    return _meaning("answered", reason, is_billed, counts=counts)


_COMPARED = CodeMeaning(
    reason_code="", kind="answered", fixable_by="nobody", is_retryable=False, is_billed="yes"
)
_CONFIG = _meaning("refused", ReasonCode.PROVIDER_CONFIG, "no")
# Each call is signed afresh, so a signature that was too old or seen before may pass next time.
_STALE = replace(_CONFIG, is_retryable=True)
_DOWN = _meaning("refused", ReasonCode.PROVIDER_UNAVAILABLE, "no", retry=True)
_THROTTLED = _meaning("throttled", ReasonCode.PROVIDER_THROTTLED, "no", retry=True)
# Answers to questions that this call does not ask: about a video, a person or a group.
_FOREIGN = _meaning("unknown", ReasonCode.PROVIDER_PROTOCOL, "unknown")

#: the account is in arrears: code 25, or code 3 with a message that says so
ARREARS = _meaning("refused", ReasonCode.PROVIDER_ARREARS, "no")
#: how the message of code 3 says so (vendor docs 641/12433)
ARREARS_MESSAGE = "account abnormal"

CODES: dict[int, CodeMeaning] = {
    0: _COMPARED,
    # the request and its signature
    3: _CONFIG,  # bad request; with ARREARS_MESSAGE it is ARREARS
    4: _CONFIG,  # no signature
    5: _CONFIG,  # malformed signature
    6: _CONFIG,  # the signature is for another appid or bucket
    7: _DOWN,  # internal error while encoding the signature
    8: _DOWN,  # internal error while decoding the signature
    9: _STALE,  # signature expired
    10: _CONFIG,  # no such appid
    11: _CONFIG,  # no such SecretId
    12: _CONFIG,  # appid and SecretId do not belong together
    13: _STALE,  # replay
    14: _CONFIG,  # wrong signature
    15: _THROTTLED,
    16: _CONFIG,  # no such bucket
    21: _CONFIG,  # invalid parameter
    23: _found(ReasonCode.IMAGE_TOO_LARGE, "no"),  # body above 6 MB
    24: _CONFIG,  # the service was not applied for
    25: ARREARS,  # service suspended, or the bought quota is used up
    107: _DOWN,
    108: _DOWN,
    213: _DOWN,
    # the photo; "video" and "selfie" in the vendor's texts mean the submitted photo
    -4006: _found(ReasonCode.FACE_INCOMPLETE, "no"),  # a face, but no features to compare
    -4011: _found(ReasonCode.IMAGE_UNDECODABLE, "no"),
    -4012: _found(ReasonCode.NO_FACE, "no"),
    -4015: _found(ReasonCode.NO_FACE, "no"),
    -4016: _found(ReasonCode.IMAGE_UNDECODABLE, "no"),
    -4010: _DOWN,  # the similarity could not be computed
    # the registered portrait ("Card")
    -4009: _found(ReasonCode.ID_PHOTO_POOR, "no"),  # no features
    -4017: _found(ReasonCode.ID_PHOTO_POOR, "no"),  # no face
    -4018: _found(ReasonCode.ID_PHOTO_POOR, "no"),  # undecodable
    # the video of liveness calls
    -4007: _FOREIGN,
    -5001: _FOREIGN,
    -5002: _FOREIGN,
    -5005: _FOREIGN,
    -5007: _FOREIGN,
    -5008: _FOREIGN,
    -5009: _FOREIGN,
    -5010: _FOREIGN,
    -5011: _FOREIGN,
    -5012: _FOREIGN,
    -5013: _FOREIGN,
    -5014: _FOREIGN,
    -5015: _FOREIGN,
    -5016: _found(ReasonCode.SPOOF_SUSPECTED, "no"),  # not a live person: clear enough to use
    # name and number
    -5801: _CONFIG,  # name or number missing: we never leave them out
    -5802: _DOWN,
    -5803: _found(ReasonCode.ID_NAME_MISMATCH, "yes", counts=True),
    -5804: _found(ReasonCode.ID_NUMBER_INVALID),  # genuine people who have moved get it too
    -5805: _found(ReasonCode.IMAGE_URL_UNREACHABLE),
    -5806: _found(ReasonCode.ID_NUMBER_INVALID),  # format refused that our own checks passed
    -5807: _DOWN,  # lookup in the register failed
    -5809: _found(ReasonCode.ID_PHOTO_POOR, "no"),
    -5817: _found(ReasonCode.ID_PHOTO_POOR, "no"),
    # face recognition
    -1101: _found(ReasonCode.NO_FACE, "no"),
    -1102: _found(ReasonCode.IMAGE_UNDECODABLE, "no"),
    -1103: _found(ReasonCode.FACE_INCOMPLETE, "no"),
    -1104: _found(ReasonCode.FACE_INCOMPLETE),  # outline
    -1105: _found(ReasonCode.FACE_INCOMPLETE),  # sex
    -1106: _found(ReasonCode.FACE_INCOMPLETE),  # expression
    -1107: _found(ReasonCode.FACE_INCOMPLETE),  # age
    -1108: _found(ReasonCode.FACE_INCOMPLETE),  # pose
    -1109: _found(ReasonCode.FACE_INCOMPLETE),  # glasses
    -1200: _DOWN,  # storage of features
    -1300: _found(ReasonCode.IMAGE_UNDECODABLE),  # the photo arrived empty
    -1301: _CONFIG,  # empty parameter
    -1302: _FOREIGN,
    -1303: _FOREIGN,
    -1304: _CONFIG,  # parameter too long
    -1305: _FOREIGN,
    -1306: _FOREIGN,
    -1307: _FOREIGN,
    -1308: _found(ReasonCode.IMAGE_URL_UNREACHABLE),
    -1309: _found(ReasonCode.MULTIPLE_FACES, "no"),  # more faces than allowed
    -1310: _FOREIGN,
    -1311: _FOREIGN,
    -1312: _FOREIGN,
    -1400: _found(ReasonCode.IMAGE_UNDECODABLE, "no"),  # not an image format
    -1403: _found(ReasonCode.IMAGE_URL_UNREACHABLE),
    -1408: _found(ReasonCode.IMAGE_TOO_LARGE),  # behind the URL
    -1505: _found(ReasonCode.IMAGE_URL_UNREACHABLE),  # malformed URL
    -1506: _found(ReasonCode.IMAGE_URL_UNREACHABLE),  # download took too long
    -1507: _found(ReasonCode.IMAGE_URL_UNREACHABLE),  # its server cannot be reached
    # the gateway before the service
    -71: _THROTTLED,
    -79: _CONFIG,  # no such SecretId
    -81: _CONFIG,  # no signature
    -96: _STALE,  # signature expired
    -97: _CONFIG,  # wrong signature
    -2000: _DOWN,  # overloaded
}


def meaning_of(code: int, message: str) -> CodeMeaning | None:
    """The meaning of a code, or ``None`` for one that the vendor does not document.

    The message counts in one case only, the one that the vendor documents.
    """
    if code == 3 and ARREARS_MESSAGE in message.casefold():
        return ARREARS
    return CODES.get(code)
