"""Takes the pictures of the review pages from a running demo, in both languages.

``make demo`` in one terminal, then: python docs/pictures/take.py http://127.0.0.1:8000
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

HERE = Path(__file__).parent
QUEUE = "/admin/django_faceverify/verification/queue/"
LANGUAGES = {"en": "", "zh-CN": ".zh-hans"}
#: a case with a person's photo, among those that the demo makes
REFERENCE = "demo-02"


def take(browser: Browser, site: str, language: str, suffix: str) -> None:
    context = browser.new_context(locale=language, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(f"{site}/admin/login/?next={QUEUE}")
    page.fill("#id_username", "reviewer")
    page.fill("#id_password", "reviewer")
    page.click("[type=submit]")
    page.locator("html.fv-script").wait_for()
    page.screenshot(path=HERE / f"queue{suffix}.png")
    page.goto(f"{site}/admin/django_faceverify/verification/?q={REFERENCE}")
    page.click("#result_list tbody a")
    case = page.url.partition("?")[0]
    page.goto(f"{case}?bucket=unassigned")
    page.wait_for_function("document.querySelector('[data-fv-measured]').textContent")
    page.keyboard.press("v")
    page.keyboard.press("1")
    page.wait_for_timeout(300)
    page.screenshot(path=HERE / f"case{suffix}.png")
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
