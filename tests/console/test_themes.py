"""The console in a real browser, in the frame of whichever admin the site has.

``test_unfold`` runs this file once more on a site with django-unfold. With a folder in
``FACEVERIFY_SCREENSHOTS``, each page is kept there as a picture.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core.files.storage import storages

from tests.console.conftest import ATTEMPTS, LIST, decided_as, page_of
from tests.console.test_browser import page as page  # a fixture

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

THEME = "unfold" if apps.is_installed("unfold") else "plain"
ENDPOINTS = "/admin/django_faceverify/webhookendpoint/"
#: how light the text of a button may be beside its ground, and still be read (WCAG AA)
LEAST_CONTRAST = 4.5

CONTRAST = """
element => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgb = colour => {
    canvas.fillStyle = "white"; canvas.fillRect(0, 0, 1, 1);
    canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = colour => {
    const [r, g, b] = rgb(colour).map(
      part => (part /= 255) <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  let ground = element;
  while (ground && /rgba\\(.*, 0\\)|transparent/.test(getComputedStyle(ground).backgroundColor))
    ground = ground.parentElement;
  const pair = [light(getComputedStyle(element).color),
                ground ? light(getComputedStyle(ground).backgroundColor) : 1];
  return (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
}
"""


@pytest.fixture
def visit(page: Page, live_server: Any) -> Callable[[str, str], Page]:
    """Log in once, then open a page, look whether its scripts ran, and keep a picture."""
    User.objects.create_superuser("admin", password="admin")
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(f"{live_server.url}/admin/login/")
    page.locator("[name=username]").fill("admin")
    page.locator("[name=password]").fill("admin")
    page.locator("[name=password]").press("Enter")
    page.wait_for_load_state()

    def open_page(address: str, name: str) -> Page:
        answer = page.goto(live_server.url + address)
        assert answer is not None
        assert answer.status == 200
        page.wait_for_timeout(300)  # what slides in has slid in
        if folder := os.environ.get("FACEVERIFY_SCREENSHOTS"):
            page.screenshot(path=Path(folder) / f"{THEME}-{name}.png", full_page=True)
        assert problems == []
        is_wider = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        assert page.evaluate(is_wider) is False
        return page

    return open_page


def test_the_lists(visit: Callable[[str, str], Page], alice: User) -> None:
    case = decided_as(alice, 72, reference="order-1")
    shown = visit(LIST, "list")
    assert shown.get_by_role("link", name=str(case.pk)[-8:]).is_visible()
    assert shown.locator("#searchbar").is_visible()
    box = shown.locator("#searchbar").bounding_box()
    assert box is not None
    assert box["width"] > 200
    border = "element => getComputedStyle(element).borderTopWidth"
    assert shown.locator("#searchbar").evaluate(border) != "0px"
    scale = shown.locator(".fv-scale-mark").first
    assert scale.evaluate("element => getComputedStyle(element).stroke") != "none"
    assert visit(ATTEMPTS, "attempts").locator(".fv-badge").first.is_visible()


def test_filters_and_search(visit: Callable[[str, str], Page], alice: User) -> None:
    case = decided_as(alice, 72)
    shown = visit(LIST, "filters")
    if THEME == "unfold":
        shown.locator("a", has_text="Filters").first.click()
    shown.locator("[name=created_from]").fill("2026-01-01")
    shown.locator(".fv-typed", has=shown.locator("[name=created_from]")).locator(
        "[type=submit]"
    ).click()
    shown.wait_for_load_state()
    assert "created_from=2026-01-01" in shown.url
    assert shown.get_by_role("link", name=str(case.pk)[-8:]).is_visible()
    shown = visit(f"{LIST}?q=part-of-it", "nothing")
    assert shown.get_by_role("status").get_by_text("parts find nothing").is_visible()


def test_every_page_says_what_it_is(visit: Callable[[str, str], Page], alice: User) -> None:
    case = decided_as(alice, 72)
    titles = {
        page_of(case): f"Case {str(case.pk)[-8:]}",
        page_of(case, "reveal"): f"Name and ID number of case {str(case.pk)[-8:]}",
        f"{LIST}queue/": "Cases in review",
        f"{LIST}find/": "Find by ID number",
    }
    for address, title in titles.items():
        shown = visit(address, "title")
        headings = shown.locator("h1", has_text=title).all()
        assert [heading.is_visible() for heading in headings] == [True], address


def test_a_case_is_decided_without_scrolling(
    visit: Callable[[str, str], Page], alice: User
) -> None:
    """The photo, the similarity and the three decisions, on the smallest common screen."""
    case = decided_as(alice, 72)
    shown = visit(page_of(case), "case")
    shown.set_viewport_size({"width": 1280, "height": 800})
    shown.locator(".fv-photo img").evaluate("image => image.decode()")
    parts = [".fv-photo img", ".fv-tools", ".fv-big-score", *3 * [".fv-decision .button"]]
    for number, part in enumerate(parts):
        box = shown.locator(part).nth(max(0, number - 3)).bounding_box()
        assert box is not None
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= 800, part


def test_a_photo_that_was_lost_is_said_to_be(
    visit: Callable[[str, str], Page], alice: User
) -> None:
    case = decided_as(alice, 72)
    storages["faceverify"].delete(case.photos.get().file_name)
    image = visit(page_of(case), "lost").locator(".fv-photo img")
    words = image.evaluate("image => getComputedStyle(image, '::after').content")
    assert "This photo cannot be shown" in words
    assert image.evaluate("image => image.naturalWidth") == 0


def test_links_can_be_read_in_the_dark(visit: Callable[[str, str], Page], alice: User) -> None:
    decided_as(alice, 72)
    shown = visit(f"{LIST}queue/", "queue")
    shown.emulate_media(color_scheme="dark", reduced_motion="reduce")
    shown.wait_for_timeout(300)
    for link in shown.locator(".fv-buckets a, .fv-table a").all():
        assert link.evaluate(CONTRAST) >= LEAST_CONTRAST, link.inner_text()
    border = "element => getComputedStyle(element).borderTopWidth"
    assert shown.locator(".fv-filters select").first.evaluate(border) != "0px"


def test_the_case_and_the_forms(visit: Callable[[str, str], Page], alice: User) -> None:
    case = decided_as(alice, 72)
    shown = visit(page_of(case), "case")
    for button in shown.locator(".fv-page .button:visible").all():
        assert button.evaluate(CONTRAST) >= LEAST_CONTRAST, button.inner_text()
    shown = visit(f"{LIST}find/", "find")
    shown.locator("[name=idcard_number]").fill("000000199001010011")
    shown.get_by_role("button", name="Find").click()
    shown.wait_for_load_state()
    assert shown.get_by_role("link", name=str(case.pk)[-8:]).is_visible()
    visit(f"{ATTEMPTS}costs/", "costs")
    assert visit(f"{ENDPOINTS}add/", "endpoint").locator("[name=url]").is_visible()
