"""How much longer a page of a list takes with millions of rows: ``python -m benchmarks.lists``.

Fills a database of each size, asks each page in turns at all sizes, and compares the medians.
``--quick`` leaves out the largest size; ``--server URL`` uses a PostgreSQL server that is
there (databases ``lists_10k`` and so on, kept with ``--keep``) instead of one of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import psycopg

from benchmarks.processes import ROOT, end_what_was_started
from benchmarks.report import host, say
from tests.private_servers import Server, launch_postgresql, private_server

SIZES = {"10k": 10_000, "1m": 1_000_000, "5m": 5_000_000}
API_GOAL = 1.5
CONSOLE_GOAL = 1.3


class Site:
    """A process that answers for one database."""

    def __init__(self, size: str, environment: dict[str, str]) -> None:
        self.size = size
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.list_pages"],
            cwd=ROOT, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def ask(self, line: str) -> Any:
        assert self.process.stdin and self.process.stdout  # noqa: S101, PT018 (both are pipes)
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit(f"The site of {self.size} ended at: {line}")
        return json.loads(answer)

    def end(self) -> None:
        self.process.terminate()
        self.process.wait()


def main() -> None:
    options = read_options()
    end_what_was_started()
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmark-"))
        names = [size for size in SIZES if options.sizes is None or size in options.sizes]
        if options.quick:
            names.remove("5m")
        sites = []
        server = options.server
        if server is None and not options.sqlite:
            server = stack.enter_context(own_server())
        for name in names:
            url = (
                f"sqlite:///{options.sqlite}/lists_{name}.sqlite3"
                if options.sqlite
                else stack.enter_context(database(server, f"lists_{name}", keep=options.keep))
            )
            environment = site_environment(url, folder)
            fill(SIZES[name], environment)
            site = Site(name, environment)
            stack.callback(site.end)
            sites.append(site)
        pages = common_pages(sites, options.only)
        measured = measure(sites, pages, options.rounds)
        figures = summarize(measured, names)
        for name, figure in figures.items():
            figure["queries"] = len(sites[-1].ask(f"queries: {name}"))
        if options.plans:
            ours = [name for name in pages if goal_of(name)]
            plans = {name: sites[-1].ask(f"plans: {name}") for name in ours}
            options.plans.write_text(json.dumps(plans, indent=1))
    say_table(figures, names)
    if options.out:
        report = {"host": host(), "rounds": options.rounds, "sizes": names, "pages": figures}
        options.out.write_text(json.dumps(report, indent=1))


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lists", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="10 thousand and 1 million only")
    parser.add_argument("--sizes", nargs="+", choices=SIZES)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", default="", help="pages whose names contain this")
    parser.add_argument("--server", help="postgres://... of a server that may hold the databases")
    parser.add_argument("--sqlite", type=Path, help="a folder: SQLite instead of PostgreSQL")
    parser.add_argument("--keep", action="store_true", help="do not drop the databases at the end")
    parser.add_argument("--out", type=Path, help="all figures as JSON")
    parser.add_argument("--plans", type=Path, help="what EXPLAIN says at the largest size")
    return parser.parse_args()


def own_server() -> Any:
    return private_server(
        _launch, "postgresql://postgres@127.0.0.1:5432/postgres",
        lambda url: psycopg.connect(url).close(),
    )  # fmt: skip


def _launch(server: Server) -> list[str]:
    """A modest server; analysed once after it was filled, and left alone by vacuum."""
    return [
        *launch_postgresql(server),
        *("-c", "shared_buffers=1GB", "-c", "autovacuum=off"),
        *("-c", "max_wal_size=16GB", "-c", "checkpoint_timeout=1h"),
    ]


@contextmanager
def database(server: str, name: str, *, keep: bool) -> Iterator[str]:
    """A database of that name, made if it is not there."""
    with psycopg.connect(server, autocommit=True) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        if known.fetchone() is None:
            connection.execute(f"CREATE DATABASE {name}".encode())
    yield f"{server.rpartition('/')[0]}/{name}"
    if not keep:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def site_environment(url: str, folder: str) -> dict[str, str]:
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "benchmarks.list_settings",
        "BENCHMARK_FOLDER": folder,
        "BENCHMARK_DATABASE_URL": url,
        "BENCHMARK_BROKER_URL": "memory://",
        "BENCHMARK_CONNECTIONS": "kept" if url.startswith("postgres") else "plain",
    }


def fill(count: int, environment: dict[str, str]) -> None:
    """Make the tables and their rows, unless they are there."""
    environment = environment | {"BENCHMARK_CONNECTIONS": "plain"}
    migrate = ["-m", "django", "migrate", "--run-syncdb", "--verbosity=0", "--skip-checks"]
    rows = ["-m", "benchmarks.list_rows", str(count)]
    for arguments in (migrate, rows, ["-m", "benchmarks.list_figures"]):
        subprocess.run([sys.executable, *arguments], cwd=ROOT, env=environment, check=True)  # noqa: S603 (our own programs)


def common_pages(sites: Sequence[Site], only: str) -> list[str]:
    """The pages that every size has: a small one has no last page of what is rare."""
    names: list[list[str]] = [site.ask("?") for site in sites]
    return [name for name in names[0] if only in name and all(name in more for more in names)]


def measure(
    sites: Sequence[Site], pages: Sequence[str], rounds: int
) -> dict[str, dict[str, list[dict[str, float]]]]:
    """Each page at each size in turns, by page and size; the first time does not count.

    The peers are asked twice in all: one of their pages may take a minute.
    """
    measured: dict[str, dict[str, list[dict[str, float]]]] = {}
    for number in range(rounds + 1):
        for page in pages:
            if number > 1 and goal_of(page) is None:
                continue
            for site in sites if number % 2 else reversed(sites):
                figures = site.ask(page)
                if number:
                    measured.setdefault(page, {}).setdefault(site.size, []).append(figures)
    return measured


def summarize(measured: dict[str, Any], sizes: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Medians by page and size, and the ratio of the largest size to the smallest."""
    figures: dict[str, dict[str, Any]] = {}
    for page, by_size in measured.items():
        figure: dict[str, Any] = {}
        for kind in ("ms", "cpu_ms"):
            figure[kind] = {size: median(one[kind] for one in by_size[size]) for size in sizes}
            figure[f"{kind}_ratio"] = figure[kind][sizes[-1]] / figure[kind][sizes[0]]
        figures[page] = figure | {"goal": goal_of(page)}
    return figures


def goal_of(page: str) -> float | None:
    """How many times as long the largest size may take; nothing is asked of the peers."""
    if page.startswith("stock"):
        return None
    return API_GOAL if page.startswith("api") else CONSOLE_GOAL


def say_table(figures: dict[str, dict[str, Any]], sizes: Sequence[str]) -> None:
    say(f"{'':<44}" + "".join(f"{size:>10}" for size in sizes) + "  CPU ms   ratio   wall  queries")
    for page, figure in figures.items():
        goal, ratio = figure["goal"], figure["cpu_ms_ratio"]
        verdict = "" if goal is None else "reached" if ratio <= goal else "MISSED"
        say(
            f"{page:<44}"
            + "".join(f"{figure['cpu_ms'][size]:>10.1f}" for size in sizes)
            + f"{ratio:>16.2f} {figure['ms_ratio']:>6.2f} {figure['queries']:>8} {verdict}"
        )


if __name__ == "__main__":
    main()
