"""From case to case in a real browser, the photo of the next one fetched while one decides."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session

from django_faceverify import intake, reviewing
from django_faceverify.models import Event, Review, Verification
from tests.console.conftest import decided_as, page_of
from tests.console.test_ahead import recorded
from tests.console.test_browser import page as page  # the fixture
from tests.console.test_keyboard import (
    QUEUE,
    fits,
    log_in,
    status_of,
    two_have_to_agree,
    wait_until,
)
from tests.console.test_keyboard import checker_page as checker_page
from tests.console.test_keyboard import problems as problems
from tests.console.test_keyboard import site as site

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LOOKED_AT = ["photo_viewed"]
SENT_THEN_LOOKED_AT = ["photo_sent_ahead", "photo_viewed"]
SAME_DOCUMENT = "window.isStillHere"


@pytest.fixture
def cases(alice: User) -> list[Verification]:
    return [decided_as(alice, 72) for _ in range(3)]


@pytest.fixture
def asked(page: Page) -> list[str]:
    """The addresses of photos that the browser has asked for."""
    found: list[str] = []
    page.on(
        "request", lambda request: found.append(request.url) if "/photos/" in request.url else None
    )
    return found


@pytest.fixture
def at_work(site: str, page: Page, reviewer: User, cases: list[Verification]) -> Page:
    """On the first of three cases, with the photo of the second one at hand."""
    return start(site, page, cases[0])


def start(site: str, page: Page, first: Verification, query: str = "") -> Page:
    log_in(page, site, "reviewer", quote(f"{QUEUE}?{query}"))
    page.keyboard.press("s")
    page.wait_for_url(f"**{page_of(first)}?*")
    page.locator("html.fv-script").wait_for()
    page.evaluate(f"{SAME_DOCUMENT} = true")
    return page


def wait_for_next(page: Page, case: Verification) -> None:
    """Until the photo of that case is in the browser."""
    page.locator(f"[data-fv-held='{case.photos.get().pk}']").wait_for(state="attached")


def wait_for_case(page: Page, case: Verification) -> None:
    page.wait_for_url(f"**{page_of(case)}?*")


def open_tab(page: Page, address: str) -> Page:
    with page.context.expect_page() as opened:
        page.evaluate("address => { window.open(address); }", address)
    return opened.value


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def is_shown(page: Page) -> bool:
    """Whether the picture is there, without waiting for it."""
    return bool(
        page.locator("[data-fv-photo] img").first.evaluate(
            "image => image.complete && image.naturalWidth > 0 && image.offsetWidth > 0"
        )
    )


def wait_for_picture(page: Page) -> None:
    image = page.locator("[data-fv-photo] img").first
    assert image.evaluate("async image => { await image.decode(); return image.naturalWidth; }")


def test_ten_cases_by_keyboard_and_no_photo_to_wait_for(
    site: str, page: Page, problems: list[str], asked: list[str], reviewer: User, alice: User
) -> None:
    cases = [decided_as(alice, 72) for _ in range(10)]
    start(site, page, cases[0])
    for number, case in enumerate(cases):
        wait_for_case(page, case)
        assert is_shown(page) or number == 0
        for later in cases[number + 1 : number + 2]:
            wait_for_next(page, later)
            assert recorded(later) == ["photo_sent_ahead"]
        asked.clear()
        press(page, "vra"[number % 3], "1", "Enter")
        for later in cases[number + 1 : number + 2]:
            wait_for_case(page, later)
            assert page.evaluate(SAME_DOCUMENT)
            assert not [url for url in asked if str(later.pk) in url]  # it was there already
            assert recorded(later) == SENT_THEN_LOOKED_AT
    page.get_by_text("No further case waits here.").wait_for()
    wanted = ["verified", "rejected", "requires_input"] * 3 + ["verified"]
    assert [status_of(case) for case in cases] == wanted
    assert [recorded(case) for case in cases] == [LOOKED_AT] + [SENT_THEN_LOOKED_AT] * 9
    assert not Review.objects.exists()
    assert problems == []


def test_where_one_is_is_said(at_work: Page, cases: list[Verification]) -> None:
    wait_for_next(at_work, cases[1])
    press(at_work, "v", "1", "Enter")
    wait_for_case(at_work, cases[1])
    short_id = str(cases[1].pk)[-8:]
    at_work.locator("#fv-live", has_text=f"Now open: Case {short_id}").wait_for()
    assert short_id in at_work.title()
    at_work.get_by_text(f"Case {str(cases[0].pk)[-8:]} is now: verified.").first.wait_for()
    focused = at_work.evaluate(
        """() => [document.activeElement.textContent,
                  document.getElementById(document.activeElement.getAttribute("aria-describedby"))
                      ?.textContent]"""
    )
    if not apps.is_installed("unfold"):  # whose heading is the name of the list
        assert short_id in focused[0]
        assert "is now: verified" in focused[1]
    assert at_work.evaluate("window.scrollY") == 0
    at_work.get_by_text("sharpness").first.wait_for()  # the tools work on the picture from ahead
    press(at_work, "+")
    image = at_work.get_by_alt_text("Photo 1 of the person")
    assert image.evaluate("image => image.style.width") == "125%"
    press(at_work, "?")
    assert at_work.get_by_role("dialog", name="Keys").is_visible()


def test_in_chinese(at_work: Page, cases: list[Verification], settings: Any) -> None:
    settings.LANGUAGE_CODE = "zh-hans"
    at_work.reload()
    wait_for_next(at_work, cases[1])
    press(at_work, "v", "1", "Enter")
    wait_for_case(at_work, cases[1])
    at_work.locator("#fv-live", has_text="现已打开").wait_for()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nobody_is_kept_out_of_a_page_that_was_put_in_place(
    at_work: Page, problems: list[str], cases: list[Verification], theme: Any
) -> None:
    at_work.emulate_media(color_scheme=theme, reduced_motion="reduce")
    wait_for_next(at_work, cases[1])
    press(at_work, "v", "1", "Enter")
    wait_for_case(at_work, cases[1])
    at_work.get_by_text("sharpness").first.wait_for()
    press(at_work, "r")
    assert at_work.evaluate(SAME_DOCUMENT)
    assert fits(at_work, 1280, problems) == []


def test_a_case_may_be_left_out(at_work: Page, reviewer: User, cases: list[Verification]) -> None:
    wait_for_next(at_work, cases[1])
    press(at_work, "n")
    wait_for_case(at_work, cases[1])
    assert at_work.evaluate(SAME_DOCUMENT)
    assert recorded(cases[1]) == SENT_THEN_LOOKED_AT
    wait_for_next(at_work, cases[0])  # the oldest that waits comes after the next decision
    assert Review.objects.kept_for(reviewer).get().pk == cases[0].pk


def test_filters_and_the_bucket_go_along(
    site: str, page: Page, reviewer: User, cases: list[Verification]
) -> None:
    Review.objects.filter(pk=cases[1].pk).update(band="60-70")
    start(site, page, cases[0], "bucket=unassigned&band=70-80")
    wait_for_next(page, cases[2])
    press(page, "v", "1", "Enter")
    wait_for_case(page, cases[2])
    assert page.url.endswith("?bucket=unassigned&band=70-80")
    press(page, "v", "1", "Enter")
    page.get_by_text("No further case waits here.").wait_for()
    assert page.url.endswith("?bucket=unassigned&band=70-80")
    assert status_of(cases[1]) == "in_review"


# what may have happened meanwhile


def taken(case: Verification, checker: User) -> None:
    reviewing.claim(case, user=checker)


def decided(case: Verification, checker: User) -> None:
    taken(case, checker)
    intake.review(case, reviewer=checker, decision="verify", reason_code="same_person")


def redacted(case: Verification, checker: User) -> None:
    assert case.user is not None
    intake.redact(case, user=case.user)


@pytest.mark.parametrize("meanwhile", [taken, decided, redacted])
def test_the_next_case_is_gone(
    at_work: Page,
    staff: Callable[..., User],
    asked: list[str],
    cases: list[Verification],
    meanwhile: Callable[..., None],
) -> None:
    checker = staff("view_verification", "review_verification", name="checker")
    wait_for_next(at_work, cases[1])
    meanwhile(cases[1], checker)
    press(at_work, "v", "1", "Enter")
    wait_for_case(at_work, cases[2])
    wait_for_picture(at_work)
    assert recorded(cases[1])[:1] == ["photo_sent_ahead"]
    assert "photo_viewed" not in recorded(cases[1])
    assert recorded(cases[2]) == LOOKED_AT


def test_the_photo_of_the_next_case_is_destroyed(at_work: Page, cases: list[Verification]) -> None:
    wait_for_next(at_work, cases[1])
    cases[1].photos.update(purged_at=cases[1].created_at)
    press(at_work, "v", "1", "Enter")
    wait_for_case(at_work, cases[1])
    at_work.get_by_text("This photo has been destroyed.").wait_for()
    assert at_work.locator("[data-fv-photo]:not(details *) img").count() == 0
    assert recorded(cases[1]) == ["photo_sent_ahead"]


def test_a_decision_before_the_photo_is_here(
    at_work: Page, asked: list[str], cases: list[Verification]
) -> None:
    wait_for_next(at_work, cases[1])
    late: list[Any] = []
    at_work.route("**/ahead/", lambda route: late.append(route))  # never answered
    press(at_work, "v", "1", "Enter")
    wait_for_case(at_work, cases[1])
    press(at_work, "v", "1", "Enter")
    wait_for_case(at_work, cases[2])
    wait_for_picture(at_work)
    assert recorded(cases[2]) == LOOKED_AT
    assert late


def test_a_photo_that_comes_after_its_page_was_left_keeps_no_case(
    site: str, page: Page, reviewer: User, cases: list[Verification], alice: User
) -> None:
    intake.redact(cases[1], user=alice)
    intake.redact(cases[2], user=alice)
    slow: list[Any] = []
    page.route("**/photos/*/", lambda route: slow.append(route))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    start(site, page, cases[0])
    page.evaluate("window.photo = document.querySelector('[data-fv-photo] img')")
    press(page, "v", "1", "Enter")
    page.get_by_text("No further case waits here.").wait_for()
    slow[0].continue_()
    page.evaluate("photo.complete || new Promise((done) => photo.addEventListener('load', done))")
    page.evaluate("fetch('/admin/jsi18n/')")  # whatever was asked before it is known by then
    assert not [url for url in asked if url.endswith("/ahead/")]


def test_a_decision_that_is_refused(
    at_work: Page, asked: list[str], cases: list[Verification], reviewer: User
) -> None:
    wait_for_next(at_work, cases[1])
    Verification.objects.filter(pk=cases[0].pk).update(updated_at="2020-01-01T00:00:00Z")
    press(at_work, "r", "m")
    at_work.keyboard.type("a scar")
    press(at_work, "Escape", "1", "Enter")
    at_work.get_by_text("has changed since you opened it").first.wait_for()
    assert page_of(cases[0]) in at_work.url
    note = at_work.get_by_role("form", name="Reject").get_by_label("Note for reviewers")
    assert note.input_value() == "a scar"
    assert at_work.get_by_role("form", name="Reject").get_by_label("different").is_checked()
    assert status_of(cases[0]) == "in_review"
    wait_for_next(at_work, cases[1])
    press(at_work, "r", "1", "Enter")
    wait_for_case(at_work, cases[1])
    assert status_of(cases[0]) == "rejected"
    assert recorded(cases[1]) == SENT_THEN_LOOKED_AT  # it was not sent again


def test_what_is_held_is_not_shown_on_the_page_of_a_related_case(
    at_work: Page, asked: list[str], cases: list[Verification]
) -> None:
    """All are about the same number: the photo of the next case stands folded up on this one."""
    wait_for_next(at_work, cases[1])
    Verification.objects.filter(pk=cases[0].pk).update(updated_at="2020-01-01T00:00:00Z")
    press(at_work, "v", "1", "Enter")
    at_work.get_by_text("has changed since you opened it").first.wait_for()
    assert recorded(cases[1]) == ["photo_sent_ahead"]
    address = page_of(cases[1], "photo", cases[1].photos.get().pk)
    folded = at_work.locator("details", has=at_work.locator(f"img[src^='{address}']"))
    folded.locator("summary").click()
    folded.locator("img").scroll_into_view_if_needed()
    folded.locator("img").evaluate("image => image.decode()")
    assert recorded(cases[1]) == SENT_THEN_LOOKED_AT


def test_a_decision_without_a_reason(at_work: Page, cases: list[Verification]) -> None:
    wait_for_next(at_work, cases[1])
    form = at_work.get_by_role("form", name="Verify")
    form.evaluate("form => { form.noValidate = true; }")
    form.get_by_role("button", name="Verify").click()
    at_work.get_by_text("Please choose a reason for this decision.").wait_for()
    assert status_of(cases[0]) == "in_review"


def test_the_case_was_taken_by_another(
    at_work: Page, staff: Callable[..., User], cases: list[Verification]
) -> None:
    checker = staff("view_verification", "review_verification", name="checker")
    wait_for_next(at_work, cases[1])
    reviewing.release(cases[0], user=User.objects.get(username="reviewer"))
    reviewing.claim(cases[0], user=checker)
    press(at_work, "v", "1", "Enter")
    at_work.get_by_text("checker works on this case until").wait_for()
    assert at_work.get_by_role("form", name="Verify").count() == 0
    assert status_of(cases[0]) == "in_review"
    wait_until(at_work, lambda: not Review.objects.kept().exists())  # no work here, nothing kept


def test_the_session_has_ended(at_work: Page, cases: list[Verification]) -> None:
    wait_for_next(at_work, cases[1])
    Session.objects.all().delete()
    press(at_work, "v", "1", "Enter")
    at_work.get_by_label("Password").wait_for()
    assert status_of(cases[0]) == "in_review"
    at_work.get_by_label("Username").fill("reviewer")
    at_work.get_by_label("Password").fill("reviewer")
    at_work.keyboard.press("Enter")
    wait_for_case(at_work, cases[0])  # where one was


def test_another_account_in_the_same_browser(
    site: str, at_work: Page, staff: Callable[..., User], cases: list[Verification]
) -> None:
    """The token of the form is not theirs: Django says so, as it does without a script."""
    staff("view_verification", "review_verification", "view_photo", name="checker")
    wait_for_next(at_work, cases[1])
    other = open_tab(at_work, site + QUEUE)
    other.locator("#logout-form, form[action*=logout]").first.evaluate("form => form.submit()")
    other.wait_for_url("**/logout/")
    log_in(other, site, "checker")
    press(at_work, "v", "1", "Enter")
    at_work.get_by_text("CSRF verification failed").wait_for()
    assert status_of(cases[0]) == "in_review"


def test_the_permission_was_taken_away(
    at_work: Page, reviewer: User, cases: list[Verification]
) -> None:
    wait_for_next(at_work, cases[1])
    reviewer.user_permissions.clear()
    press(at_work, "v", "1", "Enter")
    at_work.get_by_text("403").first.wait_for()
    assert status_of(cases[0]) == "in_review"


def test_the_server_fails(at_work: Page, cases: list[Verification]) -> None:
    wait_for_next(at_work, cases[1])
    at_work.route("**/review/", lambda route: route.fulfill(status=500, body="<h1>Sorry</h1>"))
    press(at_work, "v", "1", "Enter")
    at_work.get_by_text("Sorry").wait_for()
    assert status_of(cases[0]) == "in_review"


def test_the_answer_is_lost(at_work: Page, cases: list[Verification]) -> None:
    """The browser sends the form itself; a decision that was made already is not made twice."""
    wait_for_next(at_work, cases[1])
    sent: list[str] = []

    def lose_the_first(route: Any) -> None:
        sent.append(route.request.url)
        if len(sent) == 1:
            route.fetch(max_redirects=0)
            route.abort()
        else:
            route.continue_()

    at_work.route("**/review/", lose_the_first)
    press(at_work, "v", "1", "Enter")
    at_work.get_by_text(re.compile("not in review|has changed since")).first.wait_for()
    assert status_of(cases[0]) == "verified"
    assert cases[0].events.filter(action="verified").count() == 1


def test_enter_twice_decides_once(at_work: Page, cases: list[Verification]) -> None:
    wait_for_next(at_work, cases[1])
    press(at_work, "v", "1", "Enter", "v", "1", "Enter", "Enter")
    wait_for_case(at_work, cases[1])
    assert Event.objects.filter(action="verified").count() == 1
    assert status_of(cases[1]) == "in_review"


# around it


def test_leaving_the_queue(at_work: Page, reviewer: User, cases: list[Verification]) -> None:
    wait_for_next(at_work, cases[1])
    assert Review.objects.kept_for(reviewer).exists()
    press(at_work, "q")
    at_work.wait_for_url(f"**{QUEUE}*")
    at_work.reload()  # what the page sent when it was left has been taken by then
    at_work.get_by_role("link", name=str(cases[1].pk)[-8:]).wait_for()
    assert not Review.objects.claimed_by(reviewer).exists()


def test_the_way_back(at_work: Page, cases: list[Verification]) -> None:
    wait_for_next(at_work, cases[1])
    press(at_work, "v", "1", "Enter")
    wait_for_case(at_work, cases[1])
    at_work.evaluate("history.back()")
    wait_for_case(at_work, cases[0])
    at_work.locator(".fv-status", has_text="verified").wait_for()
    assert not at_work.evaluate(SAME_DOCUMENT)
    at_work.evaluate("history.forward()")
    wait_for_case(at_work, cases[1])
    at_work.get_by_role("form", name="Verify").wait_for()


def test_a_page_that_the_browser_has_kept_is_loaded_anew(
    at_work: Page, reviewer: User, cases: list[Verification]
) -> None:
    """It has let go of its cases, and may wait for an answer that went elsewhere."""
    wait_for_next(at_work, cases[1])
    with at_work.expect_navigation():
        at_work.evaluate(
            "window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))"
        )
    assert not at_work.evaluate(SAME_DOCUMENT)
    wait_for_next(at_work, cases[1])


def test_two_tabs_of_one_reviewer(
    site: str, at_work: Page, reviewer: User, cases: list[Verification], alice: User
) -> None:
    last = decided_as(alice, 72)
    wait_for_next(at_work, cases[1])
    other = open_tab(at_work, site + QUEUE)
    other.locator("html.fv-script").wait_for()
    other.keyboard.press("s")  # takes what was kept for the first tab
    wait_for_case(other, cases[1])
    wait_for_next(other, cases[2])
    assert Review.objects.kept_for(reviewer).count() == 1
    press(at_work, "v", "1", "Enter")
    wait_for_case(at_work, cases[2])
    press(other, "v", "1", "Enter")
    wait_for_case(other, last)
    assert [status_of(case) for case in cases] == ["verified", "verified", "in_review"]


def test_undoing_and_going_on(
    at_work: Page, cases: list[Verification], settings: Any, problems: list[str]
) -> None:
    settings.FACEVERIFY = {**settings.FACEVERIFY, "REVIEW": {"UNDO_SECONDS": 600}}
    wait_for_next(at_work, cases[1])
    press(at_work, "v", "1", "Enter")
    wait_for_case(at_work, cases[1])
    wait_for_next(at_work, cases[2])
    press(at_work, "u")
    wait_for_case(at_work, cases[0])
    at_work.get_by_role("form", name="Verify").wait_for()
    wait_for_next(at_work, cases[2])
    press(at_work, "r", "1", "Enter")
    at_work.wait_for_url(re.compile("|".join(page_of(case) for case in cases[1:])))
    assert cases[0].judgements.get().decision == "reject"
    assert problems == []


def test_two_have_to_agree(at_work: Page, cases: list[Verification], settings: Any) -> None:
    two_have_to_agree(settings)
    wait_for_next(at_work, cases[1])
    press(at_work, "v", "1", "Enter")
    wait_for_case(at_work, cases[1])
    at_work.get_by_text("waits for a second person").first.wait_for()
    assert recorded(cases[1]) == SENT_THEN_LOOKED_AT


def test_a_site_that_does_without(
    site: str,
    page: Page,
    reviewer: User,
    cases: list[Verification],
    asked: list[str],
    settings: Any,
) -> None:
    settings.FACEVERIFY = {**settings.FACEVERIFY, "REVIEW": {"PHOTO_AHEAD": False}}
    start(site, page, cases[0])
    press(page, "v", "1", "Enter")
    wait_for_case(page, cases[1])
    assert not page.evaluate(SAME_DOCUMENT)
    assert not any(url.endswith("/ahead/") for url in asked)


def test_without_a_script(site: str, page: Page, reviewer: User, cases: list[Verification]) -> None:
    browser = page.context.browser
    assert browser is not None
    plain = browser.new_context(java_script_enabled=False).new_page()
    plain.goto(f"{site}/admin/login/?next={QUEUE}")
    plain.get_by_label("Username").fill("reviewer")
    plain.get_by_label("Password").fill("reviewer")
    plain.keyboard.press("Enter")
    plain.get_by_role("button", name="Start with the oldest case").click()
    for case, following in pairwise(cases):
        wait_for_case(plain, case)
        form = plain.get_by_role("form", name="Verify")
        form.get_by_label("same person by eye").check()
        form.get_by_role("button", name="Verify").click()
        wait_for_case(plain, following)
        assert status_of(case) == "verified"
    assert not Event.objects.filter(action="photo_sent_ahead").exists()
    assert not Review.objects.filter(is_ahead=True).exists()
    plain.context.close()
