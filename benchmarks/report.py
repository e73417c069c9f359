"""Figures for people: a line for each run, a table of medians, the goals, a picture."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.goals import Goal
from benchmarks.results import Result

PACKAGES = ("django", "celery", "requests", "urllib3", "psycopg", "redis", "cryptography")
PARTS = ("worker", "postgresql", "redis")


def host() -> dict[str, Any]:
    """What the figures depend on."""
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "packages": {name: importlib.metadata.version(name) for name in PACKAGES},
    }


def as_dicts(goals: Sequence[Goal]) -> list[dict[str, Any]]:
    return [{**asdict(goal), "verdict": goal.verdict} for goal in goals]


def say(text: str = "") -> None:
    print(text, flush=True)  # noqa: T201 (this is a command)


def say_result(result: Result) -> None:
    """One line as soon as a run is over."""
    say(
        f"round {result.round}  {result.scenario!s:<34} {result.side:<24}"
        f" {result.rate:7.1f}/s {result.total_cpu_ms:7.2f} ms"
        + "".join(f"  WRONG: {mistake}" for mistake in result.mistakes)
    )


def say_table(results: Sequence[Result]) -> None:
    """Medians over the rounds."""
    say()
    say(
        f"{'':<60} {'per':>7} {'of':>6} {'CPU ms per verification':>32} {'connec-':>8} {'in':>6}"
        f" {'others':>7}\n"
        f"{'':<60} {'second':>7} {'ideal':>6} {'worker':>8} {'PG':>7} {'Redis':>7} {'total':>7}"
        f" {'tions':>8} {'flight':>6} {'cores':>7}"
    )
    for group in grouped(results):
        scenario, side = group[0].scenario, group[0].side
        parts = [median(result.cpu_ms[part] for result in group) for part in PARTS]
        share = scenario.ideal_rate and median(result.share_of_ideal or 0 for result in group)
        say(
            f"{scenario!s:<34}  {side:<24}"
            f" {median(result.rate for result in group):7.1f}"
            f" {f'{share:.2f}' if share else '-':>6}"
            f" {parts[0]:8.2f} {parts[1]:7.2f} {parts[2]:7.2f}"
            f" {median(result.total_cpu_ms for result in group):7.2f}"
            f" {median(result.connections for result in group):8.0f}"
            f" {median(result.in_flight for result in group):6.0f}"
            f" {median(result.other_cores for result in group):7.2f}"
        )


def say_submits(submits: dict[str, Any]) -> None:
    say()
    for latency, figures in submits.items():
        say(
            f"submit, provider at {latency:>3} ms: p50 {figures['p50_ms']:.1f} ms,"
            f" p95 {figures['p95_ms']:.1f} ms, CPU {figures['cpu_ms']:.1f} ms"
        )


def say_goals(goals: Sequence[Goal]) -> None:
    say()
    for goal in goals:
        say(f"{goal.name:<40} {goal.value:7.3f}   goal {goal.bound:<5} {goal.verdict}")


def grouped(results: Sequence[Result]) -> list[list[Result]]:
    """The rounds of one side in one scenario together."""
    groups: dict[tuple[Any, str], list[Result]] = {}
    for result in results:
        groups.setdefault((result.scenario, result.side), []).append(result)
    return list(groups.values())


def plot(results: Sequence[Result], path: Path) -> None:
    """CPU for one verification as stacked bars."""
    matplotlib: Any = importlib.import_module("matplotlib")
    matplotlib.use("Agg")
    pyplot: Any = importlib.import_module("matplotlib.pyplot")
    groups = grouped(results)
    labels = [f"{group[0].scenario}: {group[0].side}" for group in groups]
    figure, axes = pyplot.subplots(figsize=(10, 1 + 0.4 * len(groups)), layout="constrained")
    left = [0.0] * len(groups)
    for part in PARTS:
        widths = [median(result.cpu_ms[part] for result in group) for group in groups]
        axes.barh(labels, widths, left=left, label=part)
        left = [begin + width for begin, width in zip(left, widths, strict=True)]
    axes.invert_yaxis()
    axes.set_xlabel("CPU milliseconds per verification")
    axes.legend()
    figure.savefig(path)
