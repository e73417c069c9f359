"""One verification through the REST API, as a site's own program would make it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from time import monotonic, sleep
from typing import Any
from urllib.parse import urljoin

import requests

from django_faceverify.sandbox import scenario_number
from example_project.demo.pictures import portrait, selfie, wall

#: seconds in which the verification must be decided
PATIENCE = 45.0
TIMEOUT = 15
CONSENT = {"text_version": "demo-1", "granted": True}


class NotVerified(Exception):
    """The demo's own verification did not end as it must; the message says how it ended."""


@dataclass(frozen=True)
class Claim:
    """Who somebody says to be, with a picture of themselves."""

    idcard_name: str
    idcard_number: str
    image: bytes = field(repr=False)
    reference: str = "demo-walkthrough"


@dataclass(frozen=True)
class Person:
    """Somebody with an account, who uses the API with HTTP Basic."""

    name: str

    def get(self, url: str) -> Any:
        response = requests.get(url, auth=(self.name, self.name), timeout=TIMEOUT)
        return _content(response, HTTPStatus.OK)

    def submit(self, url: str, claim: Claim) -> requests.Response:
        """Send name, ID number and photo."""
        return requests.post(
            url,
            auth=(self.name, self.name),
            data={
                "idcard_name": claim.idcard_name,
                "idcard_number": claim.idcard_number,
                "reference": claim.reference,
                "consent": json.dumps(CONSENT),
            },
            files={"image": ("portrait.jpg", claim.image, "image/jpeg")},
            timeout=TIMEOUT,
        )


def walk_through(site: str, check: Callable[[], None]) -> Any:
    """Alice verifies herself; returns what a reviewer sees of it.

    ``check`` raises when a program of the demo has died. Raises ``NotVerified``.
    """
    claim = Claim("张三", scenario_number("001"), portrait("grace_hopper.jpg"))
    return verify(site, claim, "verified", check)


def compare_faces(site: str, check: Callable[[], None]) -> Iterator[tuple[str, str]]:
    """What is done and what comes of it, when the sandbox really compares faces.

    Its register (``pictures/register.json``) has the portrait of Grace Hopper as 张三.
    """
    number = scenario_number("901")
    for title, image, status in (
        ("another picture of the same person", selfie("grace_hopper.jpg"), "verified"),
        ("a picture of another person", selfie("astronaut.jpg"), "requires_input"),
    ):
        case = verify(site, Claim("张三", number, image, "demo-faces"), status, check)
        reason = f" ({case['reason_code']})" if case["reason_code"] else ""
        yield title, f"{case['status']}{reason}, similarity {case['attempts'][-1]['similarity']}"
    claim = Claim("张三", number, wall(), "demo-faces")
    refused = _content(Person("alice").submit(_cases(site), claim), HTTPStatus.BAD_REQUEST)
    yield (
        "a picture of a wall",
        f"refused before anybody was asked ({refused['errors'][0]['code']})",
    )


def verify(site: str, claim: Claim, status: str, check: Callable[[], None]) -> Any:
    """Alice makes this claim, and it must come to this status; returns what a reviewer sees."""
    response = Person("alice").submit(_cases(site), claim)
    verification = _content(response, HTTPStatus.ACCEPTED)
    address = urljoin(_cases(site), response.headers["Location"])
    end = monotonic() + PATIENCE
    while verification["status"] == "processing" and monotonic() < end:
        check()
        sleep(0.2)
        verification = Person("alice").get(address)
    if verification["status"] != status:
        reason = verification["reason_code"] or "no reason given"
        raise NotVerified(
            f"Verification {verification['id']} should be {status} and is "
            f"{verification['status']} ({reason}) after {PATIENCE:.0f} s at most."
        )
    return Person("reviewer").get(address)


def _cases(site: str) -> str:
    return f"{site}/kyc/api/v1/verifications/"


def wait_for_webhooks(site: str, verification_id: str, check: Callable[[], None]) -> list[str]:
    """The events about a verification that the site's receiver has taken, the first one first."""
    address = f"{site}/kyc/api/v1/webhook-deliveries/?verification={verification_id}"
    end, received = monotonic() + PATIENCE, list[str]()
    while monotonic() < end and "verification.verified" not in received:
        check()
        sleep(0.2)
        rows = Person("admin").get(address)["results"]
        received = [row["event"] for row in reversed(rows) if row["state"] == "delivered"]
    return received


def _content(response: requests.Response, expected: HTTPStatus) -> Any:
    if response.status_code != expected:
        raise NotVerified(
            f"{response.request.method} {response.url} answered {response.status_code}: "
            f"{response.text[:500]}"
        )
    return response.json()
