"""What the figures should be, and whether they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from benchmarks.results import NAIVE, OURS, Result

RATE_OF_IDEAL = 0.92
CPU_OF_NAIVE = 0.45
CPU_OF_NAIVE_OVER_TLS = 0.2
POSTGRESQL_CPU_OF_NAIVE = 0.2
CONNECTIONS_IN_FLIGHT = 0.2
SUBMIT_SLOW_OF_FAST = 1.1
SEALING_SHARE = 0.03

#: a rate that falls short says nothing when others kept more cores busy than this
QUIET_CORES = 0.3
JUDGED_POOL = "threads"
JUDGED_LATENCY_MS = 300


@dataclass(frozen=True)
class Goal:
    """One figure and its bound; ``is_reached`` is ``None`` where the run cannot tell."""

    name: str
    value: float
    bound: float
    is_reached: bool | None

    @property
    def verdict(self) -> str:
        return {True: "reached", False: "MISSED", None: "not judged"}[self.is_reached]


def judge(
    results: Sequence[Result], submits: dict[str, Any], sealing: dict[str, float]
) -> list[Goal]:
    """All goals that these runs tell something about."""
    pairs = ours_and_naive(results, is_tls=False)
    goals: list[Goal] = []
    if pairs:
        goals += [
            rate_goal([ours for ours, _ in pairs]),
            at_most("CPU, of the naive peer's", CPU_OF_NAIVE, pairs, total),
            at_most("PostgreSQL CPU, of the peer's", POSTGRESQL_CPU_OF_NAIVE, pairs, postgresql),
            connections_goal([ours for ours, _ in pairs]),
            sealing_goal([ours for ours, _ in pairs], sealing),
        ]
    if over_tls := ours_and_naive(results, is_tls=True):
        goals.append(at_most("CPU over TLS, of the peer's", CPU_OF_NAIVE_OVER_TLS, over_tls, total))
    slow, fast = (submits[latency]["p95_ms"] for latency in ("800", "0"))
    goals.append(below("submit p95, slow provider to fast", slow / fast, SUBMIT_SLOW_OF_FAST))
    return goals


def ours_and_naive(results: Sequence[Result], *, is_tls: bool) -> list[tuple[Result, Result]]:
    """Both sides of each round of the scenario that is judged."""
    rounds: dict[int, dict[str, Result]] = {}
    for result in results:
        scenario = result.scenario
        if (scenario.pool, scenario.latency_ms, scenario.is_tls) == (
            JUDGED_POOL,
            JUDGED_LATENCY_MS,
            is_tls,
        ):
            rounds.setdefault(result.round, {})[result.side] = result
    return [(sides[OURS.name], sides[NAIVE.name]) for sides in rounds.values()]


def total(result: Result) -> float:
    return result.total_cpu_ms


def postgresql(result: Result) -> float:
    return result.cpu_ms["postgresql"]


def at_most(
    name: str,
    bound: float,
    pairs: Sequence[tuple[Result, Result]],
    figure: Callable[[Result], float],
) -> Goal:
    """The median over the rounds of a ratio that was taken within each."""
    return below(name, median(figure(ours) / figure(naive) for ours, naive in pairs), bound)


def below(name: str, value: float, bound: float) -> Goal:
    return Goal(name, value, bound, value <= bound)


def rate_goal(ours: Sequence[Result]) -> Goal:
    value = median(result.share_of_ideal or 0.0 for result in ours)
    is_quiet = median(result.other_cores for result in ours) <= QUIET_CORES
    is_reached = True if value >= RATE_OF_IDEAL else False if is_quiet else None
    return Goal("rate, of concurrency / latency", value, RATE_OF_IDEAL, is_reached)


def connections_goal(ours: Sequence[Result]) -> Goal:
    value = median(result.connections / max(1, result.in_flight) for result in ours)
    return below("connections, of calls in flight", value, CONNECTIONS_IN_FLIGHT)


def sealing_goal(ours: Sequence[Result], sealing: dict[str, float]) -> Goal:
    whole = median(result.submit_cpu_ms + result.total_cpu_ms for result in ours)
    share = (sealing["submit_ms"] + sealing["work_ms"]) / whole
    return below("sealing and photo storage, of all CPU", share, SEALING_SHARE)
