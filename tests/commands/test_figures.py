"""``faceverify_figures``: counts on, or all again."""

from __future__ import annotations

from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command

from django_faceverify import lifecycle
from django_faceverify.audit import deleting_cases
from django_faceverify.models import DailyFigure, Verification
from django_faceverify.quotas import this_day
from tests.console.conftest import decided_as

pytestmark = pytest.mark.django_db


def told(*arguments: str) -> list[str]:
    out = StringIO()
    call_command("faceverify_figures", *arguments, stdout=out)
    return out.getvalue().splitlines()


def test_counting_on(alice: User) -> None:
    case = decided_as(alice, 95)
    assert told() == [f"Counted: {case.events.count()} events"]
    assert told() == ["Counted: 0 events"]
    assert DailyFigure.objects.get(kind="ended").count == 1


def test_counting_again(alice: User) -> None:
    decided_as(alice, 95)
    told()
    DailyFigure.objects.filter(kind="ended").update(count=7)
    assert told("--rebuild") == ["Counted everything again."]
    assert DailyFigure.objects.get(kind="ended").count == 1


def test_days_of_which_less_is_left_are_kept(alice: User) -> None:
    case = decided_as(alice, 95)
    told()
    rows = Verification.objects.filter(pk=case.pk)
    with deleting_cases(rows, actor=lifecycle.SYSTEM, reason="AUDIT") as ids:
        Verification.objects.filter(pk__in=ids).delete()
    [_, line] = told("--rebuild")
    assert line.endswith("kept as it was, since less is left of it")
    assert f"{this_day().name[:4]}-" in line
    assert DailyFigure.objects.get(kind="ended").count == 1
