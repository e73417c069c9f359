"""What proves the history: a root for each day, policy versions, and purged cases.

Rows of these tables are only ever added. None holds personal data, and each carries a MAC,
so that one written by somebody without the keys shows.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class AuditRoot(models.Model):
    """One MAC over all events of a day: what is missing or was added later shows.

    It covers the events after the last one of the root before, up to ``last_event``. The
    MAC covers the root before as well, so that roots form a chain.
    """

    id = models.BigAutoField(primary_key=True)
    day = models.DateField(_("day"), unique=True)
    last_event = models.BigIntegerField(_("last event"))
    event_count = models.PositiveIntegerField(_("events"))
    case_count = models.PositiveIntegerField(_("cases"))
    policy_number = models.PositiveIntegerField(_("policy version"))
    made_at = models.DateTimeField(_("made at"))
    mac = models.CharField(max_length=120, editable=False)

    class Meta:
        verbose_name = _("audit root")
        verbose_name_plural = _("audit roots")

    def __str__(self) -> str:
        return f"{self.day} {self.mac}"

    def sealed_parts(self, previous_mac: str, policy_mac: str, tally: bytes) -> tuple[bytes, ...]:
        """What the MAC covers: the root before, every fact, the policy, and all events."""
        facts = [
            str(self.day),
            self.last_event,
            self.event_count,
            self.case_count,
            self.policy_number,
            moment(self.made_at),
        ]
        return previous_mac.encode(), canonical(facts), policy_mac.encode(), tally


class PolicyVersion(models.Model):
    """The settings that decide, as they stood from a moment on; without credentials."""

    id = models.BigAutoField(primary_key=True)
    number = models.PositiveIntegerField(_("number"), unique=True)
    recorded_at = models.DateTimeField(_("recorded at"))
    fingerprint = models.CharField(_("fingerprint"), max_length=64)
    content = models.TextField(_("content"))
    mac = models.CharField(max_length=120, editable=False)

    class Meta:
        verbose_name = _("policy version")
        verbose_name_plural = _("policy versions")

    def __str__(self) -> str:
        return f"{self.number} {self.fingerprint[:12]}"

    def sealed_parts(self, previous_mac: str) -> tuple[bytes, ...]:
        """What the MAC covers: the version before and every fact of this one."""
        facts = [self.number, moment(self.recorded_at), self.fingerprint, self.content]
        return previous_mac.encode(), canonical(facts)


class PurgedCase(models.Model):
    """What stays of a case that was deleted as a whole: that it was there, and by whom.

    ``links`` are id, number and MAC of each of its events; with them the roots of their days
    can still be proved. The database's triggers let the events of such a case be deleted.
    """

    verification_id = models.UUIDField(_("verification"), primary_key=True, editable=False)
    purged_at = models.DateTimeField(_("purged at"))
    actor = models.CharField(_("actor"), max_length=80)
    reason = models.CharField(_("reason"), max_length=40)
    links = models.JSONField(_("links"), default=list)
    mac = models.CharField(max_length=120, editable=False)

    class Meta:
        verbose_name = _("purged case")
        verbose_name_plural = _("purged cases")
        indexes = [models.Index(fields=["-purged_at"], name="faceverify_purged")]

    def __str__(self) -> str:
        return str(self.pk)

    def sealed_parts(self) -> tuple[bytes, ...]:
        """What the MAC covers: every fact."""
        facts = [
            str(self.verification_id),
            moment(self.purged_at),
            self.actor,
            self.reason,
            self.links,
        ]
        return (canonical(facts),)


def canonical(facts: Any) -> bytes:
    """One spelling of facts, whatever the database made of them in between."""
    return json.dumps(facts, sort_keys=True).encode()


def moment(at: datetime) -> str:
    """One spelling of a moment, in UTC."""
    return at.astimezone(timezone.get_fixed_timezone(0)).isoformat()
