"""The description against a running site: a client made of it, and anything else as everybody.

This is the short form; the long one is for people: ``make fuzz``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from django_faceverify.sandbox import scenario_number
from example_project.demo.pictures import portrait
from tests.fuzz.client import Client
from tests.fuzz.fuzzing import DESCRIPTION, OUTSIDERS, ROLES, described, fuzz, seen_by
from tests.fuzz.site import Site, running_example

pytestmark = pytest.mark.services

#: how long the short form may take for one role; on a busy machine, the second time
SECONDS = (4, 25)
#: questions by which something is shown
ENOUGH = 20


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_example(tmp_path_factory.mktemp("example")) as site:
        yield site


@pytest.mark.parametrize(("scenario", "status"), [("001", "verified"), ("003", "requires_input")])
def test_a_client_that_knows_only_the_description(site: Site, scenario: str, status: str) -> None:
    text = json.loads(DESCRIPTION.read_text("utf-8"))
    backend = Client(text, site.api, {"basicAuth": ("bob", "bob")})
    opened = backend.call(
        "create_verification",
        body={"idcard_name": "张三", "idcard_number": scenario_number(scenario)},
    )
    assert opened.status_code == 201
    case = opened.json()["id"]
    issued = backend.call("create_token", verification_id=case, body={"expires_in": 900})

    frontend = Client(text, site.api, {"clientToken": issued.json()["token"]})
    shown = frontend.call("retrieve_consent_text").json()
    agreed = {"text_version": shown["text_version"], "granted": True}
    agreed["text_sha256"] = shown["text_sha256"]
    assert frontend.call("give_consent", verification_id=case, body=agreed).status_code == 200
    photo = {"image": portrait("grace_hopper.jpg")}
    assert frontend.call("submit_photo", verification_id=case, body=photo).status_code == 202
    seconds = 60 if status == "verified" else 10
    told = frontend.follow("retrieve_verification", verification_id=case, seconds=seconds)
    assert told["status"] == status
    assert "similarity" not in told


def test_the_site_serves_what_is_committed(site: Site) -> None:
    served = requests.get(f"{site.api}/schema/", timeout=30).json()
    assert served == described()


@pytest.mark.parametrize("role", ROLES)
def test_nothing_contradicts_the_description(site: Site, role: str, tmp_path: Path) -> None:
    counts = []
    for seconds in SECONDS:
        folder = tmp_path / str(seconds)
        folder.mkdir()
        outcome = fuzz(site, role, folder, examples=1, seconds=seconds)
        assert outcome.is_passed, outcome.output
        counts.append(outcome.cases)
        if outcome.cases > ENOUGH:
            return
    pytest.fail(f"so few questions were asked: {counts}")


def test_outsiders_are_told_less() -> None:
    def members(role: str) -> set[str]:
        told = seen_by(role, described())["components"]["schemas"]["Verification"]
        return set(told["properties"])

    for role in OUTSIDERS:
        assert members("admin") - members(role) >= {"similarity", "thresholds", "provider"}
