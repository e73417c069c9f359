"""Verifications from the queue to the outcome: ours and the naive peer side by side.

``python -m benchmarks.pipeline --help`` tells the options, README.md what the figures mean.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks import report
from benchmarks.goals import JUDGED_LATENCY_MS, JUDGED_POOL, judge
from benchmarks.processes import Machine, end_what_was_started, running_machine
from benchmarks.results import Result, Scenario
from benchmarks.runs import measure, measure_sealing, measure_submits

POOLS = ("threads", "prefork")
#: calls of one run for each slot: fewer, and the waves in which slots begin blur the rate
CALLS_PER_SLOT = 20
SUBMITS = 40
SEALINGS = 200


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, say and write it; fails only when a verification was lost or paid for twice."""
    options = parse(arguments)
    end_what_was_started()
    with running_machine() as machine:
        results = measure_all(machine, plan(options), options.rounds)
        submits = measure_submits(machine, options.concurrency, options.rounds, SUBMITS)
        sealing = measure_sealing(machine, SEALINGS)
    goals = judge(results, submits, sealing)
    report.say_table(results)
    report.say_submits(submits)
    report.say_goals(goals)
    if options.out:
        document = {
            "host": report.host(),
            "runs": [result.as_dict() for result in results],
            "submits": submits,
            "sealing_ms": sealing,
            "goals": report.as_dicts(goals),
        }
        options.out.write_text(json.dumps(document, indent=1) + "\n")
    if options.plot:
        report.plot(results, options.plot)
    return 1 if any(result.mistakes for result in results) else 0


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.pipeline",
        description="Measure the pipeline and the naive peer side by side.",
    )
    add = parser.add_argument
    add("--quick", action="store_true", help="one round of what is judged")
    add("--latencies", type=numbers, default="0,300,800", help="of the provider, in milliseconds")
    add("--pools", type=pools, default="threads,prefork", help="of the Celery workers")
    add("--concurrency", type=int, default=32, help="slots of a worker")
    add("--rounds", type=int, default=3, help="each in the opposite order of the one before")
    add("--out", type=Path, metavar="FILE.json", help="every run, for a program")
    add("--plot", type=Path, metavar="FILE.png", help="a picture (needs matplotlib)")
    options = parser.parse_args(arguments)
    if options.plot and not importlib.util.find_spec("matplotlib"):
        parser.error("--plot needs matplotlib")
    if options.quick:
        options.pools, options.latencies, options.rounds = [JUDGED_POOL], [JUDGED_LATENCY_MS], 1
    return options


def numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",")]


def pools(text: str) -> list[str]:
    names = text.split(",")
    if not set(names) <= set(POOLS):
        raise argparse.ArgumentTypeError(f"pools are {' and '.join(POOLS)}")
    return names


def plan(options: argparse.Namespace) -> list[Scenario]:
    """Every pool at every latency, and over TLS what is judged."""
    slots = options.concurrency
    count = slots * CALLS_PER_SLOT
    scenarios = [
        Scenario(pool, slots, latency, is_tls=False, count=count)
        for pool in options.pools
        for latency in options.latencies
    ]
    return [*scenarios, Scenario(JUDGED_POOL, slots, JUDGED_LATENCY_MS, is_tls=True, count=count)]


def measure_all(machine: Machine, scenarios: Sequence[Scenario], rounds: int) -> list[Result]:
    """Every side of every scenario, A B and then B A: what drifts meets both alike."""
    results: list[Result] = []
    for number in range(1, rounds + 1):
        for scenario in scenarios:
            for side in scenario.sides[:: 1 if number % 2 else -1]:
                results.append(measure(machine, scenario, side, number))
                report.say_result(results[-1])
    return results


if __name__ == "__main__":
    sys.exit(main())
