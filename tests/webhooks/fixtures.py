"""A receiver on this machine, and an endpoint that leads to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from django_faceverify import webhooks
from django_faceverify.models import WebhookEndpoint
from tests.webhooks.receiver import Receiver


@dataclass(frozen=True)
class Told:
    """An endpoint with its secret, as whoever made it knows it."""

    endpoint: WebhookEndpoint
    secret: str


@pytest.fixture
def webhook_rules(settings: Any) -> Any:
    """Sets keys of ``WEBHOOKS``; this machine is allowed, until a test says otherwise."""

    def choose(**keys: Any) -> None:
        entry = {**settings.FACEVERIFY.get("WEBHOOKS", {}), **keys}
        settings.FACEVERIFY = {**settings.FACEVERIFY, "WEBHOOKS": entry}

    choose(ALLOW_LOOPBACK=True, TIMEOUT=5)
    return choose


@pytest.fixture
def receiver(webhook_rules: Any) -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@pytest.fixture
def told(receiver: Receiver, db: None) -> Told:
    return Told(*webhooks.create_endpoint(receiver.url))
