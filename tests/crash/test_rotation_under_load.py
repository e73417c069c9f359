"""Keys rotate under four writers: no failure, and each ID number is always found."""

from __future__ import annotations

from tests.crash.test_storms import database_url, program

__all__ = ["database_url"]

import pytest

pytestmark = pytest.mark.services


def test_keys_rotate_under_four_writers(database_url: str) -> None:
    outcome = program(
        "tests.crash.rotation", settings="tests.crash.rotation_settings", DATABASE_URL=database_url
    )
    for report in outcome["reports"]:
        assert report.get("failures") == [], report
        assert sum(report["done"].values()) > 0
    rotator = next(report for report in outcome["reports"] if report["work"] == "rotate")
    assert rotator["done"]["resealed"] >= 100
    assert set(outcome["left"]) == {"new"}
    assert outcome["missing"] == outcome["unread"] == outcome["findings"] == []
    assert outcome["last"]["broken"] == []
