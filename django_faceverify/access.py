"""Who may see and do what: one table of permissions, asked by every door.

Authentication is the site's. Staff are those with the permission to view verifications;
everybody else sees their own. No permission implies another, except that a superuser has
all of them, and is recorded like anybody else. Nobody acts as staff on a case of their own.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet

from django_faceverify import lifecycle, quotas
from django_faceverify.exceptions import NotPermitted
from django_faceverify.models import Event, Verification
from django_faceverify.models.idempotency import beside_the_request
from django_faceverify.models.token import TokenHolder
from django_faceverify.models.transactions import committed

VIEW = "django_faceverify.view_verification"
REVIEW = "django_faceverify.review_verification"
VIEW_PHOTO = "django_faceverify.view_photo"
REVEAL_IDENTITY = "django_faceverify.reveal_identity"
OVERRIDE = "django_faceverify.override_verification"
EXPORT = "django_faceverify.export_verification"
REDACT = "django_faceverify.redact_verification"
DELEGATE = "django_faceverify.add_clienttoken"

PERMISSIONS = (VIEW, REVIEW, VIEW_PHOTO, REVEAL_IDENTITY, OVERRIDE, EXPORT, REDACT)


def may(user: Any, permission: str) -> bool:
    return bool(user.has_perm(permission))


def require(user: Any, permission: str) -> None:
    """Raise ``PermissionDenied`` unless the user has the permission."""
    if not may(user, permission):
        raise PermissionDenied


def require_for(user: Any, permission: str, verification: Verification) -> None:
    """The same for one case, whose history tells of a refusal."""
    if not may(user, permission):
        _record_refusal(user, permission, verification)
        raise PermissionDenied


def require_as_staff(user: Any, permission: str, verification: Verification) -> None:
    """The same, and ``NotPermitted`` when the case is the user's own."""
    require_for(user, permission, verification)
    require_other(user, verification)


def require_other(user: Any, verification: Verification) -> None:
    """Raise ``NotPermitted`` when the case is the user's own."""
    if is_owner(user, verification):
        raise NotPermitted("own_case")


def is_staff(user: Any) -> bool:
    return may(user, VIEW)


def is_owner(user: Any, verification: Verification) -> bool:
    if isinstance(user, TokenHolder):
        return user.verification_id == verification.pk
    return user.pk is not None and verification.user_id == user.pk


def acts_as_owner(user: Any, permission: str, verification: Verification) -> bool:
    """Whether the case is the user's own; otherwise they must have the permission.

    Raises ``PermissionDenied`` for whoever is neither.
    """
    if is_owner(user, verification):
        return True
    require_for(user, permission, verification)
    return False


def visible_to(user: Any) -> QuerySet[Verification]:
    """All verifications for staff, one's own for everybody else, its one for a token."""
    if isinstance(user, TokenHolder):
        return Verification.objects.filter(pk=user.verification_id)
    if is_staff(user):
        return Verification.objects.all()
    if user.pk is None:  # would otherwise find the cases that belong to nobody
        return Verification.objects.none()
    return Verification.objects.filter(user_id=user.pk)


def _record_refusal(user: Any, permission: str, verification: Verification) -> None:
    """Once a day for each person, so that nobody fills a history by asking again."""
    actor, codename = lifecycle.user_actor(user), permission.rpartition(".")[2]

    def record() -> None:
        if quotas.take(f"refused/{actor}/{verification.pk}/{codename}", quotas.this_day(), 1):
            facts = {"permission": codename}
            Event.objects.append(verification, "permission_refused", actor=actor, data=facts)

    with beside_the_request():
        committed(record)
