"""Why sealed data was opened, and who searched: the words that do not fit into an Event.

An Event keeps a code from a list for good. What a person writes may name somebody, so it is
sealed here, and can be destroyed with the identity that it is about.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from django_faceverify.models.fields import SealedTextField
from django_faceverify.models.keys import new_id
from django_faceverify.models.verification import Verification


class Reveal(models.Model):
    """The note that goes with the Event ``revealed`` of that number."""

    id = models.UUIDField(_("id"), primary_key=True, default=new_id, editable=False)
    verification = models.ForeignKey(
        Verification,
        models.CASCADE,
        related_name="reveals",
        db_index=False,
        verbose_name=_("verification"),
    )
    event_number = models.PositiveIntegerField(_("number of the event"))
    note = SealedTextField(_("note"), blank=True)

    class Meta:
        default_permissions = ()
        verbose_name = _("reveal")
        verbose_name_plural = _("reveals")
        constraints = [
            models.UniqueConstraint(
                fields=["verification", "event_number"], name="faceverify_reveal_event"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.verification_id} {self.event_number}"

    def record_reveal(self, column: str, *, actor: str, reason: str) -> None:
        self.verification.record_reveal(f"reveal.{column}", actor=actor, reason=reason)


class IdentitySearch(models.Model):
    """Somebody looked for the cases of one ID number; which number is not kept."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(_("at"))
    actor = models.CharField(_("actor"), max_length=80)
    found_count = models.PositiveIntegerField(_("cases found"))

    class Meta:
        default_permissions = ("view",)
        verbose_name = _("search by ID number")
        verbose_name_plural = _("searches by ID number")
        indexes = [models.Index(fields=["-at"], name="faceverify_search_at")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.actor}"
