"""The engine against a model of a few lines, under whatever order of events there may be.

The rules are what people, workers, providers, clocks and crashes can do. Workers may be paused
anywhere for any time, so answers come late, twice over, or after somebody else took over.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from django_faceverify import inquiry, intake, outcome, sweeper
from django_faceverify import verification as engine
from django_faceverify.audit import policy as policy_versions
from django_faceverify.conf import app_settings
from django_faceverify.exceptions import Conflict, OutcomeUnknown, ProviderError
from django_faceverify.models import Verification
from django_faceverify.models.clock import db_now
from django_faceverify.providers.base import NeverSeen
from tests.conftest import CONSENT, IDCARD_NAME, IDCARD_NUMBER
from tests.crash.billing import (
    BETWEEN,
    LOST_ANSWER,
    LOST_REQUEST,
    MATCH,
    MISMATCH,
    NO_CONTRACT,
    NO_FACE,
    NOT_CONNECTED,
    REFUSED,
    REGISTRY_GAP,
    THROTTLED,
    WRONG_NAME,
    BillingProvider,
    Reply,
)
from tests.crash.boundaries import Life
from tests.crash.conftest import use_policy
from tests.crash.witness import violations

pytestmark = pytest.mark.django_db(transaction=True)

IS_FULL = os.environ.get("FACEVERIFY_CRASH_FULL") == "1"
#: the rules are the same on every database; what is asked of the others is that the SQL is, too
SHORT = 100 if connection.vendor == "sqlite" else 40
#: for each of the three policies
RUNS = settings(
    max_examples=1000 if IS_FULL else SHORT,
    stateful_step_count=50 if IS_FULL else 30,
    deadline=None,
    database=None,
    derandomize=not IS_FULL,
    phases=(Phase.generate, Phase.shrink) if IS_FULL else (Phase.generate,),
    suppress_health_check=list(HealthCheck),
)

MAX_PHOTOS, MAX_SUBMISSIONS = 3, 10
#: fewer than the engine's, so that runs of a few steps come there
MAX_UNRECORDED = 3

Rule = TypeVar("Rule", bound=Callable[..., Any])

ADDRESS = intake.Submission(url="https://example.com/face.jpg")
REPLIES = [
    *(LOST_ANSWER, THROTTLED, MISMATCH, MATCH, NOT_CONNECTED, NO_FACE, BETWEEN, WRONG_NAME),
    *(REGISTRY_GAP, REFUSED, LOST_REQUEST, NO_CONTRACT),
]
FINDINGS = {id(BETWEEN): "in_review", id(REGISTRY_GAP): "in_review", id(MATCH): "verified"}
FINAL = {"verified", "rejected", "canceled", "expired"}


@dataclass(eq=False)
class Case:
    """The model: what must be true of one verification, in the fewest words."""

    pk: UUID
    status: str = "requires_input"
    stage: str | None = None
    is_due: bool = False
    is_overdue: bool = False
    unrecorded: int = 0
    photos: int = 0
    tries: int = 0
    #: for each photo, the states of its attempts
    attempts: list[list[str]] = field(default_factory=list)

    def submit(self) -> None:
        self.status, self.stage = "processing", "waiting"
        self.is_due, self.is_overdue, self.unrecorded = True, False, 0
        self.photos += 1
        self.attempts.append([])

    def can_be_claimed(self) -> bool:
        return self.stage == "waiting" and self.is_due and not self.is_overdue

    def claim(self) -> None:
        self.stage = "calling"
        self.unrecorded += 1
        self.attempts[-1].append("intent")

    def settle(self, status: str) -> None:
        self.status, self.stage = status, None

    def wait_or(self, is_over: bool) -> None:
        if is_over:
            self.settle("in_review")
        else:
            self.stage, self.is_due = "waiting", False

    def lose_worker(self) -> None:
        """The sweeper judges the attempt that a worker left behind."""
        photo = self.attempts[-1]
        photo[-1] = {"intent": "not_sent", "sending": "unknown"}[photo[-1]]
        self.fail(is_unknown=photo[-1] == "unknown")

    def fail(self, *, is_unknown: bool) -> None:
        """A call that said nothing about the person."""
        will_ask = is_unknown and app_settings.UNKNOWN_POLICY == "reconcile"
        is_spent = is_unknown and not will_ask and self.is_spent()
        self.wait_or(is_spent or self.unrecorded >= MAX_UNRECORDED)
        if will_ask and self.status == "processing":
            self.stage = "unknown"

    def is_spent(self) -> bool:
        maybe_billed = [s for s in self.attempts[-1] if s in ("sending", "answered", "unknown")]
        return len(maybe_billed) >= app_settings.max_possibly_billed_calls

    def pass_deadline(self) -> None:
        if self.is_overdue and self.stage == "waiting":
            self.settle("in_review")

    def hear(self, reply: Reply) -> None:
        """The answer to the call that is under way."""
        self.unrecorded = 0
        if isinstance(reply.ending, ProviderError):
            self.fail(is_unknown=isinstance(reply.ending, OutcomeUnknown))
        elif id(reply) in FINDINGS:
            self.settle(FINDINGS[id(reply)])
        else:
            self.ask_again(counts=reply is not NO_FACE)

    def lose_asker(self) -> None:
        """Who asked did not come back; of those who did, one too many is one too many."""
        self.unrecorded += 1

    def learn(self, reply: Reply | None) -> None:
        """What the provider says when it is asked, if it knows by now."""
        if self.unrecorded >= MAX_UNRECORDED:
            self.settle("in_review")
        elif reply is None:
            if self.is_overdue:
                self.settle("in_review")
        elif reply.record == NeverSeen():
            self.attempts[-1][-1] = "not_sent"
            self.fail(is_unknown=False)
        else:
            self.attempts[-1][-1] = "answered"
            self.hear(MATCH if isinstance(reply.ending, Exception) else reply)

    def ask_again(self, *, counts: bool) -> None:
        self.tries += counts
        if counts and self.tries >= MAX_PHOTOS:
            self.settle("rejected")
        else:
            self.settle("in_review" if self.photos >= MAX_SUBMISSIONS else "requires_input")


@dataclass(eq=False)
class Worker:
    """A worker that has won a claim and may be paused anywhere from there on."""

    case: Case
    claim: engine.Claim
    photo: int
    attempt: int
    reply: Reply = NOT_CONNECTED

    @property
    def state(self) -> str:
        return self.case.attempts[self.photo][self.attempt]

    @state.setter
    def state(self, state: str) -> None:
        self.case.attempts[self.photo][self.attempt] = state

    def holds_claim(self) -> bool:
        """Nobody has claimed the case since."""
        attempts = self.case.attempts
        return (self.photo, self.attempt) == (len(attempts) - 1, len(attempts[-1]) - 1)


def when(*statuses: str) -> Callable[[Rule], Rule]:
    """The rule is open while the case has one of these statuses."""
    decorate: Callable[[Rule], Rule] = precondition(lambda self: self.case.status in statuses)
    return decorate


when_claimable: Callable[[Rule], Rule] = precondition(lambda self: self.case.can_be_claimed())
when_in_doubt: Callable[[Rule], Rule] = precondition(lambda self: self.case.stage == "unknown")


class Engine(RuleBasedStateMachine):
    """One case after another; workers of earlier ones may still come back.

    Few rules are open at any moment, so that short runs come far. A worker that is never
    heard of again is one that no rule chooses any more.
    """

    claimed = Bundle("claimed")
    sent = Bundle("sent")

    def __init__(self) -> None:
        super().__init__()
        BillingProvider.begin(MATCH)
        self.touched: set[Case] = set()
        self.cases: list[Case] = []
        self.reviewer, _ = get_user_model().objects.get_or_create(username="reviewer")
        self.open()

    def open(self) -> None:
        verification = intake.create(
            user=None,
            idcard_name=IDCARD_NAME,
            idcard_number=IDCARD_NUMBER,
            consent=CONSENT,
        )
        self.case = Case(verification.pk)
        self.cases.append(self.case)
        self.submit()

    def row(self) -> Verification:
        self.touched.add(self.case)
        return Verification.objects.get(pk=self.case.pk)

    def set_columns(self, **columns: Any) -> None:
        Verification.objects.filter(pk=self.case.pk).update(**columns)

    # People

    @when(*FINAL)
    @rule()
    def open_another(self) -> None:
        self.open()

    @when("requires_input")
    @rule()
    def submit(self) -> None:
        intake.submit(self.row(), ADDRESS, user=None)
        self.case.submit()

    @when("requires_input", "processing", "in_review")
    @rule()
    def cancel(self) -> None:
        intake.cancel(self.row(), user=None)
        self.case.settle("canceled")

    @when("requires_input", "processing", "in_review")
    @rule()
    def withdraw_consent(self) -> None:
        intake.withdraw_consent(self.row(), user=None)
        self.case.settle("canceled")

    @when("in_review")
    @rule(decision=st.sampled_from(["verify", "reject", "retry"]))
    def review(self, decision: str) -> None:
        reason = {"verify": "same_person", "reject": "different_person"}
        intake.review(
            self.row(),
            reviewer=self.reviewer,
            decision=decision,
            reason_code=reason.get(decision, "better_photo_needed"),
        )
        after = {"verify": "verified", "reject": "rejected", "retry": "requires_input"}
        self.case.settle(after[decision])

    # Workers

    @when_claimable
    @rule(target=claimed)
    def claim(self) -> Worker:
        claim = engine.claim_call(self.row().pk)
        assert claim is not None
        self.case.claim()
        return Worker(
            self.case, claim, len(self.case.attempts) - 1, len(self.case.attempts[-1]) - 1
        )

    @when_claimable
    @rule(moment=st.integers(1, 40))
    def die_over_a_claim(self, moment: int) -> None:
        life, pk = Life(moment), self.row().pk
        life.spend(lambda: engine.claim_call(pk))
        if "after _commit" in life.passed:
            self.case.claim()

    @rule(target=sent, worker=consumes(claimed), reply=st.sampled_from(REPLIES))
    def send(self, worker: Worker, reply: Reply) -> Any:
        self.touched.add(worker.case)
        if not reply.is_sent:
            self.hear(worker)
            return multiple()
        may_send = (
            worker.state == "intent" and worker.holds_claim() and worker.case.stage == "calling"
        )
        try:
            worker.claim.mark_sending()
        except engine.Overtaken:
            assert not may_send
            return multiple()
        assert may_send
        worker.state, worker.reply = "sending", reply
        BillingProvider.received[worker.claim.attempt.session_id] = reply
        if reply.is_billed:
            BillingProvider.bill.append(worker.claim.attempt.session_id)
        return worker

    @rule(worker=consumes(sent))
    def answer(self, worker: Worker) -> None:
        self.hear(worker)

    @rule(worker=consumes(sent))
    def answer_after_the_lease(self, worker: Worker) -> None:
        """A worker was paused until somebody took over; rare by chance alone."""
        if worker.case is self.case and self.case.stage == "calling":
            self.time_passes()
        self.hear(worker)

    def hear(self, worker: Worker) -> None:
        """The worker records what it heard, in time or long after it was given up."""
        self.touched.add(worker.case)
        engine.record(worker.claim, worker.reply.ending)  # type: ignore[arg-type]
        is_late, is_open = worker.state == "unknown", worker.state in ("intent", "sending")
        if is_late or is_open:
            worker.state = getattr(worker.reply.ending, "attempt_state", "answered")
        is_news = worker.state == "answered" or worker.case.stage == "unknown" != worker.state
        decides = is_open or (is_late and is_news and worker.holds_claim())
        if decides and worker.case.status == "processing":
            worker.case.hear(worker.reply)

    @when_claimable
    @rule(reply=st.sampled_from(REPLIES))
    def run(self, reply: Reply) -> None:
        """A message is delivered, and nothing comes between."""
        BillingProvider.script = (reply,)
        assert engine.run(self.row().pk)
        self.case.claim()
        self.case.attempts[-1][-1] = getattr(reply.ending, "attempt_state", "answered")
        self.case.hear(reply)

    # Questions

    @when_in_doubt
    @rule(knows=st.booleans())
    def ask(self, knows: bool) -> None:
        is_one_too_many = self.case.unrecorded >= MAX_UNRECORDED
        reply = self.make_askable(knows=knows)
        assert inquiry.ask(self.case.pk) != is_one_too_many
        self.case.learn(reply)

    @when_in_doubt
    @rule(knows=st.booleans(), moment=st.integers(1, 40))
    def die_over_a_question(self, knows: bool, moment: int) -> None:
        reply, life = self.make_askable(knows=knows), Life(moment)
        life.spend(lambda: inquiry.ask(self.case.pk))
        commits = life.passed.count("after _commit")
        if commits == 2 or (commits == 1 and self.case.unrecorded >= MAX_UNRECORDED):
            self.case.learn(reply)
        elif commits == 1:
            self.case.lose_asker()

    def make_askable(self, *, knows: bool) -> Reply | None:
        """Let the time come to ask; gives what the provider will know of the last call."""
        self.set_columns(next_run_at=db_now(-1))
        session_id = self.row().attempts.order_by("-number")[0].session_id
        BillingProvider.knows = knows
        return BillingProvider.received[session_id] if knows else None

    # Clocks, and what comes at the wrong time

    @when("processing")
    @rule()
    def time_passes(self) -> None:
        """Waits and leases are over, and a sweeper comes by."""
        if self.case.stage == "waiting":
            self.set_columns(next_run_at=db_now(-1))
            self.case.is_due = True
        elif self.case.stage == "calling":
            self.set_columns(lease_until=db_now(-1))
            self.case.lose_worker()
        self.sweep()

    @when("processing", "requires_input")
    @rule()
    def deadline_passes(self) -> None:
        if self.case.status == "processing":
            self.set_columns(deadline_at=db_now(-1))
            self.case.is_overdue = True
        else:
            self.set_columns(expires_at=db_now(-1))
            self.case.settle("expired")
        self.sweep()

    def sweep(self) -> None:
        self.touched.add(self.case)
        sweeper.sweep()
        self.case.pass_deadline()

    @rule()
    def nothing_comes_of_it(self) -> None:
        """Messages that come twice, and requests that come at the wrong time."""
        if not self.case.can_be_claimed():
            assert not engine.run(self.row().pk)
        if self.case.stage != "unknown":
            assert not inquiry.ask(self.row().pk)
        if self.case.status != "requires_input":
            with pytest.raises(Conflict):
                intake.submit(self.row(), ADDRESS, user=None)
        if self.case.status in FINAL:
            with pytest.raises(Conflict):
                intake.cancel(self.row(), user=None)

    # What must hold

    @invariant()
    def is_as_modelled(self) -> None:
        for case in self.touched:
            row = Verification.objects.get(pk=case.pk)
            assert (row.status, row.stage) == (case.status, case.stage)
            states = row.attempts.order_by("number").values_list("state", flat=True)
            assert list(states) == [state for photo in case.attempts for state in photo]
            assert is_found(row)
        self.touched.clear()

    def teardown(self) -> None:
        """What was charged and written stays, so it is enough to look at it at the end."""
        if self.case.status not in FINAL:
            self.cancel()
        for case in self.cases:
            row = Verification.objects.get(pk=case.pk)
            sessions = set(row.attempts.values_list("session_id", flat=True))
            bill = [charged for charged in BillingProvider.bill if charged in sessions]
            assert not list(violations(row, bill))


def is_found(row: Verification) -> bool:
    """Whether a row that is not at rest has the times at which a sweeper finds it."""
    times = {
        None: (),
        "waiting": (row.next_run_at, row.deadline_at),
        "calling": (row.lease_until, row.deadline_at),
        "unknown": (row.next_run_at, row.deadline_at),
    }
    return None not in times[row.stage] and (row.stage is None) == (row.status != "processing")


@pytest.mark.parametrize("policy", ["review", "retry", "reconcile"])
def test_the_engine_does_as_its_model(
    settings: Any, policy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_policy(settings, policy)
    monkeypatch.setattr(outcome, "MAX_UNRECORDED", MAX_UNRECORDED)
    policy_versions.note()  # so that no worker of the model stops for it
    # Nothing comes due by itself, however slow the machine is.
    monkeypatch.setattr(outcome, "growing_wait", lambda retry_count: 3600.0)
    run_state_machine_as_test(Engine, settings=RUNS)
