"""Whatever is lost on the way, every verification ends, and none is paid for twice."""

from __future__ import annotations

import random

import pytest

from django_faceverify.testing.stub import Stub, drip_before_reading
from tests.integration.brokers import Broker, Message
from tests.integration.conftest import BuildWorld
from tests.integration.test_story import compare_with_provider, outcome, submit
from tests.integration.world import World
from tests.private_servers import free_port

pytestmark = pytest.mark.services

on_each_database_and_broker = pytest.mark.parametrize(
    ("database", "broker"),
    [("sqlite", "filesystem"), ("postgresql", "redis"), ("mariadb", "rabbitmq")],
)


@on_each_database_and_broker
def test_a_worker_killed_while_it_calls_leaves_it_to_a_human(
    build_world: BuildWorld, database: str, broker: str
) -> None:
    world = build_world(database, broker)
    submit(world, ["042"])
    victim = world.start_worker()
    world.wait_until(lambda: len(world.provider.billed) == 1, "the provider has charged")
    victim.kill()
    assert outcome(world.cases()["042"]) == ("processing", "", ["sending"])
    recover(world)
    cases = world.cases()
    assert outcome(cases["042"]) == ("in_review", "outcome_unknown", ["unknown"])
    assert len(world.provider.billed) == 1
    compare_with_provider(world, cases)


@on_each_database_and_broker
def test_a_worker_killed_before_it_calls_has_cost_nothing(
    build_world: BuildWorld, database: str, broker: str
) -> None:
    world = build_world(database, broker)
    submit(world, ["001"])
    with Stub(drip_before_reading()) as slow_to_shake_hands:
        endpoint = f"https://127.0.0.1:{slow_to_shake_hands.port}/face/idcardcompare"
        victim = world.start_worker(endpoint=endpoint, timeout=45)
        world.wait_until(lambda: states(world, "001") == ["intent"], "about to be sent")
        victim.kill()
    assert states(world, "001") == ["intent"]
    recover(world)
    cases = world.cases()
    assert outcome(cases["001"]) == ("verified", "", ["not_sent", "answered"])
    assert len(world.provider.billed) == 1
    compare_with_provider(world, cases)


@on_each_database_and_broker
def test_workers_killed_at_any_moment_lose_nothing_and_pay_once(
    build_world: BuildWorld, database: str, broker: str
) -> None:
    world = build_world(database, broker)
    scenarios = ["001", "002", "003", "010", "031", "041", "045"]
    for birth_date in ("19900301", "19900302"):
        submit(world, scenarios, birth_date)
    for _ in range(3):
        worker = world.start_worker()
        enough = len(world.provider.calls) + random.randint(1, 4)
        world.sweep_until(
            lambda: world.is_at_rest() or len(world.provider.calls) >= enough,  # noqa: B023
            "some more calls",
        )
        worker.kill()
        world.site("end_leases")
    recover(world)
    cases = world.cases()
    assert len(cases) == 2 * len(scenarios)
    compare_with_provider(world, cases, may_be_unsent=True)


@pytest.mark.parametrize("database", ["sqlite", "postgresql", "mariadb"])
def test_without_any_message_the_sweeper_is_enough(build_world: BuildWorld, database: str) -> None:
    world = build_world(database, NoBroker())
    submit(world, ["001", "002", "003", "031"])
    assert world.log_text().count("wake_up_failed") == 1, "asked once, then left in peace"

    def sweep_and_drain() -> bool:
        for action in ("end_waits", "sweep", "drain"):
            world.site(action)
        return world.is_at_rest()

    world.wait_until(sweep_and_drain, "everybody at rest")
    cases = world.cases()
    assert {reference: outcome(case) for reference, case in cases.items()} == {
        "001": ("verified", "", ["answered"]),
        "002": ("in_review", "low_similarity", ["answered"]),
        "003": ("requires_input", "face_mismatch", ["answered"]),
        "031": ("verified", "", ["throttled", "answered"]),
    }
    compare_with_provider(world, cases)


class NoBroker(Broker):
    """A broker that is down: nobody listens there."""

    def __init__(self) -> None:
        super().__init__()
        self.url = f"amqp://127.0.0.1:{free_port()}//"
        self.options = {"max_retries": 0}  # or each message would take seconds to give up

    def waiting(self) -> list[Message]:
        return []

    def remove(self) -> None:
        """There is nothing."""


def recover(world: World) -> None:
    """A new worker and the sweeps of a scheduler, once the time of the vanished one is over."""
    world.site("end_leases")
    world.start_worker()
    world.sweep_until(world.is_at_rest, "everybody at rest")


def states(world: World, reference: str) -> list[str]:
    return [attempt["state"] for attempt in world.cases()[reference]["attempts"]]
