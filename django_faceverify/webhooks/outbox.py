"""The outbox: rows that say who is still to be told what.

``record`` runs in the transaction that changes the verification: what was decided and what
is told about it are committed together, or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from django_faceverify.conf import app_settings
from django_faceverify.models import Verification, WebhookDelivery, WebhookEndpoint
from django_faceverify.models.clock import db_now
from django_faceverify.webhooks.message import TEST

State = WebhookDelivery.State

#: rows that one purge deletes at most
PURGE_BATCH = 500


class _Listener:
    """What is called after the commit when something was recorded; nobody, at first."""

    tell: Callable[[], None] | None = None


def when_recorded(tell: Callable[[], None]) -> None:
    """Call ``tell`` after each commit that recorded something: a hint, as for a worker."""
    _Listener.tell = staticmethod(tell)


def record(
    verification: Verification, event: str, *, status: str, reason_code: str, at: datetime
) -> int:
    """Write a delivery for each endpoint that wants this event; returns how many.

    Call it in the transaction of the change that it tells about.
    """
    wanting = [
        endpoint_id
        for endpoint_id, events in WebhookEndpoint.objects.filter(is_enabled=True).values_list(
            "pk", "events"
        )
        if not events or event in events
    ]
    return _write(
        WebhookDelivery(
            endpoint_id=endpoint_id,
            verification=verification,
            event=event,
            status=status,
            reason_code=reason_code,
            occurred_at=at,
            due_at=db_now(),
        )
        for endpoint_id in wanting
    )


def send_test(endpoint: WebhookEndpoint) -> WebhookDelivery:
    """Write a message for one endpoint that is about no verification."""
    delivery = WebhookDelivery(
        endpoint=endpoint, event=TEST, occurred_at=timezone.now(), due_at=db_now()
    )
    with transaction.atomic():
        _write([delivery])
    return delivery


def resend(deliveries: Iterable[UUID]) -> int:
    """Send again, as soon as may be and with a full schedule; returns how many will be.

    Those that a worker is sending at this moment are left to it.
    """
    count = (
        WebhookDelivery.objects.filter(pk__in=list(deliveries))
        .filter(~Q(state=State.SENDING) | Q(due_at__lte=db_now()))
        .update(state=State.WAITING, due_at=db_now(), give_up_at=None, retry_count=0)
    )
    if count:
        _tell_after_commit()
    return count


def purge() -> int:
    """Delete the oldest rows that have been kept for ``KEEP_DAYS``; returns how many.

    One call deletes ``PURGE_BATCH`` at most: call it until it returns less.
    """
    past = timezone.now() - timedelta(days=app_settings.webhooks.keep_days)
    old = WebhookDelivery.objects.filter(occurred_at__lt=past).order_by("occurred_at")
    ids = list(old.values_list("pk", flat=True)[:PURGE_BATCH])
    if not ids:
        return 0
    return WebhookDelivery.objects.filter(pk__in=ids).delete()[0]


def _write(deliveries: Iterable[WebhookDelivery]) -> int:
    written = WebhookDelivery.objects.bulk_create(deliveries)
    if written:
        _tell_after_commit()
    return len(written)


def _tell_after_commit() -> None:
    if _Listener.tell is not None:
        transaction.on_commit(_Listener.tell, robust=True)
