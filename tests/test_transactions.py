"""A transaction that lost against another is made again, and only then."""

from __future__ import annotations

import pytest
from django.db import OperationalError, transaction

from django_faceverify.models import Counter, transactions
from django_faceverify.models.transactions import committed
from tests.test_quotas import window

pytestmark = pytest.mark.django_db(transaction=True)


class Work:
    """Fails with ``error`` so many times and then counts."""

    def __init__(self, error: Exception, failures: int) -> None:
        self.error = error
        self.failures = failures
        self.tries = 0

    def __call__(self) -> str:
        self.tries += 1
        Counter.objects.create(
            scope=str(self.tries), window=window().name, updated_at=window().ends_at
        )
        if self.tries <= self.failures:
            raise self.error
        return "done"


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transactions, "FIRST_WAIT", 0.0)


def broken(*args: object) -> OperationalError:
    error = OperationalError("see the cause")
    error.__cause__ = RuntimeError(*args)
    return error


@pytest.mark.parametrize(
    "cause", [(1213, "Deadlock"), (1205, "Lock wait"), ("database is locked",)]
)
def test_a_conflict_is_made_again(cause: tuple[object, ...]) -> None:
    work = Work(broken(*cause), failures=2)
    assert committed(work) == "done"
    assert work.tries == 3
    assert [counter.scope for counter in Counter.objects.all()] == ["3"]


def test_a_postgresql_state_is_known() -> None:
    error = broken("deadlock detected")
    error.__cause__.sqlstate = "40P01"  # type: ignore[union-attr]
    assert committed(Work(error, failures=1)) == "done"


def test_it_ends() -> None:
    work = Work(broken(1213), failures=99)
    with pytest.raises(OperationalError):
        committed(work)
    assert work.tries == transactions.TRIES
    assert not Counter.objects.exists()


def test_a_lost_connection_is_survived_only_where_that_is_safe() -> None:
    lost = broken(2013, "Lost connection")
    assert committed(Work(lost, failures=1), survives_reconnect=True) == "done"
    with pytest.raises(OperationalError):
        committed(Work(lost, failures=1))


def test_another_error_is_not_made_again() -> None:
    work = Work(ValueError(), failures=1)
    with pytest.raises(ValueError, match=r"^$"):
        committed(work, survives_reconnect=True)
    assert work.tries == 1


def test_within_a_transaction_nothing_can_be_made_again() -> None:
    work = Work(broken(1213), failures=1)
    with pytest.raises(OperationalError), transaction.atomic():
        committed(work)
    assert work.tries == 1
