"""``faceverify_sandbox``: takes this site's credentials and no others."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from django_faceverify.exceptions import Refused
from django_faceverify.management.commands.faceverify_sandbox import credentials
from django_faceverify.providers.base import ComparisonRequest
from django_faceverify.providers.qcloud import QcloudProvider
from django_faceverify.sandbox import DEFAULT_APPID, DEFAULT_SECRET_KEY, scenario_number
from tests.photos import jpeg

ROOT = Path(__file__).resolve().parent.parent.parent


def with_options(options: dict[str, Any]) -> override_settings:
    return override_settings(FACEVERIFY={"PROVIDERS": {"default": {"OPTIONS": options}}})


def test_credentials_are_those_of_the_provider() -> None:
    with with_options({"appid": 7, "secret_id": "id", "secret_key": lambda: "from a vault"}):
        assert credentials("default") == {
            "appid": "7",
            "secret_id": "id",
            "secret_key": "from a vault",
        }


@override_settings(FACEVERIFY={})
def test_a_site_without_a_provider_gets_the_sandboxs_own() -> None:
    given = credentials("default")
    assert (given["appid"], given["secret_key"]) == (DEFAULT_APPID, DEFAULT_SECRET_KEY)


def test_an_unknown_provider_is_refused() -> None:
    with pytest.raises(CommandError, match="'spare'"):
        call_command("faceverify_sandbox", "--provider", "spare")


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[str]:
    """The command as a program, for a site whose key is ``key-of-the-site``."""
    program = subprocess.Popen(
        [sys.executable, "manage.py", "faceverify_sandbox", "--port", "0", "--quiet"],
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "example_project.settings",
            "FACEVERIFY_DATA_DIR": str(tmp_path),
            "FACEVERIFY_SECRET_KEY": "key-of-the-site",
        },
        stdout=subprocess.PIPE,
        text=True,
    )
    assert program.stdout is not None
    yield program.stdout.readline().split()[-1]
    program.terminate()
    rest, _ = program.communicate(timeout=20)
    assert program.returncode == 0
    assert "key-of-the-site" not in rest


def test_it_answers_the_site_and_refuses_others(endpoint: str) -> None:
    request = ComparisonRequest(
        session_id="a" * 32,
        idcard_name="张三",
        idcard_number=scenario_number("001"),
        image=jpeg(),
    )
    account: dict[str, Any] = {
        "appid": "1250000000",
        "secret_id": "docs-example-secret-id",
        "endpoint": endpoint,
    }
    site = QcloudProvider("default", secret_key="key-of-the-site", **account)
    other = QcloudProvider("default", secret_key="another key", **account)
    assert site.compare(request, about_to_send=lambda: None).similarity == 95
    with pytest.raises(Refused):
        other.compare(request, about_to_send=lambda: None)
