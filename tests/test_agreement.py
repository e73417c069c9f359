"""The report about two providers: what it counts, and how sure it is."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from math import isclose
from typing import Any

import pytest
from django.utils import timezone

from django_faceverify import agreement
from django_faceverify.agreement import Share, compare
from django_faceverify.models import ShadowRun, Verification
from tests.shadow_runs import Told, tell, write_runs

pytestmark = pytest.mark.django_db

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


@pytest.mark.parametrize(
    ("count", "total", "low", "high"),
    [
        (0, 10, 0.0, 0.2775),
        (5, 10, 0.2366, 0.7634),
        (10, 10, 0.7225, 1.0),
        (81, 263, 0.2553, 0.3662),
    ],
)
def test_intervals_are_wilsons(count: int, total: int, low: float, high: float) -> None:
    """The last is a well-known example of the interval."""
    share = Share(count, total)
    assert isclose(share.low, low, abs_tol=5e-5)
    assert isclose(share.high, high, abs_tol=5e-5)


def test_of_nothing_everything_is_possible() -> None:
    assert (Share(0, 0).value, Share(0, 0).low, Share(0, 0).high) == (0, 0, 1)


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
    assert (first.median_ms, first.slow_ms, other.median_ms, other.slow_ms) == (100, 190, 10, 19)
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
    ShadowRun.objects.filter(pk=runs[0].pk).update(created_at=timezone.now() - timedelta(days=40))
    ShadowRun.objects.filter(pk=runs[1].pk).update(level="other")
    assert [(one.level, one.pair_count) for one in compare()] == [("default", 2), ("other", 1)]
    assert [(one.level, one.pair_count) for one in compare(30)] == [("default", 1), ("other", 1)]
    assert [one.pair_count for one in compare(30, "other")] == [1]


def test_data_enough_is_not_thin(verification: Verification, monkeypatch: Any) -> None:
    write_runs(verification, [("match", 95.0, "match", 85.0)] * 3)
    monkeypatch.setattr(agreement, "ENOUGH_PAIRS", 3)
    assert not compare()[0].is_thin


def test_no_shadow_no_report(db: None, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        assert compare() == []
