"""An account's credentials: fetched for each call, checked, and never shown."""

from __future__ import annotations

from typing import Any

import pytest

from django_faceverify.exceptions import NotSent
from django_faceverify.providers.credentials import Credentials


def test_credentials_may_be_fetched_for_each_call() -> None:
    keys = iter(["first", "second"])
    credentials = Credentials("default", secret_id="an-id", secret_key=lambda: next(keys))
    assert list(credentials.check()) == []
    assert [credentials.open() for _ in range(2)] == [
        {"secret_id": "an-id", "secret_key": "first"},
        {"secret_id": "an-id", "secret_key": "second"},
    ]


@pytest.mark.parametrize("secret", [lambda: "", lambda: None, lambda: 1 / 0, "", None, b"bytes"])
def test_what_is_not_given_stops_the_call(secret: Any) -> None:
    with pytest.raises(NotSent) as caught:
        Credentials("default", secret_key=secret).open()
    assert caught.value.code == "provider_config"
    assert caught.value.__context__ is None


@pytest.mark.parametrize(("secret", "expected"), [("", "E201"), (None, "E204"), (7, "E204")])
def test_checks(secret: Any, expected: str) -> None:
    (message,) = Credentials("default", secret_key=secret).check()
    assert message.id == f"faceverify.{expected}"
    assert "secret_key" in message.msg


def test_optional_ones_may_be_empty() -> None:
    credentials = Credentials("default", optional=["token"], secret_key="a-key", token="")
    assert list(credentials.check()) == []
    assert credentials.open()["token"] == ""


def test_texts_are_those_of_the_settings_and_repr_shows_none() -> None:
    credentials = Credentials("default", secret_id="an-id", secret_key=lambda: "a-key")
    assert credentials.texts() == ("an-id",)
    assert "an-id" not in repr(credentials)
