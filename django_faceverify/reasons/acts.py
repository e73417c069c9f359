"""Why staff did something to a case that is not a decision: chosen by them, and on record."""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class RevealReason(TextChoices):
    """Why somebody looks at a name and an ID number; the words of their own are a note."""

    REVIEW = "review", _("needed to decide the case")
    SUPPORT = "support", _("the person asked for help")
    COMPLAINT = "complaint", _("complaint")
    FRAUD = "fraud", _("suspicion of fraud")
    AUTHORITY = "authority", _("request of a court or an authority")
    SUBJECT_RIGHTS = "subject_rights", _("the person wants to see, correct or erase their data")
    OTHER = "other", _("other")


class ReopenReason(TextChoices):
    """Why a decision is taken back."""

    NEW_EVIDENCE = "new_evidence", _("new evidence")
    APPEAL = "appeal", _("the person objects")
    MISTAKE = "mistake", _("decided by mistake")
    FRAUD = "fraud", _("suspicion of fraud")
    AUTHORITY = "authority", _("request of a court or an authority")


class RedactionReason(TextChoices):
    """Why personal data was destroyed; stands in the history, never on the verification."""

    SUBJECT_REQUEST = "subject_request", _("asked for by the person")
    STAFF_REQUEST = "staff_request", _("done by staff")
    CONSENT_WITHDRAWN = "consent_withdrawn", _("consent withdrawn")
    RETENTION_OVER = "retention_over", _("time to keep it over")
