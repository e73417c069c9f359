"""Which cases a second provider sees as well: chosen by their id, planned when they are decided.

Planning comes after the commit of the case's own decision and cannot disturb it: what goes
wrong here costs a sample and nothing else.
"""

from __future__ import annotations

import hashlib
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from django_faceverify import journal
from django_faceverify.conf import Level, Shadow, app_settings
from django_faceverify.models import Consent, ShadowRun, VerificationAttempt
from django_faceverify.models.clock import db_now
from django_faceverify.providers import providers


def is_chosen(verification_id: UUID, share: float) -> bool:
    """Whether a case is in the sample: always the same answer, and a larger share holds a smaller."""
    digest = hashlib.sha256(b"shadow" + verification_id.bytes).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64


def plan(attempt: VerificationAttempt, level: Level, verdict: str) -> None:
    """Have a second provider look at the photo that this attempt has judged, after the commit.

    Only the first photo of a case that was judged, so that no person counts twice.
    """
    shadow = level.shadow
    if shadow is None or not is_chosen(attempt.verification_id, shadow.share):
        return
    transaction.on_commit(lambda: _plan_quietly(attempt, level, shadow, verdict), robust=True)


def _plan_quietly(attempt: VerificationAttempt, level: Level, shadow: Shadow, verdict: str) -> None:
    try:
        with transaction.atomic():
            _plan(attempt, level, shadow, verdict)
    except IntegrityError:  # an earlier photo of the case was faster
        pass
    except Exception as error:  # noqa: BLE001 (whatever it is, the case is decided and goes on)
        journal.tell("shadow_not_planned", verification=attempt.verification_id, error=error)


def _plan(attempt: VerificationAttempt, level: Level, shadow: Shadow, verdict: str) -> None:
    answered = VerificationAttempt.objects.filter(
        pk=attempt.pk, state=VerificationAttempt.State.ANSWERED
    )
    consents = Consent.objects.valid().filter(verification=attempt.verification_id)
    provider = providers[shadow.provider]
    fits = provider.takes_url if attempt.photo.url else provider.takes_bytes
    if not (fits and answered.exists() and consents.covering(shadow.provider).exists()):
        return
    ShadowRun.objects.create(
        verification_id=attempt.verification_id,
        photo_id=attempt.photo_id,
        attempt_id=attempt.pk,
        level=level.name,
        provider=shadow.provider,
        case_verdict=verdict,
        due_at=db_now(),
        deadline_at=db_now(app_settings.DEADLINE),
        created_at=timezone.now(),
    )
