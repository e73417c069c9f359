"""The one table of permissions: it is complete, and nobody is staff in a case of their own."""

from __future__ import annotations

import ast
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import Permission, User
from django.core.exceptions import PermissionDenied

import django_faceverify
from django_faceverify import access
from django_faceverify.exceptions import NotPermitted
from django_faceverify.models import Verification

PACKAGE = Path(django_faceverify.__file__).parent

pytestmark = pytest.mark.django_db


def granted(user: User, permission: str) -> User:
    user.user_permissions.add(Permission.objects.get(codename=permission.partition(".")[2]))
    return User.objects.get(pk=user.pk)  # permissions are remembered by the object


def test_every_permission_exists_in_the_database() -> None:
    codenames = Permission.objects.filter(content_type__app_label="django_faceverify").values_list(
        "codename", flat=True
    )
    for permission in access.PERMISSIONS:
        assert permission.removeprefix("django_faceverify.") in codenames


def test_permissions_are_named_in_one_place_only() -> None:
    named = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in PACKAGE.rglob("*.py")
        if "migrations" not in path.parts and path.name != "access.py"
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and node.value in access.PERMISSIONS
    ]
    assert named == []


def test_only_the_one_place_asks_for_permissions() -> None:
    asked = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in PACKAGE.rglob("*.py")
        if path.name != "access.py"
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute)
        and node.attr in ("has_perm", "has_perms", "is_superuser")
    ]
    assert asked == []


@pytest.mark.parametrize("permission", access.PERMISSIONS)
def test_no_permission_implies_another(bob: User, permission: str) -> None:
    user = granted(bob, permission)
    assert [one for one in access.PERMISSIONS if access.may(user, one)] == [permission]
    access.require(user, permission)
    for other in set(access.PERMISSIONS) - {permission}:
        with pytest.raises(PermissionDenied):
            access.require(user, other)


def test_a_refusal_for_one_case_is_on_record_once_a_day(
    verification: Verification, bob: User
) -> None:
    user = granted(bob, access.VIEW)
    for _ in range(3):
        with pytest.raises(PermissionDenied):
            access.require_for(user, access.VIEW_PHOTO, verification)
    with pytest.raises(PermissionDenied):
        access.require_as_staff(user, access.EXPORT, verification)
    access.require_for(user, access.VIEW, verification)
    refusals = verification.events.filter(action="permission_refused").order_by("number")
    assert [(event.actor, event.data) for event in refusals] == [
        (f"user:{bob.pk}", {"permission": "view_photo"}),
        (f"user:{bob.pk}", {"permission": "export_verification"}),
    ]


def test_inactive_people_may_nothing(bob: User) -> None:
    bob.is_superuser, bob.is_active = True, False
    assert not any(access.may(bob, permission) for permission in access.PERMISSIONS)


def test_nobody_is_staff_in_a_case_of_their_own(
    verification: Verification, alice: User, bob: User
) -> None:
    for permission in access.PERMISSIONS:
        granted(alice, permission)
        granted(bob, permission)
    alice, bob = (User.objects.get(pk=user.pk) for user in (alice, bob))
    for permission in access.PERMISSIONS:
        access.require_as_staff(bob, permission, verification)
        with pytest.raises(NotPermitted, match="own_case"):
            access.require_as_staff(alice, permission, verification)


def test_a_superuser_is_not_staff_in_a_case_of_their_own(verification: Verification) -> None:
    User.objects.update(is_superuser=True)
    root = User.objects.get()
    with pytest.raises(NotPermitted):
        access.require_as_staff(root, access.REVIEW, verification)


def test_cases_of_nobody_belong_to_nobody() -> None:
    stateless = SimpleNamespace(pk=None, has_perm=lambda permission: False)
    assert access.visible_to(stateless).query.is_empty()
    assert not access.is_owner(stateless, Verification(user=None))
