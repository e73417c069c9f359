"""The search itself: each form is planted once, and found."""

from __future__ import annotations

import base64
import gzip
import pickle
import zlib
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from django.core import signing

from tests.canary.forms import OF_BYTES, Searcher, Secret, base64_at, layers
from tests.photos import jpeg, noise

PICTURE = jpeg(noise(100, 100))
SECRETS = [
    Secret("name", text="欧阳金丝雀"),
    Secret("number", text="000000198703"),
    Secret("note", text="<canary & 'note'>"),
    Secret("photo", picture=PICTURE),
]
SEARCHER = Searcher(SECRETS)
PLANTS = [
    pytest.param(secret.name, needle, id=f"{secret.name}, {form}")
    for secret in SECRETS
    for form, needle in secret.needles()
]


def found_in(data: bytes) -> set[str]:
    return {find.secret for find in SEARCHER.search("here", data)}


@pytest.mark.parametrize(("secret", "needle"), PLANTS)
def test_each_form_is_found(secret: str, needle: bytes, tmp_path: Path) -> None:
    assert len(needle) >= 10, "so short a needle is found by chance"
    (tmp_path / "file").write_bytes(bytes(5000) + needle + bytes(99))
    assert {find.secret for find in SEARCHER.search_tree(tmp_path).finds} == {secret}


@pytest.mark.parametrize("before", [b"", b"x", b"xy", b"xyz"])
@pytest.mark.parametrize("after", [b"", b"x", b"xy"])
@pytest.mark.parametrize("secret", SECRETS, ids=lambda secret: secret.name)
def test_base64_is_found_wherever_the_secret_begins(
    secret: Secret, before: bytes, after: bytes
) -> None:
    raw = secret.text.encode() or secret.picture
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        assert found_in(encode(before + raw + after)) == {secret.name}


@pytest.mark.parametrize("secret", SECRETS, ids=lambda secret: secret.name)
def test_what_is_packed_is_opened(secret: Secret) -> None:
    raw = b"something before " * 9 + (secret.text.encode() or secret.picture) + b" and after" * 9
    for packed in (
        b"\x80\x05" + zlib.compress(pickle.dumps(raw)),
        gzip.compress(raw),
        b"cookie=" + base64.urlsafe_b64encode(zlib.compress(raw)).rstrip(b"=") + b":1tABC:sig",
        base64.b64encode(gzip.compress(raw)),
    ):
        assert secret.name in found_in(packed)


def test_a_session_is_opened() -> None:
    packed = signing.dumps({"typed": "欧阳金丝雀" * 20}, key="k", compress=True)
    assert packed.startswith(".")
    assert found_in(packed.encode()) == {"name"}


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable", "8bit"])
def test_a_mail_is_unfolded(encoding: Any) -> None:
    """Lines of a mail end wherever they are full, also in the middle of a name."""
    for indent in range(80):
        mail = EmailMessage()
        text = "x" * indent + " 欧阳金丝雀 000000198703 " + "y" * 99
        mail.set_content(text, charset="utf-8", cte=encoding)
        assert {"name", "number"} <= found_in(bytes(mail)), indent


def test_names_of_files_are_looked_at(tmp_path: Path) -> None:
    (tmp_path / "000000198703070010.jpg").write_bytes(b"")
    assert [find.secret for find in SEARCHER.search_tree(tmp_path).finds] == ["number"]


def test_nothing_is_found_where_nothing_is() -> None:
    other = jpeg(noise(100, 100, seed=2))
    data = other + base64.b64encode(other) + "欧阳 金丝鸟 000000198804".encode()
    assert found_in(data) == set()
    assert [name for name, _ in layers(b"plain")] == [""]


def test_a_photo_is_found_by_each_part_of_it() -> None:
    for place in SECRETS[-1].windows():
        assert found_in(PICTURE[place - 10 : place + 40]) == {"photo"}
    assert base64_at(0, b"abc") == base64.b64encode(b"abc")
    assert set(OF_BYTES) >= {"plain", "hex", "percent"}
