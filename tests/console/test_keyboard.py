"""The review pages in a real browser: by keyboard alone, under a strict policy, for everybody."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from pytest_django.live_server_helper import LiveServer

from django_faceverify.models import Review, Verification
from tests.console.conftest import LIST, decided_as, page_of
from tests.console.test_browser import page as page  # the fixture

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

QUEUE = f"{LIST}queue/"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'"
)


def strict(get_response: Callable[[HttpRequest], HttpResponse]) -> Any:
    """Sends the policy with every page."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        return response

    return middleware


@pytest.fixture
def site(settings: Any, own_connections: None) -> Iterator[str]:
    settings.ALLOWED_HOSTS = ["*"]
    if not apps.is_installed("unfold"):  # whose frame has scripts and styles inline
        settings.MIDDLEWARE = ["tests.console.test_keyboard.strict", *settings.MIDDLEWARE]
    server = LiveServer("localhost")
    yield server.url
    server.stop()


@pytest.fixture
def problems(page: Page) -> list[str]:
    """Every error of a script, and everything that the policy forbade."""
    found: list[str] = []
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on(
        "console",
        lambda line: found.append(line.text) if "Content Security Policy" in line.text else None,
    )
    return found


def log_in(page: Page, site: str, name: str, address: str = QUEUE) -> None:
    page.goto(f"{site}/admin/login/?next={address}")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(name)
    page.keyboard.press("Enter")
    page.locator("html.fv-script").wait_for()


def status_of(case: Verification) -> str:
    case.refresh_from_db()
    return case.status


def wait_until(page: Page, is_so: Callable[[], bool]) -> None:
    """What a page sends when it is left may arrive after the next one is there."""
    for _ in range(300):
        if is_so():
            return
        page.wait_for_timeout(100)
    pytest.fail("It never came to that.")


def leave(page: Page, case: Verification) -> None:
    """To the queue. The case is given back by a message of its own, which may come later."""
    page.get_by_text("Yours while this page is open").wait_for()
    page.keyboard.press("q")
    page.wait_for_url(f"**{QUEUE}*")
    wait_until(page, Review.objects.unclaimed().filter(pk=case.pk).exists)


def test_ten_cases_by_keyboard_alone(
    site: str, page: Page, problems: list[str], reviewer: User, alice: User
) -> None:
    cases = [decided_as(alice, 72) for _ in range(10)]
    log_in(page, site, "reviewer")
    page.keyboard.press("s")
    for number, case in enumerate(cases):
        page.wait_for_url(f"**{page_of(case)}?*")
        page.locator("html.fv-script").wait_for()
        page.keyboard.press("vra"[number % 3])  # three keys decide a case
        page.keyboard.press("1")
        page.keyboard.press("Enter")
    page.get_by_text("No further case waits here.").wait_for()
    wanted = ["verified", "rejected", "requires_input"] * 3 + ["verified"]
    assert [status_of(case) for case in cases] == wanted
    assert problems == []


def test_the_photo_the_help_and_the_words_for_who_cannot_see(
    site: str, page: Page, problems: list[str], reviewer: User, in_review: Verification
) -> None:
    log_in(page, site, "reviewer", page_of(in_review))
    live = page.locator("#fv-live")
    image = page.get_by_alt_text("Photo 1 of the person")
    page.get_by_text("sharpness").first.wait_for()
    assert "brightness" in page.locator("[data-fv-measured]").inner_text()
    page.keyboard.press("+")
    assert live.inner_text() == "Photo at 125 percent"
    page.keyboard.press("o")
    assert image.evaluate("image => image.style.rotate") == "90deg"
    page.keyboard.press("]")
    assert image.evaluate("image => image.style.filter") == "brightness(120%)"
    page.keyboard.press("0")
    assert image.evaluate("image => image.style.filter + image.style.rotate") == "0deg"
    page.keyboard.press("?")
    assert page.get_by_role("dialog", name="Keys").is_visible()
    page.keyboard.press("v")  # a dialog takes no keys for the page behind it
    page.keyboard.press("Escape")
    page.get_by_role("dialog", name="Keys").wait_for(state="hidden")
    page.keyboard.press("r")
    assert live.inner_text() == "Reject: choose a reason"
    page.keyboard.press("9")
    assert live.inner_text() == "There is no such reason"
    page.keyboard.press("2")
    assert live.inner_text() == "Reject, fraud suspected: press Enter to send"
    page.keyboard.press("m")
    page.keyboard.type("vra 123?")  # in a note, letters are letters
    note = page.get_by_role("form", name="Reject").get_by_label("Note for reviewers")
    assert note.input_value() == "vra 123?"
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    page.get_by_text("is now: rejected").wait_for()
    assert problems == []


