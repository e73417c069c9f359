"""Ledgers written by hand: attempts as they stand after their calls."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from django_faceverify.models import Verification, VerificationAttempt
from django_faceverify.models.attempt import new_session_id

State = VerificationAttempt.State


def write_attempts(
    verification: Verification,
    count: int,
    *,
    is_billed: str = "yes",
    started_at: datetime | None = None,
    **facts: Any,
) -> list[str]:
    """So many attempts of one case, a second apart; returns their session ids."""
    first = started_at or timezone.now() - timedelta(minutes=30)
    photo, number = verification.photos.get(), verification.attempts.count()
    attempts = [
        VerificationAttempt(
            verification=verification,
            photo=photo,
            number=number + index,
            session_id=new_session_id(),
            **{"provider": "default", "state": State.ANSWERED, **facts},
            is_billed=is_billed,
            started_at=first + timedelta(seconds=index),
            finished_at=first + timedelta(seconds=index + 1),
        )
        for index in range(1, count + 1)
    ]
    VerificationAttempt.objects.bulk_create(attempts, batch_size=500)
    return [attempt.session_id for attempt in attempts]
