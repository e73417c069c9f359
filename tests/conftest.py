"""Fixtures named after the domain: people, an ID card, a photo, a verification."""

from __future__ import annotations

import io
import random
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from celery import Celery
from django.contrib.auth.models import Permission, User
from PIL import Image

from django_faceverify import intake, tasks
from django_faceverify.models import Verification
from tests import emptying
from tests.faces.fixtures import local_engine, quality_checked
from tests.live import live_server, own_connections
from tests.scripted import ScriptedProvider, similarity
from tests.spreading import spread
from tests.webhooks.fixtures import receiver, told, webhook_rules

__all__ = [
    "live_server",
    "local_engine",
    "own_connections",
    "quality_checked",
    "receiver",
    "told",
    "webhook_rules",
]

#: without an app of the site's, Celery would send our messages to a RabbitMQ on this machine
celery_app = Celery("tests")
celery_app.config_from_object("django.conf:settings", namespace="CELERY")
celery_app.set_default()

#: an ID number that no real person can hold: the check digit is wrong on purpose
IDCARD_NUMBER = "000000199001010011"
IDCARD_NAME = "张三"

#: what a person declares who agrees to the text of ``tests.settings``
CONSENT = {"text_version": "demo-1", "granted": True}


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "database: touches the database (found out, not written)")
    obey_ctrl_c()
    emptying.install()


def obey_ctrl_c() -> None:
    """A shell has its background programs ignore Ctrl-C, and theirs inherit that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """Mark the tests that mean something else on another database; let the long ones begin."""
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        if item.get_closest_marker("django_db") or fixtures & {"db", "transactional_db"}:
            item.add_marker("database")
    yield
    items[:] = spread(items)


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider that verifies, and a broker that has not failed yet."""
    monkeypatch.setattr(tasks._Broker, "silent_until", 0.0)
    ScriptedProvider.script(similarity(95))


@pytest.fixture
def idcard() -> dict[str, Any]:
    return {"idcard_name": IDCARD_NAME, "idcard_number": IDCARD_NUMBER}


def draw_jpeg(width: int = 320, height: int = 400, seed: int = 1) -> bytes:
    """A small picture that differs by seed."""
    colours = random.Random(seed)
    picture = Image.new("RGB", (width, height), tuple(colours.randrange(256) for _ in range(3)))
    file = io.BytesIO()
    picture.save(file, "JPEG")
    return file.getvalue()


@pytest.fixture
def jpeg() -> bytes:
    return draw_jpeg()


@pytest.fixture
def alice(db: None) -> User:
    return User.objects.create_user("alice", password="alice")


@pytest.fixture
def bob(db: None) -> User:
    return User.objects.create_user("bob", password="bob")


@pytest.fixture
def reviewer(db: None) -> User:
    user = User.objects.create_user("reviewer", password="reviewer", is_staff=True)
    names = (
        "view_verification",
        "review_verification",
        "view_photo",
        "view_verificationattempt",
    )
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    return user


@pytest.fixture
def verification(alice: User, idcard: dict[str, Any], jpeg: bytes) -> Verification:
    """Alice's case with a photo, waiting for a worker."""
    return submitted(alice, jpeg=jpeg, **idcard)


def submitted(user: Any, jpeg: bytes | None = None, **facts: Any) -> Verification:
    """A case with a photo and a consent, waiting for a worker."""
    own = {"idcard_name": IDCARD_NAME, "idcard_number": IDCARD_NUMBER, "consent": CONSENT}
    facts = own | facts
    submission = intake.Submission(image=jpeg if jpeg is not None else draw_jpeg())
    return intake.create(user=user, submission=submission, **facts)
