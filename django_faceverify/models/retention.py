"""The record of retention: what was destroyed on a day, and what was still held."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class RetentionDay(models.Model):
    """One day in the site's time zone, without personal data: a processing record to keep.

    The counts grow by every purge of the day. ``person_count`` and what follows it is the
    census, taken once a day; it stays null until then.
    """

    day = models.DateField(_("day"), primary_key=True)
    clocks = models.JSONField(
        _("clocks"), default=dict, help_text=_("In seconds, as they were last in force that day.")
    )
    photo_count = models.PositiveIntegerField(
        _("photos"), default=0, help_text=_("Destroyed by the clock PHOTO, without their case.")
    )
    draft_count = models.PositiveIntegerField(
        _("drafts"), default=0, help_text=_("Cases without a photo, redacted by the clock DRAFT.")
    )
    identity_count = models.PositiveIntegerField(
        _("identities"), default=0, help_text=_("Cases redacted by the clock IDENTITY.")
    )
    case_count = models.PositiveIntegerField(
        _("cases"), default=0, help_text=_("Deleted with their history by the clock AUDIT.")
    )
    counter_count = models.PositiveIntegerField(
        _("counters"), default=0, help_text=_("Deleted counters of limits whose window is over.")
    )
    orphan_count = models.PositiveIntegerField(
        _("orphans"), default=0, help_text=_("Deleted files that no photo names.")
    )
    folder_count = models.PositiveIntegerField(
        _("folders swept"), default=0, help_text=_("Of 256 folders of photos.")
    )
    person_count = models.PositiveIntegerField(
        _("persons"), null=True, help_text=_("Different ID numbers with a stored photo.")
    )
    stored_photo_count = models.PositiveIntegerField(_("stored photos"), null=True)
    oldest_photo_at = models.DateTimeField(_("oldest stored photo"), null=True)
    updated_at = models.DateTimeField(_("updated at"))

    class Meta:
        verbose_name = _("day of retention")
        verbose_name_plural = _("retention")

    def __str__(self) -> str:
        return str(self.day)
