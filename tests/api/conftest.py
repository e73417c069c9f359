"""The people who knock at the API, each with a client of their own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient


def _client(user: User | None = None) -> APIClient:
    client = APIClient()
    if user is not None:
        client.force_authenticate(user)
    return client


@pytest.fixture
def as_anonymous(db: None) -> APIClient:
    return _client()


@pytest.fixture
def as_alice(alice: User) -> APIClient:
    return _client(alice)


@pytest.fixture
def as_bob(bob: User) -> APIClient:
    return _client(bob)


@pytest.fixture
def as_reviewer(reviewer: User) -> APIClient:
    return _client(reviewer)


@pytest.fixture
def as_root(db: None) -> APIClient:
    return _client(User.objects.create_superuser("root"))


@pytest.fixture(autouse=True)
def photo_folder(tmp_path: Path, settings: Any) -> Iterator[Path]:
    """A storage of its own for each test, so that stored files can be counted."""
    folder = tmp_path / "photos"
    alias = {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": str(folder)},
    }
    settings.STORAGES = {**settings.STORAGES, "faceverify": alias}
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
