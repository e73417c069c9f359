"""Webhooks over the API: staff look at them and send them again."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from rest_framework.test import APIClient

from django_faceverify import webhooks
from django_faceverify.models import WebhookDelivery, WebhookEndpoint
from django_faceverify.models.clock import db_now
from tests.api.asking import API, assert_problem
from tests.conftest import IDCARD_NAME, IDCARD_NUMBER, submitted

pytestmark = pytest.mark.django_db(transaction=True)

ENDPOINTS, DELIVERIES = f"{API}webhook-endpoints/", f"{API}webhook-deliveries/"
State = WebhookDelivery.State
UNKNOWN = "01890000-0000-7000-8000-000000000000"


@pytest.fixture
def endpoint(settings: Any, db: None) -> WebhookEndpoint:
    settings.FACEVERIFY = {**settings.FACEVERIFY, "WEBHOOKS": {"ALLOW_LOOPBACK": True}}
    return webhooks.create_endpoint("http://127.0.0.1:9/", description="shop")[0]


@pytest.fixture
def as_operator(db: None) -> APIClient:
    user = User.objects.create_user("olga")
    names = ("view_webhookendpoint", "view_webhookdelivery", "resend_webhookdelivery")
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    client = APIClient()
    client.force_authenticate(user)
    return client


def again(delivery: object) -> str:
    return f"{DELIVERIES}{delivery}/resend/"


def test_who_is_told(as_operator: APIClient, endpoint: WebhookEndpoint) -> None:
    response = as_operator.get(ENDPOINTS)
    [shown] = response.json()["results"]
    assert shown["id"] == str(endpoint.pk)
    assert (shown["url"], shown["description"]) == ("http://127.0.0.1:9/", "shop")
    assert shown["is_enabled"] is True
    assert b"whsec" not in response.content
    assert not [name for name in shown if "secret" in name]


def test_what_was_sent(as_operator: APIClient, endpoint: WebhookEndpoint, alice: User) -> None:
    case = submitted(alice)
    webhooks.send_test(endpoint)
    response = as_operator.get(DELIVERIES)
    test, told = response.json()["results"]
    assert (test["event"], test["verification"]) == ("webhook.test", None)
    assert (told["event"], told["verification"]) == ("verification.submitted", str(case.pk))
    assert told["state"] == "waiting"
    for personal in (IDCARD_NAME, IDCARD_NUMBER):
        assert personal not in response.content.decode()


def test_filters(as_operator: APIClient, endpoint: WebhookEndpoint, alice: User) -> None:
    case = submitted(alice)
    webhooks.send_test(endpoint)
    for query, count in (
        (f"verification={case.pk}", 1),
        ("event=webhook.test", 1),
        (f"endpoint={endpoint.pk}", 2),
        (f"endpoint={UNKNOWN}", 0),
        ("state=waiting", 2),
        ("state=dead", 0),
        ("page_size=1", 1),
    ):
        assert len(as_operator.get(f"{DELIVERIES}?{query}").json()["results"]) == count
    for query in ("endpoint=x", "state=lost", "nothing=1", "cursor=x"):
        assert_problem(as_operator.get(f"{DELIVERIES}?{query}"), 400, "invalid_input")


def test_send_again(as_operator: APIClient, endpoint: WebhookEndpoint) -> None:
    delivery = webhooks.send_test(endpoint)
    WebhookDelivery.objects.update(state=State.DEAD, due_at=None)
    response = as_operator.post(again(delivery.pk), {}, format="json")
    assert response.status_code == 202
    assert (response.json()["id"], response.json()["state"]) == (str(delivery.pk), "waiting")
    assert WebhookDelivery.objects.due().get() == delivery
    WebhookDelivery.objects.update(state=State.SENDING, due_at=db_now(60))
    assert_problem(as_operator.post(again(delivery.pk)), 409, "webhook_being_sent")
    unknown = as_operator.post(again(delivery.pk), {"now": True}, format="json")
    assert_problem(unknown, 400, "unknown_field")


def test_send_again_once(as_operator: APIClient, endpoint: WebhookEndpoint) -> None:
    """The same request under its key: not done again, and answered as things stand."""
    delivery = webhooks.send_test(endpoint)

    def post() -> Any:
        more: dict[str, Any] = {"HTTP_IDEMPOTENCY_KEY": "k1"}
        return as_operator.post(again(delivery.pk), {}, format="json", **more)

    assert post().json()["state"] == "waiting"
    WebhookDelivery.objects.update(state=State.DEAD, due_at=None)
    response = post()
    assert (response.status_code, response.json()["state"]) == (202, "dead")
    assert response.headers["Idempotent-Replayed"] == "true"
    User.objects.get(username="olga").user_permissions.clear()
    as_operator.force_authenticate(User.objects.get(username="olga"))
    assert_problem(post(), 403, "permission_denied")


@pytest.mark.parametrize("delivery", [UNKNOWN, "x", "%00", "a" * 3000])
def test_send_nothing_again(as_operator: APIClient, delivery: str) -> None:
    assert_problem(as_operator.post(again(delivery)), 404, "not_found")


def test_nobody_else(
    as_alice: APIClient, as_reviewer: APIClient, as_anonymous: APIClient, endpoint: WebhookEndpoint
) -> None:
    delivery = webhooks.send_test(endpoint)
    WebhookDelivery.objects.update(state=State.DEAD, due_at=None)
    for client in (as_alice, as_reviewer, as_anonymous):
        for response in (
            client.get(ENDPOINTS),
            client.get(DELIVERIES),
            client.post(again(delivery.pk)),
            client.post(again(UNKNOWN)),
        ):
            assert_problem(response, 403)
    delivery.refresh_from_db()
    assert delivery.state == State.DEAD
