"""A photo on its way in: checked as far as possible, then stored before its row exists."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from django.db import DatabaseError
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from django_faceverify import inputs
from django_faceverify.conf import Level, app_settings
from django_faceverify.exceptions import InputError
from django_faceverify.faces import quality
from django_faceverify.models import Photo
from django_faceverify.models.keys import new_id
from django_faceverify.models.photo import discard_photo, store_photo
from django_faceverify.photo import CanonicalPhoto, canonicalize
from django_faceverify.providers import providers


@dataclass(frozen=True, kw_only=True)
class Submission:
    """A photo as it arrives: the bytes of a file, or an address. Exactly one is used."""

    image: bytes | None = field(default=None, repr=False)
    url: str | None = field(default=None, repr=False)
    source: str = Photo.Source.UPLOAD


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A photo that passed every check and waits to be stored; ``facts`` describe it."""

    canonical: CanonicalPhoto | None = field(default=None, repr=False)
    url: str = field(default="", repr=False)
    facts: dict[str, Any] | None = None
    source: str


@sensitive_variables()
def check(submission: Submission, level: Level) -> Picture:
    """Check a photo as far as possible before anything is stored or paid for."""
    if submission.url is not None:
        url = _photo_url(submission.url, level)
        return Picture(url=url, source=Photo.Source.URL)
    image = submission.image
    if image is None:
        raise InputError("required", "image")
    provider = providers[level.provider]
    if not provider.takes_bytes:
        raise InputError("image_not_allowed", "image")
    if len(image) > app_settings.MAX_UPLOAD_BYTES:
        raise InputError("image_too_large", "image")
    canonical = canonicalize(image, max_bytes=provider.max_image_bytes)
    facts = quality.inspect(canonical.data)
    return Picture(canonical=canonical, facts=facts, source=submission.source)


@sensitive_variables()
def _photo_url(url: object, level: Level) -> str:
    if not app_settings.ALLOW_PHOTO_URLS or not providers[level.provider].takes_url:
        raise InputError("url_not_allowed", "url")
    return inputs.photo_url(url, schemes=("https",) if level.is_live else ("https", "http"))


class stored:  # noqa: N801 (reads as a statement: with stored(picture) as photo)
    """File first, row second: what was stored is removed again if the row fails."""

    @sensitive_variables()
    def __init__(self, picture: Picture | None) -> None:
        self.picture = picture
        self.photo: Photo | None = None

    @sensitive_variables()
    def __enter__(self) -> Photo | None:
        picture = self.picture
        if picture is None:
            return None
        photo = Photo(pk=new_id(), source=picture.source, submitted_at=timezone.now())
        if picture.canonical is None:
            photo.url = picture.url
        else:
            photo.file_name = store_photo(photo.pk, picture.canonical.data)
            photo.sha256 = picture.canonical.sha256
            photo.width = picture.canonical.width
            photo.height = picture.canonical.height
            photo.byte_size = len(picture.canonical.data)
            photo.facts = picture.facts
        self.photo = photo
        return photo

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        # Only when it is certain that no row names the file. A process that is asked to
        # end, or a lost connection, may come after the commit: then it stays.
        if kind is None or not issubclass(kind, Exception) or self.photo is None:
            return
        with suppress(DatabaseError):
            if self.photo.file_name and not Photo.objects.filter(pk=self.photo.pk).exists():
                discard_photo(self.photo.file_name)
