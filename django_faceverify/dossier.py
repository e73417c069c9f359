"""Everything that is held about a person, for a request of access, and whom it is about.

Opening what is sealed is recorded in the history of each case, before it is opened.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import models, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from django_faceverify import access, inputs, intake, lifecycle, looks, quotas
from django_faceverify.exceptions import InputError, SealBroken
from django_faceverify.models import Judgement, Photo, Verification
from django_faceverify.models.fields import SealedValue, emptied
from django_faceverify.models.transactions import committed
from django_faceverify.reasons import RevealReason

#: keyed digests and names of files: they say nothing to a person, and something to a thief
NOT_TOLD = frozenset({"idcard_number_index", "mac", "file_name"})
#: what stands instead of a value that does not open
BROKEN = "(cannot be opened)"


@dataclass(frozen=True)
class Picture:
    """A stored photo; ``name`` is for a file, and ``data`` is a JPEG."""

    name: str
    data: bytes = field(repr=False)


@sensitive_variables("idcard_number")
def cases_of(
    *,
    idcard_number: object = None,
    user: str | None = None,
    verification: str | None = None,
) -> QuerySet[Verification]:
    """All cases about one ID number, of one user (by user name), or one by its id.

    Exactly one is given. Raises ``InputError`` for a number that is none.
    """
    if idcard_number is not None:
        found: QuerySet[Verification] = intake.find_by_idcard_number(idcard_number)
    elif user is not None:
        name = get_user_model().USERNAME_FIELD
        found = Verification.objects.filter(**{f"user__{name}": user})
    else:
        case = intake.by_id(Verification.objects.all(), verification)
        found = Verification.objects.filter(pk=case.pk) if case else Verification.objects.none()
    return found.order_by("created_at")


def describe(
    verification: Verification, *, actor: str, reason: str, is_blind: bool = False
) -> dict[str, Any]:
    """One case with everything that belongs to it, in clear; the look is recorded first.

    ``reason`` is in the asker's own words; they are sealed beside the event. With
    ``is_blind``, what others think before it holds is left out.
    """
    with transaction.atomic():
        belongings = {
            relation.get_accessor_name(): [
                row
                for row in _rows(relation.related_model, relation.field.name, verification.pk)
                if not (is_blind and isinstance(row, Judgement) and row.actor != actor)
            ]
            for relation in _ours(verification)
        }
        every = [verification, *chain.from_iterable(belongings.values())]
        if columns := sorted({name for row in every for name in _sealed_columns(row)}):
            verification.record_reveal(
                *columns, actor=actor, reason=RevealReason.SUBJECT_RIGHTS, note=reason
            )
    return {
        **_row(verification),
        **{name: [_row(row) for row in rows] for name, rows in belongings.items()},
    }


@sensitive_variables("words", "note")
def export(verification: Verification, *, user: Any, note: object) -> dict[str, Any]:
    """The same for staff, who say in their own words who asked; counts as a reveal.

    Whoever asks may be the second person to judge, who judges blind. Raises
    ``PermissionDenied``, ``NotPermitted`` (one's own case), ``InputError`` or ``QuotaExceeded``.
    """
    access.require_as_staff(user, access.EXPORT, verification)
    words = inputs.note(note)
    if len(words) < looks.LEAST_NOTE:
        raise InputError("reveal_note_too_short", "note")
    actor = lifecycle.user_actor(user)
    committed(lambda: quotas.admit_reveal(actor))
    return describe(verification, actor=actor, reason=words, is_blind=True)


def pictures(verification: Verification, *, actor: str) -> Iterator[Picture]:
    """The stored photos of a case; each look is recorded."""
    photos = Photo.objects.filter(verification=verification, purged_at=None).exclude(file_name="")
    for photo in photos.order_by("number"):
        try:
            data = looks.open_photo(photo, actor=actor)
        except SealBroken:  # gone, or sealed under a lost key: its row is in the JSON
            continue
        yield Picture(f"{verification.pk}-{photo.number}.jpg", data)


def about(actor: str) -> dict[str, Any]:
    """The head of an export: when and by whom."""
    return {"made_at": timezone.now(), "made_by": actor}


def _ours(verification: Verification) -> list[Any]:
    """The foreign keys of our own tables to the verification; the site's are the site's."""
    return [
        relation
        for relation in verification._meta.related_objects
        if relation.related_model._meta.app_label == verification._meta.app_label
        and relation.get_accessor_name()
    ]


def _rows(model: type[models.Model], name: str, key: UUID) -> QuerySet[Any]:
    return model._base_manager.filter(Q(**{name: key})).order_by("pk")


def _sealed_columns(row: models.Model) -> list[str]:
    """What of a row is sealed and not empty, as the history names it."""
    prefix = "" if isinstance(row, Verification) else f"{row._meta.model_name}."
    return [f"{prefix}{name}" for name in emptied(type(row)) if getattr(row, name)]


@sensitive_variables()
def _row(row: models.Model) -> dict[str, Any]:
    """The columns of a row, in clear."""
    names = (column.attname for column in row._meta.concrete_fields)
    return {name: _open(getattr(row, name)) for name in names if name not in NOT_TOLD}


@sensitive_variables()
def _open(value: Any) -> Any:
    if not isinstance(value, SealedValue):
        return value
    try:
        return value.unseal()
    except SealBroken:
        return BROKEN
