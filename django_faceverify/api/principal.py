"""Who is asking, for whatever tells callers apart: keys of idempotency, limits."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request

from django_faceverify.models.token import TokenHolder


def principal(request: Request) -> str:
    """The caller as one word; empty for nobody."""
    user: Any = request.user
    if isinstance(user, TokenHolder):  # a new token is not a new caller
        return f"token:{user.verification_id}"
    return f"user:{user.pk}" if user.pk is not None else ""
