"""A crash at every boundary of every step, and a second one at every boundary of the recovery.

After each, sweeping must bring the verification to rest, and the provider's bill must agree
with the ledger. By default a sample that is always the same, and another one on each database;
``FACEVERIFY_CRASH_FULL=1`` makes every case.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from uuid import UUID, uuid4
from zlib import crc32

import pytest
from django.db import connection

from django_faceverify import intake, sweeper
from django_faceverify import verification as engine
from django_faceverify.models import Verification
from django_faceverify.models.clock import db_now
from tests.conftest import CONSENT, IDCARD_NAME, IDCARD_NUMBER, draw_jpeg
from tests.crash.billing import SCRIPTS, BillingProvider
from tests.crash.boundaries import Life
from tests.crash.conftest import use_policy
from tests.crash.recovery import is_at_rest, let_time_pass, recover, sweep_and_drain
from tests.crash.witness import unfinished, violations, wrong_budget

pytestmark = pytest.mark.django_db(transaction=True)

IS_FULL = os.environ.get("FACEVERIFY_CRASH_FULL") == "1"
#: the short form makes one of so many cases; those of a database leave this remainder
SAMPLE, REMAINDER = {"sqlite": (12, 0), "postgresql": (24, 1), "mysql": (24, 2)}[connection.vendor]

#: the outcomes with which the recovery itself is killed as well
SCRIPTS_OF_SECOND_CRASHES = ("match", "lost_answer", "throttled")

#: what a person sends here is small, because it is sent thousands of times
PICTURE = draw_jpeg(64, 64)

#: makes a new verification as the crash finds it
Prepare = Callable[[], Verification]
Work = Callable[[Verification], object]


@pytest.fixture(params=["review", "retry", "reconcile"])
def policy(request: pytest.FixtureRequest, settings: Any) -> str:
    use_policy(settings, request.param)
    return str(request.param)


def begin(script: str) -> None:
    """The provider plays a script with an empty bill, and nothing of earlier cases is due."""
    empty_queue()
    BillingProvider.begin(*SCRIPTS[script])


def empty_queue() -> None:
    for verification in Verification.objects.filter(status="processing"):
        intake.cancel(verification, user=None)


def waiting(script: str) -> Verification:
    """A new case with a photo, waiting for a worker."""
    begin(script)
    return opened()


def opened(reference: str = "", *, with_photo: bool = True) -> Verification:
    return intake.create(
        user=None,
        idcard_name=IDCARD_NAME,
        idcard_number=IDCARD_NUMBER,
        consent=CONSENT,
        reference=reference,
        submission=photo() if with_photo else None,
    )


def photo() -> intake.Submission:
    return intake.Submission(image=PICTURE)


def run(verification: Verification) -> bool:
    return engine.run(verification.pk)


def boundaries(work: Callable[[], object]) -> list[str]:
    """All that can be died at in this work, which is done to its end."""
    life = Life()
    life.spend(work)
    return life.passed


def moments(passed: list[str], name: str, one_of: int = SAMPLE) -> Iterator[tuple[int, str]]:
    """The boundaries to die at, by their numbers, each with the name of its case."""
    for moment, boundary in enumerate(passed, start=1):
        case = f"{name}, {moment}: {boundary}"
        if IS_FULL or (crc32(case.encode()) - REMAINDER) % one_of == 0:
            yield moment, case


def assert_promises_kept(verification: Verification, case: str = "no crash") -> None:
    """At rest, explained, and paid for no more often than agreed."""
    verification.refresh_from_db()
    assert is_at_rest(verification.pk), f"{case}: stuck as {verification.status}"
    problems = [
        *violations(verification, BillingProvider.bill),
        *unfinished(verification),
        *wrong_budget("default"),
    ]
    assert not problems, f"{case}: {problems}"


def ending(verification: Verification) -> tuple[str, str]:
    verification.refresh_from_db()
    return verification.status, verification.reason_code


def undisturbed(prepare: Prepare) -> Verification:
    """How the case ends when nobody dies."""
    verification = prepare()
    recover(verification.pk)
    assert_promises_kept(verification)
    return verification


def is_in_doubt(verification: Verification) -> bool:
    """Whether a request may have left whose answer nobody has written down."""
    return verification.attempts.filter(state="sending").exists()


@pytest.mark.parametrize("is_asked", [False, True], ids=["killed", "asked"])
@pytest.mark.parametrize("script", SCRIPTS)
def test_a_worker_dies_anywhere(policy: str, script: str, is_asked: bool) -> None:
    """A case ends as without the crash, unless a request may have left without a record.

    A provider that can be asked leaves no such doubt: the case always ends the same, and is
    paid for once.
    """
    expected = ending(undisturbed(lambda: waiting(script)))
    charges = len(BillingProvider.bill)
    sample = waiting(script)
    for moment, case in moments(boundaries(lambda: run(sample)), f"{script} {policy} {is_asked}"):
        verification = waiting(script)
        Life(moment, is_asked=is_asked).spend(partial(run, verification))
        in_doubt = is_in_doubt(verification)
        recover(verification.pk)
        assert_promises_kept(verification, case)
        if policy == "reconcile":
            assert len(BillingProvider.bill) == charges <= 1, case
        if not in_doubt or policy == "reconcile":
            assert ending(verification) == expected, case
        elif policy == "review":
            assert ending(verification) == ("in_review", "outcome_unknown"), case


@pytest.mark.parametrize("script", SCRIPTS_OF_SECOND_CRASHES)
def test_the_recovery_is_killed_anywhere(policy: str, script: str) -> None:
    """Wherever it was killed at first, as far as that left something else behind."""
    sample = waiting(script)
    passed = boundaries(lambda: run(sample))
    seen = set()
    for first, name in moments(passed, f"{script} {policy}"):
        recovering = Life()
        sample = killed_at(first, script)
        if left_behind(sample) in seen:
            continue
        seen.add(left_behind(sample))
        recover(sample.pk, partial(recovering.spend, sweep_and_drain))
        for second, case in moments(recovering.passed, name):
            verification = killed_at(first, script)
            life = Life(second)
            while not life.is_over:
                let_time_pass(verification.pk)
                life.spend(sweep_and_drain)
            recover(verification.pk)
            assert_promises_kept(verification, case)
            if policy == "reconcile":
                assert ending(verification)[0] == "verified", case
                assert len(BillingProvider.bill) == 1, case


def left_behind(verification: Verification) -> tuple[object, ...]:
    """All that a recovery can tell two crashes apart by."""
    verification.refresh_from_db()
    return (
        *ending(verification),
        verification.stage,
        verification.unrecorded_count,
        *verification.attempts.order_by("number").values_list("state", flat=True),
        BillingProvider.played,
        len(BillingProvider.bill),
    )


def killed_at(moment: int, script: str) -> Verification:
    verification = waiting(script)
    Life(moment).spend(lambda: run(verification))
    return verification


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_server_is_killed_anywhere_while_a_case_is_opened(policy: str, script: str) -> None:
    """Nothing is there, or a whole case is, which the sweeper brings to its end alone."""
    expected = ending(undisturbed(lambda: waiting(script)))
    for moment, case in moments(boundaries(opened), f"open {script} {policy}"):
        begin(script)
        reference = uuid4().hex
        accepted = Life(moment).spend(partial(opened, reference))
        verification = Verification.objects.filter(reference=reference).first()
        assert verification or not accepted, f"{case}: accepted and lost"
        if verification:
            recover(verification.pk)
            assert_promises_kept(verification, case)
            assert ending(verification) == expected, case


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_server_is_killed_anywhere_while_another_photo_is_taken(policy: str, script: str) -> None:
    """The case still asks for the photo, or has it and comes to its end."""
    expected = ending(undisturbed(lambda: waiting(script)))
    sample = asked_again()
    for moment, case in moments(boundaries(lambda: send_photo(sample)), f"again {script} {policy}"):
        verification = asked_again()
        begin(script)
        accepted = Life(moment).spend(partial(send_photo, verification))
        verification.refresh_from_db()
        if verification.photo_count == 1:
            assert not accepted, f"{case}: accepted and lost"
            assert ending(verification) == ("requires_input", "no_face"), case
            continue
        recover(verification.pk)
        assert_promises_kept(verification, case)
        assert ending(verification) == expected, case


def test_a_server_is_killed_anywhere_while_a_consent_is_withdrawn(policy: str) -> None:
    """Either nothing of it has happened, or all of it; asking once more makes it so."""
    sample = waiting("match")
    for moment, case in moments(boundaries(lambda: withdraw(sample)), f"withdraw {policy}"):
        verification = waiting("match")
        accepted = Life(moment).spend(partial(withdraw, verification))
        verification.refresh_from_db()
        facts = (
            verification.status == "canceled",
            verification.redacted_at is not None,
            not verification.consents.filter(withdrawn_at=None).exists(),
        )
        assert len(set(facts)) == 1, f"{case}: {facts}"
        assert facts[0] or not accepted, f"{case}: accepted and lost"
        withdraw(verification)
        recover(verification.pk)
        assert_promises_kept(verification, case)
        assert ending(verification) == ("canceled", "consent_withdrawn"), case
        assert not verification.attempts.exists(), case


def withdraw(verification: Verification) -> Verification:
    return intake.withdraw_consent(verification, user=None)


def asked_again() -> Verification:
    """A case whose first photo showed no face."""
    verification = waiting("no_face")
    run(verification)
    verification.refresh_from_db()
    return verification


def send_photo(verification: Verification) -> Verification:
    return intake.submit(verification, photo(), user=None)


def lost_before_sending() -> Verification:
    verification = waiting("match")
    assert engine.claim_call(verification.pk)
    let_time_pass(verification.pk)
    return verification


def lost_while_sending() -> Verification:
    verification = waiting("match")
    claim = engine.claim_call(verification.pk)
    assert claim
    claim.mark_sending()
    let_time_pass(verification.pk)
    return verification


def in_doubt() -> Verification:
    """A call without an answer, of which the policy makes a question or something else."""
    verification = waiting("lost_answer")
    run(verification)
    let_time_pass(verification.pk)
    return verification


def overdue() -> Verification:
    verification = waiting("match")
    set_columns(verification.pk, deadline_at=db_now(-1))
    return verification


def abandoned() -> Verification:
    begin("match")
    verification = opened(with_photo=False)
    set_columns(verification.pk, expires_at=db_now(-1))
    return verification


def unconsented() -> Verification:
    verification = waiting("match")
    verification.consents.all().delete()
    return verification


def set_columns(verification_id: UUID, **columns: Any) -> None:
    Verification.objects.filter(pk=verification_id).update(**columns)


@pytest.mark.parametrize(
    "prepare",
    [lost_before_sending, lost_while_sending, in_doubt, overdue, abandoned, unconsented],
    ids=lambda f: f.__name__,
)
def test_a_sweeper_is_killed_anywhere(policy: str, prepare: Prepare) -> None:
    """The next sweep does what this one could not."""
    sample = prepare()
    passed = boundaries(sweeper.sweep)
    recover(sample.pk)
    expected = ending(sample)
    for moment, case in moments(passed, f"{prepare.__name__} {policy}", one_of=2):
        verification = prepare()
        Life(moment).spend(sweeper.sweep)
        sweeper.sweep()
        recover(verification.pk)
        assert_promises_kept(verification, case)
        assert ending(verification) == expected, case
