"""The console on a site whose admin is django-unfold's."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.contrib import admin

from django_faceverify.console.records import RecordAdmin

ROOT = Path(__file__).parents[2]
UNFOLD = {"DJANGO_SETTINGS_MODULE": "tests.unfold_settings"}

#: one page put in the place of another, in a frame that is not Django's
GOING_ON = [
    f"tests/console/test_ahead_browser.py::{name}"
    for name in (
        "test_ten_cases_by_keyboard_and_no_photo_to_wait_for",
        "test_where_one_is_is_said",
        "test_a_decision_that_is_refused",
        "test_the_way_back",
    )
]

needs_unfold = pytest.mark.skipif(
    importlib.util.find_spec("unfold") is None, reason="django-unfold is not installed"
)


def python(*arguments: str, settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """A process of its own: whose classes ours are made of is known when Django starts."""
    environment = {**os.environ, **settings}
    environment.pop("DATABASE_URL", None)
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_it_nothing_of_it_is_imported() -> None:
    assert RecordAdmin.__mro__[1] is admin.ModelAdmin
    code = "import django, sys; django.setup(); import django_faceverify.admin; print('unfold' in sys.modules)"
    done = python("-c", code, settings={"DJANGO_SETTINGS_MODULE": "tests.settings"})
    assert done.stdout.strip() == "False", done.stderr


@needs_unfold
def test_with_it_our_lists_are_its_lists() -> None:
    code = (
        "import django; django.setup();"
        "from django.core.management import call_command; call_command('check');"
        "from django_faceverify.console.records import RecordAdmin;"
        "print(RecordAdmin.__mro__[1].__module__)"
    )
    done = python("-c", code, settings=UNFOLD)
    assert done.stdout.splitlines()[-1] == "unfold.admin", done.stderr


@needs_unfold
@pytest.mark.browser
def test_the_pages_in_a_browser() -> None:
    files = ["tests/console/test_themes.py", "tests/console/test_list.py", *GOING_ON]
    done = python("-m", "pytest", "-q", "-p", "no:cacheprovider", *files, settings=UNFOLD)
    assert done.returncode == 0, done.stdout[-6000:]
