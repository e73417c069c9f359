"""The history of a verification: append-only, chained, without personal data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_faceverify import sealing
from django_faceverify.models import statements
from django_faceverify.models.audit import canonical, moment
from django_faceverify.models.idempotency import settle_request
from django_faceverify.models.webhook import WebhookEndpoint

if TYPE_CHECKING:
    from django_faceverify.models.verification import Verification

#: what may stand in ``Event.data``; anything else is refused
DATA_KEYS = frozenset(
    {
        "attempt",
        "column",
        "consent_given_by",
        "consent_text_sha256",
        "consent_text_version",
        "corrected",
        "count",
        "origins",
        "permission",
        "photo",
        "provider",
        "purposes",
        "reason",
        "rule",
        "session_id",
        "similarity",
        "source",
        "state",
        "thresholds",
        "token",
    }
)


class Link(NamedTuple):
    """Where a chain ends: what the next event has to follow, and whether a webhook listens."""

    number: int
    mac: str
    is_heard: bool = False


def links() -> models.QuerySet[Event, tuple[int, str, bool]]:
    asked = Event.objects.annotate(has_listener=WebhookEndpoint.exist())
    return asked.order_by("-number").values_list("number", "mac", "has_listener")


#: before the first event; an endpoint may listen to it
FIRST = Link(0, "", True)


class EventQuerySet(models.QuerySet["Event"]):
    def append(
        self, verification: Verification, action: str, *, actor: str, data: dict[str, Any]
    ) -> Event:
        """Add the next link to a verification's chain, under a lock of its row."""
        with transaction.atomic():
            type(verification)._default_manager.select_for_update().only("pk").get(
                pk=verification.pk
            )
            return self.append_locked(verification, action, actor=actor, data=data)

    def append_locked(
        self,
        verification: Verification,
        action: str,
        *,
        actor: str,
        reason_code: str = "",
        data: dict[str, Any] | None = None,
        last: Link | None = None,
    ) -> Event:
        """The same where the caller's transaction has changed the row, and so locks it.

        ``last`` is the end of the chain for a caller who has read it under that lock.
        """
        data = data or {}
        if unknown := set(data) - DATA_KEYS:
            raise ValueError(f"not allowed in an event: {', '.join(sorted(unknown))}")
        if last is None:
            found = statements.select_first(links, {"verification_id": verification.pk})
            last = Link(*found) if found else FIRST
        event = Event(
            verification=verification,
            number=last.number + 1,
            at=timezone.now(),
            actor=actor,
            action=action,
            reason_code=reason_code,
            data=data,
        )
        event.is_heard = last.is_heard
        event.mac = sealing.mac("audit", *event.sealed_parts(last.mac))
        statements.insert(event)
        settle_request(verification.pk)
        return event

    def update(self, **kwargs: Any) -> NoReturn:
        raise TypeError("events are append-only")

    def delete(self) -> NoReturn:
        raise TypeError("events are append-only")


class Event(models.Model):
    """One fact. ``mac`` chains it to the one before, so that a change shows."""

    id = models.BigAutoField(primary_key=True)
    verification = models.ForeignKey(
        "django_faceverify.Verification",
        models.CASCADE,
        related_name="events",
        db_index=False,
        verbose_name=_("verification"),
    )
    number = models.PositiveIntegerField(_("number"))
    at = models.DateTimeField(_("at"))
    actor = models.CharField(
        _("actor"), max_length=80, help_text=_("system, anonymous or user:<id>")
    )
    action = models.CharField(_("action"), max_length=30)
    reason_code = models.CharField(_("reason"), max_length=40, blank=True)
    data = models.JSONField(_("data"), default=dict, blank=True)
    mac = models.CharField(max_length=120, editable=False)

    #: whether a webhook endpoint may want to be told, on an event that was just appended:
    #: the statement that reads the chain asks it along, so that it costs none of its own
    is_heard = True

    objects = EventQuerySet.as_manager()

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        constraints = [
            models.UniqueConstraint(
                fields=["verification", "number"], name="faceverify_event_number"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.action}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Only a new event can be saved."""
        if not self._state.adding:
            raise TypeError("events are append-only")
        super().save(*args, force_insert=True, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("events are append-only")

    def sealed_parts(self, previous_mac: str) -> tuple[bytes, ...]:
        """What the MAC covers: the link before and every fact of this one."""
        facts = [
            str(self.verification_id),
            self.number,
            moment(self.at),
            self.actor,
            self.action,
            self.reason_code,
            self.data,
        ]
        return previous_mac.encode(), canonical(facts)
