"""Rows are written with the decision or not at all, for whom they concern, without a person."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from django_faceverify import intake, lifecycle, redaction, retention, sweeper, tasks, webhooks
from django_faceverify.lifecycle import TRANSITIONS
from django_faceverify.models import Verification, WebhookDelivery, WebhookEndpoint
from django_faceverify.models.clock import db_now
from django_faceverify.signals import verification_redacted
from tests.conftest import IDCARD_NAME, IDCARD_NUMBER, submitted
from tests.scripted import ScriptedProvider, similarity
from tests.test_lifecycle import STATUS_FACTS, put
from tests.webhooks.fixtures import Told

pytestmark = pytest.mark.django_db(transaction=True)

State = WebhookDelivery.State


def events() -> list[str]:
    return list(WebhookDelivery.objects.order_by("occurred_at").values_list("event", flat=True))


@pytest.mark.parametrize("action", TRANSITIONS)
def test_every_transition_is_told(told: Told, alice: User, action: str) -> None:
    case = submitted(alice)
    transition = TRANSITIONS[action]
    put(case, transition.sources[0])
    WebhookDelivery.objects.all().delete()
    facts = STATUS_FACTS.get(transition.target, {})
    assert lifecycle.move(case, action, actor="system", reason_code="under_age", **facts)
    delivery = WebhookDelivery.objects.get()
    assert delivery.event == webhooks.EVENT_BY_STATUS[transition.target]
    assert (delivery.status, delivery.reason_code) == (transition.target, "under_age")
    assert (delivery.verification, delivery.endpoint) == (case, told.endpoint)
    assert delivery.occurred_at == case.events.order_by("-number")[0].at


def test_the_events_have_promised_names() -> None:
    assert set(webhooks.EVENTS) == {
        f"verification.{name}"
        for name in (
            "submitted", "verified", "rejected", "in_review", "requires_input", "canceled",
            "expired", "redacted",
        )
    }  # fmt: skip


def test_a_verification_tells_its_whole_story(told: Told, alice: User) -> None:
    ScriptedProvider.script(similarity(72))
    case = submitted(alice)
    sweeper.drain()
    reviewer = User.objects.create_user("carol")
    intake.review(case, reviewer=reviewer, decision="verify", reason_code="same_person")
    assert events() == [
        "verification.submitted",
        "verification.in_review",
        "verification.verified",
    ]


def test_what_is_undone_is_not_told(told: Told, alice: User) -> None:
    with transaction.atomic():
        submitted(alice)
        assert WebhookDelivery.objects.count() == 1
        transaction.set_rollback(True)
    assert not WebhookDelivery.objects.exists()
    assert not Verification.objects.exists()


def test_what_is_no_transition_can_be_told_as_well(told: Told, verification: Verification) -> None:
    heard: list[UUID] = []

    def hear(sender: type, *, verification_id: UUID, **facts: object) -> None:
        heard.append(verification_id)

    verification_redacted.connect(hear)
    with transaction.atomic():
        redaction.redact(verification, actor="system", reason_code="subject_request")
        assert heard == []
    verification_redacted.disconnect(hear)
    assert heard == [verification.pk]
    assert events()[1:] == ["verification.canceled", "verification.redacted"]


def test_who_lost_tells_nothing(told: Told, verification: Verification) -> None:
    assert not lifecycle.move(verification, "expire", actor="system")
    assert events() == ["verification.submitted"]


def test_each_endpoint_gets_what_it_asked_for(told: Told, alice: User, webhook_rules: Any) -> None:
    some, _ = webhooks.create_endpoint(
        told.endpoint.url, events=["verification.verified", "verification.rejected"]
    )
    off, _ = webhooks.create_endpoint(told.endpoint.url)
    webhooks.disable(off)
    submitted(alice)
    sweeper.drain()
    got = set(WebhookDelivery.objects.values_list("endpoint", "event"))
    assert got == {
        (told.endpoint.pk, "verification.submitted"),
        (told.endpoint.pk, "verification.verified"),
        (some.pk, "verification.verified"),
    }


def test_a_site_without_endpoints_pays_no_statement(alice: User, told: Told) -> None:
    def statements() -> list[str]:
        case = submitted(alice)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert lifecycle.move(case, "refer", actor="system")
        return [query["sql"] for query in queries]

    with_one = statements()
    WebhookEndpoint.objects.all().delete()
    without = statements()
    assert len(with_one) == len(without) + 2
    assert not any("faceverify_webhookdelivery" in sql for sql in without)
    # the case, what it is now, the queue of reviewers, the last link, the event; the fourth asks
    # for endpoints along
    work = [sql for sql in without if not sql.startswith(("BEGIN", "COMMIT"))]
    assert [sql.split()[0] for sql in work] == ["UPDATE", "SELECT", "INSERT", "SELECT", "INSERT"]


def test_a_row_holds_nothing_about_a_person(told: Told, alice: User) -> None:
    case = submitted(alice, reference="order-7", metadata={"note": "of-alice"})
    sweeper.drain()
    rows = str(list(WebhookDelivery.objects.values()))
    assert str(case.pk) in rows
    for personal in (IDCARD_NAME, IDCARD_NUMBER, case.idcard_number_mask, "order-7", "of-alice"):
        assert personal not in rows


def test_a_worker_is_told_after_the_commit(
    told: Told, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[object] = []

    def send(*args: object, **options: object) -> None:
        sent.append((args, options["expires"], transaction.get_connection().in_atomic_block))

    monkeypatch.setattr(tasks.deliver_webhooks, "apply_async", send)
    submitted(alice)
    assert sent == [(((),), tasks.WAKE_EXPIRES, False)]
    WebhookEndpoint.objects.all().delete()
    submitted(alice)
    assert len(sent) == 1


def test_sending_again_starts_a_new_schedule(told: Told) -> None:
    dead = webhooks.send_test(told.endpoint)
    WebhookDelivery.objects.update(
        state=State.DEAD, due_at=None, retry_count=30, attempt_count=31, give_up_at=timezone.now()
    )
    busy = webhooks.send_test(told.endpoint)
    WebhookDelivery.objects.filter(pk=busy.pk).update(state=State.SENDING, due_at=db_now(60))
    assert webhooks.resend([dead.pk, busy.pk]) == 1
    dead.refresh_from_db()
    assert (dead.state, dead.retry_count, dead.attempt_count) == (State.WAITING, 0, 31)
    assert dead.give_up_at is None
    assert list(WebhookDelivery.objects.due()) == [dead]


def test_old_rows_are_purged_in_steps(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django_faceverify.webhooks.outbox.PURGE_BATCH", 2)
    for _ in range(4):
        webhooks.send_test(told.endpoint)
    young = webhooks.send_test(told.endpoint)
    old = timezone.now() - timedelta(days=30, seconds=1)
    WebhookDelivery.objects.exclude(pk=young.pk).update(occurred_at=old)
    assert [webhooks.purge(), webhooks.purge(), webhooks.purge()] == [2, 2, 0]
    assert list(WebhookDelivery.objects.all()) == [young]
    for _ in range(4):
        webhooks.send_test(told.endpoint)
    WebhookDelivery.objects.update(occurred_at=old)
    monkeypatch.setattr(webhooks, "PURGE_BATCH", 2)
    sweeper.sweep()
    assert WebhookDelivery.objects.count() == 5
    assert retention.purge().counts["delivery_count"] == 5
    assert not WebhookDelivery.objects.exists()
