"""Sealed files that no row names: left by a crash, or by a storage that failed to delete.

Only the Storage API is used, so any storage will do. The age of a file is in its name: the
id of a photo begins with the moment of its making.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from uuid import UUID

from django.utils import timezone

from django_faceverify import journal
from django_faceverify.models import Photo
from django_faceverify.models.keys import made_at
from django_faceverify.models.photo import discard_photo, id_in_name, photo_storage

FOLDER_COUNT = 256
#: a younger file may belong to a row that is being written
AGE = timedelta(days=1)
#: files whose rows are read by one query
BATCH = 200
#: files without any row that a folder may have, before this looks like the wrong database
MOST_STRANGERS = 20


def sweep(folder: str) -> int:
    """Delete the orphans of one folder; returns how many.

    A file whose photo has been destroyed goes in any case, and one that another file of the
    same photo has replaced once it is old itself: until then it may be the new one, whose
    row is being written. A file of which the database knows nothing at all goes too, but
    not when a folder is full of them: then this is more likely somebody else's storage, or
    a database that was restored.
    """
    known = 0
    destroyed: list[str] = []
    strangers: list[str] = []
    for files in _batches(_old_files(folder)):
        named = _names_in_rows([photo_id for photo_id, _file_name in files])
        for photo_id, file_name in files:
            if photo_id not in named:
                strangers.append(file_name)
            elif named[photo_id] == file_name:
                known += 1
            elif not named[photo_id] or _was_written_long_ago(file_name):
                destroyed.append(file_name)
    if len(strangers) > max(MOST_STRANGERS, known):
        journal.tell("folder_of_strangers", folder=folder)
        strangers = []
    return sum(_delete(file_name) for file_name in (*destroyed, *strangers))


def _old_files(folder: str) -> Iterator[tuple[UUID, str]]:
    try:
        _folders, files = photo_storage().listdir(folder)
    except FileNotFoundError:
        return
    before = timezone.now() - AGE
    for file in files:
        file_name = f"{folder}/{file}"
        photo_id = id_in_name(file_name)
        if photo_id is not None and photo_id.version == 7 and made_at(photo_id) < before:
            yield photo_id, file_name


def _batches(files: Iterator[tuple[UUID, str]]) -> Iterator[list[tuple[UUID, str]]]:
    while batch := list(islice(files, BATCH)):
        yield batch


def _names_in_rows(photo_ids: list[UUID]) -> dict[UUID, str]:
    """The files that the rows of these photos name; an empty name is a destroyed photo's."""
    return dict(Photo.objects.filter(pk__in=photo_ids).values_list("pk", "file_name"))


def _was_written_long_ago(file_name: str) -> bool:
    """Whether the file itself is old; no, where the storage cannot tell."""
    try:
        written_at = photo_storage().get_modified_time(file_name)
    except (NotImplementedError, OSError):
        return False
    return written_at < timezone.now() - AGE


def _delete(file_name: str) -> bool:
    try:
        discard_photo(file_name)
    except Exception as error:  # noqa: BLE001 (storages raise what they like; tomorrow's sweep tries again)
        journal.tell("file_stays", error=error)
        return False
    return True
