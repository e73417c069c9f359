"""What was destroyed day by day, and how many people's faces are still stored."""

from __future__ import annotations

from django.contrib import admin
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from django_faceverify.census import FILING_LIMIT, of_day
from django_faceverify.conf import DAY
from django_faceverify.console import cells
from django_faceverify.console.records import RecordAdmin
from django_faceverify.models import RetentionDay

#: what each clock destroys, in the order of the columns
CLOCKS = {
    "photo": _("photos"),
    "identity": _("identities"),
    "draft": _("drafts"),
    "audit": _("cases"),
}


class RetentionAdmin(RecordAdmin):
    """The record of processing that an auditor asks for; a line for each day."""

    list_display = (
        "day",
        "persons",
        "stored_photo_count",
        "oldest_photo_at",
        "photo_count",
        "identity_count",
        "draft_count",
        "case_count",
        "orphan_count",
        "clocks_in_days",
    )
    list_display_links = None
    ordering = ("-day",)

    @admin.display(description=_("persons with stored photos"))
    def persons(self, day: RetentionDay) -> SafeString | str:
        census = of_day(day)
        if census is None:
            return cells.NOTHING
        share = _("%(percent)s %% of %(limit)s") % {
            "percent": census.percent,
            "limit": FILING_LIMIT,
        }
        kind = "rejected" if census.warning_at else "test"
        return format_html("{} {}", census.person_count, cells.badge(kind, share))

    @admin.display(description=_("clocks, in days"))
    def clocks_in_days(self, day: RetentionDay) -> SafeString:
        # PostgreSQL does not keep the order of a JSON object.
        clocks = [(label, day.clocks[name]) for name, label in CLOCKS.items() if name in day.clocks]
        return format_html_join(
            ", ",
            "{} {}",
            (
                (label, _("for ever") if value is None else f"{value / DAY:g}")
                for label, value in clocks
            ),
        )
