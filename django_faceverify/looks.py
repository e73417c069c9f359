"""What staff may look at: each look is permitted, counted and recorded before it is granted.

A photo, a name and an ID number, or whether there is a case about a number at all. The
record is committed first (unless the site wraps requests in a transaction; then with it),
so that nothing is shown that is not on record. Superusers are recorded like anybody else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from django_faceverify import access, inputs, intake, journal, lifecycle, quotas
from django_faceverify.conf import app_settings
from django_faceverify.exceptions import Conflict, InputError, QuotaExceeded
from django_faceverify.models import Event, IdentitySearch, Photo, Review, Verification
from django_faceverify.models.idempotency import beside_the_request
from django_faceverify.models.transactions import committed
from django_faceverify.reasons import RevealReason
from django_faceverify.signals import reveals_unusual

#: seconds for which a page shows an identity
SHOWN_FOR = 60
#: characters of the note that says why
LEAST_NOTE = 5
#: the part of the hourly limit from which on somebody is said to reveal unusually much
UNUSUAL = 0.5

#: what stands in the history of a photo that was sent, and of one that somebody looked at
SENT_AHEAD, VIEWED = "photo_sent_ahead", "photo_viewed"

COLUMNS = ("idcard_name", "idcard_number")


@dataclass(frozen=True)
class Identity:
    """A name and an ID number in clear, on their way to one person's screen."""

    idcard_name: str = field(repr=False)
    idcard_number: str = field(repr=False)


@sensitive_variables("note", "words")
def reveal_identity(
    verification: Verification, *, user: Any, reason_code: object, note: object
) -> Identity:
    """The name and the ID number of one case, for somebody who says why.

    ``reason_code`` is one of ``RevealReason``, ``note`` the person's own words, which are
    sealed. Raises ``PermissionDenied``, ``NotPermitted`` (one's own case), ``InputError``,
    ``Conflict`` (destroyed), ``QuotaExceeded`` (too many in this hour) or ``SealBroken``.
    """
    access.require_as_staff(user, access.REVEAL_IDENTITY, verification)
    if not isinstance(reason_code, str) or reason_code not in RevealReason.values:
        raise InputError("reveal_reason_invalid", "reason_code")
    words = inputs.note(note)
    if len(words) < LEAST_NOTE:
        raise InputError("reveal_note_too_short", "note")
    if not verification.idcard_number:
        raise Conflict("identity_destroyed")
    actor = lifecycle.user_actor(user)

    def record() -> None:
        quotas.admit_reveal(actor)
        verification.record_reveal(*COLUMNS, actor=actor, reason=reason_code, note=words)
        transaction.on_commit(lambda: _watch(actor), robust=True)

    try:
        committed(record)
    except QuotaExceeded:
        _refuse(verification, actor)
        raise
    return Identity(
        idcard_name=verification.idcard_name.unseal(),
        idcard_number=verification.idcard_number.unseal(),
    )


def find_photo(verification: Verification, photo_id: object) -> Photo | None:
    """A photo of this case whose picture we hold; not when it is an address, or is purged."""
    try:
        key = UUID(str(photo_id))
    except ValueError:
        return None
    return verification.photos.filter(pk=key, purged_at=None).exclude(file_name="").first()


def view_photo(photo: Photo, *, user: Any) -> bytes:
    """The picture for somebody who may see it.

    Raises ``PermissionDenied``, or ``SealBroken`` when the file is gone or does not open.
    """
    access.require_for(user, access.VIEW_PHOTO, photo.verification)
    return open_photo(photo, actor=lifecycle.user_actor(user))


def open_photo(photo: Photo, *, actor: str) -> bytes:
    """The same for whoever is not a user, such as a command."""
    _record(photo, VIEWED, actor)
    return photo.read()


def send_photo_ahead(photo: Photo, *, user: Any) -> bytes:
    """The picture for the browser of somebody for whom the case is kept as their next one.

    On record is that it was sent, which is not yet a look. Raises ``PermissionDenied``,
    ``Conflict`` (not kept for them, or not any more) or ``SealBroken``.
    """
    access.require_for(user, access.VIEW_PHOTO, photo.verification)
    if not Review.objects.kept_for(user).filter(pk=photo.verification_id).exists():
        raise Conflict("claimed_by_another")
    _record(photo, SENT_AHEAD, lifecycle.user_actor(user))
    return photo.read()


def show_photo_sent_ahead(photo: Photo, *, user: Any) -> None:
    """Record the look at a photo that this person's browser has got ahead and is to show now."""
    actor = lifecycle.user_actor(user)
    sent = photo.verification.events.filter(action=SENT_AHEAD, actor=actor)
    if any(event.data == _facts(photo) for event in sent):
        _record(photo, VIEWED, actor)


def _record(photo: Photo, action: str, actor: str) -> None:
    Event.objects.append(photo.verification, action, actor=actor, data=_facts(photo))


def _facts(photo: Photo) -> dict[str, str]:
    return {"photo": str(photo.pk)}


@sensitive_variables("idcard_number")
def search(idcard_number: object, *, user: Any) -> Any:
    """All verifications about one ID number; kept is who asked and how many there are.

    Raises ``PermissionDenied``, ``InputError`` or ``QuotaExceeded``.
    """
    access.require(user, access.VIEW)
    found = intake.find_by_idcard_number(idcard_number)
    actor = lifecycle.user_actor(user)

    def record() -> None:
        quotas.admit_search(actor)
        IdentitySearch.objects.create(at=timezone.now(), actor=actor, found_count=found.count())

    committed(record)
    return found


def _watch(actor: str) -> None:
    """Tell the site once when somebody comes near the limit, and once when they reach it."""
    limit = app_settings.quotas.reveals_per_reviewer_hour
    if limit is None:
        return
    count = quotas.reveals_this_hour(actor)
    if count in (ceil(limit * UNUSUAL), limit):
        _alert(actor, count, limit, is_refused=False)


def _refuse(verification: Verification, actor: str) -> None:
    """A refused reveal is on record too, and the site hears of it at once."""
    with beside_the_request():
        Event.objects.append(
            verification, "reveal_refused", actor=actor, data={"reason": "too_many_reveals"}
        )
    limit = app_settings.quotas.reveals_per_reviewer_hour or 0
    _alert(actor, quotas.reveals_this_hour(actor), limit, is_refused=True)


def _alert(actor: str, count: int, limit: int, *, is_refused: bool) -> None:
    journal.tell("reveals_unusual", actor=actor, count=count)
    reveals_unusual.send_robust(
        sender=Verification, actor=actor, count=count, limit=limit, is_refused=is_refused
    )
