"""Finding the case that an address names."""

from __future__ import annotations

from typing import Any

from rest_framework.exceptions import NotFound

from django_faceverify import access, intake, looks
from django_faceverify.models import Photo, Verification


def find_verification(user: Any, verification_id: str) -> Verification:
    """The verification, or the same ``NotFound`` for unknown, malformed and foreign ids."""
    verification = intake.by_id(access.visible_to(user), verification_id)
    if verification is None:
        raise NotFound
    return verification


def find_photo(verification: Verification, photo_id: str) -> Photo:
    """A photo whose picture we hold, or ``NotFound``."""
    photo = looks.find_photo(verification, photo_id)
    if photo is None:
        raise NotFound
    return photo