def test_two_reviewers_race_for_one_case(
    site: str, page: Page, reviewer: User, staff: Callable[..., User], in_review: Verification
) -> None:
    staff("view_verification", "review_verification", "view_photo", name="checker")
    browser = page.context.browser
    assert browser is not None
    other = browser.new_context().new_page()
    log_in(page, site, "reviewer", page_of(in_review))
    page.get_by_text("Yours while this page is open").wait_for()
    log_in(other, site, "checker", page_of(in_review))
    other.get_by_text("reviewer works on this case until").wait_for()
    assert other.get_by_role("form", name="Verify").count() == 0
    leave(page, in_review)
    other.reload()
    other.get_by_text("Yours while this page is open").wait_for()
    other.context.close()


def test_undoing_by_keyboard(
    site: str, page: Page, reviewer: User, alice: User, settings: Any, problems: list[str]
) -> None:
    settings.FACEVERIFY = {**settings.FACEVERIFY, "REVIEW": {"UNDO_SECONDS": 600}}
    first, second = decided_as(alice, 72), decided_as(alice, 73)
    log_in(page, site, "reviewer")
    page.keyboard.press("s")
    page.wait_for_url(f"**{page_of(first)}?*")
    for key in ("v", "1", "Enter"):
        page.keyboard.press(key)
    page.wait_for_url(f"**{page_of(second)}?*")
    assert status_of(first) == "in_review"
    page.keyboard.press("u")
    page.wait_for_url(f"**{page_of(first)}?*")
    page.get_by_role("form", name="Verify").wait_for()
    assert Review.objects.get(pk=first.pk).stage == "first"
    assert problems == []


def test_a_stale_decision(site: str, page: Page, reviewer: User, in_review: Verification) -> None:
    log_in(page, site, "reviewer", page_of(in_review))
    page.get_by_text("Yours while this page is open").wait_for()
    Verification.objects.update(updated_at="2020-01-01T00:00:00Z")
    for key in ("v", "1", "Enter"):
        page.keyboard.press(key)
    page.get_by_text("has changed since you opened it").wait_for()
    assert status_of(in_review) == "in_review"


def two_have_to_agree(settings: Any) -> None:
    level = {"PROVIDER": "default", "LIVE": False, "FOUR_EYES": True}
    levels = {**settings.FACEVERIFY["LEVELS"], "default": level}
    settings.FACEVERIFY = {**settings.FACEVERIFY, "LEVELS": levels, "REVIEW": {}}


@pytest.fixture
def checker_page(page: Page, staff: Callable[..., User]) -> Page:
    """The window of a second person."""
    staff("view_verification", "review_verification", "view_photo", name="checker")
    browser = page.context.browser
    assert browser is not None
    return browser.new_context(viewport={"width": 1280, "height": 900}).new_page()


def decide(page: Page, *keys: str) -> None:
    page.get_by_text("Yours while this page is open").wait_for()
    for key in (*keys, "Enter"):
        page.keyboard.press(key)


