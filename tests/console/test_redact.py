"""Destroying personal data from the admin, one case or many, and the record of each day."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from django_faceverify import intake, retention
from django_faceverify.models import RetentionDay, Verification
from tests.console.conftest import LIST, decided_as, page_of

pytestmark = pytest.mark.django_db(transaction=True)

DAYS = "/admin/django_faceverify/retentionday/"


@pytest.fixture
def as_redactor(client: Client, staff: Callable[..., User]) -> Client:
    client.force_login(staff("view_verification", "redact_verification", "view_retentionday"))
    return client


def ask(client: Client, *cases: Verification, **more: str) -> Any:
    body = {"action": "redact_selected", "_selected_action": [str(case.pk) for case in cases]}
    return client.post(LIST, body | more)


def redacted(*cases: Verification) -> list[bool]:
    rows = Verification.objects.in_bulk([case.pk for case in cases])
    return [rows[case.pk].redacted_at is not None for case in cases]


def test_the_action_asks_first(as_redactor: Client, in_review: Verification) -> None:
    response = ask(as_redactor, in_review)
    page = response.content.decode()
    assert response.status_code == 200
    assert "This cannot be undone." in page
    assert str(in_review.pk) in page
    assert redacted(in_review) == [False]


def test_confirmed_it_says_what_became_of_each(
    as_redactor: Client, in_review: Verification, alice: User
) -> None:
    gone, other = decided_as(alice, 95), decided_as(alice, 95)
    intake.redact(gone, user=alice)
    page = ask(as_redactor, in_review, gone, confirmed="yes").content.decode()
    assert page.count("personal data destroyed") == 1
    assert page.count("had been destroyed before") == 1
    assert redacted(in_review, gone, other) == [True, True, False]
    in_review.refresh_from_db()
    assert (in_review.status, in_review.reason_code) == ("canceled", "canceled_by_staff")


def test_one_failure_does_not_stop_the_others(
    as_redactor: Client, in_review: Verification, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, real = decided_as(alice, 95), intake.redact

    def fail_for_one(verification: Verification, **facts: Any) -> Verification:
        if verification.pk == in_review.pk:
            raise OperationalError
        return real(verification, **facts)

    monkeypatch.setattr(intake, "redact", fail_for_one)
    page = ask(as_redactor, in_review, other, confirmed="yes").content.decode()
    assert "not destroyed; please try again" in page
    assert redacted(in_review, other) == [False, True]


def test_not_all_at_once(as_redactor: Client, in_review: Verification) -> None:
    response = ask(as_redactor, in_review, confirmed="yes", select_across="1", index="0")
    assert response.status_code == 302
    assert redacted(in_review) == [False]


def test_without_the_permission_there_is_no_action(
    as_reviewer: Client, in_review: Verification
) -> None:
    page = as_reviewer.get(LIST).content.decode()
    assert "redact_selected" not in page
    assert "action-checkbox" not in page
    ask(as_reviewer, in_review, confirmed="yes")
    assert as_reviewer.post(page_of(in_review, "redact")).status_code == 403
    assert "Destroy personal data" not in as_reviewer.get(page_of(in_review)).content.decode()
    assert redacted(in_review) == [False]


def test_actions_that_a_site_adds_everywhere_are_not_offered(
    as_redactor: Client, in_review: Verification
) -> None:
    def export_all(modeladmin: Any, request: Any, queryset: Any) -> None:
        raise AssertionError

    admin.site.add_action(export_all)
    try:
        page = as_redactor.get(LIST).content.decode()
    finally:
        admin.site.disable_action("export_all")
    assert "redact_selected" in page
    assert "export_all" not in page
    assert "delete_selected" not in page


def test_from_the_page_of_a_case(as_redactor: Client, in_review: Verification) -> None:
    assert "Destroy personal data" in as_redactor.get(page_of(in_review)).content.decode()
    assert as_redactor.get(page_of(in_review, "redact")).status_code == 405
    response = as_redactor.post(page_of(in_review, "redact"), follow=True)
    page = response.content.decode()
    assert "personal data destroyed" in page
    assert page_of(in_review, "redact") not in page
    assert redacted(in_review) == [True]
    again = as_redactor.post(page_of(in_review, "redact"), follow=True).content.decode()
    assert "had been destroyed before" in again


def test_the_record_of_the_days(as_redactor: Client, in_review: Verification) -> None:
    retention.purge()
    page = as_redactor.get(DAYS).content.decode()
    assert "0 % of 100000" in page
    assert "photos 7, identities 30, drafts 0, cases 1096" in page
    RetentionDay.objects.update(person_count=81_000)
    assert 'fv-rejected">81 % of 100000' in as_redactor.get(DAYS).content.decode()
    RetentionDay.objects.update(person_count=None, clocks={"photo": None})
    assert "photos for ever" in as_redactor.get(DAYS).content.decode()


def test_the_record_is_only_read(as_redactor: Client, admin_client: Client) -> None:
    day = RetentionDay.objects.create(day=timezone.localdate(), updated_at=timezone.now())
    assert admin_client.get(DAYS + "add/").status_code == 403
    assert admin_client.get(f"{DAYS}{day.pk}/delete/").status_code == 403
    assert admin_client.get(f"{DAYS}{day.pk}/change/").status_code == 200
