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
)
from django_faceverify.reasons import ReasonCode

#: how the message of code 3 says that the account is in arrears (vendor docs 641/12433)
ARREARS_MESSAGE = "account abnormal"

CODES: dict[int, CodeMeaning] = {
    0: COMPARED,
    # the request and its signature
    3: CONFIG,  # bad request; with ARREARS_MESSAGE it is ARREARS
    4: CONFIG,  # no signature
    5: CONFIG,  # malformed signature
    6: CONFIG,  # the signature is for another appid or bucket
    7: DOWN,  # internal error while encoding the signature
    8: DOWN,  # internal error while decoding the signature
    9: STALE,  # signature expired
    10: CONFIG,  # no such appid
    11: CONFIG,  # no such SecretId
    12: CONFIG,  # appid and SecretId do not belong together
    13: STALE,  # replay
    14: CONFIG,  # wrong signature
    15: THROTTLED,
    16: CONFIG,  # no such bucket
    21: CONFIG,  # invalid parameter
    23: found(ReasonCode.IMAGE_TOO_LARGE, "no"),  # body above 6 MB
    24: CONFIG,  # the service was not applied for
    25: ARREARS,  # service suspended, or the bought quota is used up
    107: DOWN,
    108: DOWN,
    213: DOWN,
    # the photo; "video" and "selfie" in the vendor's texts mean the submitted photo
    -4006: found(ReasonCode.FACE_INCOMPLETE, "no"),  # a face, but no features to compare
    -4011: found(ReasonCode.IMAGE_UNDECODABLE, "no"),
    -4012: found(ReasonCode.NO_FACE, "no"),
    -4015: found(ReasonCode.NO_FACE, "no"),
    -4016: found(ReasonCode.IMAGE_UNDECODABLE, "no"),
    -4010: DOWN,  # the similarity could not be computed
    # the registered portrait ("Card")
    -4009: found(ReasonCode.ID_PHOTO_POOR, "no"),  # no features
    -4017: found(ReasonCode.ID_PHOTO_POOR, "no"),  # no face
    -4018: found(ReasonCode.ID_PHOTO_POOR, "no"),  # undecodable
    # the video of liveness calls
    -4007: FOREIGN,
    -5001: FOREIGN,
    -5002: FOREIGN,
    -5005: FOREIGN,
    -5007: FOREIGN,
    -5008: FOREIGN,
    -5009: FOREIGN,
    -5010: FOREIGN,
    -5011: FOREIGN,
    -5012: FOREIGN,
    -5013: FOREIGN,
    -5014: FOREIGN,
    -5015: FOREIGN,
    -5016: found(ReasonCode.SPOOF_SUSPECTED, "no"),  # not a live person: clear enough to use
    # name and number
    -5801: CONFIG,  # name or number missing: we never leave them out
    -5802: DOWN,
    -5803: found(ReasonCode.ID_NAME_MISMATCH, "yes", counts=True),
    -5804: found(ReasonCode.ID_NUMBER_INVALID),  # genuine people who have moved get it too
    -5805: found(ReasonCode.IMAGE_URL_UNREACHABLE),
    -5806: found(ReasonCode.ID_NUMBER_INVALID),  # format refused that our own checks passed
    -5807: DOWN,  # lookup in the register failed
    -5809: found(ReasonCode.ID_PHOTO_POOR, "no"),
    -5817: found(ReasonCode.ID_PHOTO_POOR, "no"),
    # face recognition
    -1101: found(ReasonCode.NO_FACE, "no"),
    -1102: found(ReasonCode.IMAGE_UNDECODABLE, "no"),
    -1103: found(ReasonCode.FACE_INCOMPLETE, "no"),
    -1104: found(ReasonCode.FACE_INCOMPLETE),  # outline
    -1105: found(ReasonCode.FACE_INCOMPLETE),  # sex
    -1106: found(ReasonCode.FACE_INCOMPLETE),  # expression
    -1107: found(ReasonCode.FACE_INCOMPLETE),  # age
    -1108: found(ReasonCode.FACE_INCOMPLETE),  # pose
    -1109: found(ReasonCode.FACE_INCOMPLETE),  # glasses
    -1200: DOWN,  # storage of features
    -1300: found(ReasonCode.IMAGE_UNDECODABLE),  # the photo arrived empty
    -1301: CONFIG,  # empty parameter
    -1302: FOREIGN,
    -1303: FOREIGN,
    -1304: CONFIG,  # parameter too long
    -1305: FOREIGN,
    -1306: FOREIGN,
    -1307: FOREIGN,
    -1308: found(ReasonCode.IMAGE_URL_UNREACHABLE),
    -1309: found(ReasonCode.MULTIPLE_FACES, "no"),  # more faces than allowed
    -1310: FOREIGN,
    -1311: FOREIGN,
    -1312: FOREIGN,
    -1400: found(ReasonCode.IMAGE_UNDECODABLE, "no"),  # not an image format
    -1403: found(ReasonCode.IMAGE_URL_UNREACHABLE),
    -1408: found(ReasonCode.IMAGE_TOO_LARGE),  # behind the URL
    -1505: found(ReasonCode.IMAGE_URL_UNREACHABLE),  # malformed URL
    -1506: found(ReasonCode.IMAGE_URL_UNREACHABLE),  # download took too long
    -1507: found(ReasonCode.IMAGE_URL_UNREACHABLE),  # its server cannot be reached
    # the gateway before the service
    -71: THROTTLED,
    -79: CONFIG,  # no such SecretId
    -81: CONFIG,  # no signature
    -96: STALE,  # signature expired
    -97: CONFIG,  # wrong signature
    -2000: DOWN,  # overloaded
}


def meaning_of(code: int, message: str) -> CodeMeaning | None:
    """The meaning of a code, or ``None`` for one that the vendor does not document.

    The message counts in one case only, the one that the vendor documents.
    """
    if code == 3 and ARREARS_MESSAGE in message.casefold():
        return ARREARS
    return CODES.get(code)
