"""Cases that fill the queue, sent through the real engine as people would send them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from time import monotonic, sleep

from django.contrib.auth.models import User

from django_faceverify import intake, sweeper
from django_faceverify.models import Verification
from django_faceverify.models.clock import db_now
from django_faceverify.sandbox import scenario_number
from example_project.demo.pictures import drawn_face, portrait

Status = Verification.Status

#: seconds after which unfinished cases are left to the workers
PATIENCE = 60.0

#: invented, as John and Jane Doe are
NAMES = ("张三", "李四", "王五", "赵六", "孙七", "周八", "吴九", "郑十", "陈小明", "林小红")

ALWAYS_THROTTLED = "030"


@dataclass(frozen=True)
class Case:
    """One person's case: what the provider will answer, and what happens besides.

    ``then`` is what somebody does in the end: ``cancel``, ``expire``, or a reviewer's
    ``verify``, ``reject`` or ``retry`` with its reason.
    """

    scenario: str = "001"
    photos: int = 1
    then: str = ""
    reason: str = ""
    picture: str = ""
    level: str = "default"


CASES: tuple[Case, ...] = (
    Case(picture="grace_hopper.jpg"),
    Case("002", picture="astronaut.jpg"),
    *[Case()] * 7,
    Case("031"),
    Case("041"),
    *[Case("002")] * 6,
    *[Case("005")] * 2,
    *[Case("006")] * 2,
    Case("043"),
    Case("044"),
    Case("047"),
    *[Case("003", photos=3)] * 2,
    Case("003", photos=2),
    Case("003"),
    *[Case("004")] * 2,
    *[Case("010")] * 2,
    Case("011"),
    Case("012"),
    Case(photos=0),
    Case(ALWAYS_THROTTLED),
    Case(photos=0, then="cancel"),
    Case("002", then="cancel"),
    *[Case(photos=0, then="expire")] * 2,
    Case("002", then="verify", reason="same_person"),
    Case("006", then="verify", reason="confirmed_by_document"),
    Case("002", then="reject", reason="different_person"),
    Case("002", then="retry", reason="better_photo_needed"),
    *[Case("002", level="careful")] * 2,
    Case("005", level="careful"),
    Case("002", level="careful", then="verify", reason="same_person"),  # waits for a second one
)


def fill_queue(users: Sequence[User], reviewer: User) -> int:
    """Send through every case that is not there yet; returns how many were new."""
    known = set(
        Verification.objects.filter(reference__in=_references()).values_list("reference", flat=True)
    )
    new = [
        (number, case) for number, case in enumerate(CASES, 1) if _reference(number) not in known
    ]
    opened = {number: _open(number, case, users[number % len(users)]) for number, case in new}
    for round_ in range(1, max((case.photos for _, case in new), default=0) + 1):
        for number, case in new:
            _send_photo(opened[number], number, case, round_)
        _work_off(opened[number] for number, case in new if case.scenario != ALWAYS_THROTTLED)
    for number, case in new:
        if case.then:
            _finish(opened[number], case, reviewer)
    return len(new)


def _references() -> list[str]:
    return [_reference(number) for number, _ in enumerate(CASES, 1)]


def _reference(number: int) -> str:
    return f"demo-{number:02}"


def _open(number: int, case: Case, user: User) -> Verification:
    born = date(1962, 3, 1) + timedelta(days=293 * number)
    return intake.create(
        user=user,
        idcard_name=NAMES[number % len(NAMES)],
        idcard_number=scenario_number(case.scenario, f"{born:%Y%m%d}"),
        reference=_reference(number),
        level=case.level,
        consent={"text_version": "demo-1", "granted": True},
    )


def _send_photo(verification: Verification, number: int, case: Case, round_: int) -> None:
    verification.refresh_from_db()
    if round_ > case.photos or verification.status != Status.REQUIRES_INPUT:
        return
    image = portrait(case.picture) if case.picture else drawn_face(number)
    intake.submit(verification, intake.Submission(image=image), user=verification.user)


def _work_off(verifications: Iterable[Verification]) -> None:
    """Work until all are answered, beside the workers if there are any."""
    ids = [verification.pk for verification in verifications]
    waiting = Verification.objects.filter(pk__in=ids, status=Status.PROCESSING)
    end = monotonic() + PATIENCE
    while waiting.exists() and monotonic() < end:
        if not sweeper.drain(seconds=1.0):
            sleep(0.1)


def _finish(verification: Verification, case: Case, reviewer: User) -> None:
    verification.refresh_from_db()
    endings: dict[str, Callable[[], object]] = {
        "cancel": lambda: intake.cancel(verification, user=verification.user),
        "expire": lambda: _expire(verification),
    }
    if case.then in endings:
        endings[case.then]()
    elif verification.status == Status.IN_REVIEW:
        intake.review(verification, reviewer=reviewer, decision=case.then, reason_code=case.reason)


def _expire(verification: Verification) -> None:
    """Let the day pass that a person has for a first photo."""
    Verification.objects.filter(pk=verification.pk).update(expires_at=db_now(-1))
    sweeper.sweep()
