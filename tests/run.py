# ruff: noqa: T201 (it talks to people)
"""Runs every test that this machine can run: ``python -m tests.run`` (or ``make test``).

The whole suite runs on SQLite, and beside it the tests with real processes, brokers and
databases, which mostly wait. What touches the database runs again on PostgreSQL and MariaDB.
Where each service is looked for, and which must not be missing, stands in ``tests/services.py``.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn
from xml.etree import ElementTree

from tests.databases import drop_databases, url_of
from tests.private_servers import Unavailable
from tests.services import REQUIRE, SERVICES, place, required

ROOT = Path(__file__).parent.parent
PYTEST_FOUND_NO_TESTS = 5
SECONDS_TO_END = 30
#: tests wait for processes, browsers and servers, so that a core has time for two
TESTS_AT_A_TIME = min(4, 2 * (os.cpu_count() or 1))


@dataclass(frozen=True)
class Run:
    """One run of pytest: the tests that it takes, and the services that they are about."""

    name: str
    title: str
    marks: str
    services: tuple[str, ...] = ()
    #: the service that takes the place of SQLite
    database: str = ""


ON_ANY_DATABASE = "database and not services and not browser and not one_database"
ON_THIS_MACHINE = ("chromium", "local")
SERVERS = ("postgresql", "mariadb", "redis", "rabbitmq")
RUNS = {
    run.name: run
    for run in (
        Run("all", "Everything, on SQLite", "", (*ON_THIS_MACHINE, *SERVERS)),
        Run(
            "postgresql",
            "What touches the database, on PostgreSQL",
            ON_ANY_DATABASE,
            ("postgresql",),
            database="postgresql",
        ),
        Run(
            "mariadb",
            "What touches the database, on MariaDB",
            ON_ANY_DATABASE,
            ("mariadb",),
            database="mariadb",
        ),
        Run("sqlite", "The suite on SQLite", "not services", ON_THIS_MACHINE),
        Run("services", "Real processes, brokers and databases", "services", SERVERS),
    )
}
#: what makes a whole; the other two are the halves of the first
WHOLE = ("all", "postgresql", "mariadb")


@dataclass(frozen=True)
class Count:
    """How many tests ended how."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"

    def __add__(self, other: Count) -> Count:
        return Count(
            self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped
        )


class Terminated(KeyboardInterrupt):
    """Told to end by another process; unlike with Ctrl-C, pytest was not told."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Look for the services, make the runs, say how it went; returns the exit code."""
    options, pytest_arguments = parse(arguments)
    signal.signal(signal.SIGTERM, terminate)
    names = [options.only] if options.only else ["sqlite"] if options.short else WHOLE
    session = Session([RUNS[name] for name in names], options.marks, pytest_arguments)
    try:
        with ExitStack() as stack:
            session.find_services(stack)
            session.make_runs()
    except Unavailable as error:
        session.complaints.append(str(error))
    except KeyboardInterrupt:
        session.complaints.append("Interrupted.")
    session.report()
    return 0 if session.is_passed else 1


