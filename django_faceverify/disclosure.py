"""What a person may know about their own case.

A person is told that details and photo do not match, never which of name, number and face
was wrong, and never how similar: each answer would be a question to the register.
"""

from __future__ import annotations

from django_faceverify.reasons import REASONS, Category, FixableBy, ReasonCode

_NEVER_TOLD = (Category.MISMATCH, Category.IDENTITY, Category.REGISTRY)
_NEVER_TOLD_EITHER = (
    ReasonCode.DIFFERENT_PERSON,
    ReasonCode.FRAUD_SUSPECTED,
    ReasonCode.LOW_SIMILARITY,
)


def reason_for_subject(status: str, reason_code: str) -> str:
    """The reason as the person may know it: ``not_matched`` for whatever did not match.

    Why a case is in review is never told, nor what the site owes to its provider.
    """
    if not reason_code or status == "in_review":
        return ""
    reason = REASONS[reason_code]
    if reason.category in _NEVER_TOLD or reason_code in _NEVER_TOLD_EITHER:
        return ReasonCode.NOT_MATCHED.value
    if reason.category is Category.PROVIDER and reason.fixable_by is FixableBy.SITE:
        return ReasonCode.PROVIDER_UNAVAILABLE.value
    return reason_code


def told_to_subject(status: str, reason_code: str) -> str:
    """The sentence that the person of a case in that status is shown about a stored reason."""
    return sentence(status, reason_for_subject(status, reason_code))


def sentence(status: str, reason_code: str) -> str:
    """The sentence for people, in the active language; empty when there is nothing to say."""
    if status == "in_review":
        return str(REASONS[ReasonCode.LOW_SIMILARITY].message)
    if not reason_code:
        return ""
    reason = REASONS[reason_code]
    if status == "rejected" and reason.category in _NEVER_TOLD:
        # Their own sentences ask for another photo, and a rejected case takes none.
        reason = REASONS[ReasonCode.DIFFERENT_PERSON]
    return str(reason.message)
