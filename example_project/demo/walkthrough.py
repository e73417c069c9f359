"""One verification through the REST API, as a site's own program would make it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from time import monotonic, sleep
from typing import Any
from urllib.parse import urljoin

import requests

from django_faceverify.sandbox import scenario_number
from example_project.demo.pictures import portrait

#: seconds in which the verification must be decided
PATIENCE = 45.0
TIMEOUT = 15
CONSENT = {"text_version": "demo-1", "granted": True}


class NotVerified(Exception):
    """The demo's own verification did not end as it must; the message says how it ended."""


@dataclass(frozen=True)
class Person:
    """Somebody with an account, who uses the API with HTTP Basic."""

    name: str

    def get(self, url: str) -> Any:
        response = requests.get(url, auth=(self.name, self.name), timeout=TIMEOUT)
        return _content(response, HTTPStatus.OK)

    def verify(self, url: str) -> tuple[str, Any]:
        """Send name, ID number and photo; returns the address of the verification and itself."""
        response = requests.post(
            url,
            auth=(self.name, self.name),
            data={
                "idcard_name": "张三",
                "idcard_number": scenario_number("001"),
                "reference": "demo-walkthrough",
                "consent": json.dumps(CONSENT),
            },
            files={"image": ("portrait.jpg", portrait("grace_hopper.jpg"), "image/jpeg")},
            timeout=TIMEOUT,
        )
        verification = _content(response, HTTPStatus.ACCEPTED)
        return urljoin(url, response.headers["Location"]), verification


def walk_through(site: str, check: Callable[[], None]) -> Any:
    """Alice verifies herself; returns what a reviewer sees of it.

    ``check`` raises when a program of the demo has died. Raises ``NotVerified``.
    """
    address, verification = Person("alice").verify(f"{site}/kyc/api/v1/verifications/")
    end = monotonic() + PATIENCE
    while verification["status"] == "processing" and monotonic() < end:
        check()
        sleep(0.2)
        verification = Person("alice").get(address)
    if verification["status"] != "verified":
        reason = verification["reason_code"] or "no reason given"
        raise NotVerified(
            f"Verification {verification['id']} should be verified and is "
            f"{verification['status']} ({reason}) after {PATIENCE:.0f} s at most."
        )
    return Person("reviewer").get(address)


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
