"""What the site's database and Celery could do better, and that good ones hear nothing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from django.db import connection

from django_faceverify.checks import host
from tests.checks.test_settings import numbers

REDIS = "redis://127.0.0.1:6379/0"
QUICK = {"max_retries": 0}

DATABASES: list[tuple[str, dict[str, Any], list[str]]] = [
    ("sqlite", {}, ["W070"]),
    ("sqlite", {"transaction_mode": "DEFERRED"}, ["W070"]),
    ("sqlite", {"transaction_mode": "immediate"}, []),
    ("sqlite", {"transaction_mode": "EXCLUSIVE"}, []),
    ("postgresql", {}, []),
    ("postgresql", {"options": "-c synchronous_commit=on"}, []),
    ("postgresql", {"options": "-c statement_timeout=5s -c synchronous_commit=off"}, ["W071"]),
    (
        "sqlite",
        {"transaction_mode": "IMMEDIATE", "init_command": "PRAGMA synchronous = OFF"},
        ["W071"],
    ),
    ("sqlite", {"transaction_mode": "IMMEDIATE", "init_command": "PRAGMA synchronous=NORMAL"}, []),
    ("mysql", {"init_command": "SET sql_mode='STRICT_TRANS_TABLES'"}, []),
]
BROKERS: list[tuple[dict[str, Any], list[str]]] = [
    ({"broker_url": "memory://"}, []),
    ({"broker_url": REDIS, "broker_transport_options": QUICK}, []),
    ({"broker_url": REDIS, "broker_transport_options": {**QUICK, "visibility_timeout": 59}}, ["W072"]),
    ({"broker_url": REDIS, "broker_transport_options": {**QUICK, "visibility_timeout": 60}}, []),
    ({"broker_url": "memory://", "worker_prefetch_multiplier": 4}, ["W073"]),
    ({"broker_url": "memory://", "worker_prefetch_multiplier": 0}, ["W073"]),
    ({"broker_url": REDIS}, ["W074"]),
    ({"broker_url": "amqp://127.0.0.1//"}, ["W074"]),
    ({"broker_url": "amqp://127.0.0.1//", "broker_transport_options": QUICK}, []),
]  # fmt: skip


def ids() -> list[str]:
    messages = host.check_host()
    assert all(message.hint for message in messages)
    return [str(message.id).removeprefix("faceverify.") for message in messages]


def use_celery(monkeypatch: pytest.MonkeyPatch, name: str = "site", **conf: Any) -> None:
    app = Celery(name, set_as_current=False)
    app.conf.update({"worker_prefetch_multiplier": 1, **conf})
    monkeypatch.setattr(host, "current_app", app)


def use_database(monkeypatch: pytest.MonkeyPatch, vendor: str, **options: Any) -> None:
    monkeypatch.setattr(connection, "vendor", vendor)
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", options)


def test_the_settings_of_the_tests_are_right() -> None:
    assert ids() == []


@pytest.mark.parametrize(("vendor", "options", "expected"), DATABASES)
def test_databases(
    monkeypatch: pytest.MonkeyPatch, vendor: str, options: dict[str, Any], expected: list[str]
) -> None:
    use_database(monkeypatch, vendor, **options)
    assert ids() == expected


@pytest.mark.parametrize(("conf", "expected"), BROKERS)
def test_brokers(
    monkeypatch: pytest.MonkeyPatch, conf: dict[str, Any], expected: list[str]
) -> None:
    use_celery(monkeypatch, **conf)
    assert ids() == expected


def test_a_broken_lease_is_said_elsewhere(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    use_celery(monkeypatch, broker_transport_options={"visibility_timeout": 1})
    settings.FACEVERIFY = {"LEASE": "long"}
    assert ids() == []


def test_a_site_without_celery_hears_nothing_about_it(monkeypatch: pytest.MonkeyPatch) -> None:
    use_celery(monkeypatch, "default", worker_prefetch_multiplier=4)
    assert ids() == []


def test_while_a_site_is_developed_nothing_is_said(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    use_database(monkeypatch, "sqlite")
    settings.DEBUG = True
    assert ids() == []


def test_every_number_is_tested() -> None:
    tested = {number for *_, found in (*DATABASES, *BROKERS) for number in found}
    tested |= {"W106"}  # with the census, in test_census.py
    tested.add("W078")  # by tests/audit/test_triggers.py, which has the triggers
    assert set(numbers(Path(host.__file__).read_text())) == tested
    assert all(re.fullmatch(r"W07\d|W106", number) for number in tested)
