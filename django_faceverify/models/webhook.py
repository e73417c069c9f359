"""Who is told what becomes of verifications, and what is still to be told."""

from __future__ import annotations

from django.db import models
from django.db.models import Exists, Q
from django.utils.translation import gettext_lazy as _

from django_faceverify.models.clock import db_now
from django_faceverify.models.fields import SealedTextField
from django_faceverify.models.keys import new_id


class WebhookEndpoint(models.Model):
    """An address of the site's that is told. Its secrets sign what it gets."""

    class DisabledReason(models.TextChoices):
        STAFF = "staff", _("by staff")
        GONE = "gone", _("it answered that it is gone")
        FAILING = "failing", _("it failed for days")

    id = models.UUIDField(_("id"), primary_key=True, default=new_id, editable=False)
    url = models.CharField(_("address"), max_length=500)
    description = models.CharField(_("description"), max_length=200, blank=True)
    events = models.JSONField(
        _("events"), default=list, blank=True, help_text=_("Which are sent; none means all.")
    )
    secret = SealedTextField(_("secret"))
    old_secret = SealedTextField(_("secret before the last rotation"), blank=True)
    old_secret_until = models.DateTimeField(_("old secret signs until"), null=True, blank=True)
    is_enabled = models.BooleanField(_("enabled"), default=True)
    disabled_at = models.DateTimeField(_("disabled at"), null=True, blank=True)
    disabled_reason = models.CharField(
        _("disabled because"), max_length=10, choices=DisabledReason, blank=True
    )
    failing_since = models.DateTimeField(
        _("failing since"), null=True, blank=True, help_text=_("The first failure in a row.")
    )
    created_at = models.DateTimeField(_("created at"))
    updated_at = models.DateTimeField(_("updated at"))

    class Meta:
        verbose_name = _("webhook endpoint")
        verbose_name_plural = _("webhook endpoints")

    def __str__(self) -> str:
        return str(self.pk)

    @classmethod
    def exist(cls) -> Exists:
        """Whether any endpoint is enabled, as a part of some other query."""
        return Exists(cls.objects.filter(is_enabled=True))


class WebhookDeliveryQuerySet(models.QuerySet["WebhookDelivery"]):
    """Which deliveries need what, by the database's clock."""

    def due(self) -> WebhookDeliveryQuerySet:
        """May be sent now: its time has come, or its worker did not come back."""
        return self.filter(due_at__lte=db_now())

    def under_way(self) -> WebhookDeliveryQuerySet:
        """Being sent by a worker whose lease still holds."""
        return self.filter(state=WebhookDelivery.State.SENDING, due_at__gt=db_now())


class WebhookDelivery(models.Model):
    """One message for one endpoint; its key is the ``webhook-id`` of every try.

    ``due_at`` is when it may be sent next; while a worker sends it, that is the end of the
    worker's lease. ``attempt_count`` is the fence: only the last claim may record.
    ``retry_count`` are the failures of the present schedule. The row holds what happened and
    when, and nothing that anybody wrote.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        SENDING = "sending", _("being sent")
        DELIVERED = "delivered", _("delivered")
        DEAD = "dead", _("given up")

    class Failure(models.TextChoices):
        STATUS = "status", _("the answer was not a success")
        NO_ANSWER = "no_answer", _("no answer in time")
        NOT_CONNECTED = "not_connected", _("no connection")
        TARGET_REFUSED = "target_refused", _("the address is not allowed")
        SECRET_LOST = "secret_lost", _("the secret cannot be opened")

    OPEN = (State.WAITING, State.SENDING)

    id = models.UUIDField(_("id"), primary_key=True, default=new_id, editable=False)
    endpoint = models.ForeignKey(
        WebhookEndpoint,
        models.CASCADE,
        related_name="deliveries",
        db_index=False,
        verbose_name=_("webhook endpoint"),
    )
    verification = models.ForeignKey(
        "django_faceverify.Verification",
        models.CASCADE,
        null=True,
        related_name="webhook_deliveries",
        verbose_name=_("verification"),
    )
    event = models.CharField(_("event"), max_length=40)
    status = models.CharField(_("status"), max_length=20, blank=True)
    reason_code = models.CharField(_("reason"), max_length=40, blank=True)
    occurred_at = models.DateTimeField(_("occurred at"))
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.WAITING)
    due_at = models.DateTimeField(_("next try at"), null=True, blank=True)
    give_up_at = models.DateTimeField(_("given up at"), null=True, blank=True)
    attempt_count = models.PositiveIntegerField(_("tries"), default=0)
    retry_count = models.PositiveIntegerField(default=0, editable=False)
    failure = models.CharField(_("last failure"), max_length=20, choices=Failure, blank=True)
    http_status = models.PositiveIntegerField(_("HTTP status"), null=True, blank=True)
    duration_ms = models.PositiveIntegerField(_("duration in ms"), null=True, blank=True)
    delivered_at = models.DateTimeField(_("delivered at"), null=True, blank=True)

    objects = WebhookDeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")
        permissions = [("resend_webhookdelivery", _("Can send webhook deliveries again"))]
        indexes = [
            models.Index(
                fields=["endpoint", "due_at"],
                name="faceverify_webhook_due",
                condition=Q(due_at__isnull=False),
            ),
            models.Index(fields=["-occurred_at"], name="faceverify_webhook_occurred"),
            models.Index(fields=["state", "-occurred_at"], name="faceverify_webhook_state"),
            models.Index(fields=["event", "-occurred_at"], name="faceverify_webhook_event"),
            models.Index(fields=["endpoint", "-occurred_at"], name="faceverify_webhook_to"),
        ]
        constraints = [
            models.CheckConstraint(
                name="faceverify_webhook_work",
                condition=Q(state__in=["waiting", "sending"], due_at__isnull=False)
                | Q(state__in=["delivered", "dead"], due_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)
