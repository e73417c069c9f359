"""Twenty people, twenty fates: the whole way over real processes, brokers and databases."""

from __future__ import annotations

from typing import Any

import pytest

from django_faceverify.sandbox import scenario_number
from tests.integration.conftest import BuildWorld
from tests.integration.world import World

pytestmark = pytest.mark.services

NAME = "欧阳若兰"

#: scenario of the sandbox, final status, reason, states of the attempts
FATES = [
    ("001", "verified", "", ["answered"]),
    ("002", "in_review", "low_similarity", ["answered"]),
    ("003", "requires_input", "face_mismatch", ["answered"]),
    ("004", "requires_input", "id_name_mismatch", ["answered"]),
    ("005", "in_review", "id_number_invalid", ["answered"]),
    ("006", "in_review", "id_photo_poor", ["answered"]),
    ("010", "requires_input", "no_face", ["answered"]),
    ("011", "requires_input", "multiple_faces", ["answered"]),
    ("012", "requires_input", "face_incomplete", ["answered"]),
    ("031", "verified", "", ["throttled", "answered"]),
    ("041", "verified", "", ["refused", "answered"]),
    ("042", "in_review", "outcome_unknown", ["unknown"]),
    ("043", "in_review", "provider_protocol", ["unknown"]),
    ("044", "in_review", "provider_protocol", ["unknown"]),
    ("045", "verified", "", ["answered"]),
    ("046", "in_review", "outcome_unknown", ["unknown"]),
    ("047", "in_review", "outcome_unknown", ["unknown"]),
]
#: seconds of a call. The one that is never answered waits them out, and no other may come near
WAITED_OUT = 8.0
#: what only a person can mend is tried again until the deadline
HOPELESS = [("030", "throttled"), ("050", "refused"), ("051", "refused")]


def was_called(world: World, *scenarios: str) -> bool:
    """A paused provider makes the hopeless wait for their first call."""
    cases = world.cases()
    return all(outcome(cases[scenario])[2] for scenario in scenarios)


@pytest.mark.parametrize(
    ("database", "broker"),
    [
        ("sqlite", "filesystem"),
        ("sqlite", "redis"),
        ("sqlite", "rabbitmq"),
        ("postgresql", "filesystem"),
        ("postgresql", "redis"),
        ("mariadb", "filesystem"),
    ],
)
def test_everybody_reaches_an_outcome_and_is_paid_for_once(
    build_world: BuildWorld, database: str, broker: str
) -> None:
    world = build_world(database, broker)
    worker = world.start_worker(timeout=WAITED_OUT)
    submit(world, [scenario for scenario, *_ in FATES] + [scenario for scenario, _ in HOPELESS])
    fated = [scenario for scenario, *_ in FATES]
    world.sweep_until(
        lambda: world.is_at_rest(*fated) and was_called(world, *dict(HOPELESS)), "outcomes"
    )
    cases = world.cases()
    for scenario, _ in HOPELESS:
        assert cases[scenario]["status"] == "processing"
        world.site("pass_deadline", verification_id=cases[scenario]["id"])
    world.sweep_until(world.is_at_rest, "the hopeless in review")
    worker.kill()

    cases = world.cases()
    assert {scenario: outcome(cases[scenario]) for scenario, *_ in FATES} == {
        scenario: (status, reason, states) for scenario, status, reason, states in FATES
    }
    for scenario, state in HOPELESS:
        status, reason, states = outcome(cases[scenario])
        assert (status, reason, set(states)) == ("in_review", "deadline_passed", {state})
    compare_with_provider(world, cases)
    for personal in (NAME, *map(scenario_number, cases)):
        assert personal not in world.log_text()


@pytest.mark.parametrize("broker", ["filesystem", "redis", "rabbitmq"])
def test_a_message_carries_an_id_and_nothing_else(build_world: BuildWorld, broker: str) -> None:
    world = build_world(broker=broker)
    (verification_id,) = submit(world, ["001"])
    (message,) = world.broker.waiting()
    assert message.arguments == [verification_id]
    assert len(message.raw) < 3000
    for text in (message.raw, message.body):
        for personal in (NAME, ascii(NAME)[1:-1], scenario_number("001")):
            assert personal.encode() not in text
        for start_of_jpeg in (b"\xff\xd8\xff", b"/9j/"):
            assert start_of_jpeg not in text


@pytest.mark.parametrize("broker", ["filesystem", "redis", "rabbitmq"])
def test_a_message_delivered_ten_times_makes_one_call(build_world: BuildWorld, broker: str) -> None:
    world = build_world(broker=broker)
    (verification_id,) = submit(world, ["001"])
    world.site("wake", verification_id=verification_id, times=9)
    assert len(world.broker.waiting()) == 10
    world.start_worker()
    world.wait_until(lambda: world.log_text().count("] succeeded in") == 10, "ten tasks done")
    cases = world.cases()
    assert outcome(cases["001"]) == ("verified", "", ["answered"])
    compare_with_provider(world, cases)


def submit(world: World, scenarios: list[str], birth_date: str = "") -> list[str]:
    """One person for each scenario, who is known by it (and by the birth date, if given)."""
    people = [
        {
            "name": NAME,
            "number": scenario_number(scenario, birth_date or "19900307"),
            "reference": f"{scenario} {birth_date}".strip(),
        }
        for scenario in scenarios
    ]
    ids: list[str] = world.site("create", people=people)
    return ids


def outcome(case: dict[str, Any]) -> tuple[str, str, list[str]]:
    states = [attempt["state"] for attempt in case["attempts"]]
    return case["status"], case["reason_code"], states


def compare_with_provider(
    world: World, cases: dict[str, Any], *, may_be_unsent: bool = False
) -> None:
    """Our ledger against the provider's own count of calls and its bill.

    A worker killed with the call on its lips (``may_be_unsent``) leaves an attempt of which
    only the provider could say whether it came.
    """
    attempts = [attempt for case in cases.values() for attempt in case["attempts"]]
    sent = {a["session_id"] for a in attempts if a["state"] != "not_sent"}
    heard = {a["session_id"] for a in attempts if a["state"] not in ("not_sent", "unknown")}
    calls, billed = world.provider.calls, world.provider.billed
    assert set(calls.values()) == {1}
    assert heard <= set(calls) <= sent
    assert may_be_unsent or set(calls) == sent
    assert len(billed) == len(set(billed))
    for attempt in attempts:
        if attempt["is_billed"] != "unknown":
            assert (attempt["session_id"] in billed) == (attempt["is_billed"] == "yes")
    for case in cases.values():
        assert len([a for a in case["attempts"] if a["session_id"] in billed]) <= 1
