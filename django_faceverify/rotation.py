"""New keys for old seals, while the site works.

Every sealed column of every model is found by its field, so a new one needs nothing here. A
row is changed by one UPDATE that compares what it replaces: whoever was faster wins, and the
row is looked at again by the next pass. Nothing is remembered between runs: what is sealed
under another key than the first is what is left to do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import models
from django.db.models import Count, F, QuerySet, Value
from django.db.models.functions import Cast, StrIndex, Substr
from django.views.decorators.debug import sensitive_variables

from django_faceverify import sealing
from django_faceverify.exceptions import SealBroken
from django_faceverify.models import (
    AuditRoot,
    Event,
    Photo,
    PolicyVersion,
    PurgedCase,
    Verification,
)
from django_faceverify.models.fields import Sealed, SealedTextField
from django_faceverify.models.photo import discard_photo, photo_storage, store_photo
from django_faceverify.models.transactions import committed

#: rows that are read at once
BATCH = 500
#: bytes of a file in which its key id stands
HEAD = 64
#: cases of one key that are counted for a quick look
COUNTED = 10_000

Row = dict[str, Any]


@dataclass
class Progress:
    """What one pass did: rows and files sealed anew, overtaken, and not to be opened."""

    resealed: int = 0
    overtaken: int = 0
    #: model and key of what did not open
    broken: list[str] = field(default_factory=list)


def primary_key_id() -> str:
    """The id of the key under which everything is to come."""
    return sealing.primary_key_id()


def rotate() -> Progress:
    """One pass over everything. May be ended at any time: what was done is done."""
    progress = Progress()
    for model in sealed_models():
        for rows in _pages(model._default_manager.all(), *names_of(model)):
            for row in rows:
                _rotate_row(model, row, progress)
    for rows in _pages(_stored_photos(), "file_name"):
        for row in rows:
            _rotate_file(row["pk"], row["file_name"], progress)
    return progress


def unopenable() -> Iterator[tuple[str, UUID, str]]:
    """Model, row and column of what does not open where it stands: swapped, planted, changed.

    So does a blind index that is not of the number beside it. Opens every sealed column once.
    """
    for model in sealed_models():
        indexes = [item.index_field for item in sealed_fields(model) if item.index_field]
        for rows in _pages(model._default_manager.all(), *names_of(model), *indexes):
            for row in rows:
                for column in _unopenable_columns(model, row):
                    yield str(model._meta.model_name), row["pk"], column


def sealed_models() -> list[type[models.Model]]:
    """Every model that has a sealed column."""
    return [model for model in apps.get_models() if sealed_fields(model)]


def sealed_fields(model: type[models.Model]) -> list[SealedTextField]:
    return [item for item in model._meta.concrete_fields if isinstance(item, SealedTextField)]


def remaining() -> dict[str, Counter[str]]:
    """For each key id, how many values of each column are under it, files and MACs included.

    Reads everything once; ``indexed_keys`` is the cheap question.
    """
    counts: dict[str, Counter[str]] = {}
    for model in sealed_models():
        for item in sealed_fields(model):
            name = f"{model._meta.model_name}.{item.name}"
            for key_id, number in _counts(model, item.attname, separator=".", start=5):
                counts.setdefault(key_id, Counter())[name] += number
            if item.index_field:
                name = f"{model._meta.model_name}.{item.index_field}"
                for key_id, number in _counts(model, item.index_field, separator=":", start=1):
                    counts.setdefault(key_id, Counter())[name] += number
    for rows in _pages(_stored_photos(), "file_name"):
        for row in rows:
            file_key = _key_of_file(row["file_name"])
            if file_key is not None:
                counts.setdefault(file_key, Counter())["photo files"] += 1
    return counts


def chained_under(key_id: str) -> int:
    """How many rows of the history are proved by a key."""
    return sum(
        model._default_manager.filter(mac__startswith=f"{key_id}:").count()
        for model in (Event, AuditRoot, PolicyVersion, PurgedCase)
    )


def indexed_keys() -> dict[str, int]:
    """The keys of the blind indexes, each with its number of cases, counted up to a limit.

    A few short walks along the index, however many rows there are.
    """
    rows = Verification.objects.order_by("idcard_number_index")
    indexes = rows.values_list("idcard_number_index", flat=True)
    found: dict[str, int] = {}
    index = indexes.filter(idcard_number_index__gt="").first()
    while index:
        key_id = sealing.key_id_of(index)
        beyond = f"{key_id}:g"  # digests are hexadecimal
        of_key = indexes.filter(idcard_number_index__gte=index, idcard_number_index__lt=beyond)
        found[key_id] = of_key[:COUNTED].count()
        index = indexes.filter(idcard_number_index__gte=beyond).first()
    return found


@sensitive_variables("sample")
def opens(key_id: str) -> bool:
    """Whether a case under that key opens; for after a restored backup, or a new key ring."""
    rows = Verification.objects.filter(
        idcard_number_index__gt=f"{key_id}:", idcard_number_index__lt=f"{key_id}:g"
    )
    sample = rows.order_by("idcard_number_index").first()
    try:
        return sample is None or bool(sample.idcard_number.unseal())
    except SealBroken:
        return False


@sensitive_variables()
def _unopenable_columns(model: type[models.Model], row: Row) -> Iterator[str]:
    for item in sealed_fields(model):
        token = row[item.attname]
        if not token:
            continue
        try:
            plaintext = sealing.unseal_text(token, context=item.context_of(row["pk"]))
        except SealBroken:
            yield item.attname
            continue
        if item.index_field and row[item.index_field] not in sealing.blind_indexes(plaintext):
            yield item.index_field


@sensitive_variables()
def _rotate_row(model: type[models.Model], row: Row, progress: Progress) -> None:
    """Seal anew what is under another key, if the row is still as it was read."""
    pk, primary = row["pk"], primary_key_id()
    old: dict[str, Any] = {}
    new: dict[str, Any] = {}
    try:
        for item in sealed_fields(model):
            token = row[item.attname]
            if not token or sealing.sealed_under(token) == primary:
                continue
            context = item.context_of(pk)
            plaintext = sealing.unseal_text(token, context=context)
            old[item.attname] = Sealed(token)
            new[item.attname] = Sealed(sealing.seal_text(plaintext, context=context))
            if item.index_field:
                new[item.index_field] = sealing.blind_index(plaintext)
    except SealBroken:
        progress.broken.append(f"{model._meta.model_name} {pk}")
        return
    if not new:
        return
    rows = model._base_manager.filter(pk=pk, **old)
    if committed(lambda: rows.update(**new), survives_reconnect=True):
        progress.resealed += 1
    else:
        progress.overtaken += 1


@sensitive_variables()
def _rotate_file(pk: UUID, file_name: str, progress: Progress) -> None:
    """A new file, then the row, then the end of the old file: there is always one to read."""
    if _key_of_file(file_name) in (None, primary_key_id()):
        return
    try:
        new_name = store_photo(pk, Photo(pk=pk, file_name=file_name).read())
    except SealBroken:
        if _stored_photos().filter(pk=pk, file_name=file_name).exists():
            progress.broken.append(f"photo {pk}")
        return
    rows = _stored_photos().filter(pk=pk, file_name=file_name)
    if committed(lambda: rows.update(file_name=new_name)):
        discard_photo(file_name)
        progress.resealed += 1
    else:
        discard_photo(new_name)
        progress.overtaken += 1


def _stored_photos() -> QuerySet[Photo]:
    return Photo.objects.exclude(file_name="")


def _key_of_file(file_name: str) -> str | None:
    """The key id in the file's head; ``None`` when the file is gone meanwhile."""
    try:
        with photo_storage().open(file_name) as file:
            return sealing.sealed_under(file.read(HEAD))
    except (OSError, ValueError):
        return None


