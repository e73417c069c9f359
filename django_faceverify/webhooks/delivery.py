"""Sending what is due. Read ``deliver`` first.

As with verifications, the row is the queue: a worker claims it by a conditional UPDATE with
a lease, sends outside of any transaction, and records under the fence. A worker that dies in
between leaves a lease that ends, and the message is sent again under the same id.
"""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from math import ceil, inf
from time import monotonic, time
from typing import Any
from uuid import UUID

import requests
from django.db.models import Exists, F, OuterRef
from django.utils import timezone

from django_faceverify import __version__, journal, transport
from django_faceverify.conf import Webhooks, app_settings
from django_faceverify.deadline import Deadline
from django_faceverify.exceptions import InputError, SealBroken
from django_faceverify.models import WebhookDelivery, WebhookEndpoint
from django_faceverify.models.clock import db_now
from django_faceverify.models.transactions import committed, hand_back_connection
from django_faceverify.targets import admits, check_url
from django_faceverify.transport import AddressRefused, Call, parse_retry_after
from django_faceverify.webhooks.endpoints import disable, note_failure, note_success, secrets_of
from django_faceverify.webhooks.message import body_of, headers_of

State, Failure = WebhookDelivery.State, WebhookDelivery.Failure

#: after each failure in a row, the next try is at a random moment within so many seconds;
#: the last of them holds for all further ones
SCHEDULE = (10, 30, 120, 600, 1800, 3600, 2 * 3600, 4 * 3600, 8 * 3600)
#: seconds from the first failure to the last try
GIVE_UP_AFTER = 3 * 24 * 3600
#: the longest wait in seconds that a receiver can ask for
LONGEST_RETRY_AFTER = 8 * 3600.0
#: seconds for which a worker owns a delivery, beyond the timeout of its one request
LEASE_MARGIN = 30.0

#: seconds that one run may work
DELIVER_SECONDS = 20.0
#: seconds and deliveries of one endpoint's turn; a request under way is finished
TURN_SECONDS, TURN_ROWS = 1.0, 20
#: requests under way to one endpoint at which workers turn to others
MAX_UNDER_WAY = 4
#: columns of a verification that are large or sealed, and that no message holds
NOT_TOLD = tuple(
    f"verification__{name}"
    for name in (
        "idcard_name", "idcard_number", "idcard_number_index", "idcard_number_mask",
        "review_note", "metadata",
    )
)  # fmt: skip
#: runs to start for any backlog, so that hints never outnumber the work
MAX_DELIVERERS, ROWS_PER_DELIVERER = 4, 50


@dataclass(frozen=True)
class Outcome:
    """What came of one try: ``failure`` is empty when it was received."""

    failure: str = ""
    http_status: int | None = None
    retry_after: float | None = None
    duration_ms: int = 0

    @property
    def is_gone(self) -> bool:
        return self.http_status == 410


def deliver(seconds: float = DELIVER_SECONDS) -> int:
    """Send what is due, for so long at most; returns how many tries were made.

    Endpoints take turns, always that which has had the least of the time. One that fails
    waits for the next run, so that those who answer need not wait for those who do not.
    """
    end, count = monotonic() + seconds, 0
    used: dict[UUID, float] = defaultdict(float)
    while monotonic() < end:
        endpoints = [endpoint for endpoint in _with_work() if used[endpoint] < inf]
        if not endpoints:
            break
        endpoint = min(endpoints, key=used.__getitem__)
        turn = _take_turn(endpoint, until=min(end, monotonic() + TURN_SECONDS))
        count += turn.count
        used[endpoint] += inf if turn.is_last else turn.seconds
    return count


def deliverers_needed() -> int:
    """How many runs what is due deserves."""
    due = WebhookDelivery.objects.due().filter(endpoint__is_enabled=True)
    count = due[: MAX_DELIVERERS * ROWS_PER_DELIVERER].count()
    return min(MAX_DELIVERERS, ceil(count / ROWS_PER_DELIVERER))


def _with_work() -> list[UUID]:
    """Enabled endpoints with something due; those that work first, else in any order."""
    due = WebhookDelivery.objects.due().filter(endpoint=OuterRef("pk"))
    rows = list(
        WebhookEndpoint.objects.filter(Exists(due), is_enabled=True).values_list(
            "pk", "failing_since"
        )
    )
    random.shuffle(rows)
    rows.sort(key=lambda row: row[1] is not None)
    return [endpoint for endpoint, _ in rows]


@dataclass(frozen=True)
class _Turn:
    """What one endpoint had of a run; the last, when it fails or others are busy with it."""

    count: int
    seconds: float
    is_last: bool


def _take_turn(endpoint: UUID, *, until: float) -> _Turn:
    """Try some of what is due, the oldest of it in any order."""
    begun, count, is_last = monotonic(), 0, False
    deliveries = WebhookDelivery.objects.filter(endpoint=endpoint)
    due = list(deliveries.due().order_by("due_at").values_list("pk", flat=True)[:TURN_ROWS])
    random.shuffle(due)  # workers at the same time take different ones
    if not due or deliveries.under_way().count() >= MAX_UNDER_WAY:
        due, is_last = [], True
    for delivery_id in due:
        if monotonic() >= until:
            break
        was_received = deliver_one(delivery_id)
        count += was_received is not None
        if was_received is False:
            is_last = True
            break
    return _Turn(count, monotonic() - begun, is_last)


def deliver_one(delivery_id: UUID) -> bool | None:
    """Claim one delivery, send it, record what came of it; says whether it was received.

    ``None`` when there was nothing to do: not due, or somebody else's.
    """
    rules = app_settings.webhooks
    claimed_at = monotonic()
    delivery = committed(lambda: _claim(delivery_id, rules), durable=True)
    if delivery is None:
        return None
    hand_back_connection()
    left = rules.timeout + LEASE_MARGIN / 2 - (monotonic() - claimed_at)
    outcome = send(delivery, rules, seconds=min(rules.timeout, left))
    record_outcome(delivery, outcome)
    return not outcome.failure


def _claim(delivery_id: UUID, rules: Webhooks) -> WebhookDelivery | None:
    """Win the row for one lease, within which its one request begins and ends."""
    won = (
        WebhookDelivery.objects.due()
        .filter(pk=delivery_id)
        .update(
            state=State.SENDING,
            attempt_count=F("attempt_count") + 1,
            due_at=db_now(rules.timeout + LEASE_MARGIN),
        )
    )
    if not won:
        return None
    related = WebhookDelivery.objects.select_related("endpoint", "verification")
    return related.defer(*NOT_TOLD).get(pk=delivery_id)


def send(delivery: WebhookDelivery, rules: Webhooks, *, seconds: float) -> Outcome:
    """Make the one request, within so many seconds from name lookup to status line.

    Any 2xx status means that it was received; the body of the answer is not read.
    """
    begun = monotonic()
    try:
        request = _request(delivery, rules)
    except InputError:
        return Outcome(Failure.TARGET_REFUSED)
    except SealBroken:
        return Outcome(Failure.SECRET_LOST)
    except Exception as error:  # noqa: BLE001 (a row that cannot be sent must count its tries too)
        journal.tell("webhook_not_built", delivery=delivery.pk, error=error)
        return Outcome(Failure.NOT_CONNECTED)
    with Deadline(max(0.0, seconds)) as deadline:
        call = Call(deadline, about_to_send=_nothing, admits=partial(admits, rules=rules))
        try:
            response = transport.send(request, call, rules.ca_bundle)
        except Exception as error:  # noqa: BLE001 (its text quotes the address, which may hold a token)
            journal.tell("webhook_broke", delivery=delivery.pk, error=error)
            return Outcome(_failure(call), duration_ms=_since(begun))
        response.close()
    return Outcome(
        failure="" if 200 <= response.status < 300 else Failure.STATUS,
        http_status=response.status,
        retry_after=parse_retry_after(
            response.headers.get("Retry-After"), longest=LONGEST_RETRY_AFTER
        ),
        duration_ms=_since(begun),
    )


def record_outcome(delivery: WebhookDelivery, outcome: Outcome) -> bool:
    """Write down what came of a try, if this worker's claim is the last; says whether it is."""
    facts: dict[str, Any] = {
        "failure": outcome.failure,
        "http_status": outcome.http_status,
        "duration_ms": outcome.duration_ms,
    }
    if not outcome.failure:
        facts |= {"state": State.DELIVERED, "due_at": None, "delivered_at": timezone.now()}
    else:
        facts |= _after_failure(delivery, outcome)
    won = committed(
        lambda: WebhookDelivery.objects.filter(
            pk=delivery.pk, state=State.SENDING, attempt_count=delivery.attempt_count
        ).update(**facts),
        survives_reconnect=True,
    )
    if outcome.is_gone:
        disable(delivery.endpoint, WebhookEndpoint.DisabledReason.GONE)
    elif outcome.failure:
        note_failure(delivery.endpoint)
    else:
        note_success(delivery.endpoint)
    return bool(won)


def _after_failure(delivery: WebhookDelivery, outcome: Outcome) -> dict[str, Any]:
    """When it is tried again; a receiver may ask for later, but not for after the end."""
    give_up_at = delivery.give_up_at or timezone.now() + timedelta(seconds=GIVE_UP_AFTER)
    left = (give_up_at - timezone.now()).total_seconds()
    facts: dict[str, Any] = {"give_up_at": give_up_at, "retry_count": F("retry_count") + 1}
    if left < 1 or outcome.is_gone:
        journal.tell("webhook_given_up", delivery=delivery.pk)
        return facts | {"state": State.DEAD, "due_at": None}
    longest = SCHEDULE[min(delivery.retry_count, len(SCHEDULE) - 1)]
    wait = max(1.0, random.uniform(0, longest), outcome.retry_after or 0.0)  # noqa: S311 (jitter)
    return facts | {"state": State.WAITING, "due_at": db_now(min(wait, left))}


def _request(delivery: WebhookDelivery, rules: Webhooks) -> requests.PreparedRequest:
    """The signed request; ``InputError`` when its target is not allowed any more."""
    body = body_of(delivery)
    headers = {
        "Accept-Encoding": "identity",
        "Connection": "close",
        "Content-Type": "application/json",
        "User-Agent": f"django-faceverify/{__version__}",
    } | headers_of(delivery, body, secrets=secrets_of(delivery.endpoint), sent_at=int(time()))
    url = check_url(delivery.endpoint.url, rules)
    return requests.Request("POST", url, headers=headers, data=body).prepare()


def _failure(call: Call) -> str:
    if isinstance(call.stopped_by, AddressRefused):
        return Failure.TARGET_REFUSED
    return Failure.NO_ANSWER if call.may_have_left else Failure.NOT_CONNECTED


def _nothing() -> None:
    """Nothing has to be written before the first byte: to send twice is allowed."""


def _since(begun: float) -> int:
    return int((monotonic() - begun) * 1000)
