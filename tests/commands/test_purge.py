"""``faceverify_purge``: the clocks by hand or by cron."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from django_faceverify import redaction
from django_faceverify import verification as engine
from django_faceverify.models import Verification
from tests.conftest import submitted

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def due(alice: User, settings: Any) -> Verification:
    settings.FACEVERIFY = {**settings.FACEVERIFY, "RETENTION": {"PRESET": "CN"}}
    case = submitted(alice)
    engine.run(case.pk)
    return case


def purge(*arguments: str) -> dict[str, int]:
    out = StringIO()
    call_command("faceverify_purge", *arguments, stdout=out)
    lines = (line.split(maxsplit=1) for line in out.getvalue().splitlines())
    return {label: int(number) for number, label in lines if number.isdigit()}


def test_a_dry_run_only_counts(due: Verification) -> None:
    assert purge("--dry-run")["cases whose photos are due"] == 1
    assert due.photos.get().read()


def test_it_says_what_it_destroyed(due: Verification) -> None:
    told = purge()
    assert told["photos destroyed"] == 1
    assert sum(told.values()) == 1
    assert due.photos.get().purged_at
    assert sum(purge().values()) == 0


def test_it_says_when_the_time_was_over(due: Verification) -> None:
    out = StringIO()
    call_command("faceverify_purge", "--seconds", "0", stdout=out)
    assert "there may be more" in out.getvalue()


def test_it_fails_when_a_case_fails(due: Verification, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **kwargs: Any) -> int:
        raise RuntimeError

    monkeypatch.setattr(redaction, "destroy_photos", fail)
    with pytest.raises(CommandError, match="1 cases could not be purged"):
        purge()