def test_two_people_who_agree(
    site: str,
    page: Page,
    checker_page: Page,
    reviewer: User,
    in_review: Verification,
    settings: Any,
) -> None:
    two_have_to_agree(settings)
    log_in(page, site, "reviewer", page_of(in_review))
    page.keyboard.press("v")
    page.keyboard.press("m")
    page.keyboard.type("the same scar")
    page.keyboard.press("Escape")
    decide(page, "1")
    page.get_by_text("You have judged this case; it waits for a second person.").wait_for()
    assert page.get_by_role("form", name="Verify").count() == 0  # not both by one person
    assert status_of(in_review) == "in_review"

    log_in(checker_page, site, "checker", f"{QUEUE}?bucket=second")
    checker_page.get_by_role("link", name=str(in_review.pk)[-8:]).click()
    checker_page.get_by_text("you are the second person").wait_for()
    seen = checker_page.locator("#content").inner_text()
    assert "the same scar" not in seen
    decide(checker_page, "v", "1")
    checker_page.wait_for_url(f"**{QUEUE}*")
    assert status_of(in_review) == "verified"
    checker_page.goto(site + page_of(in_review))
    checker_page.get_by_text("confirmed by checker").first.wait_for()
    checker_page.get_by_text("the same scar").first.wait_for()
    checker_page.context.close()


def test_two_people_who_do_not_agree(
    site: str,
    page: Page,
    checker_page: Page,
    reviewer: User,
    in_review: Verification,
    settings: Any,
) -> None:
    two_have_to_agree(settings)
    log_in(page, site, "reviewer", page_of(in_review))
    decide(page, "v", "1")
    page.get_by_text("it waits for a second person").wait_for()
    log_in(checker_page, site, "checker", page_of(in_review))
    decide(checker_page, "r", "2")
    checker_page.get_by_text("you two do not agree").first.wait_for()
    assert status_of(in_review) == "in_review"

    leave(checker_page, in_review)

    page.goto(site + page_of(in_review))  # anew: the first person may judge again
    page.get_by_text("decisions verify / reject").first.wait_for()
    decide(page, "r", "2")
    page.get_by_text("it waits for a second person").wait_for()
    checker_page.goto(site + page_of(in_review))
    decide(checker_page, "r", "2")
    checker_page.get_by_text("is now: rejected").wait_for()
    assert status_of(in_review) == "rejected"
    checker_page.context.close()


def violations(page: Page) -> list[str]:
    """What axe-core finds, at the levels A and AA."""
    package = importlib.util.find_spec("axe_playwright_python")
    assert package is not None
    assert package.origin is not None
    page.evaluate((Path(package.origin).parent / "axe.min.js").read_text("utf-8"))
    found = page.evaluate(
        """Promise.race([
            axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']}),
            new Promise((_, reject) => setTimeout(reject, 60000, 'axe-core takes too long')),
        ])"""
    )
    return [
        f"{one['id']}: {node['html'][:200]} {node['failureSummary'][:300]}"
        for one in found["violations"]
        for node in one["nodes"]
    ]


def fits(page: Page, width: int, problems: list[str]) -> list[str]:
    """What is wrong with the page, and nothing that the examination itself does."""
    wrong = list(problems)
    if page.evaluate("document.documentElement.scrollWidth") > width:
        wrong.append("wider than the screen")
    wrong += violations(page)
    problems.clear()
    return wrong


@pytest.mark.parametrize("width", [1280, 820])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nobody_is_kept_out(
    site: str,
    page: Page,
    problems: list[str],
    reviewer: User,
    alice: User,
    settings: Any,
    theme: str,
    width: int,
) -> None:
    settings.FACEVERIFY = {**settings.FACEVERIFY, "REVIEW": {"UNDO_SECONDS": 600}}
    first, second = decided_as(alice, 72), decided_as(alice, 73)
    page.set_viewport_size({"width": width, "height": 900})
    log_in(page, site, "reviewer")
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light", reduced_motion="reduce")
    assert fits(page, width, problems) == []
    page.keyboard.press("s")
    page.wait_for_url(f"**{page_of(first)}?*")
    for key in ("v", "1", "Enter"):
        page.keyboard.press(key)
    page.wait_for_url(f"**{page_of(second)}?*")
    page.get_by_text("sharpness").first.wait_for()
    page.keyboard.press("v")
    assert fits(page, width, problems) == []
    page.keyboard.press("?")
    assert fits(page, width, problems) == []
