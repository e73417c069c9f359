"""Name and number in cipher within an encrypted connection, as the vendor offers it.

AES-256-CBC with a key of its own for each call, wrapped with the RSA key from the vendor's
console (vendor docs 1007/61960). The photo is not encrypted this way.
"""

from __future__ import annotations

import base64
import os
import secrets
import string
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.hazmat.primitives.serialization import load_der_public_key, load_pem_public_key
from django.views.decorators.debug import sensitive_variables

ALGORITHM = "AES-256-CBC"
#: the vendor's key is text: 32 characters are the 32 bytes of AES-256
KEY_CHARACTERS, KEY_LENGTH = string.ascii_letters + string.digits, 32
IV_BYTES = 16


def load_public_key(text: str) -> rsa.RSAPublicKey:
    """The vendor's public key, as PEM or as the console shows it, its base64 alone.

    Raises ``ValueError`` for anything else.
    """
    try:
        if "-----BEGIN" in text:
            key = load_pem_public_key(text.encode())
        else:
            key = load_der_public_key(base64.b64decode("".join(text.split()), validate=True))
    except Exception:  # noqa: BLE001 (what OpenSSL raises differs by version)
        raise ValueError("not a public key") from None
    if not isinstance(key, rsa.RSAPublicKey):
        raise ValueError("not an RSA key")
    return key


@sensitive_variables()
def encrypt(fields: Mapping[str, str], public_key: rsa.RSAPublicKey) -> dict[str, Any]:
    """The same fields in cipher, and the member ``Encryption`` that says how to read them."""
    key = "".join(secrets.choice(KEY_CHARACTERS) for _ in range(KEY_LENGTH)).encode()
    iv = os.urandom(IV_BYTES)
    wrapped = public_key.encrypt(key, padding.PKCS1v15())
    encryption = {
        "EncryptList": list(fields),
        "CiphertextBlob": base64.b64encode(wrapped).decode(),
        "Iv": base64.b64encode(iv).decode(),
        "Algorithm": ALGORITHM,
    }
    return {name: _encrypt(text, key, iv) for name, text in fields.items()} | {
        "Encryption": encryption
    }


@sensitive_variables()
def _encrypt(text: str, key: bytes, iv: bytes) -> str:
    padder = PKCS7(algorithms.AES.block_size).padder()
    padded = padder.update(text.encode()) + padder.finalize()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    return base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode()
