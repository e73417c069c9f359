"""What is compared, and what a run of one side gives."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Side:
    """Whose pipeline, and whether its worker keeps database connections between tasks."""

    name: str
    whose: str
    keeps_connections: bool

    def connections(self, pool: str) -> str:
        """What ``settings.CONNECTIONS`` has to be; a pool does not outlive a task in prefork."""
        if not self.keeps_connections:
            return "plain"
        return "pooled" if pool == "threads" else "kept"


OURS = Side("ours", "ours", keeps_connections=True)
NAIVE = Side("naive", "naive", keeps_connections=False)
NAIVE_KEPT = Side("naive, connections kept", "naive", keeps_connections=True)


@dataclass(frozen=True)
class Scenario:
    """What all sides are put to alike."""

    pool: str
    concurrency: int
    latency_ms: int
    is_tls: bool
    count: int

    def __str__(self) -> str:
        wire = "TLS" if self.is_tls else "plain HTTP"
        return f"{self.pool} {self.concurrency}, {self.latency_ms} ms, {wire}"

    @property
    def sides(self) -> tuple[Side, ...]:
        return (OURS, NAIVE) if self.is_tls else (OURS, NAIVE, NAIVE_KEPT)

    @property
    def ideal_rate(self) -> float | None:
        """Per second, of slots that do nothing but wait; ``None`` when there is no wait."""
        return self.concurrency / (self.latency_ms / 1000) if self.latency_ms else None


@dataclass(frozen=True)
class Result:
    """One run of one side. CPU is in milliseconds for one verification.

    ``cpu_ms`` is what the work behind the queue takes, ``submit_cpu_ms`` what it took before.
    ``connections`` and ``in_flight`` are medians over the run, ``other_cores`` is how many
    cores were busy with anything else. ``mistakes`` must be empty.
    """

    scenario: Scenario
    side: str
    round: int
    rate: float
    cpu_ms: dict[str, float]
    submit_cpu_ms: float
    connections: float
    in_flight: float
    other_cores: float
    mistakes: list[str]

    @property
    def total_cpu_ms(self) -> float:
        return sum(self.cpu_ms.values())

    @property
    def share_of_ideal(self) -> float | None:
        ideal = self.scenario.ideal_rate
        return self.rate / ideal if ideal else None

    def as_dict(self) -> dict[str, Any]:
        return {
            **asdict(self),
            "total_cpu_ms": self.total_cpu_ms,
            "share_of_ideal": self.share_of_ideal,
        }
