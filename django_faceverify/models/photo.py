"""One submitted picture of the person, sealed in the private storage."""

from __future__ import annotations

import re
from uuid import UUID

from django.core.files.base import ContentFile
from django.core.files.storage import Storage, storages
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from django_faceverify import sealing
from django_faceverify.conf import STORAGE_ALIAS
from django_faceverify.exceptions import SealBroken
from django_faceverify.models.fields import SealedTextField
from django_faceverify.models.keys import new_id
from django_faceverify.models.verification import Verification

#: a storage may add to the name before its ending
FILE_NAME = re.compile(r"[0-9a-f]{2}/([0-9a-f]{32})(?:_\w+)?\.fv1")


def photo_storage() -> Storage:
    """Where photos lie: ``STORAGES["faceverify"]``, never under ``MEDIA_ROOT``."""
    return storages[STORAGE_ALIAS]


@sensitive_variables("data")
def store_photo(photo_id: UUID, data: bytes) -> str:
    """Seal and store a photo before its row exists; returns the name of the file."""
    token = sealing.seal(data, use="file", context=_context(photo_id))
    name = f"{folder_of(photo_id)}/{photo_id.hex}.fv1"
    return photo_storage().save(name, ContentFile(token))


def discard_photo(file_name: str) -> None:
    """Remove a stored file that no row names (any more)."""
    photo_storage().delete(file_name)


def folder_of(photo_id: UUID) -> str:
    """Files are spread over 256 folders, by the random end of their id."""
    return photo_id.hex[-2:]


def id_in_name(file_name: str) -> UUID | None:
    """Whose photo a stored file is by its name; ``None`` when ``store_photo`` did not name it."""
    found = FILE_NAME.fullmatch(file_name)
    return UUID(found[1]) if found else None


def _context(photo_id: UUID) -> str:
    return f"django_faceverify.photo|file|{photo_id}"


class Photo(models.Model):
    """Either a sealed file (``file_name``) or an address that the provider fetches."""

    class Source(models.TextChoices):
        UPLOAD = "upload", _("upload")
        CAMERA = "camera", _("camera")
        URL = "url", _("address")

    id = models.UUIDField(_("id"), primary_key=True, default=new_id, editable=False)
    verification = models.ForeignKey(
        Verification,
        models.CASCADE,
        related_name="photos",
        db_index=False,
        verbose_name=_("verification"),
    )
    number = models.PositiveIntegerField(_("number"))
    file_name = models.CharField(max_length=200, blank=True, editable=False)
    url = SealedTextField(blank=True)
    sha256 = models.CharField("SHA-256", max_length=64, blank=True)
    width = models.PositiveIntegerField(_("width"), null=True)
    height = models.PositiveIntegerField(_("height"), null=True)
    byte_size = models.PositiveIntegerField(_("size in bytes"), null=True)
    #: what the local engine saw when the photo came (``faces.quality``); nothing without it
    facts = models.JSONField(_("facts"), null=True, blank=True, editable=False)
    source = models.CharField(_("source"), max_length=10, choices=Source)
    submitted_at = models.DateTimeField(_("submitted at"))
    purged_at = models.DateTimeField(_("purged at"), null=True, blank=True)

    class Meta:
        verbose_name = _("photo")
        verbose_name_plural = _("photos")
        indexes = [models.Index(fields=["sha256"], name="faceverify_photo_sha256")]
        constraints = [
            models.UniqueConstraint(
                fields=["verification", "number"], name="faceverify_photo_number"
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    def read(self) -> bytes:
        """The JPEG bytes; raises ``SealBroken``: ``photo_lost`` when the file is gone."""
        if not self.file_name:
            raise SealBroken("photo_lost")
        try:
            token = self._token()
        except SealBroken:
            if not self._has_moved():
                raise
            token = self._token()
        return sealing.unseal(token, use="file", context=_context(self.pk))

    def _token(self) -> bytes:
        try:
            with photo_storage().open(self.file_name) as file:
                token: bytes = file.read()
        except (OSError, ValueError):
            raise SealBroken("photo_lost") from None
        return token

    def _has_moved(self) -> bool:
        """Whether the file was written again under another name, as new keys have it."""
        rows = Photo.objects.filter(pk=self.pk).values_list("file_name", flat=True)
        before, self.file_name = self.file_name, rows.first() or self.file_name
        return self.file_name != before

    def record_reveal(self, column: str, *, actor: str, reason: str) -> None:
        self.verification.record_reveal(f"photo.{column}", actor=actor, reason=reason)
