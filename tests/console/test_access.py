"""Roles, other admin sites, and what the rendered pages are allowed to contain."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client, override_settings
from django.urls import path

from django_faceverify.console import AttemptAdmin, VerificationAdmin
from django_faceverify.models import Event, Photo, Verification, VerificationAttempt
from tests.conftest import IDCARD_NUMBER
from tests.console.conftest import ATTEMPTS, LIST, page_of

backoffice = admin.AdminSite(name="backoffice")
backoffice.register(Verification, VerificationAdmin)
backoffice.register(VerificationAttempt, AttemptAdmin)

urlpatterns = [path("backoffice/", backoffice.urls)]


def test_without_permission_nothing_is_open(
    client: Client, staff: Callable[..., User], in_review: Verification
) -> None:
    client.force_login(staff())
    for address in (LIST, ATTEMPTS, ATTEMPTS + "costs/", page_of(in_review), LIST + "find/"):
        assert client.get(address).status_code == 403


def test_nobody_adds_edits_or_deletes(admin_client: Client, in_review: Verification) -> None:
    assert admin_client.get(LIST + "add/").status_code == 403
    assert admin_client.post(page_of(in_review), {"status": "verified"}).status_code == 405
    assert admin_client.get(page_of(in_review, "delete")).status_code == 403
    assert admin_client.post(page_of(in_review, "delete"), {"post": "yes"}).status_code == 403
    action = {"action": "delete_selected", "_selected_action": str(in_review.pk)}
    admin_client.post(LIST, action)
    assert Verification.objects.filter(pk=in_review.pk, status="in_review").exists()


def test_attempts_are_read_only(admin_client: Client, in_review: Verification) -> None:
    attempt = in_review.attempts.get()
    assert admin_client.get(ATTEMPTS + "add/").status_code == 403
    assert admin_client.get(f"{ATTEMPTS}{attempt.pk}/delete/").status_code == 403


def test_photos_and_events_have_no_admin_of_their_own() -> None:
    assert not admin.site.is_registered(Photo)
    assert not admin.site.is_registered(Event)


@override_settings(ROOT_URLCONF="tests.console.test_access")
def test_on_another_admin_site(admin_client: Client, in_review: Verification) -> None:
    address = f"/backoffice/django_faceverify/verification/{in_review.pk}/"
    for page in (
        admin_client.get("/backoffice/django_faceverify/verification/"),
        admin_client.get("/backoffice/django_faceverify/verificationattempt/"),
        admin_client.get("/backoffice/django_faceverify/verificationattempt/costs/"),
        admin_client.get(address + "change/"),
        admin_client.get("/backoffice/django_faceverify/verification/find/"),
        admin_client.post(
            "/backoffice/django_faceverify/verification/find/", {"idcard_number": IDCARD_NUMBER}
        ),
    ):
        assert page.status_code == 200
        links = re.findall(r'(?:href|action)="([^"]+)"', page.content.decode())
        assert not [link for link in links if link.startswith("/admin/")]
    response = admin_client.post(address + "cancel/")
    assert response.headers["Location"] == address + "change/"


@pytest.fixture
def pages(as_reviewer: Client, in_review: Verification) -> list[str]:
    responses = [
        as_reviewer.get(LIST),
        as_reviewer.get(LIST, {"q": "nothing"}),
        as_reviewer.get(ATTEMPTS),
        as_reviewer.get(ATTEMPTS + "costs/"),
        as_reviewer.get(page_of(in_review)),
        as_reviewer.post(page_of(in_review, "review"), {"decision": "verify"}),
        as_reviewer.get(LIST + "find/"),
        as_reviewer.post(LIST + "find/", {"idcard_number": IDCARD_NUMBER}),
    ]
    return [response.content.decode() for response in responses]


def test_pages_run_under_a_strict_content_security_policy(pages: list[str]) -> None:
    for page in pages:
        assert not re.search(r"<[^>]*\sstyle\s*=", page)
        assert not re.search(r"<style[\s>]", page)
        assert not re.search(r"<script(?![^>]*\ssrc=)", page)
        assert not re.search(r"<[^>]*\son\w+\s*=", page)
        assert "javascript:" not in page
        assert not re.search(r"(?:src|href|action)=[\"'](?:https?:)?//", page)


def test_ids_are_unique(pages: list[str]) -> None:
    for page in pages:
        ids = re.findall(r'\sid="([^"]+)"', page)
        assert len(ids) == len(set(ids))


def test_no_page_may_be_kept(as_reviewer: Client, in_review: Verification) -> None:
    for address in (LIST, page_of(in_review), LIST + "find/"):
        assert "no-store" in as_reviewer.get(address).headers["Cache-Control"]
