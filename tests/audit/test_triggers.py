"""What the database refuses, the one way through, and that tables can still be emptied."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import DatabaseError, IntegrityError, connection, transaction

from django_faceverify.audit import deleting_cases, policy, triggers
from django_faceverify.models import Event, PurgedCase, Verification
from tests.audit.conftest import cases, execute, in_the_future, kinds
from tests.conftest import submitted

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def full(guarded: None, rooted: Verification, monkeypatch: pytest.MonkeyPatch) -> Verification:
    """A row in each of the tables."""
    monkeypatch.setattr(policy._Memory, "settings", None)
    policy.note()
    other = Verification.objects.exclude(pk=rooted.pk).get()
    with deleting_cases(cases(other), actor="system", reason="retention") as ids:
        Verification.objects.filter(pk__in=ids).delete()
    return rooted


@pytest.mark.parametrize("table", triggers.TABLES)
@pytest.mark.parametrize("statement", ["UPDATE {} SET mac = 'x'", "DELETE FROM {}"])
def test_the_database_refuses(full: Verification, table: str, statement: str) -> None:
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        execute(statement.format(table))


def test_a_case_is_not_deleted_in_passing(guarded: None, history: Verification) -> None:
    with pytest.raises(IntegrityError):
        history.delete()
    assert Event.objects.filter(verification=history).exists()


def test_purging_is_the_way_through_and_leaves_a_record(
    guarded: None, rooted: Verification
) -> None:
    count = Event.objects.filter(verification=rooted).count()
    with deleting_cases(cases(rooted), actor="system", reason="retention") as ids:
        assert ids == [rooted.pk]
        Verification.objects.filter(pk__in=ids).delete()
    record = PurgedCase.objects.get()
    assert (record.pk, record.actor, record.reason) == (rooted.pk, "system", "retention")
    assert [link[1] for link in record.links] == list(range(1, count + 1))
    assert not Event.objects.filter(verification=rooted).exists()
    assert kinds() == []


def test_a_record_for_one_case_opens_no_other(guarded: None, rooted: Verification) -> None:
    with (
        pytest.raises(IntegrityError),
        deleting_cases(cases(rooted), actor="system", reason="retention"),
    ):
        Verification.objects.all().delete()
    assert not PurgedCase.objects.exists()
    assert Verification.objects.count() == 2


def test_a_record_of_a_case_that_is_not_deleted_is_undone(
    guarded: None, history: Verification
) -> None:
    with (
        pytest.raises(RuntimeError),
        deleting_cases(cases(history), actor="system", reason="retention"),
    ):
        pass
    assert not PurgedCase.objects.exists()


def test_cases_that_are_gone_are_left_out(guarded: None, history: Verification) -> None:
    for expected in ([history.pk], []):
        with deleting_cases(cases(history), actor="system", reason="retention") as ids:
            assert ids == expected
            Verification.objects.filter(pk__in=ids).delete()


def test_a_test_database_can_be_emptied(history: Verification) -> None:
    """As Django does between two tests, with whatever triggers there are."""
    call_command("flush", verbosity=0, interactive=False)
    assert not Event.objects.exists()


def test_a_test_database_on_sqlite_has_none() -> None:
    expected = [] if connection.vendor != "sqlite" else triggers.names()
    assert triggers.missing(connection) == expected
    assert triggers.is_expected(connection) == (connection.vendor != "sqlite")


def database_checks() -> list[str]:
    return [
        str(message.id)
        for message in run_checks(databases=["default"])
        if message.id == "faceverify.W078"
    ]


def test_missing_triggers_are_told_and_made_again(
    guarded: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(triggers, "_empties_tables_by_delete", lambda _: False)
    assert database_checks() == []
    assert triggers.missing(connection) == []
    execute(
        "DROP TRIGGER faceverify_event_no_update"
        + (f" ON {triggers.EVENTS}" if connection.vendor == "postgresql" else "")
    )
    assert triggers.missing(connection) == ["faceverify_event_no_update"]
    assert database_checks() == ["faceverify.W078"]
    call_command("faceverify_audit", "protect", verbosity=0)
    assert database_checks() == []


def test_without_the_privilege_the_site_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: Any) -> None:
        raise DatabaseError("no privilege") from RuntimeError(1419)

    monkeypatch.setattr(triggers, "is_expected", lambda _: True)
    monkeypatch.setattr(triggers, "drop", lambda _: None)
    monkeypatch.setattr(triggers, "_creations", lambda _: [])
    monkeypatch.setattr(triggers, "_execute", refuse)
    with monkeypatch.context() as patch:
        patch.setattr(connection, "vendor", "mysql")
        triggers.create(connection)
    assert caplog.messages == ["history_unprotected"]
    monkeypatch.setattr(connection, "vendor", "postgresql")
    with pytest.raises(DatabaseError):
        triggers.create(connection)


def test_time_passes_only_within_the_block(alice: User) -> None:
    case = submitted(alice)
    with in_the_future(days=1):
        assert submitted(alice).created_at > case.created_at
