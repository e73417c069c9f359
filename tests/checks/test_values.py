"""Numbers that are none: ``True``, texts, what is not finite."""

from __future__ import annotations

import math
from typing import Any

import pytest

from django_faceverify.checks.values import is_number, is_whole


@pytest.mark.parametrize("value", [0, 1, 2, 10**400])
def test_whole_numbers(value: int) -> None:
    assert is_whole(value, 0)
    assert is_number(value, 0)
    assert is_whole(value, 1, 2) == is_number(value, 1, 2) == (value in (1, 2))


def test_numbers_that_are_not_whole() -> None:
    assert is_number(0.5, 0, 1)
    assert not is_number(1.5, 0, 1)
    assert not is_whole(1.0, 0)


@pytest.mark.parametrize("value", [True, False, None, "1", math.nan, math.inf, -math.inf, [1]])
def test_what_is_no_number(value: Any) -> None:
    assert not is_number(value, -5)
    assert not is_whole(value, -5)
