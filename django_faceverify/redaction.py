"""Destroying personal data while the decision and the history stay.

Rows first, with their Event and in one transaction; files after the commit. A file that
could not be deleted then is named by no row any more, and ``retention`` sweeps it.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from django_faceverify import journal, lifecycle, webhooks
from django_faceverify.models import Consent, Event, Photo, Verification
from django_faceverify.models.fields import emptied
from django_faceverify.models.photo import discard_photo
from django_faceverify.models.transactions import committed
from django_faceverify.reasons import ReasonCode, RedactionReason
from django_faceverify.signals import verification_redacted

#: how a case under way ends when its data is destroyed
CANCELED_BECAUSE = {
    RedactionReason.STAFF_REQUEST: ReasonCode.CANCELED_BY_STAFF,
}


def redact(
    verification: Verification,
    *,
    actor: str,
    reason_code: str,
    rule: str = "",
    guard: dict[str, Any] | None = None,
) -> bool:
    """Destroy the personal data of a case, for ever; says whether there was any.

    Gone are name, number, blind index and mask, photos with their addresses and digests,
    the reviewer's note, metadata, and the sealed columns of every table that belongs to the
    case. A case under way is canceled first, so that no answer that comes later decides it.
    ``reason_code`` is a ``RedactionReason``, ``rule`` the clock that made it due, and
    ``guard`` names columns that must still be as the caller saw them.
    """
    rows = Verification.objects.filter(pk=verification.pk, redacted_at=None, **(guard or {}))

    def work() -> bool:
        if not rows.select_for_update().values_list("pk", flat=True):
            return False
        _redact(verification, actor, reason_code, rule)
        return True

    return committed(work)


def destroy_photos(verification: Verification, *, reason_code: str, rule: str) -> int:
    """Destroy the photos of an ended case and keep the rest; returns how many there were.

    Photos that the person lets us keep stay with the identity, and are not looked at again.
    """
    return committed(lambda: _destroy_photos(verification, reason_code, rule))


def _redact(verification: Verification, actor: str, reason_code: str, rule: str) -> None:
    """What has to be done under the lock of the row."""
    lifecycle.move(
        verification,
        "cancel",
        actor=actor,
        reason_code=CANCELED_BECAUSE.get(
            RedactionReason(reason_code), ReasonCode.CANCELED_BY_SUBJECT
        ),
    )
    now = timezone.now()
    row = Verification.objects.filter(pk=verification.pk)
    row.update(
        **emptied(Verification),
        idcard_number_index="",
        idcard_number_mask="",
        metadata={},
        holds=None,
        redacted_at=now,
        updated_at=now,
    )
    count = _forget_photos(verification)
    _empty_what_belongs_to(verification)
    event = Event.objects.append_locked(
        verification,
        "redacted",
        actor=actor,
        reason_code=reason_code,
        data=_facts(count, rule),
    )
    status = row.values_list("status", flat=True).get()
    lifecycle.tell(
        verification, event, name=webhooks.REDACTED, status=status, signal=verification_redacted
    )


def _destroy_photos(verification: Verification, reason_code: str, rule: str) -> int:
    held = Verification.objects.filter(
        pk=verification.pk, holds=Verification.Holding.PHOTOS, ended_at__isnull=False
    )
    is_kept = Consent.objects.to_keep_the_photo().filter(verification=verification).exists()
    if is_kept:
        held.update(holds=Verification.Holding.KEPT)
        return 0
    if not held.update(holds=Verification.Holding.IDENTITY):
        return 0
    count = _forget_photos(verification)
    Event.objects.append_locked(
        verification,
        "photos_destroyed",
        actor=lifecycle.SYSTEM,
        reason_code=reason_code,
        data=_facts(count, rule),
    )
    return count


def _forget_photos(verification: Verification) -> int:
    """Clear the rows of the photos, and delete their files once that is certain."""
    photos = Photo.objects.filter(verification_id=verification.pk, purged_at=None)
    file_names = list(photos.select_for_update().values_list("file_name", flat=True))
    photos.update(**emptied(Photo), file_name="", sha256="", purged_at=timezone.now())
    transaction.on_commit(lambda: _delete_files(file_names), robust=True)
    return len(file_names)


def _delete_files(file_names: list[str]) -> None:
    for file_name in filter(None, file_names):
        try:
            discard_photo(file_name)
        except Exception as error:  # noqa: BLE001 (storages raise what they like; the sweep finds the file)
            journal.tell("file_stays", error=error)


def _empty_what_belongs_to(verification: Verification) -> None:
    """The sealed columns of every other table with a foreign key to the verification."""
    for relation in Verification._meta.related_objects:
        model, name = relation.related_model, relation.field.name
        columns = emptied(model)
        if columns and model is not Photo:
            model._base_manager.filter(**{name: verification.pk}).update(**columns)


def _facts(count: int, rule: str) -> dict[str, Any]:
    return {"count": count, "rule": rule} if rule else {"count": count}
