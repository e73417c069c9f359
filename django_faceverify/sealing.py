"""Sealing: personal data is stored only as authenticated ciphertext.

AES-256-GCM under a ring of keys (``FACEVERIFY["KEYS"]``: the first seals, all open). Each
use has a subkey of its own by HKDF, so that a leak of the index key opens no data. The
context (model, column, row) is bound as associated data: a ciphertext moved to another
row or column does not open.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.core.exceptions import ImproperlyConfigured
from django.views.decorators.debug import sensitive_variables

from django_faceverify.conf import app_settings
from django_faceverify.exceptions import SealBroken

FORMAT = b"fv1"
KEY_BYTES = 32
NONCE_BYTES = 12


@sensitive_variables()
def seal(plaintext: bytes, *, use: str, context: str) -> bytes:
    """Seal under the first key: ``fv1.<key id>.`` and then nonce, ciphertext and tag."""
    key_id = primary_key_id()
    nonce = os.urandom(NONCE_BYTES)
    head = FORMAT + b"." + key_id.encode() + b"."
    sealed = AESGCM(_subkey(key_id, use)).encrypt(nonce, plaintext, _bound(key_id, context))
    return head + nonce + sealed


@sensitive_variables()
def unseal(token: bytes, *, use: str, context: str) -> bytes:
    """Open what ``seal`` made for the same use and context.

    Raises ``SealBroken`` when the token is not ours, was changed, belongs to another row
    or column, or was sealed under a key that is no longer on the ring.
    """
    try:
        end_of_format = token.index(b".")
        end_of_name = token.index(b".", end_of_format + 1)
        name = token[end_of_format + 1 : end_of_name].decode("ascii")
    except (ValueError, UnicodeDecodeError):
        raise SealBroken("seal_broken") from None
    if token[:end_of_format] != FORMAT or name not in app_settings.KEYS:
        raise SealBroken("seal_broken")
    body = memoryview(token)[end_of_name + 1 :]  # a photo is not copied to be opened
    nonce, sealed = body[:NONCE_BYTES], body[NONCE_BYTES:]
    try:
        plaintext = AESGCM(_subkey(name, use)).decrypt(nonce, sealed, _bound(name, context))
    except (InvalidTag, ValueError):
        raise SealBroken("seal_broken") from None
    return plaintext


@sensitive_variables("plaintext")
def reseal(token: bytes, *, use: str, context: str) -> bytes:
    """The same under the first key; raises ``SealBroken``."""
    return seal(unseal(token, use=use, context=context), use=use, context=context)


@sensitive_variables("text")
def sealed_under(token: bytes | str) -> str:
    """The id of the key of a token, or of its beginning; empty when it is no token."""
    text = token.decode("ascii", "replace") if isinstance(token, bytes) else token
    format_, _, rest = text.partition(".")
    key_id, dot, _ = rest.partition(".")
    return key_id if dot and format_ == FORMAT.decode() else ""


@sensitive_variables()
def seal_text(plaintext: str, *, context: str) -> str:
    """Seal a text for a column: printable ASCII, so that every database can hold it."""
    token = seal(plaintext.encode(), use="field", context=context)
    format_, key_id, body = token.split(b".", 2)
    return b".".join((format_, key_id, base64.urlsafe_b64encode(body))).decode("ascii")


@sensitive_variables()
def unseal_text(token: str, *, context: str) -> str:
    """Open what ``seal_text`` made; raises ``SealBroken``."""
    try:
        format_, key_id, body = token.encode("ascii").split(b".", 2)
        sealed = base64.b64decode(body, b"-_", validate=True)
    except (ValueError, UnicodeEncodeError, binascii.Error):
        raise SealBroken("seal_broken") from None
    if base64.urlsafe_b64encode(sealed) != body:
        raise SealBroken("seal_broken")  # base64 has several spellings; ours is one
    raw = b".".join((format_, key_id, sealed))
    return unseal(raw, use="field", context=context).decode()


@sensitive_variables()
def blind_index(value: str) -> str:
    """A keyed digest by which a normalised ID number is found without being stored."""
    return _index(primary_key_id(), value)


@sensitive_variables()
def blind_indexes(value: str) -> list[str]:
    """The digests under every key of the ring: what to look for while keys rotate."""
    return [_index(key_id, value) for key_id in app_settings.KEYS]


def mac(use: str, *parts: bytes) -> str:
    """``<key id>:<hex>``: a keyed digest over the parts, each bound to its length."""
    key_id = primary_key_id()
    return f"{key_id}:{_digest(key_id, use, parts)}"


def macs(use: str, *parts: bytes) -> list[str]:
    """What ``mac`` gives under every key of the ring: what to look for while keys rotate."""
    return [f"{key_id}:{_digest(key_id, use, parts)}" for key_id in app_settings.KEYS]


def mac_matches(use: str, expected: str, *parts: bytes) -> bool:
    """Whether ``expected`` is what ``mac`` gave for these parts, under any key we hold."""
    key_id, _, digest = expected.partition(":")
    if key_id not in app_settings.KEYS:
        return False
    return hmac.compare_digest(digest, _digest(key_id, use, parts))


def key_id_of(mac: str) -> str:
    """The id of the key under which a MAC or an index was made."""
    return mac.partition(":")[0]


def holds_key_of(mac: str) -> bool:
    """Whether the ring has the key under which a MAC was made."""
    return key_id_of(mac) in app_settings.KEYS


class Tally:
    """A keyed digest over a set of records in any order: the sum of a MAC of each.

    Without the key no record's share is known, so none can be left out or made up for.
    Raises ``KeyError`` when the key is not on the ring.
    """

    def __init__(self, use: str, key_id: str) -> None:
        self._start = hmac.new(_subkey(key_id, f"{use}/tally"), digestmod=hashlib.sha256)
        self._sum = 0
        self.count = 0

    def add(self, *parts: bytes) -> None:
        digest = self._start.copy()
        _feed(digest, parts)
        self._sum = (self._sum + int.from_bytes(digest.digest(), "big")) % 2**256
        self.count += 1

    def total(self) -> bytes:
        return self.count.to_bytes(8, "big") + self._sum.to_bytes(32, "big")


def primary_key_id() -> str:
    """The id of the key that seals; ``ImproperlyConfigured`` when the ring is empty."""
    try:
        return next(iter(app_settings.KEYS))
    except StopIteration:
        raise ImproperlyConfigured("FACEVERIFY['KEYS'] holds no key.") from None


@sensitive_variables()
def decode_key(text: str) -> bytes:
    """The 32 bytes of a key as it stands in the settings; ``ValueError`` otherwise."""
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, TypeError, ValueError):
        raise ValueError("a key is 32 bytes in base64") from None
    if len(key) != KEY_BYTES:
        raise ValueError("a key is 32 bytes in base64")
    return key


@sensitive_variables()
def _index(key_id: str, value: str) -> str:
    return f"{key_id}:{_digest(key_id, 'index/idcard_number', (value.encode(),))}"


@sensitive_variables()
def _digest(key_id: str, use: str, parts: tuple[bytes, ...]) -> str:
    digest = hmac.new(_subkey(key_id, use), digestmod=hashlib.sha256)
    _feed(digest, parts)
    return digest.hexdigest()


def _feed(digest: hmac.HMAC, parts: tuple[bytes, ...]) -> None:
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)


def _bound(key_id: str, context: str) -> bytes:
    return f"{key_id}|{context}".encode()


@sensitive_variables()
def _subkey(key_id: str, use: str) -> bytes:
    try:
        root = decode_key(app_settings.KEYS[key_id])
    except ValueError:
        raise ImproperlyConfigured(
            f"FACEVERIFY['KEYS'][{key_id!r}] is not 32 bytes in base64."
        ) from None
    return _derive(root, use)


@lru_cache(maxsize=64)
@sensitive_variables()
def _derive(root: bytes, use: str) -> bytes:
    info = f"django-faceverify/{use}".encode()
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(root)
