"""Whatever somebody with SQL and without our keys does to the history is found."""

from __future__ import annotations

import base64
import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, connections, transaction

from django_faceverify import sealing
from django_faceverify.audit import chains, deleting_cases, policy, proof, roots
from django_faceverify.models import AuditRoot, Event, PolicyVersion, PurgedCase, Verification
from django_faceverify.models.keys import new_id
from tests.audit.conftest import cases, execute, in_the_future, kinds, raw
from tests.conftest import submitted

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("_no_triggers"),
]

EVENT = "django_faceverify_event"
OTHER_KEY = base64.b64encode(bytes(range(32, 64))).decode()


@contextmanager
def undone() -> Iterator[None]:
    """Whatever is done here is as if it had not been."""
    with connection.constraint_checks_disabled(), transaction.atomic():
        yield
        transaction.set_rollback(True)


def stored(column: str, pk: int) -> str:
    """The very text of a column."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT CAST({column} AS CHAR(4000)) FROM {EVENT} WHERE id = %s", [pk])
        return str(cursor.fetchone()[0]).rstrip()


def every_change_of_a_byte(text: str) -> Iterator[str]:
    for position, character in enumerate(text):
        yield text[:position] + chr(ord(character) ^ 1) + text[position + 1 :]
    yield text + " "
    if text:
        yield text[:-1]


def test_an_untouched_history_is_intact(rooted: Verification) -> None:
    assert kinds() == []
    assert chains.is_intact(rooted)
    assert kinds(proof.examine(since=AuditRoot.objects.get().day)) == []


@pytest.mark.parametrize("column", ["actor", "action", "reason_code", "data", "mac", "at"])
def test_every_changed_byte_is_found(rooted: Verification, column: str) -> None:
    count = 0
    for event in Event.objects.filter(verification=rooted):
        for text in every_change_of_a_byte(stored(column, event.pk)):
            with undone():
                try:
                    execute(f"UPDATE {EVENT} SET {column} = %s WHERE id = %s", text, event.pk)
                except DatabaseError:
                    continue  # a typed column does not take it
                if not reads_the_same(event):
                    count += 1
                    assert chains.examine_case(rooted.pk), (event.number, text)
    assert count > 20


def reads_the_same(event: Event) -> bool:
    """Whether a typed column made the same of it, such as of a space in a JSON text."""
    if connection.vendor == "sqlite":
        return False
    names = [field.attname for field in Event._meta.concrete_fields]
    rows = Event.objects.filter(pk=event.pk).values_list(*names)
    return list(rows[0]) == [getattr(event, name) for name in names]


def test_every_other_column_counts(rooted: Verification) -> None:
    other = Verification.objects.exclude(pk=rooted.pk).get()
    for event in Event.objects.filter(verification=rooted):
        for statement, value in (
            ("number = number + %s", 100),
            ("id = id + %s", 100),
            ("verification_id = %s", raw(new_id())),
            ("number = number + 90, verification_id = %s", raw(other.pk)),
        ):
            with undone():
                execute(f"UPDATE {EVENT} SET {statement} WHERE id = %s", value, event.pk)
                assert kinds(), (event.number, statement)


def test_each_deletion_is_found(rooted: Verification) -> None:
    for event in Event.objects.all():
        with undone():
            execute(f"DELETE FROM {EVENT} WHERE id = %s", event.pk)
            assert "root" in kinds()


def test_each_tail_is_missed(rooted: Verification) -> None:
    last = rooted.events.count()
    for length in range(1, last + 1):
        with undone():
            execute(
                f"DELETE FROM {EVENT} WHERE verification_id = %s AND number > %s",
                raw(rooted.pk),
                last - length,
            )
            assert "root" in kinds()


def test_each_swap_is_found(rooted: Verification) -> None:
    """Two events of one case change their places, numbers and all or only their facts."""
    events = list(rooted.events.order_by("number"))
    for first in events:
        for second in events:
            if first.number >= second.number:
                continue
            for columns in (("number",), ("actor", "action", "reason_code", "data", "mac")):
                with undone():
                    swap(first, second, columns)
                    assert kinds(), (first.number, second.number, columns)


def swap(first: Event, second: Event, columns: tuple[str, ...]) -> None:
    raws = {event.pk: [raw_of(event, column) for column in columns] for event in (first, second)}
    setting = ", ".join(f"{column} = %s" for column in columns)
    if columns == ("number",):
        execute(f"UPDATE {EVENT} SET number = 9999 WHERE id = %s", first.pk)
    execute(f"UPDATE {EVENT} SET {setting} WHERE id = %s", *raws[first.pk], second.pk)
    execute(f"UPDATE {EVENT} SET {setting} WHERE id = %s", *raws[second.pk], first.pk)


def raw_of(event: Event, column: str) -> Any:
    return json.dumps(event.data) if column == "data" else getattr(event, column)


def test_each_insertion_is_found(rooted: Verification) -> None:
    """Copies of genuine events, at the end or in a gap, in the same case or another one."""
    other = Verification.objects.exclude(pk=rooted.pk).get()
    for case in (rooted, other):
        for event in Event.objects.all():
            with undone():
                execute(
                    f"INSERT INTO {EVENT} (verification_id, number, at, actor, action, reason_code,"
                    f" data, mac) SELECT %s, %s, at, actor, action, reason_code, data, mac"
                    f" FROM {EVENT} WHERE id = %s",
                    raw(case.pk),
                    case.events.count() + 1,
                    event.pk,
                )
                assert "changed" in kinds()


def test_a_missing_case_is_found(rooted: Verification) -> None:
    for statement, expected in (
        (f"DELETE FROM {EVENT} WHERE verification_id = %s", {"no_history", "root"}),
        ("DELETE FROM django_faceverify_verification WHERE id = %s", {"no_case"}),
    ):
        with undone():
            execute(statement, raw(rooted.pk))
            assert expected <= set(kinds())
    with undone():
        execute(f"DELETE FROM {EVENT} WHERE verification_id = %s", raw(rooted.pk))
        for table in ("verificationattempt", "photo"):
            execute(
                f"DELETE FROM django_faceverify_{table} WHERE verification_id = %s", raw(rooted.pk)
            )
        execute("DELETE FROM django_faceverify_verification WHERE id = %s", raw(rooted.pk))
        assert kinds() == ["root"]


def test_a_status_that_nobody_decided_is_found(history: Verification, alice: User) -> None:
    other = submitted(alice)
    execute(
        "UPDATE django_faceverify_verification SET status = 'verified', stage = NULL,"
        " decided_at = created_at, decision_source = 'reviewer' WHERE id = %s",
        raw(other.pk),
    )
    (finding,) = proof.examine()
    assert (finding.kind, finding.case) == ("status", str(other.pk))
    assert not chains.is_intact(Verification.objects.get(pk=other.pk))
    assert chains.is_intact(history)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("mac", "test:00"),
        ("mac", "gone:00"),
        ("event_count", 1),
        ("case_count", 1),
        ("last_event", 1),
        ("policy_number", 7),
        ("day", "2020-01-01"),
        ("made_at", "2020-01-01 00:00:00"),
    ],
)
def test_a_changed_root_is_found(rooted: Verification, column: str, value: Any) -> None:
    execute(f"UPDATE django_faceverify_auditroot SET {column} = %s", value)
    assert set(kinds()) & {"root", "unknown_key"}


def test_a_missing_root_is_found(rooted: Verification, alice: User) -> None:
    submitted(alice)
    with in_the_future(days=2, hours=2):
        Event.objects.filter(pk__gt=AuditRoot.objects.get().last_event)._raw_delete(
            "default"
        )  # written today by the real clock
        submitted(alice)
    with in_the_future(days=3, hours=4):
        assert roots.write_due_root() is not None
    first = AuditRoot.objects.order_by("day")[0]
    with undone():
        execute("DELETE FROM django_faceverify_auditroot WHERE id = %s", first.pk)
        assert "root" in kinds()
    mac = AuditRoot.objects.order_by("-day")[0].mac
    with undone():
        execute("DELETE FROM django_faceverify_auditroot WHERE mac = %s", mac)
        assert "root_lost" in kinds(proof.examine(noted=[mac]))
    assert "root_lost" not in kinds(proof.examine(noted=[mac]))


def test_days_without_a_root_are_told(history: Verification) -> None:
    with in_the_future(days=1):
        assert kinds() == []
    with in_the_future(days=3):
        assert kinds() == ["root_overdue"]


def test_a_purge_of_somebody_else_is_found(rooted: Verification) -> None:
    with undone():
        execute(
            "INSERT INTO django_faceverify_purgedcase (verification_id, purged_at, actor, reason,"
            " links, mac) VALUES (%s, '2026-01-01 00:00:00', 'system', 'retention', '[]', 'test:0')",
            raw(rooted.pk),
        )
        assert kinds() == ["purge"]
    with deleting_cases(cases(rooted), actor="system", reason="retention") as ids:
        Verification.objects.filter(pk__in=ids).delete()
    assert kinds() == []
    with undone():
        execute("UPDATE django_faceverify_purgedcase SET actor = 'user:1'")
        assert set(kinds()) == {"purge", "root"}
    with undone():
        execute("DELETE FROM django_faceverify_purgedcase")
        assert kinds() == ["root"]
    assert PurgedCase.objects.count() == 1


def test_the_history_survives_another_key(settings: Any, rooted: Verification) -> None:
    old = settings.FACEVERIFY["KEYS"]
    settings.FACEVERIFY = {**settings.FACEVERIFY, "KEYS": {"new": OTHER_KEY, **old}}
    rooted.record_reveal("idcard_name", actor="user:7", reason="again")
    assert rooted.events.order_by("-number")[0].mac.startswith("new:")
    assert kinds() == []
    settings.FACEVERIFY = {**settings.FACEVERIFY, "KEYS": {"new": OTHER_KEY}}
    assert set(kinds()) == {"unknown_key"}


# --- roots --------------------------------------------------------------------------------


def test_a_root_waits_until_its_day_is_over(history: Verification) -> None:
    assert roots.write_due_root() is None
    with in_the_future(days=1, hours=2):
        root = roots.write_due_root()
        assert root is not None
        assert (root.event_count, root.case_count) == (history.events.count(), 1)
        assert roots.write_due_root() is None


def test_a_root_is_told_to_the_log(history: Verification, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "django_faceverify"), in_the_future(days=1, hours=2):
        root = roots.write_due_root()
    assert root is not None
    assert root.mac in caplog.text


def test_a_day_has_one_root_however_many_write_it(history: Verification) -> None:
    errors: list[Exception] = []
    barrier = threading.Barrier(4)

    def write() -> None:
        try:
            barrier.wait()
            roots.write_due_root()
        except Exception as error:  # noqa: BLE001 (the test wants to see it)
            errors.append(error)
        finally:
            connections.close_all()

    with in_the_future(days=1, hours=2):
        if connection.vendor == "sqlite":  # its test database in memory has one writer
            barrier = threading.Barrier(1)
            for _ in range(4):
                write_here()
        else:
            threads = [threading.Thread(target=write) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    assert errors == []
    assert AuditRoot.objects.count() == 1
    assert kinds() == []


def write_here() -> None:
    roots.write_due_root()


def test_a_second_writer_of_a_day_changes_nothing(history: Verification) -> None:
    with in_the_future(days=1, hours=2):
        first = roots.write_due_root()
        assert first is not None
        assert roots._write(first.day, None) is None
    assert AuditRoot.objects.get().mac == first.mac


def test_a_day_costs_its_own_events_only(
    rooted: Verification, alice: User, django_assert_max_num_queries: Any
) -> None:
    with in_the_future(days=3):
        submitted(alice)
    with in_the_future(days=4, hours=2), django_assert_max_num_queries(12):
        root = roots.write_due_root()
    assert root is not None
    assert root.event_count == 2
    assert kinds() == []


# --- policy versions ------------------------------------------------------------------------


@pytest.fixture
def _forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that has not noted its settings yet."""
    monkeypatch.setattr(policy._Memory, "settings", None)


