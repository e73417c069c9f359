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


def seal(plaintext: bytes, *, use: str, context: str) -> bytes:
    """Seal under the first key: ``fv1.<key id>.`` and then nonce, ciphertext and tag."""
    key_id = primary_key_id()
    nonce = os.urandom(NONCE_BYTES)
    head = FORMAT + b"." + key_id.encode() + b"."
    sealed = AESGCM(_subkey(key_id, use)).encrypt(nonce, plaintext, _bound(key_id, context))
    return head + nonce + sealed


@sensitive_variables("plaintext")
def unseal(token: bytes, *, use: str, context: str) -> bytes:
    """Open what ``seal`` made for the same use and context.

    Raises ``SealBroken`` when the token is not ours, was changed, belongs to another row
    or column, or was sealed under a key that is no longer on the ring.
    """
    try:
        format_, key_id, body = token.split(b".", 2)
        name = key_id.decode("ascii")
    except (ValueError, UnicodeDecodeError):
        raise SealBroken("seal_broken") from None
    if format_ != FORMAT or name not in app_settings.KEYS:
        raise SealBroken("seal_broken")
    nonce, sealed = body[:NONCE_BYTES], body[NONCE_BYTES:]
    try:
        plaintext = AESGCM(_subkey(name, use)).decrypt(nonce, sealed, _bound(name, context))
    except (InvalidTag, ValueError):
        raise SealBroken("seal_broken") from None
    return plaintext


@sensitive_variables("plaintext")
def seal_text(plaintext: str, *, context: str) -> str:
    """Seal a text for a column: printable ASCII, so that every database can hold it."""
    token = seal(plaintext.encode(), use="field", context=context)
    format_, key_id, body = token.split(b".", 2)
    return b".".join((format_, key_id, base64.urlsafe_b64encode(body))).decode("ascii")


def unseal_text(token: str, *, context: str) -> str:
    """Open what ``seal_text`` made; raises ``SealBroken``."""
    try:
        format_, key_id, body = token.encode("ascii").split(b".", 2)
        raw = b".".join((format_, key_id, base64.b64decode(body, b"-_", validate=True)))
    except (ValueError, UnicodeEncodeError, binascii.Error):
        raise SealBroken("seal_broken") from None
    return unseal(raw, use="field", context=context).decode()


def blind_index(value: str) -> str:
    """A keyed digest by which a normalised ID number is found without being stored."""
    return _index(primary_key_id(), value)


def blind_indexes(value: str) -> list[str]:
    """The digests under every key of the ring: what to look for while keys rotate."""
    return [_index(key_id, value) for key_id in app_settings.KEYS]


def mac(use: str, *parts: bytes) -> str:
    """``<key id>:<hex>``: a keyed digest over the parts, each bound to its length."""
    key_id = primary_key_id()
    return f"{key_id}:{_digest(key_id, use, parts)}"


def mac_matches(use: str, expected: str, *parts: bytes) -> bool:
    """Whether ``expected`` is what ``mac`` gave for these parts, under any key we hold."""
    key_id, _, digest = expected.partition(":")
    if key_id not in app_settings.KEYS:
        return False
    return hmac.compare_digest(digest, _digest(key_id, use, parts))


def primary_key_id() -> str:
    """The id of the key that seals; ``ImproperlyConfigured`` when the ring is empty."""
    try:
        return next(iter(app_settings.KEYS))
    except StopIteration:
        raise ImproperlyConfigured("FACEVERIFY['KEYS'] holds no key.") from None


def decode_key(text: str) -> bytes:
    """The 32 bytes of a key as it stands in the settings; ``ValueError`` otherwise."""
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, TypeError, ValueError):
        raise ValueError("a key is 32 bytes in base64") from None
    if len(key) != KEY_BYTES:
        raise ValueError("a key is 32 bytes in base64")
    return key


def _index(key_id: str, value: str) -> str:
    return f"{key_id}:{_digest(key_id, 'index/idcard_number', (value.encode(),))}"


def _digest(key_id: str, use: str, parts: tuple[bytes, ...]) -> str:
    digest = hmac.new(_subkey(key_id, use), digestmod=hashlib.sha256)
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()


def _bound(key_id: str, context: str) -> bytes:
    return f"{key_id}|{context}".encode()


def _subkey(key_id: str, use: str) -> bytes:
    try:
        root = decode_key(app_settings.KEYS[key_id])
    except ValueError:
        raise ImproperlyConfigured(
            f"FACEVERIFY['KEYS'][{key_id!r}] is not 32 bytes in base64."
        ) from None
    return _derive(root, use)


@lru_cache(maxsize=64)
def _derive(root: bytes, use: str) -> bytes:
    info = f"django-faceverify/{use}".encode()
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(root)
