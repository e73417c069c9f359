"""The record of a key: how long it is kept, and what a database that fails does to it."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError

from django_faceverify import idempotency, retention
from django_faceverify.exceptions import Conflict, InProgress
from django_faceverify.idempotency import is_key, reserve
from django_faceverify.models import IdempotencyRecord
from django_faceverify.models.clock import db_now
from django_faceverify.models.idempotency import Hold, current_hold

pytestmark = pytest.mark.django_db

SCOPE = ("user:1", "POST", "/kyc/")


def hold(key: str = "k", body: bytes = b"{}") -> Hold:
    held = reserve(scope=SCOPE, key=key, body=(body,))
    assert isinstance(held, Hold)
    return held


def test_the_shape_of_a_key() -> None:
    assert is_key("!") and is_key("~" * 255)  # noqa: PT018 (one rule)
    for bad in ("", " ", "x" * 256, "\x1f", "\x7f", "é", "１"):
        assert not is_key(bad)


def test_parts_of_a_scope_do_not_run_together() -> None:
    reserve(scope=("user:1", "POST", "/a"), key="b", body=(b"",))
    for scope, key in ((("user:1", "POST", "/"), "ab"), (("user:11", "POST", "/a"), "b")):
        assert isinstance(reserve(scope=scope, key=key, body=(b"",)), Hold)


def test_a_day_later_it_is_forgotten() -> None:
    with idempotency.working(hold("old")):
        pass
    hold("young")
    old = IdempotencyRecord.objects.order_by("created_at")[:1].get()
    IdempotencyRecord.objects.filter(pk=old.pk).update(created_at=db_now(-24 * 3600 - 1))
    assert idempotency.purge() == 1
    assert idempotency.purge() == 0
    assert IdempotencyRecord.objects.count() == 1
    IdempotencyRecord.objects.update(created_at=db_now(-24 * 3600 + 60))
    retention.purge()
    assert IdempotencyRecord.objects.count() == 1
    IdempotencyRecord.objects.update(created_at=db_now(-24 * 3600 - 60))
    assert retention.purge().counts["key_count"] == 1
    assert not IdempotencyRecord.objects.exists()


def test_a_purge_takes_a_batch_at_a_time() -> None:
    for number in range(3):
        hold(str(number))
    IdempotencyRecord.objects.update(created_at=db_now(-25 * 3600))
    assert [idempotency.purge(2) for _ in range(3)] == [2, 1, 0]


def test_whose_body_differs_is_told_so_even_while_it_is_in_flight() -> None:
    hold()
    with pytest.raises(InProgress):
        hold()
    with pytest.raises(Conflict) as refused:
        hold(body=b"other")
    assert refused.value.code == "idempotency_key_reused"


def test_of_two_that_take_over_one_wins() -> None:
    first = hold()
    IdempotencyRecord.objects.update(lease_until=db_now(-1))
    record = IdempotencyRecord.objects.get()
    second = idempotency._take_over(record)
    assert second is not None
    assert idempotency._take_over(record) is None
    assert not first.rows.exists()
    assert second.rows.get().fence == 2


def test_a_key_that_vanishes_between_two_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    def taken(**record: Any) -> None:
        raise IntegrityError

    monkeypatch.setattr(IdempotencyRecord.objects, "create", taken)
    with pytest.raises(InProgress):
        hold()


def test_an_answer_is_given_though_its_status_cannot_be_kept(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(self: Any, **columns: Any) -> int:
        raise DatabaseError("secret")

    held = hold()
    monkeypatch.setattr("django.db.models.QuerySet.update", fails)
    with caplog.at_level(logging.WARNING):
        idempotency.finish(held, 200)
    assert [record.getMessage() for record in caplog.records] == [
        "answer_not_kept error=DatabaseError"
    ]


def test_nothing_is_held_afterwards() -> None:
    with idempotency.working(hold()):
        assert current_hold.get()
    assert current_hold.get() is None
    with pytest.raises(KeyboardInterrupt), idempotency.working(hold("2")):
        raise KeyboardInterrupt
    assert current_hold.get() is None
    assert IdempotencyRecord.objects.count() == 1
