"""Which lines hold: the site's numbers, or what its rates mean at the provider that answered."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from django_faceverify import inquiry, thresholds
from django_faceverify import verification as engine
from django_faceverify.conf import Lines, app_settings
from django_faceverify.decision import Thresholds
from django_faceverify.exceptions import OutcomeUnknown, TargetOutOfReach
from django_faceverify.models import ProviderHealth, ShadowRun, Verification
from django_faceverify.models.clock import db_now
from django_faceverify.providers.faceid import FaceIDProvider
from django_faceverify.providers.qcloud import QcloudProvider
from tests.scripted import ScriptedProvider, similarity
from tests.shadows import SecondProvider


def aims(target: str, review: str | None = None) -> Lines:
    return Lines(
        verify_at=0,
        review_at=0,
        target_far=Decimal(target),
        review_far=None if review is None else Decimal(review),
    )


@pytest.fixture
def scripted() -> ScriptedProvider:
    """Its table: 1e-2 at 60, 1e-3 at 70, 1e-4 at 80."""
    return ScriptedProvider("default")


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (aims("1e-4"), (80, 80)),
        (aims("1e-4", "1e-3"), (80, 70)),
        (aims("1e-4", "1e-2"), (80, 60)),
        (aims("2e-4", "9e-3"), (80, 70)),  # between two rows: the stricter one
        (aims("1e-3"), (70, 70)),
        (aims("0.5"), (60, 60)),  # nothing weaker is published
    ],
)
def test_a_rate_takes_its_row_or_the_stricter_one(
    scripted: ScriptedProvider, lines: Lines, expected: tuple[float, float]
) -> None:
    found = thresholds.resolve(lines, scripted)
    assert (found.verify_at, found.review_at) == expected
    assert (found.target_far, found.review_far, found.far_table) == (
        lines.target_far,
        lines.review_far,
        "made-up",
    )


def test_nothing_is_made_up_beyond_the_table(scripted: ScriptedProvider) -> None:
    with pytest.raises(TargetOutOfReach, match="9e-5"):
        thresholds.resolve(aims("9e-5"), scripted)


def test_a_vendor_without_figures_has_no_table() -> None:
    assert QcloudProvider.far_table is None
    with pytest.raises(TargetOutOfReach, match="no table"):
        thresholds.resolve(aims("1e-3"), QcloudProvider("default"))


def test_the_fixed_threshold_of_a_provider_is_a_floor(
    monkeypatch: pytest.MonkeyPatch, scripted: ScriptedProvider
) -> None:
    monkeypatch.setattr(ScriptedProvider, "lowest_threshold", 65.0)
    found = thresholds.resolve(aims("1e-4", "1e-2"), scripted)
    assert (found.verify_at, found.review_at) == (80, 65)
    found = thresholds.resolve(aims("1e-4", "1e-3"), FaceIDProvider("faceid"))
    assert (found.verify_at, found.review_at) == (70, 70)


# --- what a decision keeps ----------------------------------------------------------------


def aim(settings: Any, **rates: str) -> None:
    level = {**settings.FACEVERIFY["LEVELS"]["default"], "THRESHOLDS": rates}
    settings.FACEVERIFY = {**settings.FACEVERIFY, "LEVELS": {"default": level}}


@pytest.mark.django_db(transaction=True)
def test_target_numbers_and_table_are_frozen(settings: Any, verification: Verification) -> None:
    aim(settings, TARGET_FAR="0.00010", REVIEW_FAR="1e-2")
    ScriptedProvider.script(similarity(79.9))
    engine.run(verification.pk)
    settings.FACEVERIFY = {**settings.FACEVERIFY, "LEVELS": {"default": {"LIVE": False}}}
    verification.refresh_from_db()
    assert verification.status == "in_review"
    assert (verification.verify_at, verification.review_at) == (80, 60)
    assert (verification.target_far, verification.review_far) == ("1e-4", "1e-2")
    assert verification.far_table == "made-up"
    event = verification.events.get(action="review_opened")
    assert event.data["thresholds"] == [80, 60]
    assert (event.data["target_far"], event.data["review_far"]) == ("1e-4", "1e-2")
    assert event.data["far_table"] == "made-up"


@pytest.mark.django_db(transaction=True)
def test_numbers_leave_no_trace_of_rates(verification: Verification) -> None:
    engine.run(verification.pk)
    verification.refresh_from_db()
    assert (verification.target_far, verification.review_far, verification.far_table) == ("",) * 3
    assert "far_table" not in verification.events.get(action="verified").data


@pytest.mark.django_db(transaction=True)
def test_an_answer_that_could_not_be_judged_is_not_paid_for(
    settings: Any, verification: Verification
) -> None:
    """A worker that runs in spite of the checks."""
    aim(settings, TARGET_FAR="1e-9")
    engine.run(verification.pk)
    verification.refresh_from_db()
    assert (verification.status, verification.reason_code) == ("processing", "provider_config")
    assert ScriptedProvider.requests == []
    assert verification.attempts.get().state == "not_sent"


# --- a switch of providers ----------------------------------------------------------------


def switch(settings: Any, **entry: Any) -> None:
    """Point the level at another provider, as an administrator does."""
    base = settings.FACEVERIFY
    other = {"BACKEND": "tests.shadows.SecondProvider", **entry}
    settings.FACEVERIFY = {
        **base,
        "PROVIDERS": {**base["PROVIDERS"], "other": other},
        "LEVELS": {"default": {"LIVE": False, "PROVIDER": "other"}},
    }


@pytest.mark.django_db(transaction=True)
def test_a_case_in_flight_keeps_to_the_provider_it_was_claimed_for(
    settings: Any, verification: Verification
) -> None:
    claim = engine.claim_call(verification.pk)
    assert claim is not None
    switch(settings, THRESHOLDS={"verify_at": 30, "review_at": 20})
    ScriptedProvider.script(similarity(75))
    answer = engine.call(claim)
    assert answer is not None
    assert len(ScriptedProvider.requests) == 1
    engine.record(claim, answer)
    verification.refresh_from_db()
    assert (verification.status, verification.provider) == ("in_review", "default")
    assert (verification.verify_at, verification.review_at) == (80, 70)


@pytest.mark.django_db(transaction=True)
def test_an_answer_that_is_asked_for_after_the_switch_is_judged_by_its_own_scale(
    settings: Any, verification: Verification
) -> None:
    settings.FACEVERIFY = {**settings.FACEVERIFY, "UNKNOWN_POLICY": "reconcile"}
    ScriptedProvider.script(OutcomeUnknown("outcome_unknown"))
    engine.run(verification.pk)
    switch(settings, THRESHOLDS={"verify_at": 30, "review_at": 20})
    ScriptedProvider.knows(similarity(75))
    Verification.objects.update(next_run_at=db_now())
    assert inquiry.ask(verification.pk)
    verification.refresh_from_db()
    assert (verification.status, verification.provider) == ("in_review", "default")
    assert (verification.verify_at, verification.review_at) == (80, 70)


@pytest.mark.django_db(transaction=True)
def test_what_waits_goes_where_the_level_points(settings: Any, verification: Verification) -> None:
    switch(settings, THRESHOLDS={"verify_at": 30, "review_at": 20})
    SecondProvider.script(similarity(35))
    engine.run(verification.pk)
    verification.refresh_from_db()
    assert (verification.status, verification.provider) == ("verified", "other")
    assert (verification.verify_at, verification.review_at) == (30, 20)
    assert not ShadowRun.objects.exists()
    assert set(ProviderHealth.objects.values_list("pk", flat=True)) == {"other"}


@pytest.mark.django_db
def test_lines_of_a_provider_that_is_gone_are_the_usual_numbers() -> None:
    level = app_settings.level("default")
    assert thresholds.of(level, "gone") == Thresholds(80, 70)
