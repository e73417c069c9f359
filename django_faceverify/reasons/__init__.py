"""Why: every stable code that a person, a reviewer or a frontend may be shown.

``REASONS`` says for each outcome of a verification and for each refusal whose fault it is, who
can mend it, and the sentence that tells people what to do.
"""

from __future__ import annotations

from django_faceverify.reasons.acts import RedactionReason, ReopenReason, RevealReason
from django_faceverify.reasons.outcomes import OUTCOMES, REVIEW_REASONS, ReasonCode
from django_faceverify.reasons.reason import Category, FixableBy, Reason
from django_faceverify.reasons.refusals import REFUSALS

__all__ = [
    "OUTCOMES",
    "REASONS",
    "REFUSALS",
    "REVIEW_REASONS",
    "Category",
    "FixableBy",
    "Reason",
    "ReasonCode",
    "RedactionReason",
    "ReopenReason",
    "RevealReason",
]

REASONS: dict[str, Reason] = OUTCOMES | REFUSALS
