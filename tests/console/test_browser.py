"""A reviewer with a real browser: log in, find the case, look at it, decide it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User
from django.db import connections

from tests.conftest import IDCARD_NAME
from tests.console.conftest import LIST, decided_as

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    is_required = "chromium" in os.environ.get("FACEVERIFY_TEST_REQUIRE", "").split(",")
    if CHROMIUM is None and not is_required:
        pytest.skip("Chromium is not installed")
    from playwright.sync_api import sync_playwright

    # The browser's driver runs an event loop in this thread, which Django mistakes for async code.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser.new_page(viewport={"width": 1280, "height": 900})
        browser.close()
        # While the driver runs, Django keeps connections apart from those of other times.
        connections.close_all()


def test_a_reviewer_decides_a_case(
    live_server: Any, page: Page, reviewer: User, alice: User
) -> None:
    case = decided_as(alice, 72, reference="order-1")
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))

    page.goto(live_server.url + LIST)
    page.get_by_label("Username").fill("reviewer")
    page.get_by_label("Password").fill("reviewer")
    page.get_by_role("button", name="Log in").click()

    page.get_by_role("link", name=str(case.pk)[-8:]).click()
    photo = page.get_by_alt_text("Photo 1 of the person")
    photo.wait_for()
    assert photo.evaluate("async image => { await image.decode(); return image.naturalWidth; }")

    decision = page.get_by_role("form", name="Verify")
    decision.get_by_label("same person by eye").focus()
    page.keyboard.press("Space")
    decision.get_by_label("Note for reviewers").fill("the same mole")
    decision.get_by_role("button", name="Verify").press("Enter")

    page.get_by_text("is now: verified").wait_for()
    page.get_by_text("the same mole").wait_for()
    assert page.get_by_role("form", name="Verify").count() == 0
    case.refresh_from_db()
    assert (case.status, case.decided_by_id) == ("verified", reviewer.pk)
    assert case.events.filter(action="photo_viewed", actor=f"user:{reviewer.pk}").exists()
    assert problems == []


def test_an_identity_is_revealed_to_somebody_who_says_why(
    live_server: Any, page: Page, admin_user: User, alice: User
) -> None:
    """A browser sends forms in its own way: not every header lets it through the CSRF check."""
    case = decided_as(alice, 72)

    page.goto(live_server.url + LIST)
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill("password")
    page.get_by_role("button", name="Log in").click()

    page.get_by_role("link", name=str(case.pk)[-8:]).click()
    page.get_by_role("link", name="Reveal name and number").click()
    page.get_by_label("Reason").select_option("fraud")
    page.get_by_label("In your own words").fill("complaint 4711")
    page.get_by_role("button", name="Show name and ID number").click()

    page.get_by_text(IDCARD_NAME).wait_for()
    assert case.events.filter(action="revealed", actor=f"user:{admin_user.pk}").count() == 1
    page.get_by_role("link", name="Hide it now").click()
    page.get_by_role("heading", name="Outcome").wait_for()
    assert page.get_by_text(IDCARD_NAME).count() == 0
