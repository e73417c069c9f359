"""A chaos run: real servers, real workers, and a hand that kills them.

``python -m tests.chaos --verifications 200 --kills 20 --seed 1 --policy review --broker redis``
submits verifications while processes are killed, wake-ups dropped and doubled, the broker
wiped, the database crashed and its connections cut. Then it lets everything come to rest and
counts. It ends with 0 when nothing was lost, nothing is stuck, and nothing was paid for too often.
"""

from __future__ import annotations

import argparse
import random
import secrets
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

from tests.chaos.brokers import corner
from tests.chaos.database import own_database
from tests.chaos.judge import MOST_CHARGES, judge
from tests.chaos.world import World

#: seconds between two kills, and between two submissions
KILL_EVERY = 1.5
SUBMIT_EVERY = 0.1
#: seconds in which something must have moved: leases, waits, and the pauses of the breaker
PATIENCE = 150.0
#: what a kill hits, of a hundred
VICTIMS = {"kill_child": 80, "kill_worker": 12, "kill_scheduler": 8}
#: how often in a run these happen, whatever the number of kills
DISASTERS = ("wipe_broker", "crash_database", "cut_database", "break_provider") * 2


def main() -> int:
    options = parse()
    say(f"seed {options.seed}")
    started_at = time.monotonic()
    findings = play(options)
    findings["seconds"] = round(time.monotonic() - started_at)
    problems = findings.pop("problems")
    say(*(f"{name:<12} {count}" for name, count in findings.items()), *problems)
    is_well = not (problems or findings["lost"] or findings["stuck"])
    return 0 if is_well and findings["accepted"] == options.verifications else 1


def say(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos")
    parser.add_argument("--verifications", type=int, default=200)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", default=secrets.token_hex(4))
    parser.add_argument("--policy", choices=tuple(MOST_CHARGES), default="review")
    parser.add_argument("--broker", choices=("redis", "rabbitmq"), default="redis")
    return parser.parse_args()


def play(options: argparse.Namespace) -> dict[str, Any]:
    """The whole run, in a world of its own that leaves nothing behind."""
    name = f"faceverify_{uuid.uuid4().hex[:12]}"
    with (
        tempfile.TemporaryDirectory(prefix="faceverify-chaos-") as folder,
        own_database(name) as database,
        corner(options.broker) as broker,
    ):
        world = World(Path(folder), database, broker, options.policy, options.seed)
        try:
            world.begin(options.seed)
            disturb(world, options)
            wait_for_rest(world)
            findings = judge(Path(folder), database.url, options.policy)
            if findings["stuck"]:
                say(world.last_words())
        finally:
            world.end()
    return findings


def disturb(world: World, options: argparse.Namespace) -> None:
    """Kill as often as was asked, while the site goes on taking photos."""
    seconds = max(SUBMIT_EVERY * options.verifications, KILL_EVERY * options.kills)
    world.start_site(options.verifications, seconds, options.seed)
    events = plan(options.kills, random.Random(options.seed))
    share = options.verifications / len(events) / 2
    for number, event in enumerate(events):
        time.sleep(seconds / len(events))
        world.wait_for_worker()
        world.wait_for_charges(round(share * number))
        getattr(world, event)()
        world.supervise()


def plan(kills: int, fate: random.Random) -> list[str]:
    """What happens, in an order that the seed decides."""
    events = fate.choices([*VICTIMS], [*VICTIMS.values()], k=kills) + list(DISASTERS)
    fate.shuffle(events)
    return events


def wait_for_rest(world: World) -> None:
    """Wait as long as anything moves: what is not at rest then, is counted as stuck."""
    left, deadline = -1, 0.0
    while not (world.is_site_done() and left == 0):
        if left != (left := world.count_unfinished()):
            deadline = time.monotonic() + PATIENCE
        if time.monotonic() > deadline:
            return
        world.supervise()
        time.sleep(0.5)


if __name__ == "__main__":
    sys.exit(main())
