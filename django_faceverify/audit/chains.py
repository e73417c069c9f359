"""The chain of one case: each event's MAC covers the event before it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from uuid import UUID

from django.db import transaction

from django_faceverify import sealing
from django_faceverify.audit.findings import Finding, Kind
from django_faceverify.audit.links import Link, chains_of
from django_faceverify.lifecycle import TRANSITIONS
from django_faceverify.models import Verification

USE = "audit"

#: what a status may be after an event, by the transition table
STATUS_AFTER: dict[str, set[str]] = {"created": {Verification.Status.REQUIRES_INPUT}}
for _transition in TRANSITIONS.values():
    STATUS_AFTER.setdefault(_transition.event, set()).add(_transition.target)


def examine_cases(statuses: dict[UUID, str], chains: dict[UUID, list[Link]]) -> Iterator[Finding]:
    """What is wrong with these cases; one that moves on meanwhile is looked at again."""
    for pk, status in statuses.items():
        if any(_examine(pk, status, chains[pk])):
            yield from examine_case(pk)


def examine_case(verification_id: UUID) -> list[Finding]:
    """The same for one case, under its lock, so that nobody adds an event meanwhile."""
    with transaction.atomic():
        rows = Verification.objects.filter(pk=verification_id)
        status = rows.select_for_update().values_list("status", flat=True).first()
        if status is None:
            return []
        chain = chains_of([verification_id])[verification_id]
        return list(_examine(verification_id, status, chain))


def is_intact(verification: Verification) -> bool:
    """Whether the case's own history is as it was written; costs one query.

    Whether its end was cut off, only the root of the day can tell.
    """
    chain = chains_of([verification.pk])[verification.pk]
    return not any(_examine(verification.pk, verification.status, chain))


def _examine(pk: UUID, status: str, chain: Sequence[Link]) -> Iterator[Finding]:
    if not chain:
        yield Finding(Kind.NO_HISTORY, case=str(pk))
        return
    yield from _walk(chain)
    last = [link.event.action for link in chain if link.event and link.event.action in STATUS_AFTER]
    if not last or status not in STATUS_AFTER[last[-1]]:
        yield Finding(Kind.STATUS, case=str(pk), detail=f"{status} is not what the history says")


def _walk(chain: Sequence[Link]) -> Iterator[Finding]:
    """Along the chain; what follows a gap cannot be compared with what is gone."""
    previous_mac, previous_id, expected = "", 0, 1
    for link in chain:
        event = link.event
        if event is None:
            yield Finding(Kind.CHANGED, case=link.case, detail=f"event {link.id} is not readable")
            continue
        if event.number != expected:
            detail = f"{expected} to {event.number - 1}" if event.number > expected else "twice"
            yield Finding(Kind.MISSING, case=link.case, number=expected, detail=detail)
        elif not sealing.holds_key_of(event.mac):
            yield Finding(Kind.UNKNOWN_KEY, case=link.case, number=event.number)
        elif not sealing.mac_matches(USE, event.mac, *event.sealed_parts(previous_mac)):
            yield Finding(Kind.CHANGED, case=link.case, number=event.number)
        if link.id <= previous_id:
            yield Finding(Kind.MOVED, case=link.case, number=event.number)
        previous_mac, previous_id, expected = event.mac, link.id, event.number + 1
