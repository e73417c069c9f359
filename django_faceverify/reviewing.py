"""What reviewers do with a case in review: claim it, judge it, take a judgement back.

A judgement decides at once, or it is held for the seconds in which it can be undone, or it waits
for a second person who judges without knowing the first one's. Nothing is announced before a
judgement takes effect: until then the case is in review for everybody.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from django_faceverify import access, inputs, lifecycle
from django_faceverify.conf import Level, app_settings
from django_faceverify.exceptions import Conflict, InputError, NotPermitted, SealBroken
from django_faceverify.models import Event, Judgement, Review, Verification
from django_faceverify.models.clock import db_now
from django_faceverify.models.review import ReviewQuerySet
from django_faceverify.models.transactions import committed
from django_faceverify.reasons import REVIEW_REASONS

Status = Verification.Status
Stage = Review.Stage

#: what a reviewer may decide, and the transition that it means
TRANSITIONS = {"verify": "verify", "reject": "reject", "retry": "ask_again"}

#: the columns of a claim when there is none
_NOBODYS: dict[str, Any] = {"claimed_by": None, "claimed_until": None, "is_ahead": False}

PROPOSED = "review_proposed"
HELD = "review_held"
UNDONE = "review_undone"
DISAGREED = "review_disagreed"


def reasons_for(decision: str) -> dict[str, Any]:
    """The codes that a reviewer may choose for a decision, with the words for them."""
    every = {code.value: code.label for code in REVIEW_REASONS[decision]}
    chosen = app_settings.review.reasons.get(decision)
    if chosen is None:
        return every
    return {code: label or every[code] for code, label in chosen.items() if code in every}


@sensitive_variables()
def review(
    verification: Verification,
    *,
    reviewer: Any,
    decision: object,
    reason_code: object,
    note: object = "",
    seen_at: Any = None,
) -> Verification:
    """Judge a case that is in review: ``verify``, ``reject`` or ``retry`` (ask again).

    ``reason_code`` is one of ``reasons_for(decision)``. ``seen_at`` is the ``updated_at`` that
    the reviewer looked at; when the case has changed since, nothing is done. Raises
    ``InputError``, ``NotPermitted`` (one's own case, or judged by the same person before) or
    ``Conflict``.
    """
    if not isinstance(decision, str) or decision not in TRANSITIONS:
        raise InputError("decision_invalid", "decision")
    if not isinstance(reason_code, str) or reason_code not in reasons_for(decision):
        raise InputError("reason_invalid", "reason_code")
    words = inputs.note(note)
    access.require_other(reviewer, verification)
    judgement = Judgement(
        verification=verification,
        number=1,
        actor=lifecycle.user_actor(reviewer),
        reviewer=reviewer,
        decision=decision,
        reason_code=reason_code,
    )
    judgement.note = words

    def judge() -> None:
        _lock(verification, seen_at)
        _demand_turn(verification, reviewer)
        judgement.made_at = timezone.now()
        _judge(verification, judgement)

    committed(judge)
    verification.refresh_from_db()
    return verification


def undo(verification: Verification, *, user: Any) -> None:
    """Take one's own judgement back, before it takes effect or meets a second one.

    The case then waits for a judgement again, claimed for the same person. Raises
    ``NotPermitted`` (one's own case), or ``Conflict`` when it is too late, or when there is
    none of theirs.
    """
    access.require_other(user, verification)
    actor = lifecycle.user_actor(user)

    def take_back() -> None:
        _lock(verification)
        last = verification.judgements.order_by("-number").first()
        if last is None or last.actor != actor:
            raise Conflict("nothing_to_undo")
        if Review.objects.due().filter(pk=verification.pk).exists():
            raise Conflict("undo_too_late")
        last.delete()
        first = verification.judgements.select_related("reviewer").first()
        _set(
            verification,
            stage=Stage.SECOND if first else Stage.FIRST,
            judged_by=first and first.reviewer,
            due_at=None,
            **_claim_of(user),
        )
        Event.objects.append_locked(verification, UNDONE, actor=actor)

    committed(take_back)
    verification.refresh_from_db()


def apply(verification_id: UUID) -> bool:
    """Let a judgement take effect whose time to undo it is over; says whether it did."""

    def take_effect() -> bool:
        verification = Verification.objects.select_for_update().get(pk=verification_id)
        if not Review.objects.due().filter(pk=verification_id).exists():
            return False
        return _decide(verification, list(verification.judgements.order_by("number")))

    return committed(take_effect)


def claim(verification: Verification, *, user: Any) -> None:
    """Keep others from deciding a case for a while, or for a while longer.

    Raises ``NotPermitted`` (one's own case, or judged by the same person before) or
    ``Conflict`` (somebody else's, or not to be judged now).
    """
    access.require_other(user, verification)
    if _win(verification.pk, user):
        return
    if not Review.objects.open().filter(pk=verification.pk).exists():
        raise Conflict("not_in_review")
    if verification.judgements.filter(reviewer=user).exists():
        raise NotPermitted("same_person_twice")
    raise Conflict("claimed_by_another")


def claim_next(waiting: Iterable[UUID], *, user: Any) -> UUID | None:
    """Claim the first of these cases that nobody else takes meanwhile."""
    return next((pk for pk in waiting if _win(pk, user)), None)


def keep_next(waiting: Iterable[UUID], *, user: Any) -> UUID | None:
    """Claim the first of these cases that is free ahead of time, and let go of any other.

    A case is kept while its reviewer works on the one before: one for each reviewer. It
    becomes theirs by ``claim`` or ``claim_next``, as it becomes anybody's who asks before.
    """
    kept = next((pk for pk in waiting if _win(pk, user, is_ahead=True)), None)
    Review.objects.kept_for(user).exclude(pk=kept).update(**_NOBODYS)
    return kept


def let_go(*, user: Any) -> None:
    """Let others have the case that is kept for this person; what they work on stays theirs."""
    Review.objects.kept_for(user).update(**_NOBODYS)


def release(verification: Verification, *, user: Any) -> None:
    """Let others have a case; what is somebody else's stays theirs."""
    Review.objects.filter(pk=verification.pk, claimed_by=user).update(**_NOBODYS)


def waiting_for(user: Any, stages: Iterable[Stage] = Review.OPEN) -> ReviewQuerySet:
    """The cases on which this person may work now, or later when a claim has ended."""
    return Review.objects.filter(stage__in=stages).not_of(user).without_judgement_of(user)


def _win(verification_id: UUID, user: Any, *, is_ahead: bool = False) -> bool:
    """One conditional UPDATE: of two people at once, one gets the case."""
    rows = waiting_for(user).filter(pk=verification_id)
    free = rows.unclaimed() | rows.kept_for(user) if is_ahead else rows.free_for(user)
    return bool(free.update(**_claim_of(user, is_ahead=is_ahead)))


def _claim_of(user: Any, *, is_ahead: bool = False) -> dict[str, Any]:
    end = db_now(app_settings.review.claim_seconds)
    return {"claimed_by": user, "claimed_until": end, "is_ahead": is_ahead}


def _lock(verification: Verification, seen_at: Any = None) -> None:
    """Hold the row of a case in review as it was seen; raises ``Conflict`` when it is not."""
    current = Verification.objects.select_for_update().get(pk=verification.pk)
    if seen_at is not None and current.updated_at != seen_at:
        raise Conflict("changed_meanwhile")
    if current.status != Status.IN_REVIEW or current.redacted_at is not None:
        raise Conflict("not_in_review")
    verification.updated_at = current.updated_at


def _demand_turn(verification: Verification, reviewer: Any) -> None:
    """Whether this person may judge the locked case now."""
    row = Review.objects.filter(pk=verification.pk).first()
    row = row or Review.objects.enqueue(verification.pk, since=timezone.now())
    if row.stage == Stage.HELD:
        raise Conflict("already_judged")
    is_anothers = row.claimed_by_id not in (None, reviewer.pk)
    if is_anothers and not Review.objects.unclaimed().filter(pk=verification.pk).exists():
        raise Conflict("claimed_by_another")


def _judge(verification: Verification, judgement: Judgement) -> None:
    first = verification.judgements.select_related("reviewer").first()
    if first is not None and first.actor == judgement.actor:
        raise NotPermitted("same_person_twice")
    if first is None and _rules(verification).four_eyes:
        judgement.save(force_insert=True)
        _set(verification, stage=Stage.SECOND, judged_by=judgement.reviewer, **_NOBODYS)
        # What the first person thinks must not be told to the second one: not here either.
        Event.objects.append_locked(verification, PROPOSED, actor=judgement.actor)
    elif first is not None and first.decision != judgement.decision:
        _begin_anew(verification, first, judgement)
    else:
        judgement.number = 1 if first is None else 2
        _hold_or_decide(verification, [judgement] if first is None else [first, judgement])


def _begin_anew(verification: Verification, first: Judgement, second: Judgement) -> None:
    """Two people do not agree: what both think is on record, and the case waits again."""
    _keep_notes(verification, [first, second])
    first.delete()
    _set(verification, stage=Stage.FIRST, judged_by=None, **_NOBODYS)
    Event.objects.append_locked(
        verification,
        DISAGREED,
        actor=second.actor,
        reason_code=second.reason_code,
        data={"decisions": [first.decision, second.decision], "reason": first.reason_code},
    )


def _hold_or_decide(verification: Verification, judgements: list[Judgement]) -> None:
    seconds, last = _rules(verification).undo_seconds, judgements[-1]
    if not seconds:
        _decide(verification, judgements)
        return
    last.save(force_insert=True)
    _set(verification, stage=Stage.HELD, due_at=db_now(seconds), **_NOBODYS)
    Event.objects.append_locked(
        verification,
        HELD,
        actor=last.actor,
        reason_code=last.reason_code,
        data={"decisions": [last.decision]},
    )


def _decide(verification: Verification, judgements: list[Judgement]) -> bool:
    """The transition that these judgements mean; the first one's person and reason stand."""
    first = judgements[0]
    changes: dict[str, Any] = {}
    if first.decision == "retry":
        changes["expires_at"] = db_now(app_settings.EXPIRES_AFTER)
    else:
        changes |= {
            "decided_at": timezone.now(),
            "decided_by": first.reviewer,
            "decision_source": Verification.Source.REVIEWER,
        }
    _keep_notes(verification, judgements)
    is_moved = lifecycle.move(
        verification,
        TRANSITIONS[first.decision],
        actor=first.actor,
        sources=(Status.IN_REVIEW,),
        reason_code=first.reason_code,
        data=_second_thought(judgements),
        **changes,
    )
    if not is_moved:
        raise Conflict("not_in_review")
    return True


def _second_thought(judgements: list[Judgement]) -> dict[str, Any]:
    """Who has agreed, and for which reason of their own."""
    return {
        key: value
        for second in judgements[1:]
        for key, value in (("confirmed_by", second.actor), ("reason", second.reason_code))
    }


@sensitive_variables("words")
def _keep_notes(verification: Verification, judgements: list[Judgement]) -> None:
    """Put the notes on the case, where reviewers read them; without one, the old one stays."""
    words = "\n\n".join(filter(None, map(_words_of, judgements)))
    if words:
        verification.review_note = words
        verification.save(update_fields=["review_note"])


@sensitive_variables()
def _words_of(judgement: Judgement) -> str:
    """The note; none where it does not open any more: the judgement stands without it."""
    try:
        return judgement.note.unseal() if judgement.note else ""
    except SealBroken:
        return ""


def _set(verification: Verification, **columns: Any) -> None:
    """Change the work on a locked case. Whoever looks at the case has to look again."""
    Review.objects.filter(pk=verification.pk).update(**columns)
    Verification.objects.filter(pk=verification.pk).update(updated_at=timezone.now())


def _rules(verification: Verification) -> Level:
    """The level's rules, or those of ``default`` when the site has removed the level."""
    name = verification.level if verification.level in app_settings.LEVELS else "default"
    return app_settings.level(name)
