"""One case: one person, one claim of identity, from creation to outcome."""

from __future__ import annotations

from django.conf import settings
from django.db import models, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django.views.decorators.debug import sensitive_variables

from django_faceverify.conf import app_settings
from django_faceverify.models import event
from django_faceverify.models.clock import db_now
from django_faceverify.models.consent import Consent
from django_faceverify.models.fields import CodeField, SealedTextField
from django_faceverify.models.keys import new_id
from django_faceverify.reasons import ReasonCode, RevealReason
from django_faceverify.signals import identity_revealed


class VerificationQuerySet(models.QuerySet["Verification"]):
    """Which verifications need what, by the database's clock."""

    def processing(self, stage: str) -> VerificationQuerySet:
        return self.filter(status=Verification.Status.PROCESSING, stage=stage)

    def consented(self) -> VerificationQuerySet:
        """Those about whom somebody may be asked: a consent stands, or the site demands none."""
        return self.filter(_has_consent()) if app_settings.consent.is_required else self

    def due(self) -> VerificationQuerySet:
        """A call may be made now."""
        return self._timely().consented()

    def unconsented(self) -> VerificationQuerySet:
        """A call would be due, and nobody has consented to it, or not any more."""
        if not app_settings.consent.is_required:
            return self.none()
        return self._timely().filter(~_has_consent())

    def _timely(self) -> VerificationQuerySet:
        return self.processing(Verification.Stage.WAITING).filter(
            next_run_at__lte=db_now(), deadline_at__gt=db_now()
        )

    def lost(self) -> VerificationQuerySet:
        """Claimed by a worker that did not come back."""
        return self.processing(Verification.Stage.CALLING).filter(lease_until__lt=db_now())

    def in_doubt(self) -> VerificationQuerySet:
        """A call was sent, no answer came, and the provider may be asked now."""
        return self.processing(Verification.Stage.UNKNOWN).filter(next_run_at__lte=db_now())

    def overdue(self) -> VerificationQuerySet:
        """No answer in time: a human takes over."""
        return self.processing(Verification.Stage.WAITING).filter(deadline_at__lte=db_now())

    def held(self, holding: str, seconds: float) -> VerificationQuerySet:
        """Still holding that personal data so many seconds after the case has ended."""
        return self.filter(holds=holding, ended_at__lte=db_now(-seconds))

    def redacted(self, seconds: float) -> VerificationQuerySet:
        """Redacted at least so many seconds ago."""
        return self.filter(redacted_at__lte=db_now(-seconds))

    def abandoned(self) -> VerificationQuerySet:
        """The person sent no photo in time."""
        return self.filter(status=Verification.Status.REQUIRES_INPUT, expires_at__lte=db_now())


def _has_consent() -> Exists:
    return Exists(Consent.objects.valid().filter(verification=OuterRef("pk")))


