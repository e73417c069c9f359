"""Signatures are those of the reference library, for every text; secrets are long enough."""

from __future__ import annotations

import base64
from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from django_faceverify.models import WebhookDelivery
from django_faceverify.webhooks import message

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)


@given(body=TEXTS, secret=st.binary(min_size=24, max_size=64), sent_at=st.integers(0, 2**32))
def test_signed_as_the_reference_library_signs(body: str, secret: bytes, sent_at: int) -> None:
    text = f"whsec_{base64.b64encode(secret).decode()}"
    ours = message.sign(body.encode(), secret=text, message_id="a-b", sent_at=sent_at)
    at = datetime.fromtimestamp(sent_at, timezone.utc)
    assert ours == Webhook(text).sign("a-b", at, body)


def test_secrets_differ_and_are_long() -> None:
    secrets = {message.new_secret() for _ in range(100)}
    assert len(secrets) == 100
    assert {len(message.decode_secret(secret)) for secret in secrets} == {32}


@pytest.mark.parametrize(
    "secret",
    ["", "whsec_", "whsec_AAAA", "whsec_????", f"whsec_{'A' * 400}", "whsec_ä", "mysecret " * 5],
)
def test_what_is_no_secret(secret: str) -> None:
    with pytest.raises(ValueError, match=r"base64|too"):
        message.decode_secret(secret)


def test_the_values_of_a_delivery_fit_its_columns() -> None:
    for name, values in (
        ("event", [*message.EVENTS, message.TEST]),
        ("status", list(message.EVENT_BY_STATUS)),
        ("failure", WebhookDelivery.Failure.values),
    ):
        length = WebhookDelivery._meta.get_field(name).max_length  # type: ignore[union-attr]
        assert length is not None
        assert max(map(len, values)) <= length
