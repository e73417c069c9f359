"""A decision is taken back by two people, and by nobody alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from django_faceverify import intake, redaction, reopening
from django_faceverify import verification as engine
from django_faceverify.exceptions import Conflict, InputError, NotPermitted
from django_faceverify.models import Verification
from django_faceverify.signals import verification_reopened
from tests.conftest import submitted

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def overrider(db: None) -> Callable[[str], User]:
    def make(name: str) -> User:
        user = User.objects.create_user(name)
        names = ("view_verification", "override_verification")
        user.user_permissions.set(Permission.objects.filter(codename__in=names))
        return user

    return make


@pytest.fixture
def first(overrider: Callable[[str], User]) -> User:
    return overrider("first")


@pytest.fixture
def second(overrider: Callable[[str], User]) -> User:
    return overrider("second")


@pytest.fixture
def verified(verification: Verification) -> Verification:
    engine.run(verification.pk)
    verification.refresh_from_db()
    assert verification.status == "verified"
    return verification


def test_two_people_take_a_decision_back(
    verified: Verification, first: User, second: User, reviewer: User
) -> None:
    reopening.propose(verified, user=first, reason_code="new_evidence")
    verified.refresh_from_db()
    assert verified.status == "verified"
    case = reopening.confirm(verified, user=second)
    assert (case.status, case.reason_code) == ("in_review", "reopened")
    assert (case.decided_at, case.decided_by, case.decision_source) == (None, None, "")
    assert (case.similarity, case.verify_at, case.provider) == (95, 80, "default")
    told = list(case.events.order_by("-number").values_list("action", "actor", "data")[:2])
    assert told == [
        ("reopened", f"user:{second.pk}", {"reason": "new_evidence", "state": "verified"}),
        ("reopen_requested", f"user:{first.pk}", {"reason": "new_evidence"}),
    ]
    intake.review(case, reviewer=reviewer, decision="reject", reason_code="different_person")
    case.refresh_from_db()
    assert (case.status, case.decision_source) == ("rejected", "reviewer")


def test_nobody_confirms_their_own_proposal(verified: Verification, first: User) -> None:
    reopening.propose(verified, user=first, reason_code="mistake")
    with pytest.raises(NotPermitted, match="same_person_twice"):
        reopening.confirm(verified, user=first)
    verified.refresh_from_db()
    assert verified.status == "verified"


def test_a_superuser_needs_a_second_person_too(verified: Verification) -> None:
    root = User.objects.create_superuser("root")
    reopening.propose(verified, user=root, reason_code="mistake")
    with pytest.raises(NotPermitted, match="same_person_twice"):
        reopening.confirm(verified, user=root)


def test_without_a_proposal_nothing_is_confirmed(verified: Verification, second: User) -> None:
    with pytest.raises(Conflict, match="not_requested"):
        reopening.confirm(verified, user=second)


def test_a_proposal_counts_for_a_day(
    verified: Verification, first: User, second: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    reopening.propose(verified, user=first, reason_code="mistake")
    later = timezone.now() + timedelta(hours=24, seconds=1)
    monkeypatch.setattr(timezone, "now", lambda: later)
    with pytest.raises(Conflict, match="not_requested"):
        reopening.confirm(verified, user=second)
    reopening.propose(verified, user=second, reason_code="mistake")
    assert reopening.confirm(verified, user=first).status == "in_review"


def test_a_proposal_counts_for_one_decision_only(
    verified: Verification, first: User, second: User, reviewer: User
) -> None:
    reopening.propose(verified, user=first, reason_code="mistake")
    case = reopening.confirm(verified, user=second)
    intake.review(case, reviewer=reviewer, decision="verify", reason_code="same_person")
    with pytest.raises(Conflict, match="not_requested"):
        reopening.confirm(case, user=second)


def test_one_proposal_at_a_time(verified: Verification, first: User, second: User) -> None:
    reopening.propose(verified, user=first, reason_code="mistake")
    for user in (first, second):
        with pytest.raises(Conflict, match="already_requested"):
            reopening.propose(verified, user=user, reason_code="mistake")


@pytest.mark.parametrize("reason", [None, "", "curiosity", 7])
def test_a_proposal_needs_a_reason(verified: Verification, first: User, reason: object) -> None:
    with pytest.raises(InputError, match="reopen_reason_invalid"):
        reopening.propose(verified, user=first, reason_code=reason)


def test_only_what_is_decided(verification: Verification, first: User, second: User) -> None:
    for status in ("processing", "canceled"):
        if status == "canceled":
            intake.cancel(verification, user=first)
        with pytest.raises(Conflict, match="not_decided"):
            reopening.propose(verification, user=first, reason_code="mistake")
        with pytest.raises(Conflict, match="not_decided"):
            reopening.confirm(verification, user=second)


def test_what_is_destroyed_stays_decided(verified: Verification, first: User) -> None:
    redaction.redact(verified, actor="system", reason_code="subject_request")
    verified.refresh_from_db()
    with pytest.raises(Conflict, match="identity_destroyed"):
        reopening.propose(verified, user=first, reason_code="mistake")


def test_not_without_the_permission_nor_in_ones_own_case(
    verified: Verification, reviewer: User, first: User
) -> None:
    with pytest.raises(PermissionDenied):
        reopening.propose(verified, user=reviewer, reason_code="mistake")
    with pytest.raises(PermissionDenied):
        reopening.confirm(verified, user=reviewer)
    own = submitted(first)
    engine.run(own.pk)
    with pytest.raises(NotPermitted, match="own_case"):
        reopening.propose(own, user=first, reason_code="mistake")
    with pytest.raises(NotPermitted, match="own_case"):
        reopening.confirm(own, user=first)


def test_the_site_hears_of_it(verified: Verification, first: User, second: User) -> None:
    heard: list[Any] = []

    def listen(sender: Any, verification_id: Any, status: str, **kwargs: Any) -> None:
        heard.append((verification_id, status))

    verification_reopened.connect(listen)
    try:
        reopening.propose(verified, user=first, reason_code="mistake")
        assert heard == []
        reopening.confirm(verified, user=second)
    finally:
        verification_reopened.disconnect(listen)
    assert heard == [(verified.pk, "in_review")]
