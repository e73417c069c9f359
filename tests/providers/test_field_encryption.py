"""Name and number in cipher: opened here as the vendor opens them."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from django_faceverify.providers.field_encryption import encrypt, load_public_key

PRIVATE_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
FIELDS = {"IdCard": "11204416541220243X", "Name": "欧阳·金丝雀"}


def spki(key: Any, encoding: serialization.Encoding) -> bytes:
    data: bytes = key.public_key().public_bytes(
        encoding, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return data


PEM = spki(PRIVATE_KEY, serialization.Encoding.PEM).decode()
BASE64 = base64.b64encode(spki(PRIVATE_KEY, serialization.Encoding.DER)).decode()
ELLIPTIC = spki(ec.generate_private_key(ec.SECP256R1()), serialization.Encoding.PEM).decode()


def decrypt(parameters: dict[str, Any]) -> dict[str, str]:
    """What the service reads, with its private key."""
    encryption = parameters["Encryption"]
    wrapped = base64.b64decode(encryption["CiphertextBlob"], validate=True)
    key = PRIVATE_KEY.decrypt(wrapped, padding.PKCS1v15())
    iv = base64.b64decode(encryption["Iv"], validate=True)
    opened = {}
    for name in encryption["EncryptList"]:
        decryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
        padded = decryptor.update(base64.b64decode(parameters[name])) + decryptor.finalize()
        unpadder = PKCS7(128).unpadder()
        opened[name] = (unpadder.update(padded) + unpadder.finalize()).decode()
    return opened


@pytest.mark.parametrize("text", [PEM, BASE64, f" {BASE64[:40]}\n{BASE64[40:]} "])
def test_the_vendor_can_read_it_and_nobody_else(text: str) -> None:
    parameters = encrypt(FIELDS, load_public_key(text))
    assert decrypt(parameters) == FIELDS
    assert parameters["Encryption"]["Algorithm"] == "AES-256-CBC"
    assert not [value for value in FIELDS.values() if value in repr(parameters)]


def test_each_call_has_a_key_of_its_own() -> None:
    key = load_public_key(PEM)
    assert encrypt(FIELDS, key)["IdCard"] != encrypt(FIELDS, key)["IdCard"]


@pytest.mark.parametrize("text", ["", "a key", "AAAA", ELLIPTIC, PEM.replace("M", "-")])
def test_other_texts_are_no_keys(text: str) -> None:
    with pytest.raises(ValueError, match="not a"):
        load_public_key(text)