def names_of(model: type[models.Model]) -> list[str]:
    return [item.attname for item in sealed_fields(model)]


def _pages(queryset: QuerySet[Any], *names: str) -> Iterator[list[Row]]:
    """The raw texts of these columns by primary key, a batch at a time."""
    texts = {f"raw_{name}": Cast(name, models.TextField()) for name in names}
    rows = queryset.order_by("pk").annotate(**texts).values_list("pk", *texts)
    page = list(rows[:BATCH])
    while page:
        yield [dict(zip(("pk", *names), row, strict=True)) for row in page]
        page = list(rows.filter(pk__gt=page[-1][0])[:BATCH])


def _counts(
    model: type[models.Model], column: str, *, separator: str, start: int
) -> Iterator[tuple[str, int]]:
    """Counts by the key id, which stands in a text from ``start`` to the separator."""
    rest = Substr(Cast(column, models.TextField()), start)
    rows = (
        model._base_manager.exclude(**{f"{column}__isnull": True})
        .annotate(rest=rest)
        .exclude(rest="")
        .annotate(end=StrIndex("rest", Value(separator)))
        .annotate(key_id=Substr("rest", 1, F("end") - 1))
        .order_by()
        .values_list("key_id")
        .annotate(number=Count("pk"))
    )
    yield from rows
