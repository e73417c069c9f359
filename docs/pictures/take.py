"""Takes the pictures of the console's pages from a running demo, in both languages.

``make demo`` in one terminal, then ``pairs.py`` for the agreement of two providers, and:
python docs/pictures/take.py http://127.0.0.1:8000
"""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from django_faceverify.sandbox import scenario_number

HERE = Path(__file__).parent
ADMIN = "/admin/django_faceverify"
CASES = f"{ADMIN}/verification/"
LANGUAGES = {"en": "", "zh-CN": ".zh-hans"}
#: a case with a person's photo, among those that the demo makes
REFERENCE = "demo-02"
#: the pages that need nothing but their address
PAGES = {
    "list": CASES,
    "queue": f"{CASES}queue/",
    "figures": f"{ADMIN}/dailyfigure/",
    "policy": f"{ADMIN}/dailyfigure/policy/?verify_at=71&review_at=65",
    "costs": f"{ADMIN}/verificationattempt/costs/",
    "agreement": f"{ADMIN}/verificationattempt/agreement/",
    "attempts": f"{ADMIN}/verificationattempt/",
    "deliveries": f"{ADMIN}/webhookdelivery/",
    "endpoints": f"{ADMIN}/webhookendpoint/",
    "find": f"{CASES}find/",
    "retention": f"{ADMIN}/retentionday/",
    "searches": f"{ADMIN}/identitysearch/",
}
#: for charts to be drawn and photos to be measured, in milliseconds
PATIENCE = 800
HEIGHT = 900


def keep(page: Page, name: str) -> None:
    """The part with something in it, in 256 colours, which is a third of the size."""
    page.evaluate("window.scrollTo(0, 0)")
    page.wait_for_timeout(PATIENCE)
    content = page.locator("#content").bounding_box()
    height = min(HEIGHT, content["y"] + content["height"] + 40) if content else HEIGHT
    clip = {"x": 0, "y": 0, "width": 1280, "height": height}
    with Image.open(io.BytesIO(page.screenshot(clip=clip))) as picture:
        reduced = picture.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    reduced.save(HERE / f"{name}.png", optimize=True)


def log_in(page: Page, site: str) -> None:
    page.goto(f"{site}/admin/login/?next={PAGES['queue']}")
    page.fill("#id_username", "admin")
    page.fill("#id_password", "admin")
    page.click("[type=submit]")
    page.locator("html.fv-script").wait_for()


def search(page: Page, site: str) -> None:
    """By an ID number of the sandbox, so that the list of searches has a line."""
    page.goto(f"{site}{CASES}find/")
    page.fill("#id_idcard_number", scenario_number("002"))
    page.click("#content input[type=submit]")
    page.wait_for_load_state()


def take_pages(page: Page, site: str, suffix: str) -> None:
    for name, address in PAGES.items():
        page.goto(site + address)
        keep(page, f"{name}{suffix}")


def take_case(page: Page, site: str, suffix: str) -> None:
    """One case with a reason chosen, and the page that asks why a name is to be seen."""
    page.goto(f"{site}{CASES}?q={REFERENCE}")
    page.click("#result_list tbody a")
    case = page.url.partition("?")[0]
    page.goto(f"{case}?bucket=unassigned")
    page.locator(".fv-photo img").first.wait_for()
    page.keyboard.press("v")
    page.keyboard.press("1")
    keep(page, f"case{suffix}")
    page.goto(case.replace("/change/", "/reveal/"))
    keep(page, f"reveal{suffix}")


def take_many(page: Page, site: str, suffix: str) -> None:
    """The question before many cases are decided at once; nothing is decided."""
    page.goto(site + PAGES["queue"])
    for tick in page.locator("input[name=case]").all()[:3]:
        tick.check()
    page.select_option("#fv-judgement", index=1)
    page.locator("form:has(#fv-judgement) button[type=submit]").last.click()
    page.wait_for_url("**/decide/**")
    keep(page, f"many{suffix}")


def take_redaction(page: Page, site: str, suffix: str) -> None:
    """The question before personal data is destroyed; nothing is destroyed."""
    page.goto(site + CASES)
    for tick in page.locator("input.action-select").all()[:3]:
        tick.check()
    page.select_option("select[name=action]", "redact_selected")
    page.locator(".actions button").click()
    page.locator("input[name=confirmed]").wait_for(state="attached")
    keep(page, f"redact{suffix}")


def take(browser: Browser, site: str, language: str, suffix: str) -> None:
    context = browser.new_context(locale=language, viewport={"width": 1280, "height": HEIGHT})
    context.set_default_timeout(20_000)
    page = context.new_page()
    log_in(page, site)
    search(page, site)
    take_pages(page, site, suffix)
    take_case(page, site, suffix)
    take_many(page, site, suffix)
    take_redaction(page, site, suffix)
    context.close()


def main() -> None:
    site = sys.argv[1].rstrip("/")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        for language, suffix in LANGUAGES.items():
            take(browser, site, language, suffix)
        browser.close()


if __name__ == "__main__":
    main()
