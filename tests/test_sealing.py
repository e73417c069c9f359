"""Sealed data opens in its own place, with its own key, unchanged, and nowhere else."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st

from django_faceverify import sealing
from django_faceverify.exceptions import SealBroken

OTHER_KEY = base64.b64encode(bytes(range(32, 64))).decode()


def with_keys(settings: Any, **keys: str) -> None:
    settings.FACEVERIFY = {**settings.FACEVERIFY, "KEYS": keys}


@given(st.binary(max_size=200))
def test_what_is_sealed_opens(plaintext: bytes) -> None:
    token = sealing.seal(plaintext, use="file", context="a")
    assert sealing.unseal(token, use="file", context="a") == plaintext


@given(st.text(max_size=80).filter(lambda text: text.isprintable()))
def test_a_text_becomes_printable_ascii(text: str) -> None:
    token = sealing.seal_text(text, context="a")
    assert token.isascii()
    assert token.startswith("fv1.test.")
    assert sealing.unseal_text(token, context="a") == text


def test_two_seals_of_one_text_differ() -> None:
    assert sealing.seal_text("张三", context="a") != sealing.seal_text("张三", context="a")


def test_every_flipped_byte_is_found() -> None:
    token = sealing.seal(b"110101199003070000", use="file", context="a")
    for position in range(len(token)):
        changed = bytearray(token)
        changed[position] ^= 1
        with pytest.raises(SealBroken):
            sealing.unseal(bytes(changed), use="file", context="a")


@pytest.mark.parametrize("moved", [{"use": "field"}, {"context": "b"}])
def test_a_token_does_not_open_in_another_place(moved: dict[str, str]) -> None:
    place = {"use": "file", "context": "a"}
    token = sealing.seal(b"secret", **place)
    with pytest.raises(SealBroken):
        sealing.unseal(token, **{**place, **moved})


@pytest.mark.parametrize("junk", ["", "fv1", "张三", "fv1.test.!!", "fv1.test.", "fv2.test.AAAA"])
def test_what_is_not_a_token_is_refused(junk: str) -> None:
    with pytest.raises(SealBroken):
        sealing.unseal_text(junk, context="a")


def test_a_new_key_seals_and_the_old_one_still_opens(settings: Any) -> None:
    old_keys = settings.FACEVERIFY["KEYS"]
    token = sealing.seal_text("张三", context="a")
    with_keys(settings, new=OTHER_KEY, **old_keys)
    assert sealing.unseal_text(token, context="a") == "张三"
    assert sealing.seal_text("张三", context="a").startswith("fv1.new.")
    with_keys(settings, new=OTHER_KEY)
    with pytest.raises(SealBroken):
        sealing.unseal_text(token, context="a")


def test_the_blind_index_finds_under_every_key(settings: Any) -> None:
    index = sealing.blind_index("110101199003070000")
    assert index == sealing.blind_index("110101199003070000")
    assert index != sealing.blind_index("110101199003070001")
    assert "110101" not in index
    with_keys(settings, new=OTHER_KEY, **settings.FACEVERIFY["KEYS"])
    assert sealing.blind_index("110101199003070000") != index
    assert index in sealing.blind_indexes("110101199003070000")


def test_a_mac_binds_every_part() -> None:
    mac = sealing.mac("audit", b"ab", b"c")
    assert sealing.mac_matches("audit", mac, b"ab", b"c")
    assert not sealing.mac_matches("audit", mac, b"a", b"bc")
    assert not sealing.mac_matches("other", mac, b"ab", b"c")
    assert not sealing.mac_matches("audit", "gone:" + mac, b"ab", b"c")


@pytest.mark.parametrize("keys", [{}, {"a": "short"}, {"a": 5}])
def test_a_ring_that_cannot_seal_says_so(settings: Any, keys: dict[str, Any]) -> None:
    with_keys(settings, **keys)
    with pytest.raises(ImproperlyConfigured, match="KEYS"):
        sealing.seal(b"x", use="file", context="a")


def test_keys_may_come_from_a_callable(settings: Any) -> None:
    settings.FACEVERIFY = {**settings.FACEVERIFY, "KEYS": "tests.test_sealing.vault"}
    token = sealing.seal_text("张三", context="a")
    assert token.startswith("fv1.vault.")
    assert sealing.unseal_text(token, context="a") == "张三"


def vault() -> dict[str, str]:
    return {"vault": OTHER_KEY}
