"""Who searched for the cases of an ID number, when, and how many there were."""

from __future__ import annotations

from django_faceverify.console.records import RecordAdmin


class IdentitySearchAdmin(RecordAdmin):
    """For whoever watches over those who look; the number itself is not kept."""

    list_display = ("at", "actor", "found_count")
    list_display_links = None
    ordering = ("-at",)
