"""A name and an ID number on the screen: for a reason, for a minute, on record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client

from django_faceverify.headers import PRIVATE_HEADERS
from django_faceverify.models import Verification
from tests.conftest import IDCARD_NAME, IDCARD_NUMBER
from tests.console.conftest import decided_as, page_of

WHY = {"reason_code": "complaint", "note": "complaint 4711"}
REVEALING = ("view_verification", "reveal_identity")


@pytest.fixture
def as_revealer(staff: Callable[..., User]) -> Client:
    client = Client()
    client.force_login(staff(*REVEALING, name="revealer"))
    return client


def tells(response: Any) -> bool:
    text = response.content.decode()
    return IDCARD_NAME in text or IDCARD_NUMBER in text


def test_from_the_case_to_the_form_to_the_identity(
    as_revealer: Client, in_review: Verification
) -> None:
    address = page_of(in_review, "reveal")
    case_page = as_revealer.get(page_of(in_review))
    assert f'href="{address}"' in case_page.content.decode()
    assert not tells(case_page)
    form = as_revealer.get(address)
    assert form.status_code == 200
    assert 'name="csrfmiddlewaretoken"' in form.content.decode()
    assert not tells(form)
    assert not in_review.events.filter(action="revealed").exists()
    shown = as_revealer.post(address, WHY)
    assert shown.status_code == 200
    page = shown.content.decode()
    assert IDCARD_NAME in page
    assert IDCARD_NUMBER in page
    [event] = in_review.events.filter(action="revealed")
    assert event.data == {"column": "idcard_name, idcard_number", "reason": "complaint"}


def test_it_goes_away_and_nobody_keeps_it(as_revealer: Client, in_review: Verification) -> None:
    response = as_revealer.post(page_of(in_review, "reveal"), WHY)
    assert response.headers["Refresh"] == f"60; url={page_of(in_review)}"
    for header, value in PRIVATE_HEADERS.items():
        assert set(value.split(", ")) <= set(response.headers[header].split(", "))
    assert not tells(as_revealer.get(page_of(in_review)))
    assert not tells(as_revealer.get(page_of(in_review, "reveal")))
    session = Session.objects.get()
    assert IDCARD_NUMBER not in str(session.get_decoded())
    assert not LogEntry.objects.exists()
    assert set(response.cookies) <= {"csrftoken", "sessionid"}


def test_the_page_works_without_a_script(as_revealer: Client, in_review: Verification) -> None:
    for response in (
        as_revealer.get(page_of(in_review, "reveal")),
        as_revealer.post(page_of(in_review, "reveal"), WHY),
    ):
        ours = response.content.decode().partition('id="content-main"')[2]
        for bit in ("<script", "javascript:", "onclick", "style="):
            assert bit not in ours.partition("<footer")[0]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"reason_code": ""}, "This field is required."),
        ({"reason_code": "curiosity"}, "Select a valid choice."),
        ({"note": ""}, "This field is required."),
        ({"note": "four"}, "at least 5 characters"),
        ({"note": "     "}, "This field is required."),
        ({"note": "x" * 2001}, "at most 2000 characters"),
    ],
)
def test_without_a_reason_it_stays_masked(
    as_revealer: Client, in_review: Verification, changes: dict[str, str], sentence: str
) -> None:
    response = as_revealer.post(page_of(in_review, "reveal"), {**WHY, **changes})
    assert response.status_code == 400
    assert sentence in response.content.decode()
    assert not tells(response)
    assert "Refresh" not in response.headers
    assert not in_review.events.filter(action="revealed").exists()


@pytest.mark.parametrize(
    "codenames",
    [("view_verification",), ("view_verification", "review_verification"), REVEALING[1:]],
)
def test_who_may_not(
    client: Client,
    staff: Callable[..., User],
    in_review: Verification,
    codenames: tuple[str, ...],
) -> None:
    client.force_login(staff(*codenames))
    assert client.get(page_of(in_review, "reveal")).status_code == 403
    assert client.post(page_of(in_review, "reveal"), WHY).status_code == 403
    assert not in_review.events.filter(action="revealed").exists()
    page = client.get(page_of(in_review))
    assert page_of(in_review, "reveal") not in page.content.decode()


def test_not_ones_own(client: Client, staff: Callable[..., User]) -> None:
    insider = staff(*REVEALING)
    client.force_login(insider)
    own = decided_as(insider, 72)
    assert client.get(page_of(own, "reveal")).status_code == 403
    assert client.post(page_of(own, "reveal"), WHY).status_code == 403
    assert page_of(own, "reveal") not in client.get(page_of(own)).content.decode()


def test_too_many(as_revealer: Client, in_review: Verification, settings: Any) -> None:
    quotas = {**settings.FACEVERIFY["QUOTAS"], "REVEALS_PER_REVIEWER_HOUR": 1}
    settings.FACEVERIFY = {**settings.FACEVERIFY, "QUOTAS": quotas}
    assert as_revealer.post(page_of(in_review, "reveal"), WHY).status_code == 200
    response = as_revealer.post(page_of(in_review, "reveal"), WHY)
    assert response.status_code == 429
    assert "as many identities as you may in an hour" in response.content.decode()
    assert not tells(response)
    page = as_revealer.get(page_of(in_review)).content.decode()
    assert "<strong>reveal refused</strong> by revealer" in page


def test_what_is_destroyed_or_broken(as_revealer: Client, in_review: Verification) -> None:
    Verification.objects.update(idcard_name="", idcard_number="")
    response = as_revealer.post(page_of(in_review, "reveal"), WHY)
    assert response.status_code == 409
    assert "have been destroyed" in response.content.decode()
    assert page_of(in_review, "reveal") not in as_revealer.get(page_of(in_review)).content.decode()


def test_who_looked_before_is_told_with_the_note(
    as_revealer: Client, reviewer: User, in_review: Verification
) -> None:
    as_revealer.post(page_of(in_review, "reveal"), WHY)
    form = as_revealer.get(page_of(in_review, "reveal")).content.decode()
    assert "revealer: complaint – complaint 4711" in form
    client = Client()
    client.force_login(reviewer)
    page = client.get(page_of(in_review)).content.decode()
    assert "<strong>sealed data revealed</strong> by revealer" in page
    assert "complaint 4711" not in page  # the note is for those who may reveal


def test_a_token_is_needed(staff: Callable[..., User], in_review: Verification) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(staff(*REVEALING))
    assert strict.post(page_of(in_review, "reveal"), WHY).status_code == 403
    assert not in_review.events.filter(action="revealed").exists()
