"""The documentation says what the code does: tables are compared, examples run, links followed."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import os
import pkgutil
import re
import shlex
import socket
import subprocess
import sys
import textwrap
import time
import unittest
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from django.contrib.auth.models import Permission, User
from django.core.management import BaseCommand, get_commands, load_command_class
from django.utils import timezone
from standardwebhooks import Webhook

import django_faceverify
from django_faceverify import access, disclosure, lifecycle, signals, sweeper
from django_faceverify.api import filters, pages, problems, representation
from django_faceverify.api import urls as api_urls
from django_faceverify.api.webhooks import represent_delivery, represent_endpoint
from django_faceverify.conf import (
    CLIENT_TOKEN_DEFAULTS,
    CONSENT_DEFAULTS,
    CONSENT_TEXT_DEFAULTS,
    DEFAULTS,
    LEGAL_DEFAULTS,
    LEVEL_DEFAULTS,
    LIMIT_DEFAULTS,
    POLLING_DEFAULTS,
    PROVIDER_KEYS,
    QUALITY_DEFAULTS,
    QUOTA_DEFAULTS,
    RETENTION_PRESETS,
    REVIEW_DEFAULTS,
    SHADOW_DEFAULTS,
    TARGET_KEYS,
    THRESHOLD_DEFAULTS,
    THROTTLE_DEFAULTS,
    WEBHOOK_DEFAULTS,
)
from django_faceverify.exceptions import ProtocolError, Refused
from django_faceverify.inputs import CONSENT_MEMBERS
from django_faceverify.models import (
    Verification,
    VerificationAttempt,
    WebhookDelivery,
    WebhookEndpoint,
)
from django_faceverify.providers.answer import Answer
from django_faceverify.providers.base import ComparisonRequest, Provider
from django_faceverify.providers.faceid import FaceIDProvider
from django_faceverify.providers.local import LocalProvider
from django_faceverify.providers.qcloud import QcloudProvider
from django_faceverify.reasons import (
    REASONS,
    REVIEW_REASONS,
    Category,
    ReasonCode,
    ReopenReason,
    RevealReason,
)
from django_faceverify.sandbox import Sandbox, scenario_number
from django_faceverify.sandbox.scenarios import EXAMPLE_NUMBER, SCENARIOS
from django_faceverify.webhooks import EVENT_BY_STATUS, EVENTS, delivery, message
from tests.conftest import CONSENT, draw_jpeg, submitted

ROOT = Path(__file__).parent.parent
PACKAGE = Path(django_faceverify.__file__).parent
DOCS = ROOT / "docs"
README, TWIN = ROOT / "README.md", ROOT / "README.zh-hans.md"
PAGES = sorted({*ROOT.glob("*.md"), *DOCS.rglob("*.md")})

Row = dict[str, str]

BUILT_IN: dict[str, type[Provider]] = {
    provider.__name__: provider for provider in (FaceIDProvider, QcloudProvider)
}


# Reading a page


def text_of(page: Path | str) -> str:
    return (page if isinstance(page, Path) else DOCS / f"{page}.md").read_text("utf-8")


def prose_of(page: Path | str) -> str:
    """The page without its blocks of code."""
    return re.sub(r"^ *```.*?^ *```$", "", text_of(page), flags=re.DOTALL | re.MULTILINE)


def blocks(page: Path | str, language: str) -> list[str]:
    found = re.findall(
        rf"^( *)```{language}\n(.*?)^\1```$", text_of(page), re.DOTALL | re.MULTILINE
    )
    return [textwrap.dedent(block) for _indent, block in found]


def tables(page: Path | str, heading: str) -> list[list[Row]]:
    """The tables below one heading (to the next of any level), each row by its columns."""
    _, *rest = re.split(rf"^#+ {re.escape(heading)}$", prose_of(page), flags=re.MULTILINE)
    section = re.split(r"^#", rest[0], maxsplit=1, flags=re.MULTILINE)[0]
    return [
        list(rows(lines.group().splitlines()))
        for lines in re.finditer(r"(?:^\|.*\n)+", section, re.MULTILINE)
    ]


def rows(lines: list[str]) -> Iterator[Row]:
    header, _rule, *body = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    for cells in body:
        assert len(cells) == len(header), cells
        yield dict(zip(header, cells, strict=True))


def codes(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def column(table: list[Row], name: str) -> list[str]:
    """The codes of one column; a cell may hold several."""
    return [code for row in table for code in codes(row[name])]


def value(cell: str) -> Any:
    return ast.literal_eval(cell.strip("`"))


def slug(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


# Links and the shape of the whole


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose_of(page)):
        assert not re.match(r"https?:", target), f"{target}: no link leaves the project"
        name, _, anchor = target.partition("#")
        path = (page.parent / name).resolve() if name else page
        if path.parent == DOCS / "pictures" and not path.parent.exists():
            continue  # a checkout without its pictures is whole otherwise
        assert path.exists(), target
        if anchor:
            assert anchor in map(slug, re.findall(r"^#+ (.+)$", prose_of(path), re.MULTILINE))


def test_every_page_is_in_the_index() -> None:
    linked = {(DOCS / target).resolve() for target in re.findall(r"\]\(([^)#]+)", text_of("index"))}
    assert set(DOCS.rglob("*.md")) - {DOCS / "index.md"} <= linked


def test_decisions_have_one_shape_and_count_up() -> None:
    records = sorted((DOCS / "adr").glob("*.md"))
    for number, record in enumerate(records, 1):
        title, *headings = re.findall(r"^#+ (.+)$", text_of(record), re.MULTILINE)
        assert record.name.startswith(f"{number:04}-")
        assert title.startswith(f"{number}. ")
        assert headings == ["Context", "Decision", "Consequences"]


def test_the_chinese_readme_is_a_twin() -> None:
    for language in ("sh", "python"):
        assert blocks(TWIN, language) == blocks(README, language)
    for pattern in (r"^#+", r"^\|", r"^- ", r"^\d\. "):
        assert len(re.findall(pattern, prose_of(TWIN), re.MULTILINE)) == len(
            re.findall(pattern, prose_of(README), re.MULTILINE)
        )
    own = {"README.md", "README.zh-hans.md"}
    targets = [set(re.findall(r"\]\(([^)]+)\)", prose_of(page))) - own for page in (README, TWIN)]
    assert targets[0] == targets[1]


def test_the_changelog_knows_this_version() -> None:
    assert f"## [{django_faceverify.__version__}]" in text_of(ROOT / "CHANGELOG.md")


# Reference pages against the code


def test_every_setting_is_documented() -> None:
    page = "reference/settings"
    [settings_] = tables(page, "FACEVERIFY")
    assert {codes(row["key"])[0]: value(row["default"]) for row in settings_} == DEFAULTS
    [provider] = tables(page, "A provider")
    assert tuple(column(provider, "key")) == PROVIDER_KEYS
    [level] = tables(page, "A level")
    assert {codes(row["key"])[0]: value(row["default"]) for row in level} == LEVEL_DEFAULTS
    [quotas] = tables(page, "Quotas")
    assert {codes(row["key"])[0]: value(row["default"]) for row in quotas} == QUOTA_DEFAULTS
    [quality] = tables(page, "Quality")
    assert {codes(row["key"])[0]: value(row["default"]) for row in quality} == QUALITY_DEFAULTS
    [throttles] = tables(page, "Throttles")
    assert {codes(row["key"])[0]: value(row["default"]) for row in throttles} == THROTTLE_DEFAULTS
    [polling] = tables(page, "Polling")
    assert {codes(row["key"])[0]: value(row["default"]) for row in polling} == POLLING_DEFAULTS
    [review] = tables(page, "Review")
    assert {codes(row["key"])[0]: value(row["default"]) for row in review} == REVIEW_DEFAULTS
    [webhooks] = tables(page, "Webhooks")
    assert {codes(row["key"])[0]: value(row["default"]) for row in webhooks} == WEBHOOK_DEFAULTS
    [client_tokens] = tables(page, "Client tokens")
    told = {codes(row["key"])[0]: value(row["default"]) for row in client_tokens}
    assert told == CLIENT_TOKEN_DEFAULTS
    [limits] = tables(page, "Limits")
    assert {codes(row["key"])[0]: value(row["default"]) for row in limits} == LIMIT_DEFAULTS
    [retention] = tables(page, "Retention")
    for preset, clocks in RETENTION_PRESETS.items():
        told = {codes(row["key"])[0]: int(row[f'`"{preset}"`']) for row in retention}
        assert told == clocks
    [consent] = tables(page, "Consent")
    assert column(consent, "key") == list(CONSENT_DEFAULTS)
    for heading, defaults in (
        ("A consent text", CONSENT_TEXT_DEFAULTS),
        ("Who gets the data", LEGAL_DEFAULTS),
    ):
        [table] = tables(page, heading)
        assert {codes(row["key"])[0]: value(row["default"]) for row in table} == defaults
    [rates, published] = tables(page, "Rates instead of numbers")
    assert column(rates, "key") == list(TARGET_KEYS)
    for row in published:
        far_table = BUILT_IN[codes(row["provider"])[0]].far_table
        assert codes(row["table"]) == ([far_table.version] if far_table else [])
    [shadow] = tables(page, "A shadow")
    assert {codes(row["key"])[0]: value(row["default"]) for row in shadow} == SHADOW_DEFAULTS
    [thresholds] = tables(page, "Thresholds")
    assert {codes(row["key"])[0]: value(row["default"]) for row in thresholds} == THRESHOLD_DEFAULTS


def test_the_readmes_tell_the_defaults() -> None:
    for page, heading, (key, default) in (
        (README, "Settings", ("key", "default")),
        (TWIN, "设置", ("键", "默认值")),
    ):
        [table] = tables(page, heading)
        told = {
            codes(row[key])[0]: value(re.sub(r" \(required\)|（必填）", "", row[default]))
            for row in table
        }
        assert told == DEFAULTS


@pytest.mark.parametrize("provider", [QcloudProvider, LocalProvider])
def test_every_option_of_the_provider_is_documented(provider: type[Provider]) -> None:
    [table] = tables("reference/settings", f"OPTIONS of {provider.__name__}")
    parameters = list(inspect.signature(provider).parameters.values())[1:]
    told = {codes(row["option"])[0]: value(row["default"]) for row in table}
    assert told == {parameter.name: parameter.default for parameter in parameters}


def test_every_check_is_documented() -> None:
    told = re.findall(r"^\| `faceverify\.([EW]\d{3})` ", text_of("reference/checks"), re.MULTILINE)
    given = {
        number
        for path in PACKAGE.rglob("*.py")
        for number in re.findall(r"[\"']([EW]\d{3})[\"']", path.read_text())
    }
    assert len(told) == len(set(told))
    assert set(told) == given


def test_every_outcome_is_documented() -> None:
    [table] = tables("reference/reasons", "Outcomes")
    told = {codes(row["code"])[0]: (row["category"], row["fixable by"]) for row in table}
    assert told == {
        str(code): (REASONS[code].category.value, REASONS[code].fixable_by.value)
        for code in ReasonCode
    }
    chosen = prose_of("reference/reasons").partition("What a reviewer may choose")[2]
    may_choose = {str(code) for reasons in REVIEW_REASONS.values() for code in reasons}
    assert set(codes(chosen.partition("## ")[0])) == may_choose


def test_what_the_person_is_told_is_documented() -> None:
    [table] = tables("reference/reasons", "What the person is told")
    coarse = {code: codes(row["told"])[0] for row in table for code in codes(row["instead of"])}
    assert {str(code): coarse.get(code, str(code)) for code in ReasonCode} == {
        str(code): disclosure.reason_for_subject(Verification.Status.REQUIRES_INPUT, code)
        for code in ReasonCode
    }


def test_every_refusal_is_documented() -> None:
    page = "reference/reasons"
    [refused] = tables(page, "Refused input")
    [late] = tables(page, "Refused at this time, or to this person")
    told = {codes(row["code"])[0]: row["fixable by"] for row in refused + late}
    assert told == {
        code: reason.fixable_by.value
        for code, reason in REASONS.items()
        if reason.category is Category.INPUT
    }
    [api] = tables(page, "Refused by the API itself")
    assert set(column(api, "code")) == set(problems.SENTENCES)


def test_every_command_and_option_is_documented() -> None:
    text = text_of("reference/commands")
    told = re.findall(r"^## `(\w+)`$", text, re.MULTILINE)
    commands = [name for name, app in get_commands().items() if app == "django_faceverify"]
    assert sorted(told) == sorted(commands)
    for name in commands:
        options = tables("reference/commands", f"`{name}`")[:1]
        parser = load_command_class("django_faceverify", name).create_parser("manage.py", name)
        every = {option for action in parser._actions for option in action.option_strings}
        listed = {option for table in options for option in column(table, "option")}
        assert listed == every - options_of_every_command()


def options_of_every_command() -> set[str]:
    parser = BaseCommand().create_parser("manage.py", "any")
    return {option for action in parser._actions for option in action.option_strings}


def test_every_signal_is_documented() -> None:
    [looks_] = tables("reference/signals", "Looks")
    assert column(looks_, "signal") == ["identity_revealed", "reveals_unusual"]
    table = tables("reference/signals", "Signals")[0]
    sent = {transition.signal for transition in lifecycle.TRANSITIONS.values()}
    sent.add(signals.verification_redacted)
    for row in table:
        assert getattr(signals, codes(row["signal"])[0]) in sent
    assert len(table) == sum(name.startswith("verification_") for name in vars(signals))


def test_every_permission_is_documented() -> None:
    [table] = tables("reference/permissions", "What each permission opens")
    told = [f"django_faceverify.{name}" for name in column(table, "permission")]
    assert told == list(access.PERMISSIONS)
    [limits] = tables("reference/permissions", "Limits")
    for row in limits:
        key = codes(row["setting"])[0]
        assert int(row["limit"].split()[0]) == QUOTA_DEFAULTS[key]


def test_the_reasons_of_looks_are_documented() -> None:
    for heading, reasons in (("Reveal", RevealReason), ("Reopen", ReopenReason)):
        section = text_of("reference/api").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
        assert set(reasons.values) <= set(codes(section))


def test_everything_about_webhooks_is_documented() -> None:
    page = "reference/webhooks"
    [events] = tables(page, "Events")
    assert tuple(column(events, "event")) == EVENTS
    told = {codes(row["event"])[0]: codes(row["`status`"])[:1] for row in events}
    assert {told[event][0]: event for event in EVENTS if told[event]} == EVENT_BY_STATUS
    [failures] = tables(page, "What counts as received")
    assert column(failures, "failure") == list(WebhookDelivery.Failure.values)
    [states] = tables(page, "The schedule")
    assert column(states, "state") == list(WebhookDelivery.State.values)
    page = prose_of("reference/api").partition("## Webhooks")[2].partition("## ")[0]
    shown = {
        **represent_endpoint(WebhookEndpoint()),
        **represent_delivery(WebhookDelivery(endpoint=WebhookEndpoint())),
    }
    assert set(shown) <= set(codes(page))
    assert delivery.SCHEDULE == (10, 30, 120, 600, 1800, 3600, 7200, 14400, 28800)
    assert (delivery.GIVE_UP_AFTER, delivery.MAX_UNDER_WAY) == (3 * 86400, 4)
    assert (delivery.DELIVER_SECONDS, delivery.LONGEST_RETRY_AFTER) == (20, 8 * 3600)


@pytest.mark.django_db
def test_a_webhook_looks_as_documented(verification: Verification) -> None:
    endpoint = WebhookEndpoint()
    row = WebhookDelivery(
        endpoint=endpoint,
        verification=verification,
        event="verification.verified",
        status="verified",
        occurred_at=timezone.now(),
    )
    [shown] = [json.loads(block) for block in blocks("reference/webhooks", "json")]
    sent = json.loads(message.body_of(row))
    assert list(sent) == list(shown)
    assert list(sent["data"]) == list(shown["data"])
    fields, headers = tables("reference/webhooks", "The request")
    assert column(fields, "field") == ["type", "timestamp", *sent["data"]]
    names = list(message.headers_of(row, b"", secrets=[], sent_at=0))
    assert column(headers, "header") == names


def test_the_example_of_a_webhook_receiver_verifies() -> None:
    namespace: dict[str, Any] = {}
    exec(blocks("how-to/receive-webhooks", "python")[0], namespace)
    verify = namespace["verify"]
    secrets = [message.new_secret(), message.new_secret()]
    row = WebhookDelivery(endpoint=WebhookEndpoint())
    body = '{"type":"webhook.test","data":"张三"}'.encode()

    def headers(sent_at: float, *signers: str) -> dict[str, str]:
        return message.headers_of(row, body, secrets=signers, sent_at=int(sent_at))

    for signers in (secrets[:1], secrets[1:], secrets, [message.new_secret(), *secrets]):
        given = headers(time.time(), *signers)
        assert verify(body, given, secrets) == Webhook(signers[-1]).verify(body, given)
    wrong = [
        (body, headers(time.time(), message.new_secret())),
        (body + b" ", headers(time.time(), *secrets)),
        (body, headers(time.time() - 301, *secrets)),
        (body, headers(time.time() + 302, *secrets)),
        (body, headers(time.time(), *secrets) | {"webhook-id": "other"}),
        (body, headers(time.time(), *secrets) | {"webhook-timestamp": "soon"}),
        (body, headers(time.time(), *secrets) | {"webhook-signature": "v1,ä v2"}),
    ]
    for sent, given in wrong:
        with pytest.raises(ValueError, match=r"signature|old"):
            verify(sent, given, secrets)


def test_every_scenario_is_documented() -> None:
    table = tables("reference/sandbox", "Scenario numbers")[0]
    told = {codes(row["scenario"])[0]: codes(row["ID number"])[0] for row in table}
    assert told == {name: scenario_number(name) for name in SCENARIOS}
    for row in table:
        scenario = SCENARIOS[codes(row["scenario"])[0]]
        charged = "from the second call on" if scenario.afterwards else scenario.is_billed
        assert {"yes": True, "no": False}.get(row["charged"], row["charged"]) == charged
    assert EXAMPLE_NUMBER in text_of("reference/sandbox")


def test_every_state_of_an_attempt_is_documented() -> None:
    [table] = tables("explanation/delivery", "The states of an attempt")
    assert column(table, "state") == list(VerificationAttempt.State.values)
    free = {
        codes(row["state"])[0] for row in table if re.match("no,?( |$)", row["may have cost money"])
    }
    assert free == set(VerificationAttempt.State) - set(VerificationAttempt.POSSIBLY_BILLED)


# The API's page


def test_every_address_is_documented() -> None:
    [table] = tables("reference/api", "Addresses")
    told = {code.partition(" ")[2] for code in column(table, "method and path")}
    routes = [str(pattern.pattern) for pattern in api_urls.urlpatterns[:-1]]
    assert told == {re.sub(r"<str:(verification_)?(\w+)>", r"{\2}", route) for route in routes}


def test_every_field_and_parameter_is_documented(verification: Verification) -> None:
    own, staff = tables("reference/api", "Look at it")
    shown = representation.represent_verification(verification, for_staff=False)
    seen = representation.represent_verification(verification, for_staff=True)
    assert column(own, "field") == list(shown)
    assert column(staff, "field") == [name for name in seen if name not in shown]
    [parameters] = tables("reference/api", "Lists")
    known = set(filters.VerificationFilter.base_filters) | pages.PAGE_PARAMETERS - {"format"}
    known |= {filters.EXPAND}
    assert set(column(parameters, "parameter")) == known
    for_staff = {
        name
        for row in parameters
        if row["meaning"].startswith("staff only")
        for name in codes(row["parameter"])
    }
    assert for_staff == filters.STAFF_ONLY | {filters.EXPAND}
    [members] = tables("reference/api", "Consent")
    assert set(column(members, "member")) - {"consent_required"} == set(CONSENT_MEMBERS)
    evidence = prose_of("reference/api").partition("An attempt has ")[2].partition(". ")[0]
    attempt = VerificationAttempt(verification=verification)
    assert codes(evidence) == list(representation.represent_attempt(attempt))


def ask(command: str, site: str, **variables: str) -> requests.Response:
    """Do what a ``curl`` command of a page says, with a drawn photo as ``me.jpg``."""
    for name, text in variables.items():
        command = command.replace(f"${name}", text.replace('"', '\\"'))
    words = iter(shlex.split(command.replace("\\\n", " "), comments=True)[1:])
    url, method, headers, fields, data, auth = "", "", {}, [], None, None
    for word in words:
        if word == "-u":
            name, _, password = next(words).partition(":")
            auth = (name, password)
        elif word == "-H":
            name, _, text = next(words).partition(": ")
            headers[name] = text
        elif word == "-F":
            name, _, text = next(words).partition("=")
            is_file = text.startswith("@")
            fields.append((name, ("me.jpg", draw_jpeg()) if is_file else (None, text)))
        elif word == "-d":
            data = next(words).encode()
        elif word == "-X":
            method = next(words)
        elif word == "-o":
            next(words)
        elif word != "-i":
            url = re.sub(r"^http://127\.0\.0\.1:8000", site, word)
    method = method or ("POST" if data or fields else "GET")
    return requests.request(
        method, url, headers=headers, files=fields or None, data=data, auth=auth, timeout=20
    )


@pytest.fixture
def sandbox(settings: Any) -> Iterator[Sandbox]:
    """The sandbox, and a provider that talks to it."""
    with Sandbox() as running:
        account = running.account
        options = {
            "appid": account.appid,
            "secret_id": account.secret_id,
            "secret_key": account.secret_key,
            "endpoint": running.url,
        }
        backend = "django_faceverify.providers.qcloud.QcloudProvider"
        default = {"BACKEND": backend, "OPTIONS": options}
        settings.FACEVERIFY = {**settings.FACEVERIFY, "PROVIDERS": {"default": default}}
        yield running


@pytest.mark.django_db(transaction=True)
def test_the_examples_of_the_api_run(sandbox: Sandbox, live_server: Any) -> None:
    User.objects.create_user("alice", password="alice")
    User.objects.create_user("reviewer", password="reviewer").user_permissions.set(
        Permission.objects.filter(codename__in=["view_verification", "review_verification"])
        | Permission.objects.filter(codename="view_photo")
    )
    for name in ("supervisor", "director"):
        User.objects.create_superuser(name, password=name)
    known = {"SITE": f"{live_server.url}/kyc/api/v1"}
    response = None
    for example in curls("reference/api"):
        command, _, expected = example.partition("\n# ")
        response = ask(command, live_server.url, **known)
        assert response.status_code == int(expected), (example, response.text)
        if command.endswith("photo.jpg"):
            assert response.content.startswith(b"\xff\xd8\xff")
        sweeper.drain()
        if response.status_code == 201:
            known["WAITING"] = response.json().get("id", known.get("WAITING"))
        others = Verification.objects.filter(status="in_review").exclude(pk=known["WAITING"])
        for case in others:
            known |= {
                "ID": str(case.pk),
                "PHOTO": str(case.photos.get().pk),
                "SESSION": case.attempts.get().session_id,
            }
        known["ETAG"] = response.headers.get("ETag", "")
    assert response is not None
    [problem] = blocks("reference/api", "json")
    assert response.json() == json.loads(problem)


@pytest.mark.django_db(transaction=True)
def test_the_examples_of_a_client_run(
    sandbox: Sandbox, live_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that meets a busy server, a lost answer and a refusal."""
    User.objects.create_user("alice", password="alice")
    site, alice = f"{live_server.url}/kyc/api/v1", ("alice", "alice")
    namespace: dict[str, Any] = {}
    for block in blocks("how-to/retry-and-poll", "python"):
        exec(block, namespace)
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    really_post = requests.post
    lost = [True, True]

    def post(*args: Any, **kwargs: Any) -> requests.Response:
        response = really_post(*args, **kwargs)
        if lost and lost.pop():
            raise requests.ConnectionError
        return response

    monkeypatch.setattr(requests, "post", post)
    number = scenario_number("001")
    body: dict[str, Any] = {"idcard_name": "张三", "idcard_number": number, "consent": CONSENT}
    body["url"] = "https://a.example/me.jpg"
    case = namespace["create"](site, alice, body)
    assert waits == [1, 2]
    assert [str(row.pk) for row in Verification.objects.all()] == [case["id"]]
    with pytest.raises(ValueError, match="18 characters"):
        namespace["create"](site, alice, {**body, "idcard_number": "0"})
    sweeper.drain()
    address = f"{site}/verifications/{case['id']}/"
    assert namespace["decided"](address, alice)["status"] == "verified"


