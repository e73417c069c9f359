"""Runs of shadows written by hand, as they stand after their calls."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from django_faceverify.models import Photo, ShadowRun, Verification, VerificationAttempt
from django_faceverify.models.keys import new_id

#: the word and the similarity of the level's own provider, then of the second one
Told = tuple[str, float | None, str, float | None]


def write_runs(like: Verification, pairs: list[Told]) -> list[ShadowRun]:
    """A case like this one for each pair, each with two attempts and a run that compared."""
    return [_write_run(like, pair) for pair in pairs]


def tell(attempt: VerificationAttempt | None, **facts: Any) -> None:
    assert attempt is not None
    VerificationAttempt.objects.filter(pk=attempt.pk).update(**facts)


def _write_run(like: Verification, pair: Told) -> ShadowRun:
    photo = like.photos.get()
    now = timezone.now()
    case = Verification.objects.get(pk=like.pk)
    case.pk = case.id = new_id()
    case._state.adding = True
    case.idcard_name, case.idcard_number = "张三", "000000199001010011"
    case.save(force_insert=True)
    copy = Photo.objects.create(verification=case, number=1, source="upload", submitted_at=now)
    assert photo.pk != copy.pk
    first, second = (
        VerificationAttempt.objects.create(
            verification=case,
            photo=copy,
            role=role,
            number=1,
            provider=provider,
            state="answered",
            is_billed="yes",
            similarity=similarity,
            started_at=now,
            finished_at=now,
            duration_ms=100,
        )
        for role, provider, similarity in (
            ("case", "default", pair[1]),
            ("shadow", "second", pair[3]),
        )
    )
    return ShadowRun.objects.create(
        verification=case,
        photo=copy,
        attempt=first,
        shadow_attempt=second,
        level="default",
        provider="second",
        case_verdict=pair[0],
        verdict=pair[2],
        verify_at=60,
        review_at=50,
        state="compared",
        due_at=now,
        deadline_at=now,
        created_at=now,
    )
