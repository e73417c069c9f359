"""How many people's faces lie here: distinct persons, not cases, and only what is stored."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import DatabaseError
from django.utils import timezone

from django_faceverify import census, intake, retention
from django_faceverify.checks import host
from django_faceverify.models import RetentionDay
from tests.conftest import CONSENT, submitted

pytestmark = pytest.mark.django_db(transaction=True)


def as_of(persons: int) -> None:
    RetentionDay.objects.create(
        day=timezone.localdate(),
        person_count=persons,
        stored_photo_count=2 * persons,
        updated_at=timezone.now(),
    )


def number(order: int) -> str:
    """A number that nobody can hold."""
    return next(
        text for digit in "0123456789X" if not _is_real(text := f"00000019900101{order:03}{digit}")
    )


def _is_real(text: str) -> bool:
    from stdnum.cn import ric

    return bool(ric.calc_check_digit(text) == text[-1])


def test_persons_are_counted_once(alice: User, bob: User, idcard: dict[str, Any]) -> None:
    cases = [submitted(user, idcard_number=number(order)) for user, order in
             ((alice, 1), (bob, 1), (alice, 2), (bob, 3))]  # fmt: skip
    intake.create(user=alice, idcard_name="张三", idcard_number=number(4))
    address = intake.Submission(url="https://photos.example.com/me.jpg")
    facts: dict[str, Any] = {"idcard_name": "张三", "idcard_number": number(5), "consent": CONSENT}
    intake.create(user=alice, submission=address, **facts)
    found = census.take()
    assert (found.person_count, found.photo_count) == (3, 4)
    assert found.oldest_photo_at == cases[0].photos.get().submitted_at
    intake.redact(cases[0], user=alice)
    intake.redact(cases[2], user=alice)
    found = census.take()
    assert (found.person_count, found.photo_count) == (2, 2)
    assert found.oldest_photo_at == cases[1].photos.get().submitted_at


def test_nobody() -> None:
    found = census.take()
    assert (found.person_count, found.oldest_photo_at, found.warning_at) == (0, None, None)


@pytest.mark.parametrize(
    ("persons", "warning"),
    [(0, None), (49_999, None), (50_000, 50), (79_999, 50), (80_000, 80), (100_000, 100),
     (2_000_000, 100)],
)  # fmt: skip
def test_warnings(persons: int, warning: int | None) -> None:
    as_of(persons)
    found = census.last()
    assert found is not None
    assert found.warning_at == warning
    messages = host.check_census()
    assert [message.id for message in messages] == (["faceverify.W106"] if warning else [])
    assert all(f"{warning} %" in message.msg for message in messages)


def test_the_check_is_silent_before_the_first_census_and_without_a_database(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert host.check_census() == []

    def fail() -> None:
        raise DatabaseError

    monkeypatch.setattr(census, "last", fail)
    assert host.check_census() == []


def test_the_purge_counts_once_a_day(alice: User, django_assert_num_queries: Any) -> None:
    submitted(alice)
    assert census.last() is None
    retention.purge()
    submitted(alice, idcard_number=number(2))
    retention.purge()
    with django_assert_num_queries(1):
        found = census.last()
    assert found is not None
    assert (found.person_count, found.photo_count) == (1, 1)


def test_the_command_prints_the_figures(alice: User, settings: Any) -> None:
    settings.FACEVERIFY = {**settings.FACEVERIFY, "RETENTION": {"PRESET": "CN", "IDENTITY": None}}
    submitted(alice)
    out = StringIO()
    call_command("faceverify_census", stdout=out)
    assert "persons            1\n" in out.getvalue()
    assert "0 % of 100000" in out.getvalue()
    assert "photo 0, identity for ever, audit 1096, draft 0" in out.getvalue()
    assert "default tests.scripted.ScriptedProvider" in out.getvalue()


def test_the_command_shows_the_last_count(alice: User) -> None:
    out = StringIO()
    call_command("faceverify_census", "--last", stdout=out)
    assert "persons            -\n" in out.getvalue()
    as_of(70_000)
    out = StringIO()
    call_command("faceverify_census", "--last", "--json", stdout=out)
    told = json.loads(out.getvalue())
    assert (told["persons"], told["photos"], told["of the limit"]) == (
        70_000,
        140_000,
        "70 % of 100000",
    )
    assert told["kept for days"]["photo"] == 7