def parse(arguments: Sequence[str] | None) -> tuple[argparse.Namespace, list[str]]:
    parser = argparse.ArgumentParser(
        prog="python -m tests.run",
        description="Run every test that this machine can run.",
        epilog="All other arguments go to pytest.",
        allow_abbrev=False,
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--short", action="store_true", help="the run on SQLite only")
    which.add_argument("--only", choices=RUNS, help="one run only")
    parser.add_argument("-m", dest="marks", metavar="MARKS", help="as in pytest, for every run")
    return parser.parse_known_args(arguments)


def terminate(*_: object) -> NoReturn:
    raise Terminated


class Session:
    """What one call of this program found out."""

    def __init__(self, runs: list[Run], marks: str | None, pytest_arguments: list[str]) -> None:
        self.runs = runs
        self.marks = marks
        self.pytest_arguments = pytest_arguments
        self.urls: dict[str, str] = {}
        self.absences: dict[str, str] = {}
        self.counts: dict[str, Count] = {}
        self.complaints: list[str] = []

    def find_services(self, stack: ExitStack) -> None:
        """Find or start what the runs are about; what is required must be there."""
        wanted = required().union(*(run.services for run in self.runs))
        for name, service in SERVICES.items():
            if name in wanted:
                try:
                    self.urls[name] = stack.enter_context(service.running())
                except Unavailable as error:
                    self.absences[name] = str(error)
        if missing := required() & set(self.absences):
            reasons = "; ".join(f"{name}: {self.absences[name]}" for name in sorted(missing))
            raise Unavailable(f"{REQUIRE} names what is not available. {reasons}")

    def make_runs(self) -> None:
        for run in self.runs:
            if run.database in self.absences:
                continue
            print(f"\n=== {run.title}", flush=True)
            self.make_run(run)

    def make_run(self, run: Run) -> None:
        """Run pytest; what it leaves behind on a database server is removed."""
        database = f"faceverify_{uuid.uuid4().hex[:12]}"
        environment = {**os.environ, "DATABASE_URL": ""}
        environment |= {SERVICES[name].variable: url for name, url in self.urls.items()}
        if run.database:
            environment["DATABASE_URL"] = url_of(self.urls[run.database], database)
        with tempfile.TemporaryDirectory(prefix="faceverify-run-") as folder:
            results = Path(folder) / "results.xml"
            try:
                exit_code = call([*self.command(run), f"--junitxml={results}"], environment)
            finally:
                self.counts[run.name] = self.judge(run, results)
                if run.database:
                    drop_databases(self.urls[run.database], database)
        if exit_code not in (0, PYTEST_FOUND_NO_TESTS) and not self.counts[run.name].failed:
            self.complaints.append(f"{run.title}: pytest ended with {exit_code}.")

    def command(self, run: Run) -> list[str]:
        marks = " and ".join(f"({marks})" for marks in (run.marks, self.marks) if marks)
        spread = ["-n", str(TESTS_AT_A_TIME), "--dist", "worksteal"]
        return [sys.executable, "-m", "pytest", "-q", *spread, "-m", marks, *self.pytest_arguments]

    def judge(self, run: Run, results: Path) -> Count:
        """Count what pytest wrote down; skipping what is required is a failure."""
        if not results.exists():
            return Count(failed=1)
        suites = list(ElementTree.parse(results).iter("testsuite"))
        tests, failures, errors, skipped = (
            sum(int(suite.get(kind, 0)) for suite in suites)
            for kind in ("tests", "failures", "errors", "skipped")
        )
        for name in sorted(required() & set(run.services)):
            for reason in skip_reasons(suites, name):
                self.complaints.append(f"{run.title}: a test of {name} was skipped: {reason}")
        failed = failures + errors
        return Count(tests - failed - skipped, failed, skipped)

    @property
    def total(self) -> Count:
        return sum(self.counts.values(), Count())

    @property
    def is_passed(self) -> bool:
        return self.total.passed > 0 and not self.total.failed and not self.complaints

    def report(self) -> None:
        """Services, runs and complaints, a line each; the total is the last line."""
        print("\n=== Services")
        for name in SERVICES:
            if name in self.urls:
                print(f"{name:<12} used ({place(self.urls[name])})")
            elif name in self.absences:
                print(f"{name:<12} not available: {self.absences[name]}")
        print("\n=== Runs")
        for run in self.runs:
            print(f"{run.title:<42} {self.counts.get(run.name, 'not run')}")
        print(*(f"\n{complaint}" for complaint in self.complaints), sep="")
        print(self.total, flush=True)


def call(command: list[str], environment: dict[str, str]) -> int:
    """Run a program to its end, also when we are told to stop meanwhile."""
    process = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:
        return process.wait()
    except KeyboardInterrupt as interruption:
        if isinstance(interruption, Terminated):
            process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(SECONDS_TO_END)
        raise
    finally:
        process.kill()
        process.wait()


def skip_reasons(suites: list[ElementTree.Element], name: str) -> Iterator[str]:
    """Why tests were skipped, as far as it has to do with the service of that name."""
    for suite in suites:
        for skipped in suite.iter("skipped"):
            reason = skipped.get("message") or ""
            if name in reason.lower():
                yield reason


if __name__ == "__main__":
    sys.exit(main())
