"""Reviewers share a queue: one claims, one or two judge, and nothing is told before it holds."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.db.models import TextField
from django.db.models.functions import Cast

from django_faceverify import intake, lifecycle, redaction, reopening, reviewing, sweeper, webhooks
from django_faceverify.audit import chains
from django_faceverify.exceptions import Conflict, InputError, NotPermitted
from django_faceverify.models import Judgement, Review, Verification, WebhookDelivery
from django_faceverify.models.clock import db_now
from django_faceverify.models.fields import Sealed
from django_faceverify.models.review import band_of
from django_faceverify.signals import verification_decided, verification_needs_input
from tests.console.conftest import decided_as

pytestmark = pytest.mark.django_db(transaction=True)

FOUR_EYES = {"default": {"PROVIDER": "default", "LIVE": False, "FOUR_EYES": True}}


@pytest.fixture
def case(alice: User) -> Verification:
    return decided_as(alice, 72)


@pytest.fixture
def checker(db: None) -> User:
    user = User.objects.create_user("checker", is_staff=True)
    names = ("view_verification", "review_verification", "view_photo")
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    return user


@pytest.fixture
def rules(settings: Any) -> Callable[..., None]:
    """Changes the settings of reviews."""

    def change(**review: Any) -> None:
        levels = FOUR_EYES if review.pop("four_eyes", False) else settings.FACEVERIFY["LEVELS"]
        settings.FACEVERIFY = {**settings.FACEVERIFY, "LEVELS": levels, "REVIEW": review}

    return change


@pytest.fixture
def announced() -> Any:
    """The statuses that signals told."""
    told: list[str] = []

    def hear(sender: type, *, status: str, **facts: Any) -> None:
        told.append(status)

    for signal in (verification_decided, verification_needs_input):
        signal.connect(hear)
    yield told
    for signal in (verification_decided, verification_needs_input):
        signal.disconnect(hear)


def judge(
    verification: Verification, reviewer: User, decision: str = "verify", **more: Any
) -> Verification:
    reason = {"verify": "same_person", "reject": "different_person", "retry": "image_blurry"}
    facts = {"decision": decision, "reason_code": reason[decision]} | more
    return intake.review(verification, reviewer=reviewer, **facts)


def stage_of(verification: Verification) -> str:
    return Review.objects.get(pk=verification.pk).stage


def actions_of(verification: Verification) -> list[str]:
    return list(verification.events.order_by("number").values_list("action", flat=True))


def let_time_pass(verification: Verification) -> None:
    Review.objects.filter(pk=verification.pk, due_at__isnull=False).update(due_at=db_now(-1))
    Review.objects.filter(pk=verification.pk, claimed_until__isnull=False).update(
        claimed_until=db_now(-1)
    )


# the queue


def test_a_case_is_in_the_queue_while_it_is_in_review(case: Verification, reviewer: User) -> None:
    assert stage_of(case) == "first"
    judge(case, reviewer)
    assert not Review.objects.exists()
    assert case.status == "verified"


def test_a_case_that_leaves_in_another_way_leaves_the_queue(
    case: Verification, alice: User, reviewer: User, rules: Any
) -> None:
    rules(four_eyes=True)
    judge(case, reviewer, note="what I think")
    intake.cancel(case, user=alice)
    assert not Review.objects.exists()
    assert not Judgement.objects.exists()


def test_a_reopened_case_is_in_the_queue_again(case: Verification, reviewer: User) -> None:
    judge(case, reviewer)
    root, second = (User.objects.create_superuser(name) for name in ("root", "second"))
    reopening.propose(case, user=root, reason_code="mistake")
    reopening.confirm(case, user=second)
    assert stage_of(case) == "first"


def test_a_case_without_its_row_can_be_judged(case: Verification, reviewer: User) -> None:
    Review.objects.all().delete()
    assert judge(case, reviewer).status == "verified"


@pytest.mark.parametrize("is_lost", [False, True])
def test_the_queue_holds_what_the_case_is(
    case: Verification, reviewer: User, rules: Any, is_lost: bool
) -> None:
    rules(four_eyes=True)
    if is_lost:
        Review.objects.all().delete()
        judge(case, reviewer)
    row = Review.objects.get()
    assert (row.level, row.provider) == (case.level, case.provider)
    assert (row.reason_code, row.user_id) == ("low_similarity", case.user_id)
    assert row.band == "70-80"


def test_a_case_that_comes_back_is_queued_as_it_is_then(case: Verification, reviewer: User) -> None:
    judge(case, reviewer, decision="retry")
    Verification.objects.filter(pk=case.pk).update(provider="second", similarity=91)
    work: dict[str, Any] = {"stage": "waiting", "next_run_at": db_now(), "deadline_at": db_now(60)}
    lifecycle.move(case, "submit", actor="system", **work)
    lifecycle.move(case, "refer", actor="system", reason_code="deadline_passed")
    row = Review.objects.get()
    assert (row.reason_code, row.provider, row.band) == ("deadline_passed", "second", "80-100")


def test_the_queue_holds_whose_judgement_waits(
    case: Verification, reviewer: User, checker: User, rules: Any
) -> None:
    rules(four_eyes=True, UNDO_SECONDS=60)
    judge(case, reviewer)
    assert Review.objects.get().judged_by == reviewer
    judge(case, checker)
    reviewing.undo(case, user=checker)
    assert Review.objects.get().judged_by == reviewer
    judge(case, checker, "reject")
    assert Review.objects.get().judged_by is None
    judge(case, checker)
    reviewing.undo(case, user=checker)
    assert Review.objects.get().judged_by is None


@pytest.mark.parametrize(
    ("similarity", "band"),
    [
        (None, "none"),
        (0, "0-60"),
        (59.999, "0-60"),
        (60, "60-70"),
        (70, "70-80"),
        (80, "80-100"),
        (100, "80-100"),
    ],
)
def test_bands(similarity: float | None, band: str) -> None:
    assert band_of(similarity) == band


# claims


def test_a_claim_keeps_others_out_until_it_ends(
    case: Verification, reviewer: User, checker: User
) -> None:
    reviewing.claim(case, user=reviewer)
    reviewing.claim(case, user=reviewer)  # again: for a while longer
    with pytest.raises(Conflict, match="claimed_by_another"):
        reviewing.claim(case, user=checker)
    with pytest.raises(Conflict, match="claimed_by_another"):
        judge(case, checker)
    let_time_pass(case)
    reviewing.claim(case, user=checker)
    with pytest.raises(Conflict, match="claimed_by_another"):
        judge(case, reviewer)
    assert judge(case, checker).status == "verified"


def test_a_claim_is_no_event_and_no_change_of_the_case(case: Verification, reviewer: User) -> None:
    before = actions_of(case)
    reviewing.claim(case, user=reviewer)
    reviewing.release(case, user=reviewer)
    assert actions_of(case) == before
    assert judge(case, reviewer, seen_at=case.updated_at).status == "verified"


def test_nobody_gives_back_what_is_somebody_elses(
    case: Verification, reviewer: User, checker: User
) -> None:
    reviewing.claim(case, user=reviewer)
    reviewing.release(case, user=checker)
    assert Review.objects.claimed_by(reviewer).exists()
    reviewing.release(case, user=reviewer)
    reviewing.claim(case, user=checker)


def test_nobody_claims_their_own_case(reviewer: User) -> None:
    own = decided_as(reviewer, 72)
    with pytest.raises(NotPermitted, match="own_case"):
        reviewing.claim(own, user=reviewer)
    assert reviewing.claim_next([own.pk], user=reviewer) is None


def test_what_is_decided_cannot_be_claimed(
    case: Verification, reviewer: User, checker: User
) -> None:
    judge(case, reviewer)
    with pytest.raises(Conflict, match="not_in_review"):
        reviewing.claim(case, user=checker)


def test_the_next_case_is_one_that_nobody_has(
    case: Verification, alice: User, reviewer: User, checker: User
) -> None:
    second = decided_as(alice, 73)
    both = [case.pk, second.pk]
    assert reviewing.claim_next(both, user=reviewer) == case.pk
    assert reviewing.claim_next(both, user=checker) == second.pk
    assert reviewing.claim_next(both, user=User.objects.create_user("third")) is None


def test_whether_a_case_is_theirs_to_claim_is_asked_by_what_claims_it(
    case: Verification, reviewer: User, django_assert_num_queries: Any
) -> None:
    """Between a question and a claim, they might judge it from another window."""
    with django_assert_num_queries(1):
        assert reviewing.claim_next([case.pk], user=reviewer) == case.pk


def at_once(*works: Callable[[], Any]) -> list[Any]:
    """What each of them gives or raises, all started together."""
    if connection.vendor == "sqlite":
        pytest.skip("SQLite writes one at a time; see the other databases")
    results: list[Any] = [None] * len(works)
    start = threading.Barrier(len(works))

    def run(number: int) -> None:
        start.wait()
        try:
            results[number] = works[number]()
        except Exception as error:  # noqa: BLE001 (is what is asked for)
            results[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_of_two_people_at_once_one_gets_the_case(
    case: Verification, reviewer: User, checker: User
) -> None:
    for _ in range(5):
        Review.objects.update(claimed_by=None, claimed_until=None)
        results = at_once(
            lambda: reviewing.claim(case, user=reviewer),
            lambda: reviewing.claim(case, user=checker),
        )
        assert sorted(map(str, results)) == ["None", "claimed_by_another"]


def test_of_two_decisions_at_once_one_holds(
    case: Verification, reviewer: User, checker: User
) -> None:
    results = at_once(
        lambda: judge(Verification.objects.get(pk=case.pk), reviewer).status,
        lambda: judge(Verification.objects.get(pk=case.pk), checker, "reject").status,
    )
    case.refresh_from_db()
    assert sorted(map(str, results)) == sorted([case.status, "not_in_review"])
    assert len({"verified", "rejected"} & set(actions_of(case))) == 1


def test_two_proposals_at_once_are_of_two_people(
    case: Verification, reviewer: User, checker: User, rules: Any
) -> None:
    rules(four_eyes=True)
    results = at_once(
        lambda: judge(Verification.objects.get(pk=case.pk), reviewer).status,
        lambda: judge(Verification.objects.get(pk=case.pk), checker).status,
        lambda: judge(Verification.objects.get(pk=case.pk), reviewer).status,
    )
    case.refresh_from_db()
    assert case.status == "verified"
    assert actions_of(case)[-2:] == ["review_proposed", "verified"]
    assert len([result for result in results if isinstance(result, Exception)]) == 1


# the time to undo


def test_nothing_is_told_before_the_time_is_over(
    case: Verification, reviewer: User, rules: Any, announced: list[str]
) -> None:
    rules(UNDO_SECONDS=60)
    webhooks.create_endpoint("https://example.com/hook")
    before = WebhookDelivery.objects.count()
    judge(case, reviewer, note="the same mole")
    sweeper.sweep()
    assert (case.status, case.decided_at, stage_of(case)) == ("in_review", None, "held")
    assert announced == []
    assert WebhookDelivery.objects.count() == before
    assert "the same mole" not in str(list(Judgement.objects.values_list("note", flat=True)))
    let_time_pass(case)
    sweeper.sweep()
    case.refresh_from_db()
    assert (case.status, case.decided_by, announced) == ("verified", reviewer, ["verified"])
    assert case.review_note.unseal() == "the same mole"
    assert WebhookDelivery.objects.count() == before + 1
    assert actions_of(case)[-2:] == ["review_held", "verified"]
    assert case.events.get(action="verified").actor == f"user:{reviewer.pk}"
    assert not Judgement.objects.exists()
    assert not reviewing.apply(case.pk)  # another sweeper: too late
    assert chains.is_intact(case)


def test_a_decision_is_undone(
    case: Verification, reviewer: User, checker: User, rules: Any, announced: list[str]
) -> None:
    rules(UNDO_SECONDS=60)
    judge(case, reviewer)
    with pytest.raises(Conflict, match="already_judged"):
        judge(case, checker)
    with pytest.raises(Conflict, match="nothing_to_undo"):
        reviewing.undo(case, user=checker)
    reviewing.undo(case, user=reviewer)
    assert stage_of(case) == "first"
    assert Review.objects.claimed_by(reviewer).exists()
    with pytest.raises(Conflict, match="nothing_to_undo"):
        reviewing.undo(case, user=reviewer)
    judge(case, reviewer, "retry")
    let_time_pass(case)
    sweeper.sweep()
    case.refresh_from_db()
    assert (case.status, case.reason_code) == ("requires_input", "image_blurry")
    assert announced == ["requires_input"]


def test_a_note_that_does_not_open_holds_up_no_decision(
    case: Verification, reviewer: User, rules: Any
) -> None:
    rules(UNDO_SECONDS=60)
    judge(case, reviewer, note="seen before")
    sealed_elsewhere = Verification.objects.values_list(Cast("idcard_name", TextField())).get()[0]
    Judgement.objects.update(note=Sealed(sealed_elsewhere))
    let_time_pass(case)
    sweeper.sweep()
    case.refresh_from_db()
    assert (case.status, case.review_note) == ("verified", "")


def test_undoing_comes_too_late(case: Verification, reviewer: User, rules: Any) -> None:
    rules(UNDO_SECONDS=60)
    judge(case, reviewer)
    let_time_pass(case)
    with pytest.raises(Conflict, match="undo_too_late"):
        reviewing.undo(case, user=reviewer)
    sweeper.sweep()
    with pytest.raises(Conflict, match="not_in_review"):
        reviewing.undo(case, user=reviewer)


def test_undoing_and_applying_at_once(case: Verification, reviewer: User, rules: Any) -> None:
    rules(UNDO_SECONDS=60)
    judge(case, reviewer)
    let_time_pass(case)
    undone, applied = at_once(
        lambda: reviewing.undo(Verification.objects.get(pk=case.pk), user=reviewer),
        lambda: reviewing.apply(case.pk),
    )
    case.refresh_from_db()
    assert isinstance(undone, Conflict)
    assert (applied, case.status) == (True, "verified")


def test_the_person_may_leave_meanwhile(
    case: Verification, alice: User, reviewer: User, rules: Any, announced: list[str]
) -> None:
    rules(UNDO_SECONDS=60)
    judge(case, reviewer)
    redaction.redact(case, actor="user:1", reason_code="subject_request")
    sweeper.sweep()
    case.refresh_from_db()
    assert (case.status, announced) == ("canceled", [])


def test_a_level_has_its_own_time(case: Verification, reviewer: User, settings: Any) -> None:
    level = {"PROVIDER": "default", "LIVE": False, "UNDO_SECONDS": 30}
    settings.FACEVERIFY = {**settings.FACEVERIFY, "LEVELS": {"default": level}}
    judge(case, reviewer)
    assert stage_of(case) == "held"


# four eyes


def test_two_people_agree(
    case: Verification, reviewer: User, checker: User, rules: Any, announced: list[str]
) -> None:
    rules(four_eyes=True)
    seen_at = case.updated_at
    judge(case, reviewer, note="first words")
    assert (case.status, stage_of(case)) == ("in_review", "second")
    proposal = case.events.get(action="review_proposed")
    assert (proposal.reason_code, proposal.data) == ("", {})  # the second person reads it
    with pytest.raises(NotPermitted, match="same_person_twice"):
        judge(case, reviewer)
    with pytest.raises(NotPermitted, match="same_person_twice"):
        reviewing.claim(case, user=reviewer)
    with pytest.raises(Conflict, match="changed_meanwhile"):
        judge(case, checker, seen_at=seen_at)  # who looked before does not know of the first
    assert announced == []
    judge(case, checker, reason_code="confirmed_by_call", note="second words")
    assert (case.status, case.reason_code, case.decided_by) == ("verified", "same_person", reviewer)
    last = case.events.get(action="verified")
    assert last.actor == f"user:{reviewer.pk}"
    assert last.data == {"confirmed_by": f"user:{checker.pk}", "reason": "confirmed_by_call"}
    assert case.review_note.unseal() == "first words\n\nsecond words"
    assert announced == ["verified"]


def test_two_people_disagree(
    case: Verification, reviewer: User, checker: User, rules: Any, announced: list[str]
) -> None:
    rules(four_eyes=True)
    judge(case, reviewer, note="it is her")
    judge(case, checker, "reject")
    assert (case.status, stage_of(case), announced) == ("in_review", "first", [])
    told = case.events.get(action="review_disagreed")
    assert told.actor == f"user:{checker.pk}"
    assert told.data == {"decisions": ["verify", "reject"], "reason": "same_person"}
    assert case.review_note.unseal() == "it is her"
    judge(case, checker)  # they have talked with each other
    judge(case, reviewer)
    assert (case.status, case.decided_by) == ("verified", checker)


def test_a_proposal_is_withdrawn(
    case: Verification, reviewer: User, checker: User, rules: Any
) -> None:
    rules(four_eyes=True)
    judge(case, reviewer)
    reviewing.undo(case, user=reviewer)
    assert stage_of(case) == "first"
    reviewing.release(case, user=reviewer)
    judge(case, checker, "reject")
    assert (case.status, stage_of(case)) == ("in_review", "second")


def test_the_second_judgement_can_be_undone(
    case: Verification, reviewer: User, checker: User, rules: Any
) -> None:
    rules(four_eyes=True, UNDO_SECONDS=60)
    judge(case, reviewer)
    judge(case, checker)
    assert stage_of(case) == "held"
    with pytest.raises(Conflict, match="nothing_to_undo"):
        reviewing.undo(case, user=reviewer)
    reviewing.undo(case, user=checker)
    assert stage_of(case) == "second"
    judge(case, checker)
    let_time_pass(case)
    sweeper.sweep()
    case.refresh_from_db()
    assert case.status == "verified"
    assert case.events.get(action="verified").data["confirmed_by"] == f"user:{checker.pk}"


def test_not_ones_own_case_as_the_second_either(reviewer: User, checker: User, rules: Any) -> None:
    rules(four_eyes=True)
    own = decided_as(checker, 72)
    judge(own, reviewer)
    with pytest.raises(NotPermitted, match="own_case"):
        judge(own, checker)


def test_a_level_that_is_gone_has_the_rules_of_the_default(
    case: Verification, reviewer: User
) -> None:
    Verification.objects.update(level="gone")
    case.refresh_from_db()
    assert judge(case, reviewer).status == "verified"


# reasons


def test_the_site_narrows_and_relabels_reasons(
    case: Verification, reviewer: User, rules: Any
) -> None:
    rules(REASONS={"verify": {"confirmed_by_document": "Passport seen", "same_person": None}})
    assert reviewing.reasons_for("verify") == {
        "confirmed_by_document": "Passport seen",
        "same_person": "same person by eye",
    }
    assert len(reviewing.reasons_for("reject")) == 2
    with pytest.raises(InputError, match="reason_invalid"):
        judge(case, reviewer, reason_code="confirmed_by_call")
    assert judge(case, reviewer, reason_code="confirmed_by_document").status == "verified"


def test_every_decision_has_its_transition() -> None:
    assert set(reviewing.TRANSITIONS) == set(Judgement.Decision.values)
    assert set(reviewing.TRANSITIONS.values()) <= set(lifecycle.TRANSITIONS)
