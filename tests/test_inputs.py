"""What a site may write besides the identity; the refusals stand in ``test_intake``."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_faceverify import inputs
from django_faceverify.exceptions import InputError


@pytest.mark.parametrize(
    "url",
    [
        "https://img.example.com/a.jpg?x=1&y=%E5%9B%BE#f",
        "https://img.example.com:8443/",
        "https://192.0.2.1/a",
        "https://[2001:db8::1]/a",
    ],
)
def test_an_address_is_kept_as_it_is(url: str) -> None:
    assert inputs.photo_url(url, schemes=("https",)) == url


def test_a_live_address_is_https() -> None:
    with pytest.raises(InputError, match="url_invalid"):
        inputs.photo_url("http://img.example.com/", schemes=("https",))


def test_a_note_keeps_its_lines() -> None:
    assert inputs.note(" a\n\tb \n") == "a\n\tb"


def test_metadata_keeps_what_every_database_keeps() -> None:
    facts = {"a": "x", "b": 1, "c": 1.5, "d": True, "e": None, "f": ""}
    assert inputs.metadata(facts) == facts
    assert inputs.metadata(None) == {}


@given(st.text(alphabet=st.characters(categories=["Cc", "Cf", "Cs", "Co"]), min_size=1))
def test_characters_that_cannot_be_seen_are_refused(text: str) -> None:
    with pytest.raises(InputError):
        inputs.reference(text)


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists, max_leaves=5))
def test_anything_is_taken_or_refused(value: object) -> None:
    for field in (inputs.reference, inputs.note, inputs.metadata, inputs.consent):
        with suppress(InputError):
            field(value)
