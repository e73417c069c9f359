"""Deciding a case: who may, with which reason, and against what was seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from django_faceverify import intake
from django_faceverify.models import Verification
from django_faceverify.reasons import REVIEW_REASONS
from tests.conftest import IDCARD_NAME, IDCARD_NUMBER
from tests.console.conftest import decided_as, page_of

Status = Verification.Status


def decide(client: Client, verification: Verification, **changes: Any) -> Any:
    data = {
        "decision": "verify",
        "reason_code": "same_person",
        "note": "",
        "seen_at": verification.updated_at.isoformat(),
    }
    return client.post(page_of(verification, "review"), data | changes)


def status_of(verification: Verification) -> str:
    verification.refresh_from_db()
    return verification.status


@pytest.mark.parametrize(
    ("decision", "reason_code", "status"),
    [
        ("verify", "same_person", Status.VERIFIED),
        ("reject", "fraud_suspected", Status.REJECTED),
        ("retry", "face_covered", Status.REQUIRES_INPUT),
    ],
)
def test_a_decision(
    as_reviewer: Client,
    reviewer: User,
    in_review: Verification,
    decision: str,
    reason_code: str,
    status: str,
) -> None:
    response = decide(
        as_reviewer, in_review, decision=decision, reason_code=reason_code, note="two\r\nlines"
    )
    assert response.status_code == 302
    assert response.headers["Location"] == page_of(in_review)
    assert status_of(in_review) == status
    assert in_review.reason_code == reason_code
    assert in_review.review_note.unseal() == "two\nlines"
    assert in_review.events.order_by("-number")[0].actor == f"user:{reviewer.pk}"
    page = as_reviewer.get(page_of(in_review)).content.decode()
    assert "is now" in page
    assert 'name="reason_code"' not in page


def test_all_reasons_are_offered(as_reviewer: Client, in_review: Verification) -> None:
    page = as_reviewer.get(page_of(in_review)).content.decode()
    for reasons in REVIEW_REASONS.values():
        for reason in reasons:
            assert f'value="{reason.value}"' in page
            assert str(reason.label) in page


def test_every_field_has_its_label(as_reviewer: Client, in_review: Verification) -> None:
    page = as_reviewer.get(page_of(in_review)).content.decode()
    for decision, reasons in REVIEW_REASONS.items():
        assert f'<label for="{decision}_note"' in page
        for number in range(len(reasons)):
            assert page.count(f'id="{decision}_reason_code_{number}"') == 1
            assert f'<label for="{decision}_reason_code_{number}"' in page


@pytest.mark.parametrize("reason_code", ["", "fraud_suspected", "made_up"])
def test_a_fitting_reason_is_required_and_nothing_is_lost(
    as_reviewer: Client, in_review: Verification, reason_code: str
) -> None:
    response = decide(as_reviewer, in_review, reason_code=reason_code, note="my careful note")
    assert response.status_code == 200
    page = response.content.decode()
    assert "Please choose a reason for this decision." in page
    assert page.count("my careful note") == 1
    assert status_of(in_review) == Status.IN_REVIEW


def test_a_note_that_is_refused_stays_in_the_form(
    as_reviewer: Client, in_review: Verification
) -> None:
    note = "x" * 2001
    page = decide(as_reviewer, in_review, note=note).content.decode()
    assert note in page
    assert "2,000 characters" in page
    assert status_of(in_review) == Status.IN_REVIEW


def test_a_case_that_changed_meanwhile(as_reviewer: Client, in_review: Verification) -> None:
    Verification.objects.update(updated_at="2020-01-01T00:00:00Z")
    response = decide(as_reviewer, in_review, note="my careful note")
    assert response.status_code == 409
    page = response.content.decode()
    assert "has changed since you opened it" in page
    assert "my careful note" in page
    assert status_of(in_review) == Status.IN_REVIEW
    assert in_review.updated_at.isoformat() in page  # so that a second look can be decided
    assert decide(as_reviewer, in_review).status_code == 302


@pytest.mark.parametrize("seen_at", ["", "yesterday"])
def test_what_was_seen_must_be_told(
    as_reviewer: Client, in_review: Verification, seen_at: str
) -> None:
    page = decide(as_reviewer, in_review, seen_at=seen_at).content.decode()
    assert "has changed since you opened it" in page
    assert status_of(in_review) == Status.IN_REVIEW


def test_the_second_of_two_reviewers_is_told(
    as_reviewer: Client, admin_client: Client, in_review: Verification
) -> None:
    assert decide(admin_client, in_review).status_code == 302
    response = decide(as_reviewer, in_review, decision="reject", reason_code="fraud_suspected")
    assert response.status_code == 409
    page = response.content.decode()
    assert "fv-verified" in page
    assert status_of(in_review) == Status.VERIFIED
    assert in_review.events.filter(action="verified").count() == 1


def test_nobody_decides_their_own_case(as_reviewer: Client, reviewer: User) -> None:
    own = decided_as(reviewer, 72)
    page = as_reviewer.get(page_of(own)).content.decode()
    assert "This is your own case" in page
    assert 'name="reason_code"' not in page
    response = decide(as_reviewer, own)
    assert response.status_code == 403
    assert "This is your own case: somebody else must do it." in response.content.decode()
    assert status_of(own) == Status.IN_REVIEW


def test_looking_is_not_deciding(
    client: Client, staff: Callable[..., User], in_review: Verification
) -> None:
    client.force_login(staff("view_verification"))
    page = client.get(page_of(in_review)).content.decode()
    assert "Your account may look at it, not decide it." in page
    assert '<form method="post" action="/admin/django_faceverify' not in page
    assert decide(client, in_review).status_code == 403
    assert client.post(page_of(in_review, "cancel")).status_code == 403
    assert status_of(in_review) == Status.IN_REVIEW


def test_reviewing_needs_seeing(
    client: Client, staff: Callable[..., User], in_review: Verification
) -> None:
    client.force_login(staff("review_verification"))
    assert decide(client, in_review).status_code == 403


def test_a_superuser_decides(admin_client: Client, in_review: Verification) -> None:
    assert decide(admin_client, in_review).status_code == 302
    assert status_of(in_review) == Status.VERIFIED


def test_only_known_decisions_by_post_with_a_token(
    as_reviewer: Client, reviewer: User, in_review: Verification
) -> None:
    assert decide(as_reviewer, in_review, decision="delete").status_code == 400
    assert as_reviewer.get(page_of(in_review, "review")).status_code == 405
    assert as_reviewer.get(page_of(in_review, "cancel")).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(reviewer)
    assert decide(strict, in_review).status_code == 403
    assert status_of(in_review) == Status.IN_REVIEW


def test_cancel(as_reviewer: Client, in_review: Verification) -> None:
    assert "Cancel this case" in as_reviewer.get(page_of(in_review)).content.decode()
    response = as_reviewer.post(page_of(in_review, "cancel"))
    assert response.status_code == 302
    assert status_of(in_review) == Status.CANCELED
    assert in_review.reason_code == "canceled_by_staff"
    assert "Cancel this case" not in as_reviewer.get(page_of(in_review)).content.decode()
    again = as_reviewer.post(page_of(in_review, "cancel"))
    assert again.status_code == 409
    assert "already decided or closed" in again.content.decode()


def test_a_case_that_is_not_in_review_cannot_be_decided(as_reviewer: Client, alice: User) -> None:
    waiting = intake.create(user=alice, idcard_name=IDCARD_NAME, idcard_number=IDCARD_NUMBER)
    response = decide(as_reviewer, waiting)
    assert response.status_code == 409
    assert "not in review" in response.content.decode()
