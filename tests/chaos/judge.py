"""Judges a run by three witnesses: the bill, the database, and what the site has accepted.

It prints its findings as JSON. The engine is not asked.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from django_faceverify.models import Verification, VerificationAttempt
from tests.chaos.settings import WORLD
from tests.crash.recovery import AT_REST
from tests.crash.witness import unfinished, violations


def main() -> None:
    folder = Path(WORLD["folder"])
    sys.stdout.write(json.dumps(judge(lines(folder / "bill"), lines(folder / "accepted"))))


def judge(bill: list[str], accepted: list[str]) -> dict[str, Any]:
    rows = list(Verification.objects.all())
    photos = dict(VerificationAttempt.objects.values_list("session_id", "photo_id"))
    charges = Counter(photos[session_id] for session_id in bill if session_id in photos)
    problems = [f"{session_id} has no attempt" for session_id in set(bill) - set(photos)]
    for row in rows:
        sessions = set(row.attempts.values_list("session_id", flat=True))
        own = [session_id for session_id in bill if session_id in sessions]
        problems += [f"{row}: {problem}" for problem in (*violations(row, own), *unfinished(row))]
    statuses = Counter(row.status for row in rows)
    return {
        "accepted": len(accepted),
        "lost": len(set(accepted) - {str(row.pk) for row in rows}),
        "stuck": sum(row.status not in AT_REST for row in rows),
        "charges": len(bill),
        "billed twice": sum(times > 1 for times in charges.values()),
        "in review": statuses["in_review"],
        "decided": statuses["verified"] + statuses["rejected"],
        "problems": problems,
    }


def lines(path: Path) -> list[str]:
    return path.read_text().split() if path.exists() else []
