"""Small pieces that lists and pages share: badges, codes, durations."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.template.loader import render_to_string
from django.utils.formats import date_format, number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from django_faceverify.console.similarity import Scale, floor, shown
from django_faceverify.exceptions import SealBroken
from django_faceverify.models import Verification, VerificationAttempt

NOTHING = "–"


def badge(kind: str, label: Any) -> SafeString:
    """A label whose colour follows its kind; the words say it without the colour."""
    return format_html('<span class="fv-badge fv-{}">{}</span>', kind, label)


def code(text: str) -> SafeString | str:
    """A machine's word: all of it is there to be copied, however little of it is shown."""
    if not text:
        return NOTHING
    return format_html('<code class="fv-code" title="{}">{}</code>', text, text)


def answer(provider_code: str | None) -> str:
    """What the provider said, in its own code."""
    return _("provider: %(code)s") % {"code": provider_code} if provider_code else ""


@sensitive_variables()
def note(sealed: Any) -> str:
    """A sealed note in clear, for those who may read it."""
    if not sealed:
        return ""
    try:
        text: str = sealed.unseal()
    except SealBroken:
        return _("The note cannot be opened.")
    return text


def duration(milliseconds: int | None) -> str:
    if milliseconds is None:
        return NOTHING
    return _("%(seconds)s s") % {"seconds": number_format(milliseconds / 1000, 2)}


def number(similarity: float | None) -> str:
    return NOTHING if similarity is None else shown(floor(similarity))


def is_withheld(attempt: VerificationAttempt) -> bool:
    """Whether an answer is not told yet.

    Whoever decides a case is not to know what a second provider thinks of it.
    """
    is_shadow = attempt.role == VerificationAttempt.Role.SHADOW
    return is_shadow and not attempt.verification.is_final


def moment(at: datetime) -> str:
    """A local time, short enough for a column."""
    return date_format(localtime(at), "SHORT_DATETIME_FORMAT")


def similarity(verification: Verification) -> SafeString | str:
    """The number on its scale, as the lists show it."""
    scale = Scale.of(verification)
    if scale is None:
        return NOTHING
    return render_to_string("django_faceverify/console/scale.html", {"scale": scale})


def stacked(first: Any, second: Any) -> SafeString | str:
    """Two facts of which either may be missing, the second one smaller below the first."""
    if not second:
        return first or NOTHING
    return format_html('{}<span class="fv-second">{}</span>', first or "", second)