# Names and examples in Python


def modules() -> set[str]:
    return {module.name for module in pkgutil.iter_modules([str(PACKAGE)])}


def resolve(dotted: str) -> Any:
    """What a dotted name below the package names; ``AttributeError`` when nothing does."""
    found: Any = django_faceverify
    for part in dotted.split("."):
        if inspect.ismodule(found) and not hasattr(found, part):
            try:
                found = importlib.import_module(f"{found.__name__}.{part}")
            except ImportError:
                raise AttributeError(dotted) from None
        else:
            found = getattr(found, part)
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_name_exists(page: Path) -> None:
    named = re.findall(
        r"`(?:django_faceverify\.)?([a-z_]+(?:\.\w+)+)(?:\([^`]*\))?`", prose_of(page)
    )
    for dotted in named:
        first, last = dotted.split(".")[0], dotted.rpartition(".")[2]
        if dotted in EVENTS:
            continue
        if first in modules() and last != "py" and not dotted.startswith("admin."):
            resolve(dotted)


def test_the_house_has_every_room() -> None:
    [table] = tables("explanation/architecture", "Architecture")
    told = {room.rstrip("/").removesuffix(".py") for room in column(table, "room")}
    beside = {
        "apps",
        "admin",
        "urls",
        "checks",
        "migrations",  # what Django asks for
        "testing",  # what tests ask for
    }
    small = {"exceptions", "signals"}  # said by their names, and in the picture
    assert told | beside | small == modules()
    picture = text_of("explanation/architecture").split("```")[1]
    assert all(room in picture for room in (modules() - beside))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_block_of_python_can_be_read(page: Path) -> None:
    for block in blocks(page, "python"):
        try:
            ast.parse(block)
        except SyntaxError:
            ast.parse(f"{{{block}}}")  # entries of a dict


@pytest.mark.django_db
def test_the_example_of_a_test_passes() -> None:
    namespace: dict[str, Any] = {"__name__": "example"}
    exec(blocks("how-to/test-your-site", "python")[0], namespace)
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(namespace["OpeningAnAccount"])
    result = unittest.TestResult()
    suite.run(result)
    assert (result.testsRun, result.errors, result.failures) == (3, [], [])


def test_the_example_of_a_provider_works() -> None:
    namespace: dict[str, Any] = {"__name__": "example"}
    exec(blocks("how-to/add-a-provider", "python")[0], namespace)
    provider = namespace["ExampleProvider"](
        "example", token="secret", endpoint="https://faces.example.com/compare"
    )
    request = ComparisonRequest(
        session_id="s", idcard_name="张三", idcard_number="0", image=draw_jpeg()
    )
    assert list(provider.check()) == []
    assert json.loads(provider.prepare(request).body)["id"] == "s"

    def read(body: str, status: int = 200) -> Any:
        return provider.parse_response(Answer(status=status, body=body.encode()), request)

    assert read('{"score": 91.5}').similarity == 91.5
    assert read('{"finding": "NO_FACE"}').reason_code == "no_face"
    with pytest.raises(Refused):
        read('{"finding": "BAD_TOKEN"}')
    for odd in ('{"score": 101}', '{"score": "91"}', "{}", "no"):
        with pytest.raises(ProtocolError):
            read(odd)


@pytest.mark.django_db
def test_the_group_of_reviewers_has_its_permissions() -> None:
    namespace: dict[str, Any] = {}
    exec(blocks("how-to/review-cases", "python")[0], namespace)
    group = namespace["make_reviewers"]()
    told = tables("how-to/review-cases", "Who may review")[0]
    assert {f"django_faceverify.{p.codename}" for p in group.permissions.all()} == set(
        column(told, "permission")
    )


@pytest.mark.django_db
def test_the_example_groups_have_their_permissions(verification: Verification, bob: User) -> None:
    groups, receiver, looks_ = blocks("how-to/give-permissions", "python")
    namespace: dict[str, Any] = {}
    exec(groups, namespace)
    namespace["make_groups"]()
    for name, codenames in namespace["GROUPS"].items():
        given = Permission.objects.filter(group__name=name).values_list("codename", flat=True)
        assert sorted(given) == sorted(codenames)
    exec(looks_, namespace)
    verification.idcard_name.reveal(f"user:{bob.pk}", "support")
    events, searches = namespace["looks_of"](bob)
    assert ([event.action for event in events], list(searches)) == (["revealed"], [])
    exec(receiver, namespace)
    signals.reveals_unusual.disconnect(namespace["warn_the_officer"])


@pytest.mark.django_db(transaction=True)
def test_the_example_of_a_receiver_is_called(
    alice: User, capsys: pytest.CaptureFixture[str]
) -> None:
    namespace: dict[str, Any] = {}
    exec(blocks("reference/signals", "python")[0], namespace)
    submitted(alice)
    sweeper.drain()
    signals.verification_decided.disconnect(namespace["open_account"])
    assert "open the account of alice" in capsys.readouterr().out


