"""Buckets never flatter, quantiles are as near as said, and shares know how little they know."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_faceverify.decision import Thresholds
from django_faceverify.figures.scale import (
    Share,
    bucket_of,
    packed,
    pile_up,
    points,
    quantile,
    tenths,
    unpacked,
    value_of,
)


@given(st.floats(1, 1e9))
def test_a_bucket_is_within_the_error_that_is_promised(value: float) -> None:
    assert abs(value_of(bucket_of(value)) - value) <= 0.025 * value


def test_what_is_below_one_counts_as_one() -> None:
    assert bucket_of(0) == bucket_of(-3) == bucket_of(1) == 0


@given(st.lists(st.integers(1, 60_000), min_size=1), st.sampled_from([0.5, 0.95, 1.0]))
def test_quantiles_are_the_nearest_rank(values: list[int], share: float) -> None:
    exact = sorted(values)[math.ceil(share * len(values)) - 1]
    found = quantile(Counter(bucket_of(value) for value in values), share)
    assert found == pytest.approx(exact, rel=0.025)


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
    assert (share.low, share.high) == share.interval == pytest.approx((low, high), abs=5e-5)


def test_of_nothing_everything_is_possible() -> None:
    assert (Share(0, 0).value, Share(0, 0).low, Share(0, 0).high) == (None, 0, 1)


histograms = st.dictionaries(st.integers(0, 50), st.integers(1, 9))


@given(histograms)
def test_what_is_packed_is_not_lost(counts: dict[int, int]) -> None:
    assert unpacked(packed(counts)) == counts


@given(st.lists(histograms, max_size=4))
def test_packed_histograms_add_up(some: list[dict[int, int]]) -> None:
    total: list[int] = []
    for counts in some:
        pile_up(total, packed(counts))
    whole = Counter({place: count for place, count in enumerate(total) if count})
    assert whole == sum((Counter(counts) for counts in some), Counter())


def test_nothing_has_no_quantile() -> None:
    assert quantile({}, 0.5) is None
    assert quantile({0: 0}, 0.5) is None


@pytest.mark.parametrize(
    ("similarity", "bucket"),
    [(0, 0), (0.05, 0), (79.9, 799), (79.99999, 799), (80.0, 800), (57.3, 573), (100, 1000)],
)
def test_tenths_never_round_up(similarity: float, bucket: int) -> None:
    assert tenths(similarity) == bucket


@given(st.floats(0, 100), st.integers(0, 1000))
def test_a_bucket_lies_where_its_similarities_lie(similarity: float, line: int) -> None:
    """For thresholds that are multiples of a tenth, which is what may be tried."""
    thresholds = Thresholds(100, line / 10)
    assert thresholds.zone(similarity) == thresholds.zone(tenths(similarity) / 10)


def test_the_last_band_holds_the_hundred() -> None:
    assert [points(value) for value in (0, 98.99, 99.1, 100)] == [0, 98, 99, 99]


@pytest.mark.parametrize(
    ("count", "total", "low", "high"),
    [
        (0, 10, 0.0, 0.2775),
        (5, 10, 0.2366, 0.7634),
        (10, 10, 0.7225, 1.0),
        (1, 100, 0.0018, 0.0545),
        (81, 263, 0.2553, 0.3662),
    ],
)
def test_the_interval_of_wilson(count: int, total: int, low: float, high: float) -> None:
    assert Share(count, total).interval == pytest.approx((low, high), abs=0.0001)


def test_of_nothing_nothing_is_known() -> None:
    assert Share(0, 0).value is None
    assert Share(0, 0).interval == (0.0, 1.0)


@given(st.integers(1, 500), st.data())
def test_the_interval_holds_the_share(total: int, data: st.DataObject) -> None:
    share = Share(data.draw(st.integers(0, total)), total)
    low, high = share.interval
    assert 0 <= low <= share.count / total <= high <= 1
    bolder = Share(share.count * 4, total * 4).interval
    assert bolder[1] - bolder[0] <= high - low
