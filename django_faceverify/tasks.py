"""The queue: Celery tasks of a few lines each. Messages carry ids only.

A message is a hint that there may be work; everything that counts stands in the rows. All
waiting is ``next_run_at`` in the database: no countdown, no retry by Celery.
"""

from __future__ import annotations

from time import monotonic
from typing import Any
from uuid import UUID

from celery import shared_task
from django.db import transaction

from django_faceverify import journal, retention, sweeper, verification, webhooks

#: seconds after which a wake-up is worthless: the sweeper has taken over
WAKE_EXPIRES = 600
DRAIN_EXPIRES = 15
#: seconds without wake-ups after one failed; Celery may spend several on finding out
SILENCE_AFTER_FAILURE = 15.0


@shared_task(name="django_faceverify.verify", ignore_result=True, serializer="json")
def verify(verification_id: str) -> None:
    """Make the call for one verification, if it is due."""
    verification.run(verification_id)


@shared_task(name="django_faceverify.sweep", ignore_result=True, serializer="json")
def sweep() -> None:
    """Find what was lost, what is overdue and what waits; wake workers for the rest."""
    for _ in range(sweeper.sweep()):
        drain.apply_async(expires=DRAIN_EXPIRES, retry=False)
    for _ in range(webhooks.deliverers_needed()):
        deliver_webhooks.apply_async(expires=DRAIN_EXPIRES, retry=False)
    if sweeper.is_shadow_due():
        # One at a time, so that it never holds more than one worker.
        call_shadows.apply_async(expires=DRAIN_EXPIRES, retry=False)


@shared_task(name="django_faceverify.drain", ignore_result=True, serializer="json")
def drain() -> None:
    """Work off verifications that are due, for a bounded time."""
    sweeper.drain()


@shared_task(name="django_faceverify.call_shadows", ignore_result=True, serializer="json")
def call_shadows() -> None:
    """Ask second providers, for a bounded time and while nobody waits for a decision."""
    sweeper.drain_shadows()


@shared_task(name="django_faceverify.purge", ignore_result=True, serializer="json")
def purge() -> None:
    """Destroy what the clocks of retention say, for a bounded time."""
    retention.purge()


@shared_task(name="django_faceverify.deliver_webhooks", ignore_result=True, serializer="json")
def deliver_webhooks() -> None:
    """Send webhooks that are due, for a bounded time."""
    webhooks.deliver()


class _Broker:
    """Remembers that the broker did not answer, so that not every request waits for it."""

    silent_until = 0.0


def wake(verification_id: UUID) -> None:
    """Send a worker after the commit. A broker that is down costs a delay, nothing else."""
    transaction.on_commit(lambda: _hint(verify, str(verification_id)))


def _hint(task: Any, *arguments: str) -> None:
    """Send a message if the broker takes it."""
    if monotonic() < _Broker.silent_until:
        return
    try:
        task.apply_async(arguments, expires=WAKE_EXPIRES, retry=False)
    except Exception as error:  # noqa: BLE001 (brokers raise what they like; the sweeper finds the row)
        _Broker.silent_until = monotonic() + SILENCE_AFTER_FAILURE
        journal.tell("wake_up_failed", error=error)


webhooks.when_recorded(lambda: _hint(deliver_webhooks))
