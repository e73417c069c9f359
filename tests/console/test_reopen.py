"""Taking a decision back, by two people at their screens."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client

from django_faceverify.models import Verification
from tests.console.conftest import decided_as, page_of

OVERRIDING = ("view_verification", "override_verification")


@pytest.fixture
def verified(alice: User) -> Verification:
    return decided_as(alice, 95)


def at_screen(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_one_proposes_and_another_confirms(
    staff: Callable[..., User], verified: Verification
) -> None:
    first = at_screen(staff(*OVERRIDING, name="first"))
    second = at_screen(staff(*OVERRIDING, name="second"))
    assert "Take the decision back" in first.get(page_of(verified)).content.decode()
    response = first.post(page_of(verified, "reopen"), {"reason_code": "mistake"}, follow=True)
    page = response.content.decode()
    assert "Somebody else must confirm it within a day." in page
    assert "You have proposed it: decided by mistake." in page
    assert page_of(verified, "confirm_reopen") not in page
    assert first.post(page_of(verified, "confirm_reopen")).status_code == 403
    page = second.get(page_of(verified)).content.decode()
    assert "Somebody has proposed it: decided by mistake." in page
    response = second.post(page_of(verified, "confirm_reopen"), follow=True)
    page = response.content.decode()
    assert "is now: in review" in page
    assert "<strong>decision taken back</strong> by second" in page
    assert "<strong>proposed to take the decision back</strong> by first" in page
    verified.refresh_from_db()
    assert verified.status == "in_review"


def test_refusals_are_told(staff: Callable[..., User], verified: Verification) -> None:
    client = at_screen(staff(*OVERRIDING))
    response = client.post(page_of(verified, "reopen"), {"reason_code": "because"})
    assert response.status_code == 400
    assert "choose why the decision is taken back" in response.content.decode()
    response = client.post(page_of(verified, "confirm_reopen"))
    assert response.status_code == 409
    assert "Nobody has proposed" in response.content.decode()
    assert client.get(page_of(verified, "reopen")).status_code == 405


def test_who_may_not(
    staff: Callable[..., User], reviewer: User, verified: Verification, in_review: Verification
) -> None:
    client = at_screen(reviewer)
    assert "Take the decision back" not in client.get(page_of(verified)).content.decode()
    for page in ("reopen", "confirm_reopen"):
        assert client.post(page_of(verified, page), {"reason_code": "mistake"}).status_code == 403
    insider = staff(*OVERRIDING)
    own = decided_as(insider, 95)
    client = at_screen(insider)
    assert "Take the decision back" not in client.get(page_of(own)).content.decode()
    assert client.post(page_of(own, "reopen"), {"reason_code": "mistake"}).status_code == 403
    assert "Take the decision back" not in client.get(page_of(in_review)).content.decode()
