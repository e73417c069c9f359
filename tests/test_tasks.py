"""The tasks by their promised names, what their messages carry, and that doubles are idle."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from django_faceverify import tasks, webhooks
from django_faceverify.models import Verification
from tests.conftest import submitted
from tests.scripted import ScriptedProvider, similarity
from tests.webhooks.fixtures import Told
from tests.webhooks.receiver import Receiver

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_names_are_promised() -> None:
    ours = (tasks.verify, tasks.sweep, tasks.drain, tasks.deliver_webhooks)
    names = ("verify", "sweep", "drain", "deliver_webhooks")
    assert {task.name for task in ours} == {f"django_faceverify.{name}" for name in names}


def test_a_broker_that_is_down_is_not_asked_by_every_request(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[object] = []

    def down(*args: object, **options: object) -> None:
        tries.append(args)
        raise OSError

    monkeypatch.setattr(tasks.verify, "apply_async", down)
    for _ in range(3):
        submitted(alice)
    assert len(tries) == 1
    monkeypatch.setattr(tasks._Broker, "silent_until", 0.0)
    submitted(alice)
    assert len(tries) == 2


def test_the_tasks_do_the_same(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[dict[str, object]] = []
    monkeypatch.setattr(tasks.drain, "apply_async", lambda **options: sent.append(options))
    first, second = submitted(alice), submitted(alice)
    tasks.verify(str(first.pk))
    tasks.sweep()
    assert len(sent) == 1
    tasks.drain()
    assert Verification.objects.filter(status="verified").count() == 2
    assert len(ScriptedProvider.requests) == 2
    tasks.verify(str(second.pk))
    assert len(ScriptedProvider.requests) == 2


def test_webhooks_need_no_message_of_their_own(
    told: Told,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[dict[str, object]] = []
    monkeypatch.setattr(
        tasks.deliver_webhooks, "apply_async", lambda *_, **options: sent.append(options)
    )
    tasks.sweep()
    assert sent == []
    webhooks.send_test(told.endpoint)
    sent.clear()
    tasks.sweep()
    assert sent == [{"expires": tasks.DRAIN_EXPIRES, "retry": False}]
    tasks.deliver_webhooks()
    assert len(receiver.received) == 1


def test_an_unknown_id_is_nothing_to_do() -> None:
    ScriptedProvider.script(similarity(95))
    tasks.verify("00000000-0000-7000-8000-000000000000")
    assert ScriptedProvider.requests == []
