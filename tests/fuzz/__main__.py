# ruff: noqa: T201 (it talks to people)
"""The long form: ``python -m tests.fuzz`` (or ``make fuzz``).

Starts the example project, lets schemathesis ask as each role, and tells the counts.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from time import monotonic

from tests.fuzz.fuzzing import ROLES, fuzz
from tests.fuzz.site import running_example

#: the least that a whole run has to ask
LEAST_CASES = 5000


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--examples", type=int, default=5, help="for each operation and phase")
    parser.add_argument("--role", choices=ROLES, action="append", help="all unless told")
    options = parser.parse_args()
    outcomes = []
    with tempfile.TemporaryDirectory(prefix="faceverify-fuzz-") as name:
        folder = Path(name)
        with running_example(folder / "example") as site:
            for role in options.role or ROLES:
                began = monotonic()
                outcome = fuzz(site, role, folder, examples=options.examples)
                outcomes.append(outcome)
                state = "good" if outcome.is_passed else "FAILED"
                seconds = monotonic() - began
                print(f"{role:<10} {outcome.cases:>6} cases {seconds:>6.0f} s  {state}", flush=True)
                if not outcome.is_passed:
                    print(outcome.output)
            faults = site_faults(folder / "example")
    cases = sum(outcome.cases for outcome in outcomes)
    print(f"{'all':<10} {cases:>6} cases; {len(faults)} faults in the log")
    print(*faults[:20], sep="\n")
    is_enough = bool(options.role) or cases >= LEAST_CASES
    is_good = all(outcome.is_passed for outcome in outcomes) and not faults
    return 0 if is_good and is_enough else 1


def site_faults(folder: Path) -> list[str]:
    """What the site's log tells of faults of its own."""
    log = folder / "site.log"
    lines = log.read_text("utf-8", "replace").splitlines() if log.exists() else []
    return [line for line in lines if " ERROR " in line or "Traceback" in line]


if __name__ == "__main__":
    sys.exit(main())
