"""Cases in the hands of reviewers: who works on which, and what is decided and not yet told.

A row is there for as long as its case is in review, so the queue of people is as long as
their work, however many verifications there are. The row holds everything that the queue asks
for: a filter that went through the case would read one row of it for each that it passes over.
"""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_faceverify.models.clock import db_now
from django_faceverify.models.fields import CodeField, SealedTextField
from django_faceverify.models.keys import new_id
from django_faceverify.models.verification import Verification
from django_faceverify.reasons import ReasonCode

#: where one band of similarity ends and the next one begins; 100 belongs to the last. Bands
#: stand in the rows: whoever changes these numbers fills the rows anew.
BAND_LIMITS = (0, 60, 70, 80, 100)
NO_SIMILARITY = "none"
BANDS = (*(f"{low}-{high}" for low, high in pairwise(BAND_LIMITS)), NO_SIMILARITY)


def band_of(similarity: float | None) -> str:
    """The name of the band that a similarity is in."""
    if similarity is None:
        return NO_SIMILARITY
    return BANDS[sum(similarity >= limit for limit in BAND_LIMITS[1:-1])]


def _unclaimed() -> Q:
    return Q(claimed_until__isnull=True) | Q(claimed_until__lte=db_now())


class ReviewQuerySet(models.QuerySet["Review"]):
    """Who may work on what, by the database's clock."""

    def enqueue(self, verification_id: UUID, *, since: datetime) -> Review:
        """Let the case, as it stands in the database now, wait for a reviewer; once."""
        columns = ("user", "level", "reason_code", "provider", "similarity")
        case = Verification.objects.only(*columns).get(pk=verification_id)
        row = Review(
            verification=case,
            since=since,
            user_id=case.user_id,
            level=case.level,
            reason_code=case.reason_code,
            provider=case.provider,
            band=band_of(case.similarity),
        )
        self.bulk_create([row], ignore_conflicts=True)
        return row

    def open(self) -> ReviewQuerySet:
        """Still waiting for somebody's judgement."""
        return self.filter(stage__in=Review.OPEN)

    def unclaimed(self) -> ReviewQuerySet:
        """Nobody works on it, or not any more."""
        return self.filter(_unclaimed())

    def claimed_by(self, user: Any) -> ReviewQuerySet:
        return self.filter(claimed_by=user, claimed_until__gt=db_now())

    def free_for(self, user: Any) -> ReviewQuerySet:
        """Nobody else works on it; it may be kept for somebody else as their next one."""
        return self.filter(_unclaimed() | Q(is_ahead=True) | Q(claimed_by=user))

    def unopened(self) -> ReviewQuerySet:
        """Nobody works on it; it may be kept for somebody as their next one."""
        return self.filter(_unclaimed() | Q(is_ahead=True))

    def kept(self) -> ReviewQuerySet:
        """Claimed for somebody who still works on the case before."""
        return self.filter(is_ahead=True, claimed_until__gt=db_now())

    def not_kept_for_others(self, user: Any) -> ReviewQuerySet:
        kept = Q(is_ahead=True) & ~Q(claimed_by=user) & Q(claimed_until__gt=db_now())
        return self.filter(~kept)

    def kept_for(self, user: Any) -> ReviewQuerySet:
        return self.kept().filter(claimed_by=user)

    def not_of(self, user: Any) -> ReviewQuerySet:
        """Cases of other people; one of nobody's is nobody's own."""
        return self.filter(~Q(user=user))

    def without_judgement_of(self, user: Any) -> ReviewQuerySet:
        return self.filter(~Q(judged_by=user))

    def waiting_since(self, seconds: float) -> ReviewQuerySet:
        """In review for at least so many seconds."""
        return self.filter(since__lte=db_now(-seconds))

    def due(self) -> ReviewQuerySet:
        """Decided, and the time to undo it is over."""
        return self.filter(stage=Review.Stage.HELD, due_at__lte=db_now())


