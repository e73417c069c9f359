"""Endpoints: what they may be, and secrets that lie sealed."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import serializers
from django.db import connection

from django_faceverify import webhooks
from django_faceverify.exceptions import InputError
from django_faceverify.models import WebhookEndpoint
from django_faceverify.webhooks.endpoints import secrets_of
from tests.webhooks.fixtures import Told

pytestmark = pytest.mark.django_db

URL = "http://127.0.0.1:9/"


def raw() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM django_faceverify_webhookendpoint")
        return str(cursor.fetchall())


def test_secrets_lie_sealed(told: Told) -> None:
    new = webhooks.rotate_secret(told.endpoint)
    endpoint = WebhookEndpoint.objects.get()
    shown = f"{raw()}{serializers.serialize('json', [endpoint])}{vars(endpoint)}{endpoint.secret!r}"
    for secret in (told.secret, new):
        assert secret not in shown
        assert secret.removeprefix("whsec_") not in shown
    assert "fv1." in raw()
    assert secrets_of(endpoint) == [new, told.secret]


def test_a_secret_opens_in_its_own_row_only(told: Told, webhook_rules: Any) -> None:
    other, _ = webhooks.create_endpoint(URL)
    sealed = raw().split("fv1.")[1].partition("'")[0]
    with connection.cursor() as cursor:
        table = "UPDATE django_faceverify_webhookendpoint SET secret = %s"
        cursor.execute(table, [f"fv1.{sealed}"])
    opened = []
    for endpoint in WebhookEndpoint.objects.all():
        try:
            opened.append(endpoint.secret.unseal())
        except Exception as error:  # noqa: BLE001 (its kind is what is tested)
            opened.append(type(error).__name__)
    assert opened.count("SealBroken") == 1
    assert WebhookEndpoint.objects.filter(pk=other.pk).exists()


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"events": ["verification.verifed"]}, "webhook_events_invalid"),
        ({"events": ["webhook.test"]}, "webhook_events_invalid"),
        ({"events": [None]}, "webhook_events_invalid"),
        ({"description": "x" * 201}, "webhook_description_invalid"),
        ({"description": "a\x00b"}, "webhook_description_invalid"),
        ({"description": None}, "webhook_description_invalid"),
        ({"secret": "short"}, "webhook_secret_invalid"),
        ({"url": "https://user:password@example.com/"}, "webhook_url_invalid"),
    ],
)
def test_a_bad_endpoint_stores_nothing(
    webhook_rules: Any, facts: dict[str, Any], code: str
) -> None:
    with pytest.raises(InputError) as caught:
        webhooks.create_endpoint(**{"url": URL, **facts})
    assert caught.value.code == code
    assert not WebhookEndpoint.objects.exists()


def test_events_are_kept_in_their_order_and_once(webhook_rules: Any) -> None:
    chosen = ["verification.expired", "verification.verified", "verification.expired"]
    endpoint, _ = webhooks.create_endpoint(URL, events=chosen)
    assert endpoint.events == ["verification.verified", "verification.expired"]


def test_a_receivers_own_secret_is_kept(webhook_rules: Any, told: Told) -> None:
    endpoint, secret = webhooks.create_endpoint(URL, secret=told.secret)
    assert secret == told.secret == WebhookEndpoint.objects.get(pk=endpoint.pk).secret.unseal()


def test_enabling_forgets_why_it_was_disabled(told: Told) -> None:
    assert webhooks.disable(told.endpoint)
    assert webhooks.enable(told.endpoint)
    assert not webhooks.enable(told.endpoint)
    told.endpoint.refresh_from_db()
    assert (told.endpoint.disabled_at, told.endpoint.disabled_reason) == (None, "")
