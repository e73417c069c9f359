"""Client tokens at the door: who comes with one, and what it opens."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.views.decorators.debug import sensitive_variables
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, NotFound
from rest_framework.request import Request

from django_faceverify import tokens
from django_faceverify.api import cors
from django_faceverify.api.problems import bad_parameter, sentence
from django_faceverify.exceptions import NotPermitted
from django_faceverify.models.token import TokenHolder

CHALLENGE = 'Bearer realm="verification", error="invalid_token"'


class TokenAuthentication(BaseAuthentication):
    """``Authorization: Bearer fvt_...``; every other bearer is the site's own affair.

    Whoever comes with a token is nobody else: cookies and logins beside it are not looked at.
    """

    @sensitive_variables()
    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        if not is_bearer(request):
            return None
        _scheme, _, secret = get_authorization_header(request).decode("latin-1").partition(" ")
        holder = tokens.holder(secret.strip())
        if holder is None:
            raise AuthenticationFailed(sentence("token_invalid"), "token_invalid")
        return holder, None

    def authenticate_header(self, request: Request) -> str:
        return CHALLENGE


@sensitive_variables()
def is_bearer(request: Request) -> bool:
    """Whether a request comes with something that looks like one of our tokens."""
    scheme, _, secret = get_authorization_header(request).partition(b" ")
    return scheme.lower() == b"bearer" and secret.strip().startswith(tokens.PREFIX.encode())


def refuse_in_address(request: Request) -> None:
    """Addresses stay in logs, histories and referrers: ``ValidationError`` for a token there."""
    for name, values in request.query_params.lists():
        if any(tokens.PATTERN.search(text) for text in (name, *values)):
            known = "" if tokens.PATTERN.search(name) else name[:50]
            raise bad_parameter(known, "token_in_address")


def require_scope(
    request: Request, holder: TokenHolder, purpose: str | None, verification_id: str | None
) -> None:
    """Raise unless the token opens this address from that page.

    ``NotFound`` for every case but its own, as to anybody else; ``NotPermitted`` for what is
    not among its purposes. ``purpose`` is ``None`` where no token is good for anything.
    """
    if not cors.comes_from(request._request, holder.origins):
        raise NotPermitted("origin_not_allowed")
    if verification_id is not None and not _is_id(verification_id, holder.verification_id):
        raise NotFound
    require_purpose(holder, purpose)


def require_purpose(user: Any, purpose: str | None) -> None:
    """Raise ``NotPermitted`` for a token that is not for this; ``None`` is for no token."""
    if isinstance(user, TokenHolder) and purpose not in user.purposes:
        raise NotPermitted("token_purpose")


def _is_id(text: str, verification_id: UUID) -> bool:
    try:
        return UUID(text) == verification_id
    except ValueError:
        return False
