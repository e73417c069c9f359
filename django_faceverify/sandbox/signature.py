"""The Authorization header: who calls, and may they (vendor docs 460/6968, 641/12409).

A token is Base64 of twenty bytes of HMAC-SHA1 followed by the signed text itself, such as
``a=1250000000&b=&k=my-secret-id&e=1500000030&t=1500000000&r=4711&f=``. The text is checked
as it was received and never rebuilt, so the order and the set of its fields are free.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from .codes import Code, Refusal

DIGEST_BYTES = hashlib.sha1(usedforsecurity=False).digest_size
LONGEST_LIFE = 90 * 24 * 3600  # seconds; the vendor says three months

_UNIX_SECONDS = re.compile(r"[0-9]{1,12}")


@dataclass(frozen=True)
class Account:
    """The one customer the sandbox knows."""

    appid: str
    secret_id: str
    secret_key: str = field(repr=False)

    def sign(self, text: bytes) -> bytes:
        return hmac.digest(self.secret_key.encode(), text, "sha1")


@dataclass(frozen=True)
class Token:
    """An Authorization header taken apart; times are unix seconds."""

    digest: bytes
    signed_text: bytes
    appid: str
    secret_id: str
    issued_at: int
    expires_at: int  # 0: a single-use token, bound to ``file_id``
    file_id: str

    @classmethod
    def parse(cls, authorization: str) -> Token:
        """Take the header's value apart; ``Refusal`` with code 4 or 5 if that fails."""
        if not authorization:
            raise Refusal(Code.SIGNATURE_EMPTY)
        decoded = _decode_base64(authorization)
        digest, signed_text = decoded[:DIGEST_BYTES], decoded[DIGEST_BYTES:]
        fields = _split_fields(signed_text)
        try:
            return cls(
                digest=digest,
                signed_text=signed_text,
                appid=fields["a"],
                secret_id=fields["k"],
                issued_at=_unix_seconds(fields["t"]),
                expires_at=_unix_seconds(fields["e"]),
                file_id=fields.get("f", ""),
            )
        except KeyError:
            raise Refusal(Code.SIGNATURE_MALFORMED) from None


class SignatureVerifier:
    """Judges Authorization headers by the account's key and the clock."""

    def __init__(self, account: Account, clock: Callable[[], float] = time.time) -> None:
        self._account = account
        self._clock = clock
        self._spent: set[bytes] = set()
        self._lock = threading.Lock()

    def verify(self, authorization: str) -> Token:
        """Return the token of an honest and current header.

        Raises ``Refusal``: 4 empty, 5 malformed or valid for too long, 11 and 10 not our
        SecretId or appid, 14 wrong digest, 9 expired, 13 a single-use token used again.
        Code 12 (appid and SecretId of different accounts) needs a second account.
        """
        token = Token.parse(authorization)
        self._check_owner(token)
        self._check_digest(token)
        if token.expires_at == 0:
            self._spend(token)
        else:
            self._check_lifetime(token)
        return token

    def _check_owner(self, token: Token) -> None:
        if token.secret_id != self._account.secret_id:
            raise Refusal(Code.SECRET_ID_UNKNOWN)
        if token.appid != self._account.appid:
            raise Refusal(Code.APPID_UNKNOWN)

    def _check_digest(self, token: Token) -> None:
        if not hmac.compare_digest(token.digest, self._account.sign(token.signed_text)):
            raise Refusal(Code.SIGNATURE_WRONG)

    def _check_lifetime(self, token: Token) -> None:
        if self._clock() > token.expires_at:
            raise Refusal(Code.SIGNATURE_EXPIRED)
        if not 0 < token.expires_at - token.issued_at <= LONGEST_LIFE:
            raise Refusal(Code.SIGNATURE_MALFORMED)

    def _spend(self, token: Token) -> None:
        if not token.file_id:
            raise Refusal(Code.SIGNATURE_MALFORMED)
        with self._lock:
            if token.digest in self._spent:
                raise Refusal(Code.SIGNATURE_REPLAYED)
            self._spent.add(token.digest)


def _decode_base64(text: str) -> bytes:
    """Decode standard Base64; unlike the standard library, take only the canonical spelling."""
    try:
        decoded = base64.b64decode(text, validate=True)
    except ValueError:
        raise Refusal(Code.SIGNATURE_MALFORMED) from None
    if base64.b64encode(decoded).decode() != text:
        raise Refusal(Code.SIGNATURE_MALFORMED)
    return decoded


def _split_fields(signed_text: bytes) -> dict[str, str]:
    """Split ``a=1&b=2``; no value is URL-encoded, and a field given twice is an error."""
    try:
        pairs = [pair.partition("=") for pair in signed_text.decode("ascii").split("&")]
    except UnicodeDecodeError:
        raise Refusal(Code.SIGNATURE_MALFORMED) from None
    fields = {name: value for name, equals, value in pairs if equals}
    if len(fields) != len(pairs):
        raise Refusal(Code.SIGNATURE_MALFORMED)
    return fields


def _unix_seconds(text: str) -> int:
    if not _UNIX_SECONDS.fullmatch(text):
        raise Refusal(Code.SIGNATURE_MALFORMED)
    return int(text)
