"""What tests of the local engine need, wherever they stand."""

from __future__ import annotations

from typing import Any

import pytest

from tests.services import require


@pytest.fixture
def local_engine() -> None:
    """The extra ``local``: without it the test is skipped, or fails if it is required."""
    require("local")


@pytest.fixture
def quality_checked(settings: Any, local_engine: None) -> None:
    """A site that looks at photos before it pays for them."""
    settings.FACEVERIFY = {**settings.FACEVERIFY, "QUALITY": {"CHECK": True}}
