"""The sample: a share of the cases, the same at every look, and larger shares hold smaller ones."""

from __future__ import annotations

from uuid import UUID

import pytest

from django_faceverify import sampling
from django_faceverify.models.keys import new_id

MANY = [new_id() for _ in range(20_000)]


def chosen(share: float) -> set[UUID]:
    return {key for key in MANY if sampling.is_chosen(key, share)}


@pytest.mark.parametrize("share", [0.01, 0.05, 0.5])
def test_a_share_is_a_share(share: float) -> None:
    """Within five standard deviations; ids of one moment differ in few bits only."""
    spread = 5 * (share * (1 - share) / len(MANY)) ** 0.5
    assert abs(len(chosen(share)) / len(MANY) - share) < spread


def test_nobody_and_everybody() -> None:
    assert chosen(0) == set()
    assert chosen(1) == set(MANY)


def test_a_larger_share_holds_a_smaller_one() -> None:
    assert chosen(0.05) < chosen(0.1) < chosen(0.5)


def test_the_answer_never_changes() -> None:
    """A process that starts tomorrow must choose the same cases."""
    one = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
    assert not sampling.is_chosen(one, SHARE_OF_ONE)
    assert sampling.is_chosen(one, SHARE_OF_ONE + 1e-8)


#: where that id lies between 0 and 1
SHARE_OF_ONE = 0.79236846
