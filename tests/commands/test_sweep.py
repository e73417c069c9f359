"""``faceverify_sweep``: the whole engine in one process, without a broker."""

from __future__ import annotations

import os
import signal
from io import StringIO
from threading import Event

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from django_faceverify import sweeper
from django_faceverify.management.commands.faceverify_sweep import Command, _stop_signals
from django_faceverify.models import Verification
from django_faceverify.models.clock import db_now

pytestmark = pytest.mark.django_db(transaction=True)


class StopWhenIdle(Event):
    """Stops the loop the first time that it has nothing to do."""

    def wait(self, timeout: float | None = None) -> bool:
        self.set()
        return True


def looped(stop: Event) -> tuple[str, str]:
    """What the loop printed until it was stopped: output and complaints."""
    out, err = StringIO(), StringIO()
    Command(stdout=out, stderr=err).loop(stop, interval=5)
    return out.getvalue(), err.getvalue()


def test_once_sweeps_and_works_off(verification: Verification) -> None:
    out = StringIO()
    call_command("faceverify_sweep", stdout=out)
    verification.refresh_from_db()
    assert verification.status == "verified"
    assert "Worked off: 1" in out.getvalue()


def test_once_moves_on_what_nobody_works_on(verification: Verification) -> None:
    Verification.objects.filter(pk=verification.pk).update(deadline_at=db_now(-1))
    call_command("faceverify_sweep", stdout=StringIO())
    verification.refresh_from_db()
    assert verification.reason_code == "deadline_passed"


def test_the_loop_works_and_stops(verification: Verification) -> None:
    out, _ = looped(StopWhenIdle())
    verification.refresh_from_db()
    assert verification.status == "verified"
    assert "Worked off: 1" in out


def test_the_loop_outlives_a_database_that_fails(
    verification: Verification, monkeypatch: pytest.MonkeyPatch
) -> None:
    class StopAtSecondIdle(StopWhenIdle):
        rounds = 0

        def wait(self, timeout: float | None = None) -> bool:
            self.rounds += 1
            return super().wait(timeout) if self.rounds == 2 else False

    def fail(**options: float) -> int:
        monkeypatch.undo()
        raise OperationalError("the server is gone, says a driver that quotes SQL")

    monkeypatch.setattr(sweeper, "drain", fail)
    _, complaints = looped(StopAtSecondIdle())
    verification.refresh_from_db()
    assert verification.status == "verified"
    assert complaints == "The database fails (OperationalError); trying again.\n"


def test_signals_stop_it_after_the_call_under_way() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with _stop_signals() as stop:
        assert not stop.is_set()
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.wait(1)
    assert signal.getsignal(signal.SIGTERM) is before


def test_an_interval_of_nothing_is_refused() -> None:
    with pytest.raises(CommandError, match="--interval"):
        call_command("faceverify_sweep", "--loop", "--interval", "0")
