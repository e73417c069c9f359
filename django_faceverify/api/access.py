"""Who may see and do what. Authentication itself is the site's.

Staff are those with the permission to view verifications; everybody else sees their own.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from rest_framework.exceptions import NotFound, PermissionDenied

from django_faceverify import intake
from django_faceverify.models import Photo, Verification

VIEW = "django_faceverify.view_verification"
VIEW_PHOTO = "django_faceverify.view_photo"
REVIEW = "django_faceverify.review_verification"


def is_staff(user: Any) -> bool:
    return bool(user.has_perm(VIEW))


def is_owner(user: Any, verification: Verification) -> bool:
    return user.pk is not None and verification.user_id == user.pk


def visible_to(user: Any) -> QuerySet[Verification]:
    """All verifications for staff, one's own for everybody else."""
    if is_staff(user):
        return Verification.objects.all()
    if user.pk is None:  # would otherwise find the cases that belong to nobody
        return Verification.objects.none()
    return Verification.objects.filter(user_id=user.pk)


def find_verification(user: Any, verification_id: str) -> Verification:
    """The verification, or the same ``NotFound`` for unknown, malformed and foreign ids."""
    verification = intake.by_id(visible_to(user), verification_id)
    if verification is None:
        raise NotFound
    return verification


def find_photo(verification: Verification, photo_id: str) -> Photo:
    """A photo whose picture we hold; ``NotFound`` when it is only an address, or is purged."""
    try:
        photo = verification.photos.filter(pk=UUID(photo_id)).first()
    except ValueError:
        raise NotFound from None
    if photo is None or not photo.file_name or photo.purged_at:
        raise NotFound
    return photo


def require(user: Any, permission: str) -> None:
    """Raise ``PermissionDenied`` unless the user has the permission."""
    if not user.has_perm(permission):
        raise PermissionDenied
