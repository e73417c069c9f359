"""``faceverify_webhooks``: what staff do with endpoints and deliveries from a shell."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from django_faceverify.models import WebhookDelivery, WebhookEndpoint
from tests.webhooks.fixtures import Told
from tests.webhooks.receiver import Receiver

pytestmark = pytest.mark.django_db(transaction=True)

State = WebhookDelivery.State
UNKNOWN = "01890000-0000-7000-8000-000000000000"


def run(*words: Any) -> str:
    out = StringIO()
    call_command("faceverify_webhooks", *map(str, words), stdout=out)
    return out.getvalue()


def test_add_prints_the_secret_once(receiver: Receiver) -> None:
    printed = run("add", receiver.url, "--event", "verification.verified", "--description", "shop")
    endpoint = WebhookEndpoint.objects.get()
    key, secret = printed.split()
    assert key == str(endpoint.pk)
    assert endpoint.events == ["verification.verified"]
    assert endpoint.description == "shop"
    assert f"{key}: delivered" not in printed
    listed = run("list")
    assert receiver.url in listed
    assert "(verification.verified; enabled; waiting 0, dead 0)" in listed
    assert secret not in listed
    assert f"{State.DELIVERED}: 204" in run("test", key)
    assert receiver.received[0].verified_by(secret)["type"] == "webhook.test"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["add", "http://example.com/"], "must begin with https://. (webhook_url_insecure)"),
        (["add", "https://10.0.0.1/"], "webhook_url_not_public"),
        (["add", "https://1.1.1.1/", "--event", "verification.lost"], "webhook_events_invalid"),
        (["add", "https://1.1.1.1/", "--description", "a\nb"], "webhook_description_invalid"),
        (["test", UNKNOWN], "no such endpoint"),
        (["rotate", UNKNOWN], "no such endpoint"),
        (["resend"], "Name deliveries"),
        (["resend", UNKNOWN, "--dead"], "Name deliveries"),
        (["rotate", "x"], "invalid UUID"),
        ([], "required"),
    ],
)
def test_refusals(words: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said.replace("(", r"\(").replace(")", r"\)")):
        run(*words)
    assert not WebhookEndpoint.objects.exists()


def test_a_receiver_that_fails_the_test(told: Told, receiver: Receiver) -> None:
    receiver.status = 500
    with pytest.raises(CommandError, match="not received"):
        run("test", told.endpoint.pk)


def test_rotate_enable_disable(told: Told, receiver: Receiver) -> None:
    secret = run("rotate", told.endpoint.pk).strip()
    run("disable", told.endpoint.pk)
    assert "disabled: staff" in run("list")
    run("enable", told.endpoint.pk)
    run("test", told.endpoint.pk)
    assert receiver.received[0].verified_by(secret)
    assert receiver.received[0].verified_by(told.secret)


def test_resend(told: Told, receiver: Receiver) -> None:
    run("test", told.endpoint.pk)
    [row] = WebhookDelivery.objects.all()
    assert run("resend", row.pk) == "To be sent again: 1\n"
    WebhookDelivery.objects.update(state=State.DEAD, due_at=None)
    assert run("resend", "--dead", "--endpoint", UNKNOWN) == "To be sent again: 0\n"
    assert run("resend", "--dead") == "To be sent again: 1\n"
    call_command("faceverify_sweep", stdout=StringIO())
    assert [got.webhook_id for got in receiver.received] == [str(row.pk)] * 2
