"""The figures in a real browser, under a policy that allows nothing inline."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User

from django_faceverify import figures, intake
from tests.console.conftest import decided_as
from tests.console.test_browser import page
from tests.console.test_figures import FIGURES, POLICY

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page, Route

__all__ = ["page"]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

POLICY_OF_CONTENT = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

#: tells of everything that the policy has stopped, from the first line of a page on
LISTENER = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`);
});
"""

#: how many of a canvas' points are not empty
PAINTED = """canvas => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let painted = 0;
  for (let i = 3; i < data.length; i += 4) if (data[i]) painted += 1;
  return painted;
}"""


def send_policy(route: Route) -> None:
    """What the site answers, with the strictest policy under which our pages are to work."""
    response = route.fetch()
    headers = {**response.headers, "content-security-policy": POLICY_OF_CONTENT}
    route.fulfill(response=response, headers=headers)


@pytest.fixture
def site(live_server: Any, alice: User, reviewer: User) -> str:
    cases = [decided_as(alice, value) for value in (95, 72, 78, 30)]
    intake.review(cases[1], reviewer=reviewer, decision="verify", reason_code="same_person")
    figures.advance(float("inf"), settled=0)
    return str(live_server.url)


def signed_in(page: Page, site: str, **context: Any) -> Page:
    browser = page.context.browser
    assert browser is not None
    opened: BrowserContext = browser.new_context(viewport={"width": 1280, "height": 900}, **context)
    opened.add_init_script(LISTENER)
    tab = opened.new_page()
    tab.goto(f"{site}/admin/")
    tab.locator("#id_username").fill("reviewer")
    tab.locator("#id_password").fill("reviewer")
    tab.locator("[type=submit]").click()
    tab.wait_for_url("**/admin/")
    if context.get("java_script_enabled", True):
        tab.route("**/*", send_policy)
    return tab


@pytest.mark.parametrize("where", [FIGURES, POLICY])
@pytest.mark.parametrize(("language", "theme"), [("en", "light"), ("zh-hans", "dark")])
def test_charts_are_drawn(
    site: str, page: Page, settings: Any, where: str, language: str, theme: Any
) -> None:
    settings.LANGUAGE_CODE = language
    tab = signed_in(page, site, color_scheme=theme)
    problems: list[str] = []
    tab.on("pageerror", lambda error: problems.append(str(error)))
    response = tab.goto(site + where)
    assert response is not None
    assert response.headers["content-security-policy"] == POLICY_OF_CONTENT
    tab.locator("canvas").first.wait_for()
    wanted = tab.locator("figure[data-chart]:has(table)").count()
    canvases = tab.locator("canvas").all()
    assert len(canvases) == wanted >= 2
    for canvas in canvases:
        assert canvas.evaluate(PAINTED) > 500
    assert tab.evaluate("window.violations") == []
    assert problems == []
    words = {"en": "Download as CSV", "zh-hans": "下载 CSV 表格"}
    assert tab.get_by_text(words[language]).count() >= 4


def test_the_theme_changes_the_charts(site: str, page: Page) -> None:
    tab = signed_in(page, site, color_scheme="light")
    tab.goto(site + FIGURES)
    canvas = tab.locator("#volume canvas")
    canvas.wait_for()
    light = canvas.evaluate("canvas => canvas.toDataURL()")
    tab.evaluate("document.documentElement.dataset.theme = 'dark'")
    tab.wait_for_function(
        "light => document.querySelector('#volume canvas').toDataURL() !== light", arg=light
    )


@pytest.mark.parametrize("name", ["volume", "similarities", "reasons", "reviewers"])
def test_the_file_that_is_downloaded(site: str, page: Page, name: str) -> None:
    tab = signed_in(page, site)
    tab.unroute("**/*")
    tab.goto(f"{site}{FIGURES}?days=7")
    cells = "rows => rows.map(row => [...row.cells].map(cell => cell.dataset.value))"
    shown = tab.locator(f"#{name} tbody tr").evaluate_all(cells)
    with tab.expect_download() as waiting:
        tab.locator(f"#{name} .fv-download a").click()
    text = waiting.value.path().read_text("utf-8-sig")
    assert list(csv.reader(io.StringIO(text)))[1:] == shown
    assert shown


def test_without_javascript(site: str, page: Page) -> None:
    tab = signed_in(page, site, java_script_enabled=False)
    for where in (FIGURES, POLICY):
        tab.goto(site + where)
        assert tab.locator("canvas").count() == 0
        assert tab.locator("figure table").count() >= 4
    tab.get_by_label("Verified from").fill("72")
    tab.get_by_role("button", name="Try").click()
    assert tab.get_by_text("would be decided otherwise").is_visible()
