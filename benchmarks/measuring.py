"""CPU time of process trees: unlike a rate, it means the same on a busy machine."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import psutil


@dataclass(frozen=True)
class Clock:
    """One look at the clocks: how many calls were answered, and the CPU seconds until then."""

    answered: int
    at: float
    cpu: dict[str, float]
    machine_cpu: float

    def cpu_ms_since(self, start: Clock) -> dict[str, float]:
        """CPU milliseconds of each part for one verification."""
        count = self.answered - start.answered
        return {part: 1000 * (self.cpu[part] - start.cpu[part]) / count for part in self.cpu}

    def other_cores_since(self, start: Clock) -> float:
        """How many cores were busy with something that is not ours."""
        ours = sum(self.cpu.values()) - sum(start.cpu.values())
        busy = self.machine_cpu - start.machine_cpu
        return max(0.0, (busy - ours) / (self.at - start.at))


def read_clock(answered: int, parts: Mapping[str, psutil.Process]) -> Clock:
    return Clock(
        answered,
        time.monotonic(),
        {name: tree_seconds(process) for name, process in parts.items()},
        machine_seconds(),
    )


def tree_seconds(process: psutil.Process) -> float:
    """CPU seconds of a process and of its children, the ended ones included."""
    total = 0.0
    for member in [process, *process.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):  # ended just now
            total += sum(member.cpu_times()[:4])  # user and system; the same of ended children
    return total


def machine_seconds() -> float:
    """CPU seconds of everything on this machine."""
    times = psutil.cpu_times()
    return float(times.user + times.nice + times.system + times.irq + times.softirq)


def client_backends(postmaster: psutil.Process) -> int:
    """How many clients are connected, found without a query, which would be work for it."""
    count = 0
    for child in postmaster.children():
        with suppress(psutil.NoSuchProcess):
            count += "127.0.0.1(" in " ".join(child.cmdline())
    return count


def percentile(values: Sequence[float], percent: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]
