"""The curve from cosines to similarities goes through the points that were published."""

from __future__ import annotations

import pytest

from django_faceverify.faces.scale import OPERATING_POINTS, OperatingPoint, similarity_of


@pytest.mark.parametrize("point", OPERATING_POINTS, ids=lambda point: f"{point.similarity:g}")
def test_the_operating_points_lie_on_the_curve(point: OperatingPoint) -> None:
    assert similarity_of(point.cosine) == pytest.approx(point.similarity, abs=0.1)


def test_stricter_points_let_fewer_pairs_pass() -> None:
    lax, strict = OPERATING_POINTS
    assert strict.similarity > lax.similarity
    assert strict.false_match_rate < lax.false_match_rate
    assert strict.true_match_rate <= lax.true_match_rate


@pytest.mark.parametrize(
    ("cosine", "similarity"), [(-1, 0), (0, 1.37), (0.1, 5), (0.2, 17), (0.317, 50), (0.6, 98), (1, 99.99)]
)  # fmt: skip
def test_the_whole_range(cosine: float, similarity: float) -> None:
    assert similarity_of(cosine) == pytest.approx(similarity, abs=0.5)
    assert 0 <= similarity_of(cosine) <= 100