class Review(models.Model):
    """The work on one case in review.

    A claim is a courtesy with an end: until ``claimed_until`` nobody else can decide. ``due_at``
    is when a decision that is ``held`` takes effect; until then it can be undone. A claim that
    ``is_ahead`` keeps the case for somebody as their next one: it gives way to whoever opens it.

    ``judged_by`` is whose judgement waits for a second person's. ``user``, ``level``,
    ``reason_code``, ``provider`` and ``band`` (of its similarity) are the case's, none of which
    changes while it is in review.
    """

    class Stage(models.TextChoices):
        FIRST = "first", _("waits for a reviewer")
        SECOND = "second", _("waits for a second person")
        HELD = "held", _("decided, can still be undone")

    OPEN = (Stage.FIRST, Stage.SECOND)

    verification = models.OneToOneField(
        Verification,
        models.CASCADE,
        primary_key=True,
        related_name="review",
        verbose_name=_("verification"),
    )
    since = models.DateTimeField(_("in review since"))
    stage = models.CharField(_("stage"), max_length=10, choices=Stage, default=Stage.FIRST)
    due_at = models.DateTimeField(_("takes effect at"), null=True, blank=True)
    claimed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("being worked on by"),
    )
    claimed_until = models.DateTimeField(_("claimed until"), null=True, blank=True)
    is_ahead = models.BooleanField(_("kept as the next one"), default=False, db_default=False)
    judged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        related_name="+",
        verbose_name=_("judged by"),
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        related_name="+",
        verbose_name=_("user"),
    )
    level = models.CharField(_("level"), max_length=50)
    reason_code = CodeField(_("reason"), max_length=40, blank=True, choices=ReasonCode)
    provider = models.CharField(_("provider"), max_length=50, blank=True)
    band = models.CharField(_("similarity"), max_length=10)

    objects = ReviewQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        verbose_name = _("review")
        verbose_name_plural = _("reviews")
        # One for each filter of the queue. Each stage has an order of its own: a filter that
        # only the others match would else be looked for among them all.
        indexes = [
            models.Index(fields=["stage", "since"], name="faceverify_review_stage"),
            models.Index(fields=["stage", "level", "since"], name="faceverify_review_level"),
            models.Index(fields=["stage", "reason_code", "since"], name="faceverify_review_reason"),
            models.Index(fields=["stage", "provider", "since"], name="faceverify_review_provider"),
            models.Index(fields=["stage", "band", "since"], name="faceverify_review_band"),
        ]
        constraints = [
            models.CheckConstraint(
                name="faceverify_review_due",
                condition=Q(stage="held", due_at__isnull=False)
                | Q(stage__in=["first", "second"], due_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.verification_id} {self.stage}"

    @property
    def is_kept(self) -> bool:
        """Whether it is somebody's next one at this moment."""
        return (
            self.is_ahead and self.claimed_until is not None and self.claimed_until > timezone.now()
        )


class Judgement(models.Model):
    """What one person thinks of a case in review; gone once it takes effect, or is taken back."""

    class Decision(models.TextChoices):
        VERIFY = "verify", _("verify")
        REJECT = "reject", _("reject")
        RETRY = "retry", _("ask again")

    id = models.UUIDField(_("id"), primary_key=True, default=new_id, editable=False)
    verification = models.ForeignKey(
        Verification,
        models.CASCADE,
        related_name="judgements",
        db_index=False,
        verbose_name=_("verification"),
    )
    number = models.PositiveSmallIntegerField(_("number"))
    actor = models.CharField(_("actor"), max_length=80)
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        related_name="+",
        verbose_name=_("reviewer"),
    )
    decision = models.CharField(_("decision"), max_length=10, choices=Decision)
    reason_code = models.CharField(_("reason"), max_length=40)
    note = SealedTextField(_("reviewer's note"), blank=True)
    made_at = models.DateTimeField(_("made at"))

    class Meta:
        default_permissions = ()
        verbose_name = _("judgement")
        verbose_name_plural = _("judgements")
        indexes = [
            models.Index(fields=["reviewer", "-made_at"], name="faceverify_judgement_reviewer"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["verification", "number"], name="faceverify_judgement_number"
            ),
            models.UniqueConstraint(
                fields=["verification", "actor"], name="faceverify_judgement_actor"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.verification_id} {self.number}"

    def record_reveal(self, column: str, *, actor: str, reason: str) -> None:
        self.verification.record_reveal(f"judgement.{column}", actor=actor, reason=reason)
