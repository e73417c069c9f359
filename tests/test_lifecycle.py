"""The transition table, cell by cell, and that only one of two rivals wins."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.utils import timezone

from django_faceverify import lifecycle
from django_faceverify.lifecycle import TRANSITIONS
from django_faceverify.models import Verification

pytestmark = pytest.mark.django_db

#: what a status needs besides its name to be allowed by the database
STATUS_FACTS: dict[str, dict[str, Any]] = {
    "processing": {"stage": "waiting", "next_run_at": timezone.now()},
    "verified": {"decided_at": timezone.now(), "decision_source": "reviewer"},
    "rejected": {"decided_at": timezone.now(), "decision_source": "reviewer"},
}


def put(verification: Verification, status: str) -> None:
    facts: dict[str, Any] = {"stage": None, "next_run_at": None}
    Verification.objects.filter(pk=verification.pk).update(
        **{**facts, "status": status, **STATUS_FACTS.get(status, {})}
    )


@pytest.mark.parametrize("status", Verification.Status.values)
@pytest.mark.parametrize("action", TRANSITIONS)
def test_every_cell_of_the_table(verification: Verification, action: str, status: str) -> None:
    put(verification, status)
    transition = TRANSITIONS[action]
    count = verification.events.count()
    won = lifecycle.move(
        verification, action, actor="system", **STATUS_FACTS.get(transition.target, {})
    )
    assert won == (status in transition.sources)
    verification.refresh_from_db()
    assert verification.status == (transition.target if won else status)
    assert verification.events.count() == count + won
    if won:
        assert verification.events.order_by("-number")[0].action == transition.event


def test_only_two_people_take_a_case_out_of_a_final_status() -> None:
    for transition in (TRANSITIONS[name] for name in TRANSITIONS.keys() - {"reopen"}):
        assert not Verification.FINAL & set(transition.sources)


def test_of_two_rivals_one_wins(verification: Verification) -> None:
    rival = Verification.objects.get(pk=verification.pk)
    facts: dict[str, Any] = {"decided_at": timezone.now(), "decision_source": "reviewer"}
    assert lifecycle.move(verification, "verify", actor="user:1", **facts)
    assert not lifecycle.move(rival, "reject", actor="user:2", **facts)
    rival.refresh_from_db()
    assert rival.status == "verified"


def test_an_old_fence_moves_nothing(verification: Verification) -> None:
    Verification.objects.filter(pk=verification.pk).update(fence=5)
    assert not lifecycle.move(verification, "refer", actor="system", guard={"fence": 4})
    assert lifecycle.move(verification, "refer", actor="system", guard={"fence": 5})


def test_who_did_it(alice: User) -> None:
    assert lifecycle.user_actor(alice) == f"user:{alice.pk}"
    assert lifecycle.user_actor(AnonymousUser()) == lifecycle.user_actor(None) == "anonymous"
