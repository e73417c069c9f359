"""What is compiled once does what Django's own query does, on the database of this run."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import FieldError
from django.db import connection
from django.db.models import F, QuerySet
from django.db.models.sql import UpdateQuery
from django.db.models.sql.compiler import SQLUpdateCompiler
from django.utils import timezone

from django_faceverify.models import Event, Photo, Verification, VerificationAttempt, statements
from django_faceverify.models.clock import db_now
from tests.conftest import submitted

pytestmark = pytest.mark.django_db(transaction=True)

ONE_MORE = F("fence") + 1


def photos() -> QuerySet[Photo, Any]:
    return Photo.objects.order_by("-number").values_list(
        "pk", "verification", "submitted_at", "verification__metadata", "purged_at"
    )


def test_an_update_changes_what_it_is_given(alice: User, bob: User) -> None:
    case, other = submitted(alice), submitted(bob)
    now = timezone.now()
    changed = statements.update(
        Verification.objects.due,
        {"pk": case.pk, "status__in": ("processing",), "unrecorded_count__lt": 8, "user": alice.pk},
        updated_at=now,
        fence=ONE_MORE,
        similarity=99.5,
        decided_by=bob,
        expires_at=db_now(60),
        reference="",
    )
    assert changed == 1
    case.refresh_from_db()
    assert (case.updated_at, case.fence, case.similarity) == (now, 1, 99.5)
    assert (case.decided_by, case.reference) == (bob, "")
    assert timedelta(0) < case.expires_at - timezone.now() < timedelta(seconds=61)
    other.refresh_from_db()
    assert other.fence == 0


def test_the_second_execution_has_its_own_values_and_is_not_compiled(alice: User) -> None:
    first, second = submitted(alice), submitted(alice)

    def mark(case: Verification, reference: str | None, **where: Any) -> int:
        return statements.update(
            Verification.objects.all, {"pk": case.pk, **where}, reference=reference
        )

    assert mark(first, "one") == 1
    with patch.object(SQLUpdateCompiler, "as_sql", side_effect=AssertionError("compiled again")):
        assert mark(second, "two") == 1
    assert mark(first, "three", similarity=None) == 1, "nothing is not a value but a shape"
    assert mark(first, "four", similarity__gt=1.0) == 0
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.reference, second.reference) == ("three", "two")


def test_another_thread_has_its_own_statements(alice: User) -> None:
    case = submitted(alice)
    changed = []

    def work() -> None:
        changed.append(
            statements.update(Verification.objects.all, {"pk": case.pk}, reference="thread")
        )
        connection.close()

    for _ in range(2):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert changed == [1, 1]


def test_a_sealed_column_is_not_set_in_clear(alice: User) -> None:
    case = submitted(alice)
    with pytest.raises(FieldError):
        statements.update(Verification.objects.all, {"pk": case.pk}, idcard_name="张三")


def test_a_row_is_read_as_django_reads_it(alice: User) -> None:
    case = submitted(alice)
    Verification.objects.filter(pk=case.pk).update(metadata={"a": [1, None]})
    for _ in range(2):
        found = statements.select_first(photos, {"verification_id": case.pk})
        assert found is not None
        assert tuple(found) == photos().get(verification=case)
    assert statements.select_first(photos, {"verification_id": Photo().pk}) is None


def test_a_row_is_written_as_django_writes_it(alice: User) -> None:
    case = submitted(alice)
    attempt = VerificationAttempt(
        verification=case,
        photo=case.photos.get(),
        number=7,
        provider="default",
        started_at=timezone.now(),
    )
    statements.insert(attempt)
    assert not attempt._state.adding
    stored = VerificationAttempt.objects.get()
    for column in VerificationAttempt._meta.concrete_fields:
        assert getattr(stored, column.attname) == getattr(attempt, column.attname), column


def test_the_database_gives_the_number_of_an_event(alice: User) -> None:
    case = submitted(alice)
    event = Event(
        verification=case, number=9, at=timezone.now(), actor="x", action="y", data={"photo": "z"}
    )
    statements.insert(event)
    stored = case.events.get(number=9)
    assert stored.pk
    assert stored.data == {"photo": "z"}


def test_what_is_compiled_is_what_django_compiles(alice: User) -> None:
    """The text differs from that of the query itself in nothing but the values."""
    case = submitted(alice)
    query: Any = Verification.objects.due().filter(pk=case.pk).query.chain(UpdateQuery)
    query.add_update_values({"reference": "x", "fence": ONE_MORE})
    theirs, _ = query.get_compiler(connection=connection).as_sql()
    ours: list[str] = []

    def spy(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        ours.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(spy):
        statements.update(
            Verification.objects.due, {"pk": Photo().pk}, reference="x", fence=ONE_MORE
        )
    assert [text.replace("(%s)", "%s") for text in ours] == [theirs.replace("(%s)", "%s")]


def test_what_is_compiled_is_forgotten_with_the_settings(alice: User, settings: Any) -> None:
    """The claim demands a consent to a text that stands in the settings of this moment."""
    case = submitted(alice)
    rules = settings.FACEVERIFY["CONSENT"]

    def claims(**changes: Any) -> int:
        settings.FACEVERIFY = {**settings.FACEVERIFY, "CONSENT": {**rules, **changes}}
        return statements.update(Verification.objects.due, {"pk": case.pk}, reference="x")

    assert claims() == 1
    assert claims(TEXTS={"another": rules["TEXTS"]["demo-1"]}) == 0
    assert claims(TEXTS={}) == 0, "a list without a member leaves nothing to compile"
    assert claims(TEXTS={}, REQUIRED=False) == 1
    assert claims() == 1


def test_a_row_that_cannot_be_is_not_found() -> None:
    assert statements.select_first(photos, {"number__in": ()}) is None
