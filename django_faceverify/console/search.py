"""The search box: one exact lookup, chosen by the shape of what was typed."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.views.decorators.debug import sensitive_variables

from django_faceverify.models import Verification, VerificationAttempt

# Region, a birth date that may exist, order and check digit. The date spares references of
# a site that happen to have 18 digits.
_IDCARD_NUMBER = re.compile(r"\d{6}(18|19|20)\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])\d{3}[\dXx]")


@sensitive_variables()
def looks_like_idcard_number(text: str) -> bool:
    """Whether this must not stand in a URL, where logs would keep it."""
    return _IDCARD_NUMBER.fullmatch(re.sub(r"[\s-]+", "", text)) is not None


@sensitive_variables()
def search_verifications(queryset: QuerySet[Verification], text: str) -> QuerySet[Verification]:
    """By id, by the session id of a call, or else by the site's reference."""
    text = text.strip()
    if not text:
        return queryset
    if (key := _uuid(text)) is not None:
        found = queryset.filter(pk__in=[key, *_verification_of_call(key)])
        if found.exists():
            return found
    return queryset.filter(reference=text)


@sensitive_variables()
def search_attempts(
    queryset: QuerySet[VerificationAttempt], text: str
) -> QuerySet[VerificationAttempt]:
    """By session id, as we sent it or with hyphens."""
    text = text.strip()
    if not text:
        return queryset
    key = _uuid(text)
    return queryset.filter(session_id=key.hex if key else text)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _verification_of_call(key: UUID) -> QuerySet[VerificationAttempt, Any]:
    return VerificationAttempt.objects.filter(session_id=key.hex).values_list(
        "verification_id", flat=True
    )
