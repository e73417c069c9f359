"""The one way by which whole cases leave, with a record of each that stays."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from django_faceverify import sealing
from django_faceverify.models import Event, PurgedCase, Verification

USE = "audit/purge"


@contextmanager
def deleting_cases(
    cases: QuerySet[Verification], *, actor: str, reason: str
) -> Iterator[list[UUID]]:
    """A transaction in which these cases can be deleted with their events.

    Gives the ids of those that match now, locked; the caller deletes their rows (photos'
    files first) by ``Verification.objects.filter(pk__in=ids).delete()``. The record of each
    is written before. Raises ``RuntimeError``, and undoes all, if one is left at the end.
    """
    with transaction.atomic():
        rows = cases.select_for_update().order_by("pk")
        ids = list(rows.values_list("pk", flat=True))
        links: dict[UUID, list[list[int | str]]] = {pk: [] for pk in ids}
        events = Event.objects.filter(verification__in=ids).order_by("verification", "number")
        for pk, verification_id, number, mac in events.values_list(
            "pk", "verification_id", "number", "mac"
        ):
            links[verification_id].append([pk, number, mac])
        records = [
            PurgedCase(
                verification_id=pk,
                purged_at=timezone.now(),
                actor=actor,
                reason=reason,
                links=links[pk],
            )
            for pk in ids
        ]
        for record in records:
            record.mac = sealing.mac(USE, *record.sealed_parts())
        PurgedCase.objects.bulk_create(records, batch_size=500)
        yield ids
        if Verification.objects.filter(pk__in=ids).exists():
            raise RuntimeError("a case was recorded as purged and is still there")