@pytest.mark.usefixtures("_forgetful")
def test_changed_thresholds_are_on_record(
    settings: Any, django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy.note()
    with django_assert_num_queries(0):
        policy.note()
    monkeypatch.setattr(policy._Memory, "settings", None)
    policy.note()  # another process with the same settings
    assert PolicyVersion.objects.count() == 1
    provider = settings.FACEVERIFY["PROVIDERS"]["default"]
    stricter = {**provider, "THRESHOLDS": {"verify_at": 90, "review_at": 70}}
    settings.FACEVERIFY = {**settings.FACEVERIFY, "PROVIDERS": {"default": stricter}}
    policy.note()
    first, second = PolicyVersion.objects.order_by("number")
    assert json.loads(first.content)["LEVELS"]["default"]["lines"]["verify_at"] == 80
    assert json.loads(second.content)["LEVELS"]["default"]["lines"]["verify_at"] == 90
    aiming = {**provider, "THRESHOLDS": {"TARGET_FAR": "1e-4"}}
    settings.FACEVERIFY = {**settings.FACEVERIFY, "PROVIDERS": {"default": aiming}}
    policy.note()
    third = PolicyVersion.objects.get(number=3)
    assert json.loads(third.content)["LEVELS"]["default"]["lines"]["target_far"] == "0.0001"
    assert kinds() == []


@pytest.mark.usefixtures("_forgetful")
def test_no_secret_is_on_record(settings: Any) -> None:
    options = {
        "secret_key": "hush",
        "appid": "hush",
        "endpoint": "https://example.com",
        "timeout": 9,
    }
    provider = {**settings.FACEVERIFY["PROVIDERS"]["default"], "OPTIONS": options}
    settings.FACEVERIFY = {**settings.FACEVERIFY, "PROVIDERS": {"default": provider}}
    policy.note()
    content = PolicyVersion.objects.get().content
    assert "example.com" in content
    assert "hush" not in content
    assert settings.FACEVERIFY["KEYS"]["test"] not in content


@pytest.mark.usefixtures("_forgetful")
def test_a_changed_or_missing_version_is_found(settings: Any, history: Verification) -> None:
    PolicyVersion.objects.all()._raw_delete("default")
    for deadline in (10, 20, 30):
        settings.FACEVERIFY = {**settings.FACEVERIFY, "DEADLINE": deadline}
        policy.note()
    with in_the_future(days=1, hours=2):
        roots.write_due_root()
    assert kinds() == []
    for statement, expected in (
        ("UPDATE django_faceverify_policyversion SET content = '{}' WHERE number = 2", "policy"),
        ("DELETE FROM django_faceverify_policyversion WHERE number = 2", "policy"),
        ("DELETE FROM django_faceverify_policyversion WHERE number = 3", "root"),
    ):
        with undone():
            execute(statement)
            assert expected in kinds()


# --- the command --------------------------------------------------------------------------


def run(*arguments: str) -> tuple[int, str]:
    out = StringIO()
    try:
        call_command("faceverify_audit", *arguments, stdout=out)
    except SystemExit as end:
        return int(end.code or 0), out.getvalue()
    return 0, out.getvalue()


def test_the_command_says_that_all_is_well(rooted: Verification) -> None:
    assert run("verify") == (0, "The history is intact.\n")
    assert run("verify", "--verification", str(rooted.pk))[0] == 0
    assert run("verify", "--since", "2020-01-01")[0] == 0
    code, text = run("verify", "--json")
    assert (code, json.loads(text)) == (0, {"is_intact": True, "finding_count": 0})
    root = AuditRoot.objects.get()
    assert run("root") == (0, f"{root.day} {root.mac}\n")
    assert json.loads(run("root", "--json")[1]) == {"day": str(root.day), "mac": root.mac}


def test_the_command_fails_when_something_is_wrong(rooted: Verification) -> None:
    execute(f"UPDATE {EVENT} SET actor = 'user:1' WHERE verification_id = %s", raw(rooted.pk))
    code, text = run("verify")
    assert code == 1
    assert f"changed      case={rooted.pk} number=1" in text
    code, text = run("verify", "--json")
    *findings, total = map(json.loads, text.splitlines())
    assert code == 1
    assert total["finding_count"] == len(findings) > 0
    assert findings[0]["kind"] == "changed"
    assert run("verify", "--verification", str(rooted.pk))[0] == 1
    with pytest.raises(CommandError):
        run("verify", "--verification", str(new_id()))


def test_a_case_that_moves_on_meanwhile_is_no_finding(
    history: Verification, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the first look saw of it is looked at again under its lock."""
    assert list(chains.examine_cases({history.pk: "processing"}, {history.pk: []})) == []


def test_a_leaf_needs_the_key() -> None:
    tallies = [sealing.Tally("audit/root", "test") for _ in range(3)]
    for tally, leaves in zip(tallies, ([b"a", b"b"], [b"b", b"a"], [b"a", b"c"]), strict=True):
        for leaf in leaves:
            tally.add(leaf)
    assert tallies[0].total() == tallies[1].total() != tallies[2].total()
