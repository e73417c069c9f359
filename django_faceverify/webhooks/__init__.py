"""Webhooks: the site is told what becomes of verifications, by signed HTTP requests.

``outbox`` writes a row in the transaction that decides, ``delivery`` sends it until it is
received, ``message`` is what is sent and how it is signed, ``endpoints`` are those who are
told. Each message arrives at least once; their order is not promised.
"""

from __future__ import annotations

from django_faceverify.webhooks.delivery import deliver, deliverers_needed
from django_faceverify.webhooks.endpoints import (
    create_endpoint,
    describe,
    disable,
    enable,
    rotate_secret,
    store,
    store_new,
)
from django_faceverify.webhooks.message import EVENT_BY_STATUS, EVENTS, REDACTED
from django_faceverify.webhooks.outbox import (
    PURGE_BATCH,
    purge,
    record,
    resend,
    send_test,
    when_recorded,
)

__all__ = [
    "EVENTS",
    "EVENT_BY_STATUS",
    "PURGE_BATCH",
    "REDACTED",
    "create_endpoint",
    "deliver",
    "deliverers_needed",
    "describe",
    "disable",
    "enable",
    "purge",
    "record",
    "resend",
    "rotate_secret",
    "send_test",
    "store",
    "store_new",
    "when_recorded",
]
