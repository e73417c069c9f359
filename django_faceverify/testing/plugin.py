"""Fixtures for pytest; installing the package makes them known."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from django_faceverify.testing.memory import MemoryProvider


@pytest.fixture
def memory_provider() -> Iterator[type[MemoryProvider]]:
    """The provider in memory, with an empty outbox: whoever asks gets the same person."""
    MemoryProvider.reset()
    yield MemoryProvider
    MemoryProvider.reset()
