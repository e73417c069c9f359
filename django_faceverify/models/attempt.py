"""One call to a provider for one photo, written down before it is made."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from django_faceverify.models.keys import new_id
from django_faceverify.models.photo import Photo
from django_faceverify.models.verification import Verification


def new_session_id() -> str:
    """Our tag of one call: sent with it, echoed by the provider, found in its statement."""
    return new_id().hex


class AttemptQuerySet(models.QuerySet["VerificationAttempt"]):
    def of_the_case(self) -> AttemptQuerySet:
        """Calls whose answer may decide; not those to a second provider that only looks on."""
        return self.filter(role=VerificationAttempt.Role.CASE)

    def of_a_shadow(self) -> AttemptQuerySet:
        return self.filter(role=VerificationAttempt.Role.SHADOW)


class VerificationAttempt(models.Model):
    """The ledger of calls. ``intent`` is provably not sent; ``sending`` may be billed.

    Every step is a compare-and-swap on ``state``; a row is never edited otherwise.
    """

    class State(models.TextChoices):
        INTENT = "intent", _("about to be sent")
        SENDING = "sending", _("being sent")
        ANSWERED = "answered", _("answered")
        REFUSED = "refused", _("refused")
        THROTTLED = "throttled", _("throttled")
        NOT_SENT = "not_sent", _("not sent")
        UNKNOWN = "unknown", _("outcome unknown")

    class Role(models.TextChoices):
        CASE = "case", pgettext_lazy("role of a call", "decides")
        SHADOW = "shadow", pgettext_lazy("role of a call", "shadow")

    class Billed(models.TextChoices):
        YES = "yes", _("yes")
        NO = "no", _("no")
        UNKNOWN = "unknown", _("unknown")

    #: states whose final word is still out
    OPEN = (State.INTENT, State.SENDING, State.UNKNOWN)
    #: states of a call that may have cost money, or still can
    POSSIBLY_BILLED = (State.INTENT, State.SENDING, State.ANSWERED, State.UNKNOWN)

    id = models.UUIDField(_("id"), primary_key=True, default=new_id, editable=False)
    verification = models.ForeignKey(
        Verification,
        models.CASCADE,
        related_name="attempts",
        db_index=False,
        verbose_name=_("verification"),
    )
    photo = models.ForeignKey(
        Photo, models.CASCADE, related_name="attempts", verbose_name=_("photo")
    )
    role = models.CharField(_("role"), max_length=10, choices=Role, default=Role.CASE)
    number = models.PositiveIntegerField(
        _("number"), help_text=_("The fence of the claim that made it.")
    )
    provider = models.CharField(_("provider"), max_length=50)
    session_id = models.CharField(_("session id"), max_length=64, default=new_session_id)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.INTENT)
    is_billed = models.CharField(_("billed"), max_length=10, choices=Billed, default=Billed.UNKNOWN)
    reason_code = models.CharField(_("reason"), max_length=40, blank=True)
    provider_code = models.CharField(_("provider's code"), max_length=100, blank=True)
    provider_message = models.CharField(_("provider's message"), max_length=200, blank=True)
    provider_session_id = models.CharField(_("provider's session id"), max_length=100, blank=True)
    similarity = models.FloatField(_("similarity"), null=True, blank=True)
    http_status = models.PositiveIntegerField(_("HTTP status"), null=True, blank=True)
    started_at = models.DateTimeField(_("started at"))
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    duration_ms = models.PositiveIntegerField(_("duration in ms"), null=True, blank=True)

    objects = AttemptQuerySet.as_manager()

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        indexes = [
            models.Index(fields=["-started_at"], name="faceverify_attempt_started"),
            models.Index(fields=["state", "-started_at"], name="faceverify_attempt_state"),
            models.Index(fields=["is_billed", "-started_at"], name="faceverify_attempt_billed"),
            models.Index(fields=["provider", "-started_at"], name="faceverify_attempt_prov"),
            models.Index(fields=["role", "-started_at"], name="faceverify_attempt_by_role"),
            models.Index(fields=["provider_session_id"], name="faceverify_provider_session"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["verification", "number", "role"], name="faceverify_attempt_role"
            ),
            models.UniqueConstraint(fields=["session_id"], name="faceverify_session_id"),
            models.CheckConstraint(
                name="faceverify_attempt_similarity",
                condition=Q(similarity__isnull=True) | Q(similarity__gte=0, similarity__lte=100),
            ),
            models.CheckConstraint(
                name="faceverify_attempt_finished",
                condition=Q(state__in=["intent", "sending"], finished_at__isnull=True)
                | Q(
                    state__in=["answered", "refused", "throttled", "not_sent", "unknown"],
                    finished_at__isnull=False,
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.session_id
