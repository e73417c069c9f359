"""What a migration fills is what the app itself writes; and the way back is open."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command

from django_faceverify import intake
from django_faceverify.models import Review, Verification
from django_faceverify.models.review import band_of
from tests.console.conftest import decided_as

APP = "django_faceverify"


def rows() -> list[dict[str, Any]]:
    return [dict(row) for row in Review.objects.order_by("pk").values()]


@pytest.mark.django_db(transaction=True)
def test_the_queue_learns_what_its_cases_are(
    alice: User, reviewer: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    level = {"PROVIDER": "default", "LIVE": False, "FOUR_EYES": True}
    levels = {**settings.FACEVERIFY["LEVELS"], "default": level}
    settings.FACEVERIFY = {**settings.FACEVERIFY, "LEVELS": levels}
    cases = [decided_as(alice, similarity) for similarity in (72, 75, 79.9)]
    intake.review(cases[0], reviewer=reviewer, decision="verify", reason_code="same_person")
    for case, similarity in zip(cases, (None, 60, 80), strict=True):
        Verification.objects.filter(pk=case.pk).update(similarity=similarity)
        Review.objects.filter(pk=case.pk).update(band=band_of(similarity))
    before = rows()
    assert len({row["band"] for row in before}) == 3
    assert [row["judged_by_id"] for row in before].count(reviewer.pk) == 1
    migration = import_module(f"{APP}.migrations.0016_review_filters")
    monkeypatch.setattr(migration, "BATCH", 2)
    try:
        call_command("migrate", APP, "0015", verbosity=0)
    finally:
        call_command("migrate", APP, verbosity=0)
    assert rows() == before
