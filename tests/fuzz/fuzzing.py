"""Ask for anything that the description allows, and for what it forbids, as everybody."""

from __future__ import annotations

import copy
import json
import os
import re
import subprocess
import sys
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.fuzz.site import ROOT, Site

DESCRIPTION = ROOT / "docs/reference/openapi.json"
FOR_STAFF = "x-staff-only"
CONSENT = {"text_version": "demo-1", "granted": True}
ROLES = ("anonymous", "alice", "reviewer", "admin", "token")
DECIDING = ("reviewer", "admin")
OUTSIDERS = ("anonymous", "alice", "token")
#: 412 is the right answer to any ETag that is not the case's, whatever else is wrong
SETTINGS = """
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "304", "401", "403", "404", "406", "409", "412", "422"]

[checks.negative_data_rejection]
expected-statuses = ["400", "401", "403", "404", "406", "409", "412", "413", "415", "422"]
"""


@dataclass(frozen=True)
class Outcome:
    """What became of one role's questions."""

    role: str
    cases: int
    is_passed: bool
    output: str


def described() -> dict[str, Any]:
    """The description as it is committed."""
    found: dict[str, Any] = json.loads(DESCRIPTION.read_text("utf-8"))
    return found


def seen_by(role: str, whole: dict[str, Any]) -> dict[str, Any]:
    """The description as it is for a role, and closed: what is not in it must not come."""
    whole = copy.deepcopy(whole)
    for methods in whole["paths"].values():
        for operation in methods.values():
            operation["parameters"] = [
                one
                for one in operation["parameters"]
                if not (role in OUTSIDERS and FOR_STAFF in one)
            ]
            for one in operation["parameters"]:
                if one["in"] == "path":
                    one["schema"] = {"type": "string", "format": one["name"]}
    for name, schema in whole["components"]["schemas"].items():
        if role in OUTSIDERS and "properties" in schema:
            schema["properties"] = {
                member: told
                for member, told in schema["properties"].items()
                if FOR_STAFF not in told
            }
        if name not in ("Problem", "Dossier", "Review"):
            schema.setdefault("additionalProperties", False)
    origins = whole["components"]["schemas"]["TokenNew"]["properties"]["origins"]
    origins["maxItems"] = 0  # the example lists none
    return whole


def what_there_is(site: Site, role: str, count: int) -> tuple[dict[str, Any], str]:
    """Ids to ask for, and the header with which the role signs in."""
    who = {"anonymous": "", "token": ""}.get(role, role)
    cases = [site.open_case(who or "bob") for _ in range(count)]
    if role in DECIDING:
        cases += [site.open_case("bob", name, with_photo=True) for name in ("001", "002") * 3]
        site.settle()
    for case in cases[:count:2]:
        site.ask("POST", f"verifications/{case}/consent/", who or "bob", json=CONSENT)
    text = site.ask("GET", "consent/", "alice").json()
    header = f"Basic {b64encode(f'{who}:{who}'.encode()).decode()}" if who else ""
    if role == "token":
        secret = site.ask("POST", f"verifications/{cases[0]}/token/", "bob", json={}).json()
        header, cases = f"Bearer {secret['token']}", [cases[0]] * 9 + cases
    rows = site.ask("GET", "verifications/?page_size=100", "admin").json()["results"]
    seen = [site.ask("GET", f"verifications/{row['id']}/", "admin").json() for row in rows[:40]]
    photos = {photo["id"]: case["id"] for case in seen for photo in case["photos"]}
    deliveries = site.ask("GET", "webhook-deliveries/", "admin").json()["results"]
    nobody = "01890000-0000-7000-8000-000000000000"
    ids = {
        "verification_id": [*cases, *(row["id"] for row in rows[:20]), nobody],
        "photo_id": [*photos, nobody],
        "delivery_id": [*(row["id"] for row in deliveries[:20]), nobody],
    }
    known = {"text_sha256": text["text_sha256"], "ids": ids, "case_of_photo": photos}
    return known, header


def fuzz(
    site: Site, role: str, folder: Path, *, examples: int, seconds: int | None = None
) -> Outcome:
    """Let schemathesis ask as one role, with all of its checks.

    ``examples`` are for each operation; with ``seconds``, only so long, and anything at random.
    """
    folder = folder / role
    folder.mkdir()
    there_is, header = what_there_is(site, role, count=4 if seconds else 30)
    (folder / "openapi.json").write_text(json.dumps(seen_by(role, described())))
    (folder / "there_is.json").write_text(json.dumps(there_is))
    (folder / "schemathesis.toml").write_text(SETTINGS)
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", "schemathesis.toml"),
        *("run", "openapi.json", "--url", site.api, "--checks", "all", "--workers", "1"),
        *("--max-examples", str(examples), "--continue-on-failure", "--no-color"),
        *("--suppress-health-check", "all", "--generation-database", "none"),
        *("--generation-with-security-parameters", "false"),  # a wrong password costs a hash
        *(("--phases", "fuzzing", "--max-time", str(seconds)) if seconds else ()),
        *(("--header", f"Authorization: {header}") if header else ()),
    ]
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "SCHEMATHESIS_HOOKS": "tests.fuzz.hooks",
        "FACEVERIFY_FUZZ": str(folder / "there_is.json"),
    }
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    counted = re.search(r"(\d[\d,]*) generated", done.stdout)
    return Outcome(
        role,
        cases=int(counted[1].replace(",", "")) if counted else 0,
        is_passed=done.returncode == 0,
        output=done.stdout + done.stderr,
    )
