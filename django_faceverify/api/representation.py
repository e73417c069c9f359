"""How rows look outside."""

from __future__ import annotations

from math import ceil
from typing import Any

from django.utils import timezone

from django_faceverify.conf import app_settings
from django_faceverify.disclosure import reason_for_subject, sentence
from django_faceverify.models import Event, Verification, VerificationAttempt
from django_faceverify.reasons import REASONS

Status = Verification.Status


def represent_verification(
    verification: Verification, *, for_staff: bool, with_evidence: bool = True
) -> dict[str, Any]:
    """One verification; staff see more, and its attempts and photos ``with_evidence``."""
    status = verification.status
    code = verification.reason_code
    if not for_staff:
        code = reason_for_subject(status, code)
    shown = {
        "id": verification.pk,
        "status": status,
        "reason_code": code,
        "message": sentence(status, code),
        "last_error": _last_error(verification, code),
        "level": verification.level,
        "reference": verification.reference,
        "metadata": verification.metadata,
        "photos_left": _photos_left(verification),
        "created_at": verification.created_at,
        "decided_at": verification.decided_at,
        "expires_at": verification.expires_at,
        "is_live": verification.is_live,
        "alternative_url": app_settings.alternative_url(verification.level) or None,
    }
    if for_staff:
        shown |= _for_staff(verification)
        if with_evidence:
            shown |= _evidence(verification)
    return shown


def represent_attempt(attempt: VerificationAttempt) -> dict[str, Any]:
    return {
        "number": attempt.number,
        "session_id": attempt.session_id,
        "verification": attempt.verification_id,
        "photo": attempt.photo_id,
        "role": attempt.role,
        "provider": attempt.provider,
        "state": attempt.state,
        "is_billed": attempt.is_billed,
        "provider_code": attempt.provider_code,
        "provider_message": attempt.provider_message,
        "provider_session_id": attempt.provider_session_id,
        "similarity": attempt.similarity,
        "reason_code": attempt.reason_code,
        "http_status": attempt.http_status,
        "started_at": attempt.started_at,
        "finished_at": attempt.finished_at,
        "duration_ms": attempt.duration_ms,
    }


def represent_event(event: Event) -> dict[str, Any]:
    return {
        "number": event.number,
        "at": event.at,
        "actor": event.actor,
        "action": event.action,
        "reason_code": event.reason_code,
        "data": event.data,
    }


def _for_staff(verification: Verification) -> dict[str, Any]:
    thresholds: dict[str, Any] | None = None
    if verification.verify_at is not None:
        thresholds = {
            "verify_at": verification.verify_at,
            "review_at": verification.review_at,
            "target_far": verification.target_far or None,
            "review_far": verification.review_far or None,
            "far_table": verification.far_table or None,
        }
    return {
        "user": verification.user_id,
        "idcard_number_mask": verification.idcard_number_mask,
        "similarity": verification.similarity,
        "thresholds": thresholds,
        "provider": verification.provider,
        "decision_source": verification.decision_source,
        "redacted_at": verification.redacted_at,
    }


def _evidence(verification: Verification) -> dict[str, Any]:
    photos = verification.photos.order_by("number").values(
        "id", "source", "width", "height", "byte_size", "submitted_at", "purged_at"
    )
    consents = verification.consents.order_by("given_at").values(
        "purpose",
        "text_version",
        "locale",
        "text_sha256",
        "method",
        "given_by",
        "guardian_relation",
        "is_keeping_granted",
        "given_at",
        "withdrawn_at",
    )
    # Without those of a shadow, so that what a reviewer has read stays as it is.
    of_the_case = VerificationAttempt.objects.of_the_case()
    attempts = of_the_case.filter(verification=verification).order_by("number")
    return {
        "attempts": [represent_attempt(attempt) for attempt in attempts],
        "photos": list(photos),
        "consents": list(consents),
    }


def _last_error(verification: Verification, code: str) -> dict[str, Any] | None:
    """Why another photo is asked for, or why it takes so long."""
    if not code or verification.status not in (Status.REQUIRES_INPUT, Status.PROCESSING):
        return None
    error: dict[str, Any] = {
        "code": code,
        "message": sentence(verification.status, code),
        "fixable_by": REASONS[code].fixable_by.value,
    }
    if verification.next_run_at is not None:
        seconds = (verification.next_run_at - timezone.now()).total_seconds()
        error["retry_after"] = max(1, ceil(seconds))
    return error


def _photos_left(verification: Verification) -> int:
    """How many photos may still be sent, should the next ones not match."""
    if verification.is_final:
        return 0
    try:
        level = app_settings.level(verification.level)
    except KeyError:  # the site has removed this level
        return 0
    tries = level.max_photos - verification.try_count
    submissions = level.max_submissions - verification.photo_count
    # A reviewer may ask for one more than the level allows.
    least = 1 if verification.status == Status.REQUIRES_INPUT else 0
    return max(least, min(tries, submissions))
