"""The pages for frontends, done as they say: in Django, in a real browser, and as an app."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
import requests
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import include, path

from django_faceverify import sweeper, tokens
from django_faceverify.models import ClientToken, Verification
from django_faceverify.sandbox import Sandbox, scenario_number
from tests.conftest import IDCARD_NAME, draw_jpeg
from tests.console.test_browser import page as page  # a fixture
from tests.private_servers import free_port
from tests.test_docs import ask, blocks, curls, running_site
from tests.test_docs import sandbox as sandbox  # a fixture

if TYPE_CHECKING:
    from playwright.sync_api import FilePayload, Page

pytestmark = pytest.mark.django_db(transaction=True)

START_SECONDS = 20.0

[SETTING, SHOP] = blocks("how-to/single-page-app", "python")
[PAGE] = blocks("how-to/single-page-app", "html")


def listen_to(origins: list[str], settings: Any) -> None:
    rules = {"CLIENT_TOKENS": {"ORIGINS": origins}}
    settings.FACEVERIFY = {**settings.FACEVERIFY, **rules}


def test_the_code_of_a_backend(verification: Verification, settings: Any) -> None:
    listen_to(["https://shop.example"], settings)
    namespace: dict[str, Any] = {}
    exec(blocks("how-to/build-a-frontend", "python")[0], namespace)
    secret = namespace["token_for"](verification, ["https://shop.example"])
    assert tokens.holder(secret) is not None


# Server-side site


@pytest.fixture
def mysite(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The views, addresses and templates of the page."""
    views, urls = blocks("how-to/server-side-site", "python")
    site, module = ModuleType("mysite"), ModuleType("mysite.views")
    exec(views, vars(module))
    site.views = module  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "mysite", site)
    addresses = ModuleType("mysite.urls")
    addresses.urlpatterns = [path("kyc/", include("django_faceverify.urls"))]  # type: ignore[attr-defined]
    exec(urls, vars(addresses))
    monkeypatch.setitem(sys.modules, "mysite.urls", addresses)
    settings.ROOT_URLCONF = "mysite.urls"
    for name, html in zip(
        ("verify.html", "verified.html"), blocks("how-to/server-side-site", "html"), strict=True
    ):
        (tmp_path / name).write_text(html)
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path]}]


def test_a_server_side_site(mysite: None, sandbox: Sandbox, alice: User, bob: User) -> None:
    client = Client()
    client.force_login(alice)
    assert "I agree." in client.get("/verify/").content.decode()
    form = {"idcard_name": IDCARD_NAME, "idcard_number": "0", "agree": "on"}
    refused = client.post("/verify/", {**form, "image": SimpleUploadedFile("a.jpg", draw_jpeg())})
    assert "18 characters" in refused.content.decode()
    assert not Verification.objects.exists()
    form["idcard_number"] = scenario_number("001")
    sent = client.post("/verify/", {**form, "image": SimpleUploadedFile("a.jpg", draw_jpeg())})
    address = sent["Location"]
    waiting = client.get(address).content.decode()
    assert 'http-equiv="refresh"' in waiting
    sweeper.drain()
    told = client.get(address).content.decode()
    assert '<p id="status">verified</p>' in told
    assert 'http-equiv="refresh"' not in told
    client.force_login(bob)
    assert client.get(address).status_code == 404


# Mobile app


def test_a_mobile_app(sandbox: Sandbox, live_server: Any, alice: User) -> None:
    known = {"SITE": f"{live_server.url}/kyc/api/v1"}
    response = None
    for example in curls("how-to/mobile-app"):
        command, _, expected = example.partition("\n# ")
        response = ask(command, live_server.url, **known)
        assert response.status_code == int(expected), (example, response.text)
        body = response.json()
        known |= {"ID": body["id"]} if "id" in body else {}
        known |= {"TOKEN": body["token"]} if "token" in body else {}
        sweeper.drain()
    assert response is not None
    assert response.json()["status"] == "verified"
    assert ClientToken.objects.get().origins == []


# Single-page app


Start = Callable[[int, str], str]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Start]:
    """Starts ``shop.py`` with its page on a port, for a site; gives its origin."""
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "shop.py").write_text(SHOP)
    (folder / "index.html").write_text(PAGE)
    started: list[subprocess.Popen[bytes]] = []

    def start(port: int, site: str) -> str:
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "shop.py"],
            cwd=folder,
            env={**os.environ, "API": f"{site}/kyc/api/v1/", "PORT": str(port)},
            stderr=subprocess.DEVNULL,
        )
        started.append(process)
        wait_for(f"http://127.0.0.1:{port}/", process)
        return f"http://localhost:{port}"

    yield start
    for process in started:
        process.kill()
        process.wait()


def wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        assert process.poll() is None, "the shop did not start"
        try:
            requests.get(address, timeout=5)
        except requests.ConnectionError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the shop does not answer")


def send_photo(page: Page) -> None:
    page.locator("#text:not(:empty)").wait_for()
    page.get_by_label("I agree").check()
    photo: FilePayload = {"name": "me.jpg", "mimeType": "image/jpeg", "buffer": draw_jpeg()}
    page.get_by_label("Photo").set_input_files(photo)
    page.get_by_role("button", name="Send").click()


@pytest.mark.browser
def test_a_page_of_another_origin_takes_a_case_to_its_decision(
    page: Page, shop: Start, tmp_path: Path
) -> None:
    port = free_port()
    seen: list[str] = []
    problems: list[str] = []
    page.on("request", lambda request: seen.append(f"{request.method} {request.url}"))
    page.on("pageerror", lambda error: problems.append(str(error)))

    folder = tmp_path / "site"
    folder.mkdir()
    with running_site(folder, SETTING.replace("5173", str(port))) as (site, address):
        page.goto(shop(port, address))
        send_photo(page)
        status = page.get_by_role("status")
        for _ in range(30):
            if "verified" in (status.text_content() or ""):
                break
            site.sh("python manage.py faceverify_sweep")
            page.wait_for_timeout(200)
        [case] = requests.get(
            f"{address}/kyc/api/v1/verifications/", auth=("alice", "alice"), timeout=20
        ).json()["results"]

    assert (status.text_content() or "").startswith("verified: ")
    assert problems == []
    assert (case["status"], case["reference"]) == ("verified", "order-7")
    assert any(line.endswith("/photos/") for line in seen)
    assert tokens.PREFIX not in " ".join(seen)


@pytest.mark.browser
def test_the_browser_refuses_a_page_of_a_third_origin(
    page: Page,
    shop: Start,
    live_server: Any,
    settings: Any,
    verification: Verification,
) -> None:
    ours, third = free_port(), free_port()
    listen_to([f"http://localhost:{ours}"], settings)
    secret = tokens.issue(verification).secret
    address = f"{live_server.url}/kyc/api/v1/verifications/{verification.pk}/"
    script = """async ([address, path, secret]) => {
        const options = { headers: { Authorization: `Bearer ${secret}` }, method: path ? "POST" : "GET" };
        try { return (await fetch(address + path, options)).status; }
        catch (error) { return error.name; }
    }"""
    page.goto(shop(ours, live_server.url))
    assert page.evaluate(script, [address, "", secret]) == 200
    page.goto(shop(third, live_server.url))
    for rest in ("", "cancel/"):
        assert page.evaluate(script, [address, rest, secret]) == "TypeError"
    verification.refresh_from_db()
    assert verification.status == "processing"
