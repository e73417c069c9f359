"""The description: all of the API, as it is, and the same that is committed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import URLPattern
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from rest_framework.test import APIClient

from django_faceverify import webhooks
from django_faceverify.api import urls as api_urls
from django_faceverify.api.openapi.description import refusals
from django_faceverify.api.openapi.inspector import Generator
from django_faceverify.api.openapi.operations import OPERATIONS
from django_faceverify.api.problems import CONFLICTS, SENTENCES, TITLES
from django_faceverify.models import WebhookDelivery
from django_faceverify.reasons import REASONS
from tests.api.asking import API, assert_problem, decided, in_review, one, send
from tests.conftest import CONSENT, IDCARD_NUMBER

ROOT = Path(__file__).parent.parent.parent
COMMITTED = ROOT / "docs/reference/openapi.json"
FOR_STAFF = "x-staff-only"

#: codes of the framework's own, with its own sentences
OF_THE_FRAMEWORK = {
    "not_authenticated", "authentication_failed", "permission_denied", "not_found",
    "not_acceptable", "unsupported_media_type", "invalid_input",
}  # fmt: skip


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(COMMITTED.read_text("utf-8"))
    return found


def operations(described: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            yield path, method.upper(), operation


def path_of(pattern: URLPattern) -> str:
    return "/" + re.sub(r"<\w+:(\w+)>", r"{\1}", str(pattern.pattern))


def routed(patterns: list[Any]) -> set[tuple[str, str]]:
    """Every address of the URLconf with each of its methods, as a description names them."""
    return {
        (path_of(pattern), method)
        for pattern in patterns
        for method in ("GET", "POST")
        if hasattr(pattern.callback.cls, method.lower())
    }


def in_full(described: dict[str, Any], schema: dict[str, Any]) -> Draft202012Validator:
    """Holds an answer to a schema, in which whatever is not told must not be."""
    closed = json.loads(json.dumps(described["components"]))
    for name, one_schema in closed["schemas"].items():
        if "properties" in one_schema and name != "Dossier":
            one_schema.setdefault("additionalProperties", False)
    return Draft202012Validator({**schema, "components": closed})


def answer_of(described: dict[str, Any], name: str, status: int) -> Draft202012Validator:
    """What an operation answers with a status."""
    [operation] = [one for *_, one in operations(described) if one["operationId"] == name]
    content = operation["responses"][str(status)]["content"]["application/json"]
    return in_full(described, content["schema"])


# All of it


def test_every_address_is_described(described: dict[str, Any]) -> None:
    told = {(path, method) for path, method, _ in operations(described)}
    assert told == routed(api_urls.urlpatterns)


def test_an_address_without_a_description_is_noticed() -> None:
    found = api_urls.urlpatterns[0]
    stranger = URLPattern(type(found.pattern)("strange/"), found.callback)
    with pytest.raises(KeyError, match="strange"):
        Generator(patterns=[stranger]).get_schema()


def test_the_committed_description_is_the_one_of_the_example(tmp_path: Path) -> None:
    file = tmp_path / "openapi.json"
    subprocess.run(
        [sys.executable, "manage.py", "demo_openapi", str(file)],
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "example_project.settings",
            "FACEVERIFY_DATA_DIR": str(tmp_path),
            "DATABASE_URL": "",
        },
        check=True,
        capture_output=True,
    )
    is_same = file.read_text("utf-8") == COMMITTED.read_text("utf-8")
    assert is_same, "The description has changed: run make openapi, and look at what changed."


def test_it_is_valid(described: dict[str, Any]) -> None:
    assert described["openapi"].startswith("3.1.")
    validate(described)


def test_its_examples_are_what_they_are_examples_of(described: dict[str, Any]) -> None:
    schemas = described["components"]["schemas"]
    found = [(name, one) for name, told in schemas.items() for one in told.get("examples", ())]
    assert len(found) > 8
    for name, example in found:
        in_full(described, {"$ref": f"#/components/schemas/{name}"}).validate(example)
    for response in described["components"]["responses"].values():
        problem = response["content"]["application/problem+json"]
        in_full(described, problem["schema"]).validate(problem["example"])


def test_every_code_has_a_sentence() -> None:
    for method, address in OPERATIONS:
        for status, codes in refusals(method, address).items():
            assert status in TITLES
            for code in codes:
                assert code in {*SENTENCES, *REASONS} | OF_THE_FRAMEWORK, code
                assert CONFLICTS.get(code, status) == status


def test_responses_of_one_name_are_one(described: dict[str, Any]) -> None:
    for path, method, operation in operations(described):
        for status, codes in refusals(method, path[1:]).items():
            name = operation["responses"][str(status)]["$ref"].rpartition("/")[2]
            told = described["components"]["responses"][name]["content"]
            members = told["application/problem+json"]["schema"]["allOf"][1]["properties"]
            code = members["code"]
            assert code.get("enum", code.get("examples")) == list(codes)
            assert members["status"]["const"] == status


def test_whoever_may_come_with_a_token_is_told(described: dict[str, Any]) -> None:
    views = {path_of(one): one.callback.cls for one in api_urls.addresses}
    for path, method, operation in operations(described):
        purpose = views[path].token_purposes.get(method)
        told = [one["clientToken"] for one in operation["security"] if "clientToken" in one]
        assert told == ([[purpose]] if purpose else [])


# As it is


def test_what_a_person_is_told(described: dict[str, Any], as_alice: APIClient, alice: User) -> None:
    shown = as_alice.get(one(in_review(alice))).json()
    answer_of(described, "retrieve_verification", 200).validate(shown)
    members = described["components"]["schemas"]["Verification"]["properties"]
    assert set(shown) == {name for name, told in members.items() if FOR_STAFF not in told}


def test_what_staff_are_told(described: dict[str, Any], as_root: APIClient, alice: User) -> None:
    case = decided(alice)
    for name, address in {
        "retrieve_verification": one(case),
        "list_verifications": f"{API}verifications/?expand=attempts",
        "list_attempts": f"{API}attempts/",
        "list_attempts_of_verification": one(case, "attempts/"),
        "list_events_of_verification": one(case, "events/"),
        "retrieve_consent_text": f"{API}consent/",
    }.items():
        shown = as_root.get(address).json()
        answer_of(described, name, 200).validate(shown)
        rows = shown.get("results", [shown])
        assert rows
    verification = described["components"]["schemas"]["Verification"]["properties"]
    shown = as_root.get(one(case)).json()
    assert list(shown) == list(verification)
    for member, component in {
        "attempts": "Attempt",
        "photos": "Photo",
        "consents": "Consent",
    }.items():
        told = described["components"]["schemas"][component]["properties"]
        assert list(shown[member][0]) == list(told)


def test_what_commands_answer(described: dict[str, Any], as_root: APIClient, alice: User) -> None:
    case = in_review(alice)
    for name, address, body, status in (
        ("reveal_identity", one(case, "reveal/"), {"reason_code": "other", "note": "4711 asks"}, 200),
        ("export_verification", one(case, "export/"), {"note": "4711 asks"}, 200),
        ("create_token", one(case, "token/"), {}, 201),
        ("revoke_token", one(case, "token/revoke/"), {}, 200),
        ("review_verification", one(case, "review/"),
         {"decision": "verify", "reason_code": "same_person"}, 200),
        ("propose_reopening", one(case, "reopen/"), {"reason_code": "mistake"}, 202),
        ("search_verifications", f"{API}verifications/search/", {"idcard_number": IDCARD_NUMBER}, 200),
        ("redact_verification", one(case, "redact/"), {}, 200),
    ):  # fmt: skip
        response = send(as_root, address, body)
        assert response.status_code == status, (name, response.content)
        answer_of(described, name, status).validate(response.json())


def test_what_is_told_about_webhooks(
    described: dict[str, Any], as_root: APIClient, webhook_rules: Any, alice: User
) -> None:
    webhooks.create_endpoint("https://hooks.example.com/faceverify")
    in_review(alice)
    for name, address in {
        "list_webhook_endpoints": "webhook-endpoints/",
        "list_webhook_deliveries": "webhook-deliveries/",
    }.items():
        shown = as_root.get(API + address).json()
        answer_of(described, name, 200).validate(shown)
        assert shown["results"]
    delivery = WebhookDelivery.objects.first()
    assert delivery is not None
    response = send(as_root, f"{API}webhook-deliveries/{delivery.pk}/resend/", {})
    answer_of(described, "resend_webhook_delivery", 202).validate(response.json())


def test_what_may_be_sent(described: dict[str, Any], as_alice: APIClient, idcard: Any) -> None:
    good = in_full(described, {"$ref": "#/components/schemas/VerificationNew"})
    bodies: list[dict[str, Any]] = [
        {**idcard, "consent": CONSENT, "url": "https://photos.example.com/a.jpg"},
        {**idcard, "metadata": {"a": 1, "b": None, "c": True, "d": 1.5}, "level": None},
    ]
    for body in bodies:
        good.validate(body)
        assert send(as_alice, f"{API}verifications/", body).status_code in (201, 202)
    for body in ({}, {**idcard, "odd": 1}, {**idcard, "metadata": []}, {**idcard, "consent": {}}):
        assert not good.is_valid(body)
        assert_problem(send(as_alice, f"{API}verifications/", body), 400, "invalid_input")


# Where it is


def test_anybody_may_read_it(as_anonymous: APIClient) -> None:
    response = as_anonymous.get(f"{API}schema/", HTTP_AUTHORIZATION="Bearer fvt_nonsense")
    assert response.status_code == 200
    told = response.json()
    assert told["servers"] == [{"url": "/kyc/api/v1"}]
    assert told["paths"].keys() == json.loads(COMMITTED.read_text("utf-8"))["paths"].keys()
    assert_problem(as_anonymous.post(f"{API}schema/"), 405, "method_not_allowed")


def test_a_site_that_describes_itself_is_not_disturbed() -> None:
    assert SchemaGenerator().get_schema(public=True)["paths"] == {}


WITHOUT = """
import sys
sys.modules["drf_spectacular"] = None  # as if it were not there
import django
django.setup()
from django.conf import settings
from django.core.management import call_command
from django.test import Client
settings.ALLOWED_HOSTS = ["testserver"]
call_command("check")
client = Client()
print(client.get("/kyc/api/v1/schema/").status_code, client.get("/kyc/api/v1/consent/").status_code)
"""


def test_without_drf_spectacular_the_api_works_and_describes_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", "DATABASE_URL": ""},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-2:] == ["404", "403"]
