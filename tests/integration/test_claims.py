"""Many workers at one database: each verification is won once, and nobody trips over a lock."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.integration.conftest import BuildWorld
from tests.integration.test_story import compare_with_provider, submit

pytestmark = pytest.mark.services

WORKERS = 8
ROWS = 40

on_each_database = pytest.mark.parametrize("database", ["sqlite", "postgresql", "mariadb"])


@on_each_database
def test_every_claim_is_won_exactly_once(build_world: BuildWorld, database: str) -> None:
    world = build_world(database)
    ids = [submit(world, ["001"], f"{1960 + row}0307")[0] for row in range(ROWS)]
    racers = [world.start_site() for _ in range(WORKERS)]
    for racer in racers:
        racer("sweep")  # they stand at the line when all of them have answered
    for racer in racers:
        racer.ask("claim", ids=ids)
    won = Counter(pk for racer in racers for pk in racer.answer())
    assert won == dict.fromkeys(ids, 1)
    states = [attempt["state"] for case in world.cases().values() for attempt in case["attempts"]]
    assert states == ["intent"] * ROWS


@on_each_database
def test_drains_that_work_side_by_side_call_once(build_world: BuildWorld, database: str) -> None:
    world = build_world(database)
    for row in range(ROWS):
        submit(world, ["001"], f"{1960 + row}0307")
    racers = [world.start_site() for _ in range(WORKERS // 2)]
    for racer in racers:
        racer("sweep")
    for racer in racers:
        racer.ask("drain")
    for racer in racers:
        racer.answer()
    world.wait_until(lambda: world.site("drain") == 0, "the rest")
    cases = world.cases()
    assert [case["status"] for case in cases.values()] == ["verified"] * ROWS
    compare_with_provider(world, cases)
    assert len(world.provider.billed) == ROWS
    assert "locked" not in world.log_text()
    assert "deadlock" not in world.log_text().lower()
