"""A request that is sent again under its ``Idempotency-Key`` is not done again.

The key is reserved first, in a transaction of its own and under a primary key, so of many
requests at once one is let through. What it changes and the record of the key are committed
together: whoever takes a key over from a worker that died finds either the change, or
nothing, and a worker that was only slow can no longer commit.

Nothing personal is kept: keys and bodies stand here as keyed digests, answers not at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

from django.db import DatabaseError, IntegrityError

from django_faceverify import journal, sealing
from django_faceverify.exceptions import Conflict, InProgress
from django_faceverify.models import IdempotencyRecord
from django_faceverify.models.clock import db_now
from django_faceverify.models.idempotency import Hold, current_hold
from django_faceverify.models.transactions import committed

#: seconds for which a request is believed to be alive; longer than servers let one work
LEASE = 60
#: how long a key is remembered
KEPT_FOR = timedelta(hours=24)
#: records that one purge removes at most; the next one goes on
BATCH = 5000

MAX_KEY_LENGTH = 255
#: how often a key may vanish between two looks, before somebody else is believed to have it
TRIES = 3


def is_key(text: str) -> bool:
    """Whether a text can be a key: 1 to 255 visible ASCII characters."""
    return 1 <= len(text) <= MAX_KEY_LENGTH and all("!" <= letter <= "~" for letter in text)


def reserve(
    *, scope: tuple[str, ...], key: str, body: tuple[bytes, ...]
) -> Hold | IdempotencyRecord:
    """Win the right to act under a key, or find the settled record of the request before.

    ``scope`` says whose key it is and for what (principal, method, path); ``body`` is what
    was sent. Raises ``InProgress`` while another one works under the key, and ``Conflict``
    when the key was used for another body.
    """
    parts = tuple(part.encode() for part in (*scope, key))
    for _ in range(TRIES):
        record = IdempotencyRecord.objects.filter(
            digest__in=sealing.macs("idempotency/key", *parts)
        ).first()
        if record is None:
            if hold := _begin(sealing.mac("idempotency/key", *parts), body):
                return hold
            continue  # somebody was faster by a moment
        if not sealing.mac_matches("idempotency/body", record.fingerprint, *body):
            raise Conflict("idempotency_key_reused")
        if record.is_settled:
            return record
        if hold := _take_over(record):
            return hold
        break
    raise InProgress("request_in_progress")


@contextmanager
def working(hold: Hold) -> Iterator[None]:
    """Do the work of a request under its key; a key under which nothing was done is free."""
    token = current_hold.set(hold)
    try:
        yield
    except BaseException:
        _release(hold)
        raise
    finally:
        current_hold.reset(token)


def finish(hold: Hold, http_status: int) -> None:
    """Remember with which status the request was answered; what it did is remembered already."""
    try:
        hold.rows.update(http_status=http_status)
    except DatabaseError as error:
        journal.tell("answer_not_kept", error=error)


def purge(most: int = BATCH) -> int:
    """Forget keys whose day is over, at most so many; returns how many it were."""
    old = IdempotencyRecord.objects.filter(created_at__lt=db_now(-KEPT_FOR.total_seconds()))
    digests = list(old.order_by("created_at").values_list("pk", flat=True)[:most])
    if not digests:
        return 0
    return IdempotencyRecord.objects.filter(pk__in=digests).delete()[0]


def _begin(digest: str, body: tuple[bytes, ...]) -> Hold | None:
    """Write a new record; ``None`` when there is one already."""
    record = {
        "digest": digest,
        "fingerprint": sealing.mac("idempotency/body", *body),
        "lease_until": db_now(LEASE),
        "created_at": db_now(),
    }
    try:
        committed(lambda: IdempotencyRecord.objects.create(**record), durable=True)
    except IntegrityError:
        return None
    return Hold(digest, fence=1)


def _take_over(record: IdempotencyRecord) -> Hold | None:
    """Win the key of a request whose worker did not come back."""
    fence = record.fence + 1
    lost = IdempotencyRecord.objects.filter(
        digest=record.digest,
        fence=record.fence,
        lease_until__lt=db_now(),
        verification_id__isnull=True,
        http_status__isnull=True,
    )
    won = committed(lambda: lost.update(fence=fence, lease_until=db_now(LEASE)), durable=True)
    return Hold(record.digest, fence) if won else None


def _release(hold: Hold) -> None:
    """Give the key back, unless something was committed under it.

    Without a database, the lease has to run out.
    """
    with suppress(DatabaseError):
        hold.rows.filter(verification_id__isnull=True).delete()
