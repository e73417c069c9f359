"""What our log lines may hold: ids, aliases, codes and class names, nothing about a person."""

from __future__ import annotations

import ast
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User

import django_faceverify
from django_faceverify import journal
from django_faceverify import verification as engine
from tests.conftest import IDCARD_NAME, IDCARD_NUMBER, submitted
from tests.scripted import ScriptedProvider

PACKAGE = Path(django_faceverify.__file__).parent
DOCS = PACKAGE.parent / "docs/how-to/watch-money-and-health.md"

#: what a line may tell, as it stands in the code; think twice before you add to it
MAY_BE_TOLD = {
    "answer.attempt_state",
    "answer.code",
    "answer.reason_code or 'ok'",
    "attempt.provider",
    "attempt.session_id",
    "attempt.verification_id",
    "code",
    "error",  # its class: see the tests below
    "error.attempt_state",
    "error.code",
    "provider",
    "folder",  # two digits of random ids
    "root.day",
    "root.mac",
    "round(pause)",
    "actor",  # user:<id>
    "count",
    "delivery.pk",
    "endpoint.pk",
    "reason",  # why an endpoint was disabled, in one word
    "row",  # prints as an id or a session id
    "self.alias",
    "self._alias",
    "State.ANSWERED",
    "_state(finding)",
    "step.__name__",
}


def sources() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        if "sandbox" not in f"{path.parent.name} {path.name}":  # it knows made-up people only
            yield path, ast.parse(path.read_text("utf-8"))


def told() -> Iterator[tuple[str, ast.Call]]:
    """Every call that writes a line, and where it stands."""
    for path, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("journal.tell", "_tell"):
                yield f"{path.name}:{node.lineno}", node


def test_one_place_writes_lines() -> None:
    for path, tree in sources():
        names = {
            alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.Import)
            for alias in node.names
        }
        assert "logging" not in names or path.name in ("journal.py", "logs.py"), path


def test_lines_tell_nothing_about_a_person() -> None:
    assert len(list(told())) >= len(journal.EVENTS)
    for where, call in told():
        facts = {ast.unparse(fact.value) for fact in call.keywords if fact.arg}
        assert facts <= MAY_BE_TOLD, where


def test_every_event_is_told_somewhere_and_documented() -> None:
    names = {
        call.args[0].value
        for _, call in told()
        if call.args and isinstance(call.args[0], ast.Constant)
    }
    assert names == set(journal.EVENTS)
    documented = re.findall(r"^\| `(\w+)` \| (\w+) \|", DOCS.read_text("utf-8"), re.MULTILINE)
    levels = {event: logging.getLevelName(level) for event, level in journal.EVENTS.items()}
    assert dict(documented) == levels


def test_every_key_is_documented() -> None:
    (line,) = re.findall(r"^The keys are (.+?)\.$", DOCS.read_text("utf-8"), re.M | re.DOTALL)
    assert set(re.findall(r"`(\w+)`", line)) == journal.KEYS


def test_a_line_is_words_and_a_record_is_data(caplog: pytest.LogCaptureFixture) -> None:
    journal.tell("provider_paused", provider="default", seconds=20, code="provider_config")
    (record,) = caplog.records
    assert record.getMessage() == "provider_paused provider=default seconds=20 code=provider_config"
    assert (record.name, record.levelname) == ("django_faceverify", "ERROR")
    assert vars(record)["event"] == "provider_paused"
    assert vars(record)["facts"] == {
        "provider": "default",
        "seconds": "20",
        "code": "provider_config",
    }
    assert record.filename == "test_journal.py", "the line names who told it"


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (ValueError(f"{IDCARD_NAME} {IDCARD_NUMBER}"), "ValueError"),
        (IDCARD_NAME, "?"),
        ("two words", "?"),
        ("line\nbreak", "?"),
        ("x" * 121, "?"),
        ("", "?"),
        (None, "None"),
        (-5803, "-5803"),
    ],
    ids=ascii,
)
def test_only_words_get_into_a_line(
    value: object, word: str, caplog: pytest.LogCaptureFixture
) -> None:
    journal.tell("call_broke", error=value)
    assert caplog.messages == [f"call_broke error={word}"]


@pytest.mark.parametrize(("event", "key"), [("made_up", "provider"), ("call_broke", "name")])
def test_what_is_not_listed_is_refused(event: str, key: str) -> None:
    with pytest.raises(ValueError, match=r"journal\.py"):
        journal.tell(event, **{key: "x"})


@pytest.mark.django_db(transaction=True)
def test_each_call_is_told_when_somebody_listens(
    alice: User, caplog: pytest.LogCaptureFixture
) -> None:
    case = submitted(alice)
    ScriptedProvider.script(RuntimeError(f"{IDCARD_NAME} {IDCARD_NUMBER}"))
    with caplog.at_level(logging.INFO, "django_faceverify"):
        engine.run(case.pk)
    facts = f"verification={case.pk} session_id={case.attempts.get()} provider=default"
    assert [record.getMessage() for record in caplog.records if "kombu" not in record.name] == [
        f"call_failed {facts} error=RuntimeError",
        f"attempt_ended {facts} state=unknown code=outcome_unknown",
    ]
