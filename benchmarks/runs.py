"""One run: fill the queue, let a worker empty it, look at the clocks meanwhile."""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import psutil

from benchmarks.measuring import Clock, client_backends, percentile, read_clock, tree_seconds
from benchmarks.processes import Failed, Machine, running_worker
from benchmarks.results import OURS, Result, Scenario, Side

#: of the calls, this part is not looked at: the worker is starting
WARM_UP = 0.2
POLL_SECONDS = 0.02
SAMPLE_SECONDS = 0.5
#: a run in which nothing moves for so long has failed
STALL_SECONDS = 60.0

SUBMITS_PER_SECOND = 10.0
#: latencies between which submissions are compared, in an order that is fair to both
SUBMIT_LATENCIES = (0, 800, 800, 0)

TABLES = {"ours": "django_faceverify_verification", "naive": "naive_naiveverification"}


@dataclass
class Watch:
    """Looks at a running worker until all is answered."""

    machine: Machine
    worker: psutil.Process
    scenario: Scenario
    clocks: list[Clock] = field(default_factory=list)
    connections: list[int] = field(default_factory=list)
    in_flight: list[int] = field(default_factory=list)

    @property
    def first(self) -> int:
        return int(self.scenario.count * WARM_UP)

    @property
    def last(self) -> int:
        """Behind this one, some slots have nothing to do any more."""
        return self.scenario.count - self.scenario.concurrency

    def until_answered(self) -> None:
        answered, moved_at, sampled_at = 0, time.monotonic(), 0.0
        while answered < self.scenario.count:
            time.sleep(POLL_SECONDS)
            now = time.monotonic()
            stats = self.machine.stub.stats()
            if stats["answered"] > answered:
                answered, moved_at = stats["answered"], now
            elif now - moved_at > STALL_SECONDS:
                raise Failed(f"Nothing moves: {answered} answered.\n{self.machine.worker_log()}")
            if answered >= (self.first, self.last, self.scenario.count + 1)[len(self.clocks)]:
                self.read_clock(answered)
            if len(self.clocks) == 1 and now - sampled_at > SAMPLE_SECONDS:
                self.connections.append(client_backends(self.machine.postgresql))
                self.in_flight.append(stats["in_flight"])
                sampled_at = now

    def read_clock(self, answered: int) -> None:
        parts = {
            "worker": self.worker,
            "postgresql": self.machine.postgresql,
            "redis": self.machine.redis,
        }
        self.clocks.append(read_clock(answered, parts))

    def rate(self, answered_at: list[float]) -> float:
        """Answers per second, over whole waves: slots that began together answer together."""
        waves = (self.last - self.first) // self.scenario.concurrency
        count = waves * self.scenario.concurrency
        return count / (answered_at[self.first + count - 1] - answered_at[self.first - 1])


def measure(machine: Machine, scenario: Scenario, side: Side, number: int) -> Result:
    submit_cpu_ms = fill_queue(machine, side.whose, scenario.count)
    machine.stub.set_latency(scenario.latency_ms)
    with running_worker(
        machine,
        pool=scenario.pool,
        concurrency=scenario.concurrency,
        BENCHMARK_CONNECTIONS=side.connections(scenario.pool),
        **machine.stub.environment(is_tls=scenario.is_tls),
    ) as worker:
        watch = Watch(machine, worker, scenario)
        watch.until_answered()
        undecided = wait_for_decisions(machine, side.whose)
    record = machine.stub.record()
    begin, end = watch.clocks
    remove_photos(machine)
    return Result(
        scenario=scenario,
        side=side.name,
        round=number,
        rate=watch.rate(record["answered_at"]),
        cpu_ms=end.cpu_ms_since(begin),
        submit_cpu_ms=submit_cpu_ms,
        connections=median(watch.connections),
        in_flight=median(watch.in_flight),
        other_cores=end.other_cores_since(begin),
        mistakes=find_mistakes(record, scenario.count, undecided),
    )


def fill_queue(machine: Machine, whose: str, count: int) -> float:
    """Submit so many; returns the CPU milliseconds of one, database and broker included."""
    servers = (machine.postgresql, machine.redis)
    before = sum(map(tree_seconds, servers))
    visited = visit(machine, whose, count)
    servers_ms = 1000 * (sum(map(tree_seconds, servers)) - before) / count
    return float(visited["cpu_ms"]) + servers_ms


def visit(machine: Machine, whose: str, count: int, *per_second: str) -> dict[str, Any]:
    output = machine.python("-m", "benchmarks.visitors", whose, str(count), *per_second)
    visited: dict[str, Any] = json.loads(output)
    return visited


def wait_for_decisions(machine: Machine, whose: str) -> int:
    """How many are still not decided after all the time that they may need."""
    sql = f"SELECT count(*) FROM {TABLES[whose]} WHERE status <> 'verified'"  # noqa: S608 (our own names)
    deadline = time.monotonic() + STALL_SECONDS
    while (undecided := int(machine.query(sql)[0][0])) and time.monotonic() < deadline:
        time.sleep(0.1)
    return undecided


def find_mistakes(record: dict[str, Any], count: int, undecided: int) -> list[str]:
    """What must never be, however fast it is: a lost verification, or one paid for twice."""
    mistakes = []
    if undecided:
        mistakes.append(f"{undecided} verifications without an outcome")
    if record["sessions"] != count or len(record["answered_at"]) != count:
        mistakes.append(f"{len(record['answered_at'])} calls for {count} verifications")
    if record["most_calls_of_a_session"] != 1:
        mistakes.append("a session was called more than once")
    return mistakes


def remove_photos(machine: Machine) -> None:
    for name in ("photos", "media"):
        shutil.rmtree(machine.folder / name, ignore_errors=True)


def measure_submits(machine: Machine, concurrency: int, rounds: int, count: int) -> dict[str, Any]:
    """How long a submission takes while the worker calls a fast or a slow provider."""
    seconds: dict[int, list[float]] = {latency: [] for latency in SUBMIT_LATENCIES}
    cpu_ms: dict[int, list[float]] = {latency: [] for latency in SUBMIT_LATENCIES}
    with running_worker(
        machine,
        pool="threads",
        concurrency=concurrency,
        BENCHMARK_CONNECTIONS=OURS.connections("threads"),
        **machine.stub.environment(is_tls=False),
    ):
        for latency in SUBMIT_LATENCIES * rounds:
            machine.stub.set_latency(latency)
            visited = visit(machine, "ours", count, str(SUBMITS_PER_SECOND))
            seconds[latency] += visited["seconds"]
            cpu_ms[latency].append(visited["cpu_ms"])
        wait_for_decisions(machine, "ours")
    return {
        str(latency): {
            "p50_ms": 1000 * percentile(seconds[latency], 50),
            "p95_ms": 1000 * percentile(seconds[latency], 95),
            "cpu_ms": median(cpu_ms[latency]),
            "count": len(seconds[latency]),
        }
        for latency in seconds
    }


def measure_sealing(machine: Machine, count: int) -> dict[str, float]:
    """CPU milliseconds of sealing and of photo storage, before and behind the queue."""
    visit(machine, "ours", 10)
    costs: dict[str, float] = json.loads(
        machine.python("-m", "benchmarks.sealing_share", str(count))
    )
    return costs
