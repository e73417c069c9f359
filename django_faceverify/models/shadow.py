"""A second provider that sees a photo after the first has judged it, and decides nothing."""

from __future__ import annotations

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from django_faceverify.conf import app_settings
from django_faceverify.models.attempt import VerificationAttempt
from django_faceverify.models.clock import db_now
from django_faceverify.models.consent import Consent
from django_faceverify.models.keys import new_id
from django_faceverify.models.photo import Photo
from django_faceverify.models.verification import Verification


class ShadowQuerySet(models.QuerySet["ShadowRun"]):
    """Which runs need what, by the database's clock."""

    def permitted(self) -> ShadowQuerySet:
        """The photo and the name are still there, and the consent names the second provider."""
        return self.filter(_is_permitted())

    def due(self) -> ShadowQuerySet:
        """A call may be made now."""
        return self._timely().filter(deadline_at__gt=db_now()).permitted()

    def void(self) -> ShadowQuerySet:
        """A call would be due, and may not be made any more."""
        return self._timely().filter(Q(deadline_at__lte=db_now()) | ~_is_permitted())

    def lost(self) -> ShadowQuerySet:
        """Claimed by a worker that did not come back."""
        return self.filter(state=ShadowRun.State.CALLING, due_at__lte=db_now())

    def _timely(self) -> ShadowQuerySet:
        return self.filter(state=ShadowRun.State.WAITING, due_at__lte=db_now())


def _is_permitted() -> Q:
    photos = Photo.objects.filter(pk=OuterRef("photo_id"), purged_at=None)
    cases = Verification.objects.filter(pk=OuterRef("verification_id"), redacted_at=None)
    consents = Consent.objects.valid().filter(verification=OuterRef("verification_id"))
    named = Q(pk__in=[])
    for alias in app_settings.PROVIDERS:
        named |= Q(Exists(consents.covering(alias)), provider=alias)
    return Q(Exists(photos), Exists(cases), named)


class ShadowRun(models.Model):
    """One case that a second provider sees as well: at most one photo of each case.

    Its row is its queue: ``due_at`` is when to call while it waits, and when the worker's
    lease ends while one calls. What was found is kept as a word of each provider about the
    same photo; the similarities stand on the two attempts. It holds nothing personal.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting for a worker")
        CALLING = "calling", _("a worker is calling")
        COMPARED = "compared", _("compared")
        UNKNOWN = "unknown", _("outcome unknown")
        DROPPED = "dropped", _("not called")

    class Verdict(models.TextChoices):
        MATCH = "match", _("the same person")
        BETWEEN = "between", _("between the lines")
        MISMATCH = "mismatch", _("another person")
        FINDING = "finding", _("not comparable")

    id = models.UUIDField(_("id"), primary_key=True, default=new_id, editable=False)
    verification = models.OneToOneField(
        Verification,
        models.CASCADE,
        related_name="shadow_run",
        verbose_name=_("verification"),
    )
    photo = models.ForeignKey(Photo, models.CASCADE, related_name="+", verbose_name=_("photo"))
    attempt = models.ForeignKey(
        VerificationAttempt,
        models.CASCADE,
        related_name="+",
        verbose_name=_("attempt"),
        help_text=_("The call that judged the photo for the case."),
    )
    shadow_attempt = models.ForeignKey(
        VerificationAttempt,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("attempt of the shadow"),
    )
    level = models.CharField(_("level"), max_length=50)
    provider = models.CharField(_("second provider"), max_length=50)
    case_verdict = models.CharField(_("verdict for the case"), max_length=10, choices=Verdict)
    verdict = models.CharField(
        _("verdict of the second provider"), max_length=10, choices=Verdict, blank=True
    )
    verify_at = models.FloatField(_("verified from"), null=True, blank=True)
    review_at = models.FloatField(_("reviewed from"), null=True, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.WAITING)
    reason_code = models.CharField(_("reason"), max_length=40, blank=True)
    fence = models.PositiveIntegerField(default=0, editable=False)
    retry_count = models.PositiveIntegerField(default=0, editable=False)
    due_at = models.DateTimeField(_("due at"))
    deadline_at = models.DateTimeField(_("deadline at"))
    created_at = models.DateTimeField(_("created at"))

    objects = ShadowQuerySet.as_manager()

    class Meta:
        verbose_name = _("shadow run")
        verbose_name_plural = _("shadow runs")
        indexes = [
            models.Index(fields=["state", "due_at"], name="faceverify_shadow_due"),
            models.Index(fields=["created_at"], name="faceverify_shadow_created"),
        ]
        constraints = [
            models.CheckConstraint(
                name="faceverify_shadow_compared",
                condition=~Q(state="compared")
                | Q(verify_at__isnull=False, review_at__isnull=False) & ~Q(verdict=""),
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)
