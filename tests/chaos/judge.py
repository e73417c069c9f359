"""Judges a run by three witnesses: the provider's bill, the database, the site's list of ids.

It asks the database in SQL and imports nothing of the app, so that it cannot share its errors.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from tests.databases import connected

#: where a verification waits for nobody, for a reviewer, or for the person
AT_REST = {"verified", "rejected", "canceled", "expired", "in_review", "requires_input"}
#: how often one photo may be paid for, by policy
MOST_CHARGES = {"review": 1, "retry": 2, "reconcile": 1}
#: a call that ended after the run's lease was ended by the sweeper
LEASE_MS = 10_000


class Attempt(NamedTuple):
    session_id: str
    verification: UUID
    photo: UUID
    state: str
    is_billed: str
    duration_ms: int


def judge(folder: Path, database_url: str, policy: str) -> dict[str, Any]:
    """What there is to be counted, and under ``problems`` what must not be."""
    bill = [line.split() for line in lines(folder / "bill")]
    accepted = {UUID(line) for line in lines(folder / "accepted")}
    with connected(database_url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT id, status FROM django_faceverify_verification")
        cases: dict[UUID, str] = dict(cursor.fetchall())
        cursor.execute(
            "SELECT session_id, verification_id, photo_id, state, is_billed, coalesce(duration_ms, 0)"
            " FROM django_faceverify_verificationattempt ORDER BY number"
        )
        attempts = [Attempt(*row) for row in cursor.fetchall()]
        cursor.execute(
            "SELECT verification_id, count(*) FROM django_faceverify_event"
            " WHERE action IN ('verified', 'rejected') GROUP BY 1 HAVING count(*) > 1"
        )
        decided_twice = [str(row[0]) for row in cursor.fetchall()]
    charges = Counter(session_id for session_id, _ in bill)
    paid: dict[UUID, list[str]] = defaultdict(list)
    for attempt in attempts:
        paid[attempt.photo] += [attempt.session_id] * charges[attempt.session_id]
    twice = {photo: sessions for photo, sessions in paid.items() if len(sessions) > 1}
    statuses = Counter(cases.values())
    return {
        "accepted": len(accepted),
        "lost": len(accepted - set(cases)),
        "stuck": sum(status not in AT_REST for status in cases.values()),
        "charges": len(bill),
        "billed twice": len(twice),
        "of which": dict(causes(twice, dict(bill), attempts)),
        "turned away": len(lines(folder / "bill.turned_away")),
        "decided": statuses["verified"] + statuses["rejected"],
        "in review": statuses["in_review"],
        "paid 0/1/2": "/".join(str(count) for count in spread(paid, cases, attempts)),
        "problems": [
            *(f"{case} was decided more than once" for case in decided_twice),
            *(f"{call} was charged and has no attempt" for call in charges.keys() - ids(attempts)),
            *(f"{call} was charged {count} times" for call, count in charges.items() if count > 1),
            *(
                f"photo {photo} was paid for {len(sessions)} times"
                for photo, sessions in twice.items()
                if len(sessions) > MOST_CHARGES[policy]
            ),
            *wrong_ledger(attempts, charges),
        ],
    }


def causes(
    twice: dict[UUID, list[str]], fates: dict[str, str], attempts: list[Attempt]
) -> Counter[str]:
    """Why a photo was paid for again: what became of the answer to the first charge."""
    durations = {attempt.session_id: attempt.duration_ms for attempt in attempts}

    def cause(session_id: str) -> str:
        if durations[session_id] >= LEASE_MS:
            return "worker killed"
        return "answer too late" if fates[session_id] == "answer" else "answer lost"

    return Counter(cause(sessions[0]) for sessions in twice.values())


def spread(
    paid: dict[UUID, list[str]], cases: dict[UUID, str], attempts: list[Attempt]
) -> list[int]:
    """How many verifications were paid for never, once, twice."""
    photos = {attempt.photo: attempt.verification for attempt in attempts}
    by_case = Counter(photos[photo] for photo, sessions in paid.items() for _ in sessions)
    counts = Counter(by_case[case] for case in cases)
    return [counts[times] for times in range(max(2, *counts) + 1)]


def wrong_ledger(attempts: list[Attempt], charges: Counter[str]) -> list[str]:
    """Where what was written down is not what was charged."""
    problems = []
    for attempt in attempts:
        is_charged = attempt.session_id in charges
        if attempt.state in ("intent", "sending"):
            problems.append(f"{attempt.session_id} was left as {attempt.state}")
        if is_charged and (attempt.state not in ("answered", "unknown")):
            problems.append(f"{attempt.session_id} was charged but stands as {attempt.state}")
        if (attempt.is_billed == "yes") != (attempt.state == "answered" and is_charged):
            problems.append(f"{attempt.session_id} is billed by the ledger: {attempt.is_billed}")
    return problems


def ids(attempts: list[Attempt]) -> set[str]:
    return {attempt.session_id for attempt in attempts}


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []
