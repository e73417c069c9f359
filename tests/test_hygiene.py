"""Where plaintext may pass, and where none may ever be found.

The first half reads the code; the second lets one person with a name, a number and a face
that nobody else has go through everything, and looks into what was left behind.
"""

from __future__ import annotations

import ast
import base64
import dataclasses
import importlib
import inspect
import json
import logging
import pickle
import pkgutil
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from celery import current_app
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.core.signals import got_request_exception
from django.test import Client
from django.views.debug import ExceptionReporter

import django_faceverify
from django_faceverify import exceptions, looks, sweeper
from django_faceverify.faces import engine
from django_faceverify.models import Event, IdentitySearch, Reveal, Verification
from tests.api.asking import as_file
from tests.conftest import CONSENT, draw_jpeg
from tests.console.conftest import LIST, page_of
from tests.scripted import ScriptedProvider, similarity

PACKAGE = Path(django_faceverify.__file__).parent

# --- the code -----------------------------------------------------------------------------

#: names of parameters and variables that hold something personal, wherever they stand
PLAINTEXT = {
    "correction", "idcard_name", "idcard_number", "identity", "image", "jpeg", "note",
    "picture", "plaintext", "submission", "words",
}  # fmt: skip
#: and those that do in the rooms where everything does
PLAINTEXT_ROOMS = {
    "api/bodies.py", "identity.py", "inputs.py", "photo.py", "sealing.py", "submission.py",
}  # fmt: skip
PLAINTEXT_THERE = {"data", "name", "number", "raw", "text", "url", "value", "root", "key"}
#: those that bear such a name and hold something else
HARMLESS = {
    "journal.py:tell": "words of a line, each of which may be told",
    "api/bodies.py:_no_constant": "NaN or Infinity",
    "submission.py:_level": "the name of a level",
}
#: they know made-up people only, or look at the code and not at people
SPARED = {
    "sandbox",
    "testing",
    "migrations",
    "management",
    "checks",
    "conf",
}


def functions() -> Iterator[tuple[str, ast.FunctionDef]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        place = path.relative_to(PACKAGE)
        if place.parts[0] in SPARED:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef):
                yield place.as_posix(), node


def plaintext_in(place: str, function: ast.FunctionDef) -> set[str]:
    """The parameters and variables of a function that hold something personal."""
    arguments = function.args
    names = {one.arg for one in (*arguments.args, *arguments.kwonlyargs, *arguments.posonlyargs)}
    names |= {
        node.id
        for node in ast.walk(function)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    return names & (PLAINTEXT | (PLAINTEXT_THERE if place in PLAINTEXT_ROOMS else set()))


def hidden_by(function: ast.FunctionDef) -> set[str] | None:
    """What ``@sensitive_variables`` hides; ``None`` for everything."""
    hidden: set[str] = set()
    for decorator in function.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "sensitive_variables":
            if not decorator.args:
                return None
            hidden |= {ast.literal_eval(name) for name in decorator.args}
    return hidden


def test_every_function_with_plaintext_hides_it_from_error_reports() -> None:
    missing, found = [], 0
    for place, function in functions():
        held = plaintext_in(place, function)
        if not held or f"{place}:{function.name}" in HARMLESS:
            continue
        found += 1
        hidden = hidden_by(function)
        if hidden is not None and not held <= hidden:
            missing.append(f"{place}:{function.lineno} {function.name} shows {held - hidden}")
    assert missing == [], "\n".join(missing)
    assert found > 60


def test_whoever_opens_sealed_data_hides_it() -> None:
    for place, function in functions():
        calls = {
            node.func.attr
            for node in ast.walk(function)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        }
        if calls & {"unseal", "unseal_text", "reveal_identity", "view_photo"}:
            nested = any(
                isinstance(node, ast.Return) and isinstance(node.value, ast.Call)
                for node in ast.walk(function)
            )
            hides = hidden_by(function) is None or hidden_by(function)
            assert hides or nested, f"{place}:{function.lineno} {function.name}"


def test_every_form_post_hides_its_fields_from_error_reports() -> None:
    """All of them in the API; in the admin, where a form has a field for words or numbers."""
    forms = {"review_view", "reveal_view", "find_view"}
    found = {
        function.name
        for _place, function in functions()
        for decorator in function.decorator_list
        if "sensitive_post_parameters" in ast.unparse(decorator)
    }
    assert forms <= found
    door = (PACKAGE / "api/door.py").read_text("utf-8")
    assert 'sensitive_post_parameters = "__ALL__"' in door


def dataclasses_of_the_package() -> Iterator[type]:
    for module in pkgutil.walk_packages([str(PACKAGE)], "django_faceverify."):
        if module.name == "django_faceverify.faces.nets" and not engine.is_installed():
            continue  # it imports what the extra brings
        if "sandbox" in module.name or "migrations" in module.name or module.name.endswith("admin"):
            continue
        for _name, found in inspect.getmembers(
            importlib.import_module(module.name), inspect.isclass
        ):
            if dataclasses.is_dataclass(found) and found.__module__ == module.name:
                yield found


def test_no_dataclass_prints_plaintext() -> None:
    personal = PLAINTEXT | {"body", "canonical", "data", "headers", "url"}
    every = list(dataclasses_of_the_package())
    assert looks.Identity in every
    shown = [
        f"{one.__name__}.{field.name}"
        for one in every
        for field in dataclasses.fields(one)
        if field.name in personal and field.repr
        and one.__name__ not in ("EarlierReveal", "PhotoCard", "Retention")
    ]  # fmt: skip
    assert shown == []


def test_errors_are_raised_with_codes_only() -> None:
    """Nothing that a person typed is ever put into the text of an error."""
    ours = {
        name
        for name, kind in vars(exceptions).items()
        if inspect.isclass(kind) and issubclass(kind, exceptions.FaceVerifyError)
    }
    seen = 0
    for place, function in functions():
        for node in ast.walk(function):
            if not (isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)):
                continue
            called = ast.unparse(node.exc.func).rpartition(".")[2]
            names = {
                part.id for argument in node.exc.args for part in ast.walk(argument)
                if isinstance(part, ast.Name)
            }  # fmt: skip
            seen += called in ours
            held = names & (PLAINTEXT | {"text", "value", "body"})
            assert not held or place == "statement.py", f"{place}:{node.lineno} raises with {held}"
            if called in ours and node.exc.args:
                assert not isinstance(node.exc.args[0], ast.JoinedStr), f"{place}:{node.lineno}"
    assert seen > 50


@pytest.mark.parametrize("error", vars(exceptions).values())
def test_errors_survive_pickle_and_print_their_code(error: Any) -> None:
    if not (inspect.isclass(error) and issubclass(error, exceptions.FaceVerifyError)):
        return
    more = (5.0,) if error is exceptions.QuotaExceeded else ()
    kind: Any = error
    raised = pickle.loads(pickle.dumps(kind("some_code", *more)))
    assert raised.code == "some_code"
    assert "some_code" in str(raised)


# --- one person through everything --------------------------------------------------------

NAME = "欧阳探针"
NUMBER = "000000198807060017"
NOTE = "canary-note 7f3a about 欧阳探针"
WHY = {"reason_code": "complaint", "note": NOTE}
REFERENCE = "order-9"


def forms_of(text: str) -> set[str]:
    """A text as it may be written somewhere."""
    raw = text.encode()
    forms = {text, quote(text), quote(text).lower(), json.dumps(text)[1:-1], raw.hex()}
    for offset in range(3):
        coded = base64.b64encode(b"\0" * offset + raw).decode()
        forms.add(coded[4 if offset else 0 : -4])
    return forms


CANARIES = forms_of(NAME) | forms_of(NUMBER) | forms_of("canary-note 7f3a")


def found_in(*things: Any) -> list[str]:
    text = "\n".join(
        thing.decode("utf-8", "replace") if isinstance(thing, bytes) else str(thing)
        for thing in things
    )
    return [form for form in CANARIES if form in text]


@pytest.fixture
def messages(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every message for a worker, as the broker gets it."""
    sent: list[Any] = []
    amqp: Any = current_app.amqp
    send = amqp._create_task_sender()

    def listen(producer: Any, name: str, message: Any, **kwargs: Any) -> Any:
        sent.append((name, message, kwargs))
        return send(producer, name, message, **kwargs)

    monkeypatch.setitem(amqp.__dict__, "send_task_message", listen)
    return sent


class Walk:
    """The person's way through both doors, and all answers on it."""

    def __init__(self, person: User, root: User) -> None:
        self.answers: list[tuple[str, Any]] = []
        self.person, self.root = Client(), Client()
        self.person.force_login(person)
        self.root.force_login(root)

    def go(self, client: Client, method: str, address: str, *args: Any, **kwargs: Any) -> Any:
        response = getattr(client, method)(address, *args, **kwargs)
        assert response.status_code < 500
        self.answers.append((address, response))
        return response

    def all_of_it(self) -> Verification:
        api = "/kyc/api/v1/verifications/"
        facts = {
            "idcard_name": NAME,
            "idcard_number": NUMBER,
            "reference": REFERENCE,
            "consent": json.dumps(CONSENT),
        }
        self.go(self.person, "post", api, {**facts, "image": as_file(draw_jpeg())})
        self.go(self.person, "post", api, {**facts, "idcard_number": NUMBER[:-1]})
        self.go(self.person, "post", api, {**facts, "idcard_name": f"{NAME}!"})
        self.go(self.person, "post", api, {**facts, "image": as_file(NAME.encode())})
        json_type = {"content_type": "application/json"}
        self.go(self.person, "post", api, f'{{"idcard_name": "{NAME}', **json_type)
        self.go(self.person, "get", api, {"idcard_number": NUMBER})
        case = Verification.objects.latest("created_at")
        ScriptedProvider.script(similarity(75))
        sweeper.drain()
        case.refresh_from_db()
        assert case.status == "in_review"
        one = f"{api}{case.pk}/"
        for rest in ("", "events/", "attempts/"):
            self.go(self.root, "get", one + rest)
        self.go(self.root, "post", f"{api}search/", {"idcard_number": NUMBER})
        self.go(self.root, "post", LIST + "find/", {"idcard_number": NUMBER})
        self.go(self.root, "post", LIST + "find/", {"idcard_number": NUMBER[:-1]})
        self.go(self.root, "get", LIST)
        self.go(self.root, "get", page_of(case))
        photo = case.photos.get()
        self.go(self.root, "get", page_of(case, "photo", photo.pk))
        self.go(self.root, "get", page_of(case, "reveal"))
        for door in (f"{one}reveal/", page_of(case, "reveal")):
            self.go(self.root, "post", door, WHY)
            self.go(self.root, "post", door, {**WHY, "reason_code": "no"})
        decision = {"reason_code": "same_person", "note": NOTE, "decision": "verify"}
        self.go(self.root, "post", page_of(case, "review"), {**decision, "seen_at": "no"})
        seen = {"seen_at": case.updated_at.isoformat()}
        self.go(self.root, "post", page_of(case, "review"), {**decision, **seen})
        self.go(self.root, "post", page_of(case, "reopen"), {"reason_code": "mistake"})
        self.go(self.root, "post", page_of(case, "confirm_reopen"))
        self.go(self.root, "get", page_of(case))
        return case


@pytest.fixture
def walked(
    transactional_db: None, messages: list[Any], caplog: pytest.LogCaptureFixture
) -> tuple[Walk, Verification]:
    cache.clear()
    caplog.set_level(logging.DEBUG)
    walk = Walk(User.objects.create_user("canary"), User.objects.create_superuser("root"))
    return walk, walk.all_of_it()


def test_the_forms_are_found_where_they_are() -> None:
    assert found_in(json.dumps({"x": NAME}))
    assert found_in(base64.b64encode(b"a" + NUMBER.encode() + b"bcd"))
    assert found_in(f"?q={NUMBER}")
    assert not found_in("nothing")


def test_messages_for_workers_hold_ids_only(
    walked: tuple[Walk, Verification], messages: list[Any]
) -> None:
    assert messages
    assert found_in(messages) == []
    for name, message, _options in messages:
        assert name.startswith("django_faceverify.")
        arguments, keywords, _embedded = message.body
        assert keywords == {}
        assert all(re.fullmatch(r"[0-9a-f-]{36}", argument) for argument in arguments)


def test_cache_sessions_and_admin_log_hold_nothing(walked: tuple[Walk, Verification]) -> None:
    walk, _case = walked
    assert found_in(getattr(cache, "_cache", {})) == []
    sessions = [session.get_decoded() for session in Session.objects.all()]
    assert sessions
    assert found_in(sessions) == []
    assert found_in(*LogEntry.objects.values_list("object_repr", "change_message")) == []
    for client in (walk.person, walk.root):
        assert found_in(*(morsel.OutputString() for morsel in client.cookies.values())) == []


def test_addresses_and_notices_hold_nothing(walked: tuple[Walk, Verification]) -> None:
    """What a browser shows in its bar, sends to the next site, or repeats on the next page."""
    walk, _case = walked
    for address, response in walk.answers:
        headers = dict(response.headers.items())
        assert found_in(address, headers) == [], address
        context = getattr(response, "context", None)
        notices = list(context["messages"]) if context and "messages" in context else []
        assert found_in(*notices) == [], address


def test_only_a_reveal_shows_a_name_or_a_number(walked: tuple[Walk, Verification]) -> None:
    walk, case = walked
    identity = forms_of(NAME) | forms_of(NUMBER)
    telling = {
        address for address, response in walk.answers
        if identity & set(found_in(response.content.replace(NOTE.encode(), b"")))
    }  # fmt: skip
    assert telling == {
        f"/kyc/api/v1/verifications/{case.pk}/reveal/",
        page_of(case, "reveal"),
    }


def test_rows_and_logs_hold_nothing(
    walked: tuple[Walk, Verification], caplog: pytest.LogCaptureFixture
) -> None:
    ours = [record for record in caplog.records if not record.name.startswith("django.db")]
    assert found_in(*(record.getMessage() for record in ours)) == []
    rows = [
        [getattr(value, "token", value) for value in columns]
        for rows_of_model in (
            Verification.objects,
            Reveal.objects,
            Event.objects,
            IdentitySearch.objects,
        )
        for columns in rows_of_model.values_list()
    ]
    assert found_in(rows) == []
    assert Reveal.objects.count() == 2


@pytest.mark.parametrize(
    ("broken", "ask"),
    [
        ("django_faceverify.quotas.admit_submission", "create"),
        ("django_faceverify.sealing.seal", "create"),
        ("django_faceverify.lifecycle.move", "create"),
        ("django_faceverify.photo._encode", "create"),
        ("django_faceverify.sealing.unseal", "reveal"),
        ("django_faceverify.quotas.admit_reveal", "reveal"),
        ("django_faceverify.sealing.blind_indexes", "search"),
        ("django_faceverify.quotas.admit_search", "search"),
        ("django_faceverify.reviewing._lock", "review"),
    ],
)
@pytest.mark.django_db(transaction=True)
def test_error_pages_hold_nothing(
    broken: str, ask: str, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    """The report that Django mails to the admins, for a fault in the midst of it."""
    root = User.objects.create_superuser("root")
    walk = Walk(User.objects.create_user("canary"), root)
    case = walk.all_of_it()
    place, _, name = broken.rpartition(".")
    module = importlib.import_module(place)
    monkeypatch.setattr(module, name, _fail)
    one = f"/kyc/api/v1/verifications/{case.pk}/"
    facts = {"idcard_name": NAME, "idcard_number": NUMBER, "consent": json.dumps(CONSENT)}
    asked: dict[str, tuple[str, dict[str, Any]]] = {
        "create": ("/kyc/api/v1/verifications/", {**facts, "image": as_file(draw_jpeg())}),
        "reveal": (f"{one}reveal/", WHY),
        "search": (LIST + "find/", {"idcard_number": NUMBER}),
        "review": (
            f"{one}review/",
            {"decision": "verify", "reason_code": "same_person", "note": NOTE},
        ),
    }
    address, body = asked[ask]
    reports: list[str] = []

    def report(sender: Any, request: Any, **kwargs: Any) -> None:

        kind, error, traceback = sys.exc_info()
        reporter = ExceptionReporter(request, kind, error, traceback, is_email=True)
        reports.extend([reporter.get_traceback_text(), reporter.get_traceback_html()])

    got_request_exception.connect(report)
    client = Client(raise_request_exception=False)
    client.force_login(root)
    try:
        response = client.post(address, body)
    finally:
        got_request_exception.disconnect(report)
    assert response.status_code == 500
    assert "RuntimeError" in reports[0]
    leaks = [line.strip()[:200] for line in reports[0].splitlines() if found_in(line)]
    assert (leaks, found_in(*reports)) == ([], [])


def _fail(*args: Any, **kwargs: Any) -> None:
    raise RuntimeError("a fault of ours")