class Verification(models.Model):
    """The row is the work queue as well: ``stage`` says what a worker has to do with it."""

    class Status(models.TextChoices):
        REQUIRES_INPUT = "requires_input", _("requires input")
        PROCESSING = "processing", _("processing")
        IN_REVIEW = "in_review", _("in review")
        VERIFIED = "verified", _("verified")
        REJECTED = "rejected", _("rejected")
        CANCELED = "canceled", _("canceled")
        EXPIRED = "expired", _("expired")

    FINAL = frozenset({Status.VERIFIED, Status.REJECTED, Status.CANCELED, Status.EXPIRED})

    class Holding(models.TextChoices):
        DRAFT = "draft", _("name and number, and no photo yet")
        PHOTOS = "photos", _("name, number and photos")
        KEPT = "kept", _("name, number and photos, kept by a consent of its own")
        IDENTITY = "identity", _("name and number; the photos are destroyed")

    class Stage(models.TextChoices):
        WAITING = "waiting", _("waiting for a worker")
        CALLING = "calling", _("a worker is calling")
        UNKNOWN = "unknown", _("the provider will be asked")

    class Source(models.TextChoices):
        THRESHOLD = "threshold", _("thresholds")
        PROVIDER = "provider", _("provider")
        REVIEWER = "reviewer", _("reviewer")

    id = models.UUIDField(_("id"), primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        related_name="face_verifications",
        verbose_name=_("user"),
    )
    reference = models.CharField(
        _("reference"), max_length=100, blank=True, help_text=_("The site's own string.")
    )
    level = models.CharField(_("level"), max_length=50)
    is_live = models.BooleanField(_("live"), help_text=_("About a real person, not a test."))
    metadata = models.JSONField(_("metadata"), default=dict, blank=True)

    status = models.CharField(
        _("status"), max_length=20, choices=Status, default=Status.REQUIRES_INPUT
    )
    reason_code = CodeField(_("reason"), max_length=40, blank=True, choices=ReasonCode)
    similarity = models.FloatField(_("similarity"), null=True, blank=True)
    verify_at = models.FloatField(_("verified from"), null=True, blank=True)
    review_at = models.FloatField(_("reviewed from"), null=True, blank=True)
    provider = models.CharField(_("provider"), max_length=50, blank=True)
    decision_source = models.CharField(
        _("decided by rule of"), max_length=10, choices=Source, blank=True
    )
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        related_name="+",
        verbose_name=_("decided by"),
    )

    idcard_name = SealedTextField(pgettext_lazy("of a person", "name"))
    idcard_number = SealedTextField(
        _("ID number"), mask_field="idcard_number_mask", index_field="idcard_number_index"
    )
    idcard_number_index = models.CharField(max_length=120, blank=True, editable=False)
    idcard_number_mask = models.CharField(_("ID number"), max_length=18, blank=True, editable=False)

    review_note = SealedTextField(_("reviewer's note"), blank=True)

    photo_count = models.PositiveIntegerField(_("photos sent"), default=0)
    try_count = models.PositiveIntegerField(
        _("tries used"), default=0, help_text=_("Photos that were compared and did not match.")
    )

    created_at = models.DateTimeField(_("created at"))
    updated_at = models.DateTimeField(_("updated at"))
    expires_at = models.DateTimeField(_("expires at"))
    ended_at = models.DateTimeField(
        _("ended at"), null=True, blank=True, help_text=_("Where the clocks of retention begin.")
    )
    redacted_at = models.DateTimeField(_("redacted at"), null=True, blank=True)
    holds = models.CharField(  # noqa: DJ001 (null is "nothing", and keeps redacted rows out of the index)
        _("personal data held"),
        max_length=10,
        choices=Holding,
        default=Holding.DRAFT,
        null=True,
        blank=True,
    )

    stage = models.CharField(_("stage"), max_length=10, choices=Stage, null=True, blank=True)  # noqa: DJ001 (null is "no work", and keeps finished rows out of the work index)
    fence = models.PositiveIntegerField(default=0, editable=False)
    unrecorded_count = models.PositiveIntegerField(default=0, editable=False)
    retry_count = models.PositiveIntegerField(default=0, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    next_run_at = models.DateTimeField(_("next run at"), null=True, editable=False)
    deadline_at = models.DateTimeField(_("deadline at"), null=True, editable=False)

    objects = VerificationQuerySet.as_manager()

    class Meta:
        verbose_name = _("verification")
        verbose_name_plural = _("verifications")
        permissions = [
            ("review_verification", _("Can decide verifications in review")),
            ("reveal_identity", _("Can reveal a name and an ID number")),
            ("override_verification", _("Can reopen decided verifications, with a second person")),
            ("export_verification", _("Can export the data of a person")),
            ("redact_verification", _("Can destroy the personal data of a verification")),
        ]
        indexes = [
            models.Index(fields=["-created_at"], name="faceverify_created"),
            models.Index(fields=["user", "-created_at"], name="faceverify_user"),
            models.Index(fields=["status", "-created_at"], name="faceverify_status"),
            models.Index(fields=["reference", "-created_at"], name="faceverify_reference"),
            models.Index(
                fields=["idcard_number_index", "-created_at"], name="faceverify_idcard_number"
            ),
            models.Index(fields=["status", "expires_at"], name="faceverify_expires"),
            models.Index(fields=["stage", "next_run_at"], name="faceverify_due"),
            models.Index(fields=["stage", "deadline_at"], name="faceverify_deadline"),
            models.Index(fields=["holds", "ended_at"], name="faceverify_held"),
            models.Index(fields=["redacted_at"], name="faceverify_redacted"),
        ]
        constraints = [
            models.CheckConstraint(
                name="faceverify_similarity_range",
                condition=Q(similarity__isnull=True) | Q(similarity__gte=0, similarity__lte=100),
            ),
            models.CheckConstraint(
                name="faceverify_thresholds_order",
                condition=Q(verify_at__isnull=True, review_at__isnull=True)
                | Q(review_at__gte=0, review_at__lte=F("verify_at"), verify_at__lte=100),
            ),
            models.CheckConstraint(
                name="faceverify_decided",
                condition=~Q(status__in=["verified", "rejected"])
                | Q(decided_at__isnull=False) & ~Q(decision_source=""),
            ),
            models.CheckConstraint(
                name="faceverify_status_known",
                condition=Q(
                    status__in=[
                        "requires_input",
                        "processing",
                        "in_review",
                        "verified",
                        "rejected",
                        "canceled",
                        "expired",
                    ]
                ),
            ),
            models.CheckConstraint(
                name="faceverify_redaction",
                condition=Q(redacted_at__isnull=True, holds__isnull=False)
                | Q(
                    redacted_at__isnull=False,
                    holds__isnull=True,
                    idcard_number_index="",
                    idcard_number_mask="",
                    status__in=["verified", "rejected", "canceled", "expired"],
                ),
            ),
            models.CheckConstraint(
                name="faceverify_work",
                condition=Q(stage__isnull=True) & ~Q(status="processing")
                | Q(
                    status="processing",
                    stage__isnull=False,
                    stage="waiting",
                    next_run_at__isnull=False,
                    deadline_at__isnull=False,
                )
                | Q(
                    status="processing",
                    stage__isnull=False,
                    stage="calling",
                    lease_until__isnull=False,
                    deadline_at__isnull=False,
                )
                | Q(
                    status="processing",
                    stage__isnull=False,
                    stage="unknown",
                    next_run_at__isnull=False,
                    deadline_at__isnull=False,
                ),
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def is_final(self) -> bool:
        return self.status in self.FINAL

    @sensitive_variables("reason", "note", "words")
    def record_reveal(self, *columns: str, actor: str, reason: str, note: str = "") -> None:
        """Write down that ``actor`` is about to see sealed columns; the site hears of it.

        The Event, which stays for good, holds only a code of ``RevealReason``. Any other
        words may name somebody: they are sealed beside it.
        """
        code, words = reason, note
        if reason not in RevealReason.values:
            code, words = RevealReason.OTHER.value, f"{reason}\n{note}".strip()
        with transaction.atomic():
            facts = {"column": ", ".join(columns), "reason": code}
            written = event.Event.objects.append(self, "revealed", actor=actor, data=facts)
            if words:
                self.reveals.create(event_number=written.number, note=words)
            transaction.on_commit(
                lambda: identity_revealed.send_robust(
                    sender=Verification, verification_id=self.pk, actor=actor, reason=code
                ),
                robust=True,
            )
