"""What a person, or a child's guardian, has agreed to: which text, when and how."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from django_faceverify.conf import app_settings
from django_faceverify.models.keys import new_id


class ConsentQuerySet(models.QuerySet["Consent"]):
    def valid(self) -> ConsentQuerySet:
        """Not withdrawn, and to a text that still stands in the settings."""
        return self.filter(withdrawn_at=None, text_version__in=list(app_settings.consent.texts))

    def to_keep_the_photo(self) -> ConsentQuerySet:
        """Those that were asked for and given besides the one to compare, and stand."""
        return self.filter(withdrawn_at=None, is_keeping_granted=True)

    def by_guardian(self) -> ConsentQuerySet:
        return self.filter(given_by=Consent.Giver.GUARDIAN)


class Consent(models.Model):
    """The record stays when the person's data is destroyed: it holds none of it.

    ``text_sha256`` is of the text as it was shown, in UTF-8. Of a guardian nothing is kept
    but the relation; which account it was, the history knows.
    """

    class Giver(models.TextChoices):
        SUBJECT = "subject", _("the person")
        GUARDIAN = "guardian", _("a guardian")

    class Relation(models.TextChoices):
        PARENT = "parent", _("parent")
        RELATIVE = "relative", _("another relative")
        OTHER = "other", _("another guardian")

    class Method(models.TextChoices):
        API = "api", _("through the API")
        ADMIN = "admin", _("entered by staff")
        SITE = "site", _("by the site's own page")

    id = models.UUIDField(_("id"), primary_key=True, default=new_id, editable=False)
    verification = models.ForeignKey(
        "django_faceverify.Verification",
        models.CASCADE,
        related_name="consents",
        db_index=False,
        verbose_name=_("verification"),
    )
    purpose = models.CharField(_("purpose"), max_length=50)
    text_version = models.CharField(_("version of the text"), max_length=50)
    locale = models.CharField(_("language"), max_length=20)
    text_sha256 = models.CharField(_("SHA-256 of the text"), max_length=64)
    method = models.CharField(_("way"), max_length=10, choices=Method)
    given_by = models.CharField(pgettext_lazy("consent", "given by"), max_length=10, choices=Giver)
    guardian_relation = models.CharField(
        _("relation of the guardian"), max_length=10, choices=Relation, blank=True
    )
    is_keeping_granted = models.BooleanField(
        _("photo may be kept"),
        default=False,
        help_text=_("A separate consent, to keep the photo longer than the comparison needs it."),
    )
    given_at = models.DateTimeField(pgettext_lazy("consent", "given at"))
    withdrawn_at = models.DateTimeField(_("withdrawn at"), null=True, blank=True)

    objects = ConsentQuerySet.as_manager()

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        indexes = [
            models.Index(fields=["verification", "given_at"], name="faceverify_consent_given"),
        ]
        constraints = [
            models.CheckConstraint(
                name="faceverify_consent_relation",
                condition=Q(given_by="guardian") | Q(guardian_relation=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.text_version} ({self.locale})"
