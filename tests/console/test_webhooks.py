"""Webhooks at the screen: endpoints are made with a secret shown once, messages sent again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from django_faceverify import webhooks
from django_faceverify.models import WebhookDelivery, WebhookEndpoint
from tests.conftest import IDCARD_NAME, IDCARD_NUMBER, submitted
from tests.webhooks.fixtures import Told
from tests.webhooks.receiver import Receiver

pytestmark = pytest.mark.django_db(transaction=True)

ENDPOINTS = "/admin/django_faceverify/webhookendpoint/"
DELIVERIES = "/admin/django_faceverify/webhookdelivery/"
State = WebhookDelivery.State


def act(client: Client, address: str, action: str, *rows: Any) -> Any:
    body = {"action": action, "_selected_action": [str(row.pk) for row in rows]}
    return client.post(address, body, follow=True)


def secret_on(page: Any) -> str:
    text: str = page.content.decode()
    return "whsec_" + text.partition("whsec_")[2].partition("<")[0]


def test_a_new_endpoint_shows_its_secret_once(admin_client: Client, receiver: Receiver) -> None:
    form = {"url": receiver.url, "description": "shop", "events": ["verification.verified"]}
    page = admin_client.post(f"{ENDPOINTS}add/", form)
    assert page.status_code == 200
    assert "no-store" in page["Cache-Control"]
    endpoint = WebhookEndpoint.objects.get()
    assert (endpoint.url, endpoint.events) == (receiver.url, ["verification.verified"])
    act(admin_client, ENDPOINTS, "send_test", endpoint)
    webhooks.deliver()
    assert receiver.received[0].verified_by(secret_on(page))
    for address in (ENDPOINTS, f"{ENDPOINTS}{endpoint.pk}/change/", DELIVERIES):
        assert "whsec_" not in admin_client.get(address).content.decode()
    assert "whsec" not in str(admin_client.cookies)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://example.com/", "must begin with https://"),
        ("https://10.0.0.1/", "leads to this machine or to a private network"),
        ("https://me:secret@example.com/", "without a user name"),
        ("https://1.1.1.1:22/", "not sent to this port"),
        ("nonsense", "complete URL"),
        ("", "required"),
    ],
)
def test_a_bad_url_is_refused_with_a_reason(
    admin_client: Client,
    told: Told,
    url: str,
    said: str,
) -> None:
    for address in (f"{ENDPOINTS}add/", f"{ENDPOINTS}{told.endpoint.pk}/change/"):
        page = admin_client.post(address, {"url": url, "description": ""})
        assert said in page.content.decode()
    assert [endpoint.url for endpoint in WebhookEndpoint.objects.all()] == [told.endpoint.url]


def test_a_change_keeps_the_secret(admin_client: Client, told: Told, receiver: Receiver) -> None:
    address = f"{ENDPOINTS}{told.endpoint.pk}/change/"
    assert admin_client.get(address).status_code == 200
    form = {"url": receiver.url, "description": "bank", "events": []}
    assert admin_client.post(address, form).status_code == 302
    told.endpoint.refresh_from_db()
    assert told.endpoint.description == "bank"
    webhooks.send_test(told.endpoint)
    webhooks.deliver()
    assert receiver.received[0].verified_by(told.secret)


def test_switches_and_a_new_secret(admin_client: Client, told: Told, receiver: Receiver) -> None:
    act(admin_client, ENDPOINTS, "switch_off", told.endpoint)
    assert "by staff" in admin_client.get(ENDPOINTS).content.decode()
    act(admin_client, ENDPOINTS, "switch_on", told.endpoint)
    page = act(admin_client, ENDPOINTS, "rotate", told.endpoint)
    webhooks.send_test(told.endpoint)
    webhooks.deliver()
    assert receiver.received[0].verified_by(secret_on(page))
    assert receiver.received[0].verified_by(told.secret)
    other, _ = webhooks.create_endpoint(receiver.url)
    both = act(admin_client, ENDPOINTS, "rotate", told.endpoint, other)
    assert "choose one endpoint" in both.content.decode()


def test_the_list_of_deliveries(
    admin_client: Client,
    told: Told,
    receiver: Receiver,
    alice: User,
) -> None:
    receiver.status = 500
    case = submitted(alice)
    webhooks.send_test(told.endpoint)
    webhooks.deliver()
    page = admin_client.get(DELIVERIES).content.decode()
    assert "verification.submitted" in page
    assert "webhook.test" in page
    assert "the answer was not a success" in page
    assert IDCARD_NAME not in page
    assert IDCARD_NUMBER not in page
    delivery = WebhookDelivery.objects.get(verification=case)
    assert admin_client.get(f"{DELIVERIES}{delivery.pk}/change/").status_code == 200
    for term, count in ((case.pk, 1), (delivery.pk, 1), ("x", 0), ("", 2)):
        found = admin_client.get(DELIVERIES, {"q": str(term)}).context["cl"].result_count
        assert found == count


def test_send_again(admin_client: Client, told: Told) -> None:
    delivery = webhooks.send_test(told.endpoint)
    WebhookDelivery.objects.update(state=State.DEAD, due_at=None)
    page = act(admin_client, DELIVERIES, "resend", delivery)
    assert "1 message is sent again." in page.content.decode()
    delivery.refresh_from_db()
    assert delivery.state == State.WAITING


def test_permissions(client: Client, staff: Callable[..., User], told: Told) -> None:
    delivery = webhooks.send_test(told.endpoint)
    WebhookDelivery.objects.update(state=State.DEAD, due_at=None)
    client.force_login(staff())
    for address in (ENDPOINTS, DELIVERIES, f"{ENDPOINTS}add/"):
        assert client.get(address).status_code == 403
    client.force_login(staff("view_webhookendpoint", "view_webhookdelivery", name="viewer"))
    act(client, ENDPOINTS, "rotate", told.endpoint)
    act(client, ENDPOINTS, "switch_off", told.endpoint)
    act(client, DELIVERIES, "resend", delivery)
    for address in (f"{ENDPOINTS}add/", f"{DELIVERIES}add/", f"{DELIVERIES}{delivery.pk}/delete/"):
        assert client.get(address).status_code == 403
    told.endpoint.refresh_from_db()
    delivery.refresh_from_db()
    assert (told.endpoint.is_enabled, told.endpoint.old_secret_until) == (True, None)
    assert delivery.state == State.DEAD
