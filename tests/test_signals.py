"""Signals come after the commit, once, whatever their receivers do."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any, get_type_hints
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, connection, transaction
from django.dispatch import Signal

from django_faceverify import intake, signals, sweeper, webhooks
from django_faceverify.models import Verification, WebhookEndpoint
from tests.conftest import IDCARD_NAME, IDCARD_NUMBER, submitted
from tests.scripted import ScriptedProvider, similarity

pytestmark = pytest.mark.django_db(transaction=True)


class Ear:
    """Hears all signals and keeps what they said."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self.receivers: list[tuple[Signal, Any]] = []

    def listen(self, name: str, signal: Signal) -> None:
        def hear(sender: type, **facts: Any) -> None:
            facts.pop("signal")
            self.heard.append((name, {"sender": sender, **facts}))

        signal.connect(hear, weak=False)
        self.receivers.append((signal, hear))

    def names(self) -> list[str]:
        return [name for name, _ in self.heard]


@pytest.fixture
def ear() -> Iterator[Ear]:
    ear = Ear()
    for name, value in vars(signals).items():
        if isinstance(value, Signal):
            ear.listen(name, value)
    yield ear
    for signal, receiver in ear.receivers:
        signal.disconnect(receiver)


def test_a_whole_story(ear: Ear, alice: User) -> None:
    case = submitted(alice)
    assert ear.names() == ["verification_submitted"]
    sweeper.drain()
    assert ear.names() == ["verification_submitted", "verification_decided"]
    assert [facts for _, facts in ear.heard] == [
        {"sender": Verification, "verification_id": case.pk, "status": "processing"},
        {"sender": Verification, "verification_id": case.pk, "status": "verified"},
    ]


def test_what_is_asked_again_and_rejected(ear: Ear, alice: User, jpeg: bytes) -> None:
    ScriptedProvider.script(similarity(12))
    case = submitted(alice)
    for _ in range(2):
        sweeper.drain()
        case.refresh_from_db()
        intake.submit(case, intake.Submission(image=jpeg), user=alice)
    sweeper.drain()
    assert ear.names() == [
        *["verification_submitted", "verification_needs_input"] * 2,
        "verification_submitted",
        "verification_decided",
    ]
    assert ear.heard[-1][1]["status"] == "rejected"


def test_a_receiver_finds_what_was_committed(alice: User) -> None:
    seen: list[tuple[bool, str]] = []

    def look(sender: type, *, verification_id: UUID, **facts: Any) -> None:
        status = Verification.objects.get(pk=verification_id).status
        seen.append((connection.in_atomic_block, status))

    signals.verification_decided.connect(look)
    submitted(alice)
    sweeper.drain()
    signals.verification_decided.disconnect(look)
    assert seen == [(False, "verified")]


def test_what_is_undone_is_not_announced(ear: Ear, alice: User) -> None:
    with transaction.atomic():
        submitted(alice)
        transaction.set_rollback(True)
    assert ear.heard == []


def test_a_receiver_that_fails_harms_nothing_and_says_nothing(
    ear: Ear, alice: User, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(sender: type, *, verification_id: UUID, **facts: Any) -> None:
        case = Verification.objects.get(pk=verification_id)
        raise DatabaseError(case.idcard_name.unseal() + case.idcard_number.unseal())

    async def fail_later(sender: type, **facts: Any) -> None:
        raise ValueError(IDCARD_NAME)

    for receiver in (fail, fail_later):
        signals.verification_decided.connect(receiver)
    case = submitted(alice)
    assert sweeper.drain() == 1
    for receiver in (fail, fail_later):
        signals.verification_decided.disconnect(receiver)
    case.refresh_from_db()
    assert case.status == "verified"
    assert ear.names()[-1] == "verification_decided"
    assert "DatabaseError" in caplog.text
    assert "ValueError" in caplog.text
    assert IDCARD_NAME not in caplog.text
    assert IDCARD_NUMBER not in caplog.text
    assert not any(record.exc_info for record in caplog.records)


def test_an_endpoint_that_is_switched_off(ear: Ear, settings: Any) -> None:
    settings.FACEVERIFY = {**settings.FACEVERIFY, "WEBHOOKS": {"ALLOW_LOOPBACK": True}}
    endpoint, _ = webhooks.create_endpoint("http://127.0.0.1:9/")
    assert webhooks.disable(endpoint)
    assert not webhooks.disable(endpoint)
    assert ear.heard == [
        (
            "webhook_endpoint_disabled",
            {"sender": WebhookEndpoint, "endpoint_id": endpoint.pk, "reason": "staff"},
        )
    ]


def test_the_types_say_what_is_sent() -> None:
    facts = {
        signals.VerificationReceiver: {"verification_id": UUID, "status": str},
        signals.WebhookEndpointReceiver: {"endpoint_id": UUID, "reason": str},
    }
    for protocol, given in facts.items():
        hints = get_type_hints(protocol.__call__)
        parameters = inspect.signature(protocol.__call__).parameters
        assert {name: hints[name] for name in given} == given
        assert set(parameters) == {"self", "sender", "kwargs", *given}
