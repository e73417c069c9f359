"""The report about two providers: what it counts, and how sure it is."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from math import isclose
from typing import Any

import pytest
from django.utils import timezone

from django_faceverify import agreement, figures
from django_faceverify.figures.report import Scope
from django_faceverify.figures.scale import Share
from django_faceverify.models import ShadowRun, Verification
from tests.shadow_runs import Told, tell, write_runs

pytestmark = pytest.mark.django_db


def compare(days: int = 90, level: str = "") -> list[agreement.Comparison]:
    """What has been counted of the runs as they stand now."""
    figures.advance(float("inf"), settled=0)
    return agreement.compare(Scope.of_last(days, level=level))


#: 20 pairs by hand: 10 both verify, 3 only the first, 1 only the second, 6 both do not
PAIRS: list[Told] = [
    *[("match", 95.0, "match", 85.0)] * 10,
    *[("match", 81.0, "mismatch", 41.0)] * 2,
    ("match", 82.0, "between", 55.0),
    ("between", 75.0, "match", 100.0),
    *[("mismatch", 0.0, "mismatch", 3.0)] * 5,
    ("finding", None, "finding", None),
]


@pytest.fixture
def found(verification: Verification) -> agreement.Comparison:
    write_runs(verification, PAIRS)
    (one,) = compare()
    return one


def test_who_is_compared(found: agreement.Comparison) -> None:
    assert (found.level, found.provider, found.second) == ("default", "default", "second")
    assert found.pair_count == 20
    assert found.is_thin


def test_words_by_words(found: agreement.Comparison) -> None:
    assert found.table["match"] == {"match": 10, "between": 1, "mismatch": 2, "finding": 0}
    assert found.table["between"]["match"] == 1
    assert sum(sum(row.values()) for row in found.table.values()) == 20
    assert found.both == Share(10, 20)
    assert found.only_first == Share(3, 20)
    assert found.only_second == Share(1, 20)
    assert found.agreement == Share(16, 20)


def test_kappa_by_hand(found: agreement.Comparison) -> None:
    """First: 13 1 5 1, second: 11 1 7 1, of 20 each."""
    chance = (13 * 11 + 1 * 1 + 5 * 7 + 1 * 1) / 400
    assert found.kappa is not None
    assert isclose(found.kappa, (0.8 - chance) / (1 - chance))


def test_kappa_says_nothing_where_all_are_alike(verification: Verification) -> None:
    write_runs(verification, [("match", 95.0, "match", 95.0)] * 5)
    (one,) = compare()
    assert one.agreement.value == 1
    assert one.kappa is None


def test_bands(found: agreement.Comparison) -> None:
    rows = dict(found.bands)
    assert [name for name, _ in found.bands][:2] == ["90-100", "80-90"], "the highest first"
    assert rows["90-100"][8] == 10
    assert rows["70-80"][9] == 1, "100 belongs to the highest band"
    assert rows["0-10"][0] == 5
    assert sum(map(sum, rows.values())) == 19, "without a similarity there is no band"


def test_times_and_money(settings: Any, verification: Verification) -> None:
    provider = settings.FACEVERIFY["PROVIDERS"]["default"]
    second = {**provider, "LIMITS": {"PRICE": 0.5}}
    settings.FACEVERIFY = {
        **settings.FACEVERIFY,
        "PROVIDERS": {"default": provider, "second": second},
    }
    runs = write_runs(verification, [("match", 95.0, "match", 85.0)] * 20)
    for number, run in enumerate(runs, 1):
        tell(run.attempt, duration_ms=number * 10)
        tell(run.shadow_attempt, duration_ms=number, is_billed="yes" if number > 5 else "unknown")
    (one,) = compare()
    first, other = one.sides
    times = [first.median_ms, first.slow_ms, other.median_ms, other.slow_ms]
    assert times == pytest.approx([100, 190, 10, 19], rel=0.025, abs=0.5)
    assert (first.billed, first.cost) == (20, Decimal("36.0"))
    assert (other.billed, other.unknown, other.cost) == (15, 5, Decimal("7.5"))


def test_what_brought_no_pair_is_counted_too(verification: Verification) -> None:
    runs = write_runs(verification, [("match", 95.0, "match", 85.0)] * 4)
    ShadowRun.objects.filter(pk=runs[0].pk).update(state="unknown")
    ShadowRun.objects.filter(pk=runs[1].pk).update(state="dropped")
    (one,) = compare()
    assert one.pair_count == 2
    assert one.not_compared == {"dropped": 1, "unknown": 1}
    assert one.not_compared_labels == [("not called", 1), ("outcome unknown", 1)]


def test_days_and_levels(verification: Verification) -> None:
    runs = write_runs(verification, [("match", 95.0, "match", 85.0)] * 3)
    long_ago = timezone.now() - timedelta(days=40)
    tell(runs[0].attempt, started_at=long_ago)
    ShadowRun.objects.filter(pk=runs[0].pk).update(created_at=long_ago)
    ShadowRun.objects.filter(pk=runs[1].pk).update(level="other")
    assert [(one.level, one.pair_count) for one in compare()] == [("default", 2), ("other", 1)]
    assert [(one.level, one.pair_count) for one in compare(30)] == [("default", 1), ("other", 1)]
    assert [one.pair_count for one in compare(30, "other")] == [1]


def test_data_enough_is_not_thin(verification: Verification, monkeypatch: Any) -> None:
    write_runs(verification, [("match", 95.0, "match", 85.0)] * 3)
    monkeypatch.setattr(agreement, "ENOUGH_PAIRS", 3)
    assert not compare()[0].is_thin


def test_calls_without_a_time_are_paid_for_all_the_same(verification: Verification) -> None:
    (run,) = write_runs(verification, [("match", 95.0, "match", 85.0)])
    tell(run.shadow_attempt, duration_ms=None)
    (one,) = compare()
    assert (one.sides[1].median_ms, one.sides[1].billed) == (None, 1)


def test_no_shadow_no_report() -> None:
    assert compare() == []


@pytest.mark.parametrize("pairs", [1, 20])
def test_any_number_of_pairs_costs_the_same_queries(
    verification: Verification, pairs: int, django_assert_num_queries: Any
) -> None:
    write_runs(verification, PAIRS[:pairs])
    compare()
    with django_assert_num_queries(5):
        assert agreement.compare(Scope.of_last(90))[0].pair_count == pairs
