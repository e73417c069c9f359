"""Staff at their screens, and cases in front of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from django_faceverify import verification as engine
from django_faceverify.models import Verification
from tests.conftest import submitted
from tests.scripted import ScriptedProvider, similarity

LIST = "/admin/django_faceverify/verification/"
ATTEMPTS = "/admin/django_faceverify/verificationattempt/"


def page_of(verification: Verification, page: str = "change", *more: Any) -> str:
    name = f"admin:django_faceverify_verification_{page}"
    return reverse(name, args=(verification.pk, *more))


def decided_as(user: Any, value: float, **facts: Any) -> Verification:
    """A case of that user after the provider has answered with a similarity."""
    verification = submitted(user, **facts)
    ScriptedProvider.script(similarity(value))
    engine.run(verification.pk)
    verification.refresh_from_db()
    return verification


@pytest.fixture
def in_review(alice: User) -> Verification:
    return decided_as(alice, 72)


@pytest.fixture
def staff(db: None) -> Callable[..., User]:
    """Makes an account of the staff with just these permissions."""

    def make(*codenames: str, name: str = "staff") -> User:
        user = User.objects.create_user(name, password=name, is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        return user

    return make


@pytest.fixture
def as_reviewer(reviewer: User) -> Client:
    client = Client()
    client.force_login(reviewer)
    return client
