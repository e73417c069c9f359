"""A site that is about to move: idcardcompare decides, FaceID looks on, by real workers."""

from __future__ import annotations

from typing import Any

import pytest

from django_faceverify.testing.stub import Stub, never_answer
from tests.integration.conftest import BuildWorld
from tests.integration.test_story import outcome, submit
from tests.integration.test_wires import FACEID
from tests.integration.world import World

pytestmark = pytest.mark.services

on_each_database_and_broker = pytest.mark.parametrize(
    ("database", "broker"),
    [("sqlite", "filesystem"), ("postgresql", "redis"), ("mariadb", "rabbitmq")],
)

#: scenario of the sandbox: status and reason of the case, what both said of the photo
FATES = {
    "001": (("verified", ""), ["match", "match"]),
    # 72 is between the lines of the one, and enough for the rate that the other was asked for
    "002": (("in_review", "low_similarity"), ["between", "match"]),
    "003": (("requires_input", "face_mismatch"), ["mismatch", "mismatch"]),
    "004": (("requires_input", "id_name_mismatch"), ["finding", "finding"]),
    "010": (("requires_input", "no_face"), ["finding", "finding"]),
}


@on_each_database_and_broker
def test_the_second_wire_sees_what_the_first_has_decided(
    build_world: BuildWorld, database: str, broker: str
) -> None:
    world = build_world(database, broker)
    look_on_with_faceid(world, world.provider.faceid_url)
    world.start_worker(timeout=5)
    submit(world, list(FATES))
    world.sweep_until(lambda: states(world) == dict.fromkeys(FATES, "compared"), "pairs")
    cases, shadows = world.cases(), world.site("report_shadows")
    for name, (fate, verdicts) in FATES.items():
        assert outcome(cases[name])[:2] == fate, name
        assert shadows[name]["verdicts"] == verdicts, name
        assert shadows[name]["lines"] == [70, 70], "a rate, by FaceID's own table"
        (attempt,) = shadows[name]["attempts"]
        assert (attempt["provider"], attempt["state"]) == ("second", "answered")
    billed = world.provider.billed
    assert len(billed) == len(set(billed)), "nobody is charged for twice"
    ours = {a["session_id"] for case in cases.values() for a in case["attempts"]}
    assert set(billed) <= ours | {a["provider_session_id"] for a in attempts(shadows)}
    assert set(billed) & ours, "the one wire"
    assert set(billed) - ours, "the other wire"


@on_each_database_and_broker
def test_a_worker_killed_while_it_shadows_is_not_replaced(
    build_world: BuildWorld, database: str, broker: str
) -> None:
    world = build_world(database, broker)
    with Stub(never_answer) as silent:
        look_on_with_faceid(world, silent.url)
        worker = world.start_worker(timeout=20)
        submit(world, ["001"])
        world.sweep_until(lambda: bool(silent.received and silent.received[0]), "it was sent")
        worker.kill()
        assert states(world) == {"001": "calling"}
        assert outcome(world.cases()["001"]) == ("verified", "", ["answered"])
        world.site("end_shadow_waits")
        world.start_worker(timeout=20)
        world.sweep_until(lambda: states(world) == {"001": "unknown"}, "it is given up")
        submit(world, ["003"])
        world.sweep_until(lambda: world.is_at_rest("003"), "the next case is decided")
        (attempt,) = world.site("report_shadows")["001"]["attempts"]
        assert (attempt["state"], attempt["is_billed"]) == ("unknown", "unknown")
        sent = [request for request in silent.received if b"IdCard" in request]
        assert len(set(sent)) == len(sent) <= 2
    assert len(world.provider.billed) == 2, "the two calls that decided"


def look_on_with_faceid(world: World, endpoint: str) -> None:
    """Change the settings, as a site does that wants to compare."""
    world.shadow, world.shadow_endpoint = FACEID, endpoint
    world.site.kill()
    world.site = world.start_site()


def states(world: World) -> dict[str, str]:
    return {name: run["state"] for name, run in world.site("report_shadows").items()}


def attempts(shadows: dict[str, Any]) -> list[dict[str, Any]]:
    return [attempt for run in shadows.values() for attempt in run["attempts"]]
