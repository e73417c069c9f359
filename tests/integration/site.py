"""A site as a process of its own: does what the lines on its standard input ask for.

A line is a JSON object with the name of an action and its facts; the answer is a line, too.
"""

from __future__ import annotations

import json
import os
import random
import sys
import traceback
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.integration.settings")
django.setup()

# Django has to be set up before these can be imported.
from django.core.management import call_command  # noqa: E402

from django_faceverify import intake, sweeper, tasks, verification  # noqa: E402
from django_faceverify.models import ProviderHealth, ShadowRun, Verification  # noqa: E402
from django_faceverify.models.clock import db_now  # noqa: E402
from tests.integration.worker_app import app  # noqa: E402, F401 (tasks are sent through it)
from tests.photos import jpeg  # noqa: E402


def migrate() -> None:
    call_command("migrate", verbosity=0)


def create(people: list[dict[str, str]]) -> list[str]:
    """Submit a verification with a photo for each; their references tell them apart."""
    photo = jpeg()
    return [
        str(
            intake.create(
                user=None,
                idcard_name=person["name"],
                idcard_number=person["number"],
                reference=person["reference"],
                consent={"text_version": "demo-1", "granted": True},
                submission=intake.Submission(image=photo),
            ).pk
        )
        for person in people
    ]


def wake(verification_id: str, times: int) -> None:
    """Send the message about one verification that often."""
    for _ in range(times):
        tasks.verify.apply_async((verification_id,))


def send_sweep() -> None:
    tasks.sweep.apply_async()


def sweep() -> int:
    return sweeper.sweep()


def drain() -> int:
    return sweeper.drain(seconds=5)


def claim(ids: list[str]) -> list[str]:
    """Try to win each of them, in an order of its own; those that were won."""
    return [pk for pk in random.sample(ids, len(ids)) if verification.claim_call(pk)]


def end_leases() -> None:
    """Let the time be over that vanished workers had."""
    Verification.objects.filter(stage="calling").update(lease_until=db_now(-1))


def end_waits() -> None:
    """Let all waits be over, those for a provider that is paused too."""
    ProviderHealth.objects.filter(open_until__isnull=False).update(open_until=db_now(-1))
    Verification.objects.filter(stage="waiting").update(next_run_at=db_now())


def pass_deadline(verification_id: str) -> None:
    Verification.objects.filter(pk=verification_id).update(deadline_at=db_now(-1))


def end_shadow_waits() -> None:
    """Let all waits and leases of shadows be over."""
    ShadowRun.objects.filter(state__in=("waiting", "calling")).update(due_at=db_now(-1))


def report_shadows() -> dict[str, Any]:
    """What became of each case at the second provider, by its reference."""
    return {
        run.verification.reference: {
            "state": run.state,
            "verdicts": [run.case_verdict, run.verdict],
            "lines": [run.verify_at, run.review_at],
            "attempts": list(
                run.verification.attempts.of_a_shadow()
                .order_by("number")
                .values("session_id", "provider_session_id", "state", "is_billed", "provider")
            ),
        }
        for run in ShadowRun.objects.select_related("verification")
    }


def report() -> dict[str, Any]:
    """Every verification by its reference, with its attempts in order."""
    return {
        case.reference: {
            "id": str(case.pk),
            "status": case.status,
            "reason_code": case.reason_code,
            "stage": case.stage,
            "similarity": case.similarity,
            "attempts": list(
                case.attempts.of_the_case()
                .order_by("number")
                .values("session_id", "provider_session_id", "state", "is_billed")
            ),
        }
        for case in Verification.objects.prefetch_related("attempts")
    }


ACTIONS = {
    action.__name__: action
    for action in (
        migrate, create, wake, send_sweep, sweep, drain, claim, end_leases, end_waits,
        pass_deadline, report, report_shadows, end_shadow_waits,
    )
}  # fmt: skip


def main() -> None:
    for line in sys.stdin:
        request = json.loads(line)
        action = ACTIONS[request.pop("action")]
        answer: dict[str, Any]
        try:
            answer = {"result": action(**request)}
        except Exception:  # noqa: BLE001 (whatever it is, the test shall show it)
            answer = {"error": traceback.format_exc()}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
