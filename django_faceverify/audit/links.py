"""Events as the database really holds them, for those who do not trust it.

A row that somebody changed by hand may hold what no field can read: a time that is none, a
JSON text that does not parse. So every column is read as text, and must be spelled as we
would have written it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, TypeVar
from uuid import UUID

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BigIntegerField, QuerySet, TextField
from django.db.models.functions import Cast
from django.utils.dateparse import parse_datetime

from django_faceverify.models import Event

Value = TypeVar("Value")

TEXTS = ("verification_id", "number", "at", "actor", "action", "reason_code", "data", "mac")


@dataclass(frozen=True)
class Link:
    """One row; ``event`` is ``None`` when it does not hold what an event can hold."""

    id: int
    #: the id of the case that it says it belongs to
    case: str
    event: Event | None

    @property
    def place(self) -> tuple[int, int]:
        return self.event.number if self.event else 0, self.id

    @property
    def leaf(self) -> tuple[bytes, ...] | None:
        """What a root covers of it."""
        event = self.event
        return leaf_of(event.verification_id, self.id, event.number, event.mac) if event else None


def leaf_of(verification_id: UUID, id_: int, number: int, mac: str) -> tuple[bytes, ...]:
    """What a root covers of an event: its place, and the MAC, which covers the rest."""
    return verification_id.bytes, str(id_).encode(), str(number).encode(), mac.encode()


def chains_of(verification_ids: Sequence[UUID]) -> dict[UUID, list[Link]]:
    """The links of each of these cases, in the order of their numbers."""
    chains: dict[UUID, list[Link]] = {pk: [] for pk in verification_ids}
    for link in links_of(Event.objects.filter(verification__in=verification_ids)):
        chains[UUID(link.case)].append(link)
    return {pk: sorted(chain, key=lambda link: link.place) for pk, chain in chains.items()}


def links_of(events: QuerySet[Event]) -> Iterator[Link]:
    """The links of these events, in no particular order."""
    connection = connections[events.db]
    columns = {f"raw_{name}": Cast(name, TextField()) for name in TEXTS}
    key = Cast("id", BigIntegerField())
    rows = events.order_by().annotate(raw_id=key, **columns).values_list("raw_id", *columns)
    for id_, *texts in rows.iterator(chunk_size=2000):
        facts = dict(zip(TEXTS, texts, strict=True))
        yield Link(id_, _case(facts["verification_id"]), _event(facts, connection))


def _case(text: str) -> str:
    """An id as everything else prints it; what is none stays as it is."""
    try:
        return str(UUID(text))
    except ValueError:
        return text


def _event(facts: dict[str, Any], connection: BaseDatabaseWrapper) -> Event | None:
    try:
        return Event(
            verification_id=UUID(facts["verification_id"]),
            number=_number(facts["number"]),
            at=_moment(facts["at"], connection),
            actor=facts["actor"],
            action=facts["action"],
            reason_code=facts["reason_code"],
            data=_data(facts["data"], connection),
            mac=facts["mac"],
        )
    except (ValueError, TypeError, RecursionError):
        return None


def _number(text: str) -> int:
    return _spelled(int(text), text, str(int(text)))


def _moment(text: str, connection: BaseDatabaseWrapper) -> datetime:
    at = parse_datetime(text + ":00" if text[-3:-2] == "+" else text)
    if at is None:
        raise ValueError("not a moment")
    if at.tzinfo is None:
        at = at.replace(tzinfo=timezone.utc)
    if connection.vendor != "sqlite":
        return at  # the column holds a moment, not a text
    return _spelled(at, text, str(connection.ops.adapt_datetimefield_value(at)))


def _data(text: str, connection: BaseDatabaseWrapper) -> Any:
    data = json.loads(text)
    is_text = connection.vendor == "sqlite" or getattr(connection, "mysql_is_mariadb", False)
    return _spelled(data, text, json.dumps(data)) if is_text else data


def _spelled(value: Value, text: str, ours: str) -> Value:
    if text != ours:
        raise ValueError("not spelled as we write it")
    return value