# A site made by the README and the tutorial, line by line


class Site:
    """A project in a folder of its own, whose ``python`` finds this checkout."""

    def __init__(self, folder: Path, sandbox_port: int) -> None:
        self.folder = folder
        self.sandbox_port = sandbox_port
        programs = folder / "bin"
        programs.mkdir()
        (programs / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        (programs / "python").chmod(0o700)
        gone = {"DJANGO_SETTINGS_MODULE", "FACEVERIFY_KEY", "PYTHONWARNINGS"}
        self.environment = {k: v for k, v in os.environ.items() if k not in gone} | {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
        }

    def sh(self, script: str) -> str:
        done = subprocess.run(
            ["sh", "-ec", script],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def append(self, name: str, block: str) -> None:
        with (self.folder / "mysite" / name).open("a", encoding="utf-8") as file:
            file.write("\n" + block.replace("127.0.0.1:8410", f"127.0.0.1:{self.sandbox_port}"))


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[Site, str]]:
    """The site as the README says, its address, and the sandbox beside it."""
    with running_site(tmp_path) as site_and_address:
        yield site_and_address


@contextmanager
def running_site(tmp_path: Path, *more_settings: str) -> Iterator[tuple[Site, str]]:
    """The same, with more in its settings."""
    settings_block, urls_block = blocks(README, "python")
    key_and_migrate = next(block for block in blocks(README, "sh") if "FACEVERIFY_KEY" in block)
    [user] = [
        line for line in "\n".join(blocks("tutorial", "sh")).splitlines() if "shell -c" in line
    ]
    with Sandbox() as sandbox:
        site = Site(tmp_path, sandbox.port)
        site.sh("python -m django startproject mysite .")
        for block in (settings_block, *more_settings):
            site.append("settings.py", block)
        site.append("urls.py", urls_block)
        key = site.sh(f'{key_and_migrate}\n{user} >&2\nprintf %s "$FACEVERIFY_KEY" >key')
        assert "OK" in key
        site.environment["FACEVERIFY_KEY"] = (tmp_path / "key").read_text()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        server = subprocess.Popen(
            [sys.executable, "manage.py", "runserver", "--noreload", str(port)],
            cwd=tmp_path,
            env=site.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            address = f"http://127.0.0.1:{port}"
            wait_for(address, server)
            yield site, address
        finally:
            server.kill()
            server.wait()


def wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        assert server.poll() is None, "the site did not start"
        try:
            requests.get(f"{address}/admin/login/", timeout=5)
        except requests.ConnectionError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the site does not answer")


def curls(page: Path | str) -> list[str]:
    return [block for block in blocks(page, "sh") if block.startswith("curl")]


def test_the_lines_of_the_readme_make_a_working_site(site: tuple[Site, str]) -> None:
    """And those of the tutorial, which are the same up to there, lead where it says."""
    made, address = site
    assert blocks("tutorial", "python") == blocks(README, "python")
    made.sh("python manage.py check --fail-level WARNING")

    [verify] = curls(README)
    response = ask(verify, address)
    assert response.status_code == 202
    made.sh("python manage.py faceverify_sweep")
    case = requests.get(response.headers["Location"], auth=("alice", "alice"), timeout=20).json()
    assert case["status"] == "verified"

    first, look, second, third, bill = curls("tutorial")
    assert [ask(curl, address).status_code for curl in (first, second, third)] == [202] * 3
    made.sh("python manage.py faceverify_sweep")
    low, no_face, *_ = ask(look, address).json()["results"]
    assert low["status"] == "in_review"
    assert (no_face["status"], no_face["photos_left"]) == ("requires_input", 3)
    assert no_face["last_error"]["code"] == "no_face"
    lines = ask(bill.replace(":8410", f":{made.sandbox_port}"), address).json()["lines"]
    assert sorted(line["similarity"] for line in lines) == [72.0, 95.0, 95.0]
