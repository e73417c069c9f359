"""For how long what is held about a case is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from django_faceverify.conf import DAY, app_settings
from django_faceverify.models import Verification


@dataclass(frozen=True)
class Keeping:
    """When photos, and name and number, are destroyed, in words."""

    photos: str | Promise
    name_and_number: str | Promise

    @classmethod
    def of(cls, verification: Verification) -> Keeping:
        clocks = app_settings.retention
        is_kept = verification.holds == Verification.Holding.KEPT
        return cls(
            photos=_until(verification, clocks.identity if is_kept else clocks.photo),
            name_and_number=_until(verification, clocks.identity),
        )


def _until(verification: Verification, seconds: float | None) -> str:
    if seconds is None:
        return _("kept for ever")
    if verification.ended_at is not None:
        end = verification.ended_at + timedelta(seconds=seconds)
        return date_format(localtime(end), "DATETIME_FORMAT")
    days = round(seconds / DAY)
    if days == 0:
        return _("destroyed when the case has ended")
    return ngettext(
        "%(days)d day after the case has ended", "%(days)d days after the case has ended", days
    ) % {"days": days}
