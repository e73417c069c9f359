"""What bandit finds is waived where it stands, with a reason, or it is mended.

Ruff's rules ``S`` are bandit's under other letters, so one waiver serves both.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import django_faceverify

PACKAGE = Path(django_faceverify.__file__).parent


def test_bandit_finds_nothing_that_is_not_waived() -> None:
    pytest.importorskip("bandit", reason="bandit is not installed: pip install '.[dev]'")
    tests_of_others = PACKAGE / "testing"  # asserts and pickles are what it is made of
    command = [sys.executable, "-m", "bandit", "-q", "-r", str(PACKAGE), "-f", "json"]
    command += ["--exclude", str(tests_of_others)]
    command += ["--skip", "B105,B107"]  # take every text beside the word token for a password
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    report = json.loads(done.stdout)
    assert report["errors"] == []
    assert len(report["metrics"]) > 50
    bare = [
        f"{found['filename']}:{found['line_number']} {found['test_id']} {found['issue_text']}"
        for found in report["results"]
        if f"noqa: S{found['test_id'][1:]}" not in line_of(found["filename"], found["line_number"])
    ]
    assert bare == []


def line_of(path: str, number: int) -> str:
    return Path(path).read_text("utf-8").splitlines()[number - 1]
