"""A history worth proving, its roots, and an attacker who may write SQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from django_faceverify import intake, looks, verification
from django_faceverify.audit import proof, roots, triggers
from django_faceverify.audit.findings import Finding
from django_faceverify.models import Verification
from tests.conftest import draw_jpeg, submitted
from tests.scripted import ScriptedProvider, similarity


def kinds(findings: Any = None) -> list[str]:
    """The kinds of what an examination of everything finds."""
    found: list[Finding] = list(proof.examine() if findings is None else findings)
    return [finding.kind.value for finding in found]


def execute(statement: str, *parameters: Any) -> None:
    """What somebody with the database's password can do."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def cases(*verifications: Verification) -> Any:
    return Verification.objects.filter(pk__in=[case.pk for case in verifications])


def raw(pk: Any) -> Any:
    """A UUID as the database's driver takes it."""
    return Verification._meta.pk.get_db_prep_value(pk, connection)


@pytest.fixture
def _no_triggers() -> Iterator[None]:
    """An attacker who may change the schema begins by dropping the triggers."""
    triggers.drop(connection)
    yield
    triggers.create(connection)


@pytest.fixture
def guarded(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Triggers also in a test database on SQLite, where there are none."""
    with monkeypatch.context() as patch:
        patch.setattr(triggers, "_empties_tables_by_delete", lambda _: False)
        triggers.create(connection)
    yield
    if connection.vendor == "sqlite":
        triggers.drop(connection)


@pytest.fixture
def history(alice: User, reviewer: User) -> Verification:
    """A case with a photo that was looked at, a name that was revealed, and a decision."""
    ScriptedProvider.script(similarity(75))
    case = submitted(alice, jpeg=draw_jpeg())
    verification.run(case.pk)
    looks.view_photo(case.photos.get(), user=reviewer)
    case.refresh_from_db()
    case.idcard_name.reveal("user:7", "complaint 4711")
    intake.review(case, reviewer=reviewer, decision="verify", reason_code="same_person")
    return Verification.objects.get(pk=case.pk)


@contextmanager
def in_the_future(**amount: float) -> Iterator[None]:
    """Let so much time have passed."""
    moment = timezone.now() + timedelta(**amount)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timezone, "now", lambda: moment)
        yield


@pytest.fixture
def rooted(history: Verification, alice: User) -> Verification:
    """The history and another case, both under the root of their day."""
    submitted(alice)
    with in_the_future(days=1, hours=2):
        assert roots.write_due_root() is not None
    return history
