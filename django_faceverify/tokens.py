"""Client tokens: the site's backend opens a case, a browser or an app works on it with a token.

A token is 256 random bits, shown once and known here only by its SHA-256, so whoever reads the
database can use none. It opens one verification, for some purposes, from some origins, for a
short time. When the case has ended it is spent: what is left is to read how it ended.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from django_faceverify import lifecycle
from django_faceverify.conf import app_settings
from django_faceverify.exceptions import Conflict, InputError
from django_faceverify.models import ClientToken, Event, Verification
from django_faceverify.models.clock import db_now
from django_faceverify.models.token import TokenHolder
from django_faceverify.models.transactions import committed

Purpose = ClientToken.Purpose

PREFIX = "fvt_"
#: a token wherever it stands: the prefix, and 32 bytes in URL-safe base64
PATTERN = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{43}}", re.ASCII)

#: what is left to do when the case has ended
AFTER_THE_END = frozenset({Purpose.READ.value})

#: seconds; a shorter life would be over before the page is loaded
SHORTEST_LIFE = 60
#: how long a token that is over is remembered
KEPT_FOR = timedelta(hours=24)
#: tokens that one purge removes at most; the next one goes on
BATCH = 5000


@dataclass(frozen=True, kw_only=True)
class Issued:
    """A new token; ``secret`` is told nowhere else, now or later."""

    secret: str = field(repr=False)
    expires_at: datetime
    purposes: tuple[str, ...]
    origins: tuple[str, ...]


@sensitive_variables("secret")
def issue(
    verification: Verification,
    *,
    user: Any = None,
    origins: object = None,
    purposes: object = None,
    expires_in: object = None,
) -> Issued:
    """Make a token for a case that has not ended; the one before stops working.

    ``origins`` are some of ``CLIENT_TOKENS["ORIGINS"]``, and without any only apps and pages of
    the site's own origin can use it; all of them unless told. ``purposes`` are some of
    ``consent``, ``submit`` and ``read``; all unless told. ``expires_in`` is in seconds.
    Raises ``InputError``, or ``Conflict`` when the case has ended.
    """
    secret = PREFIX + secrets.token_urlsafe(32)
    seconds = _seconds(expires_in)
    token = ClientToken(
        verification=verification,
        digest=_digest(secret),
        purposes=_some_of(Purpose.values, purposes, "purposes", "purposes_invalid"),
        origins=_some_of(app_settings.client_tokens.origins, origins, "origins", "origins_invalid"),
    )
    if not token.purposes:
        raise InputError("purposes_invalid", "purposes")
    actor = lifecycle.user_actor(user)

    def give_out() -> None:
        current = Verification.objects.select_for_update().get(pk=verification.pk)
        if current.is_final:
            raise Conflict("already_final")
        _revoke(current, actor)
        token.created_at, token.expires_at = db_now(), db_now(seconds)
        token.save(force_insert=True)
        token.refresh_from_db(fields=["expires_at"])
        data = {"token": str(token.pk), "purposes": token.purposes, "origins": token.origins}
        Event.objects.append_locked(current, "token_issued", actor=actor, data=data)

    committed(give_out)
    return Issued(
        secret=secret,
        expires_at=token.expires_at,
        purposes=tuple(token.purposes),
        origins=tuple(token.origins),
    )


def revoke(verification: Verification, *, user: Any = None) -> bool:
    """Let the token of a case work no more; says whether there was an active one."""
    actor = lifecycle.user_actor(user)

    def take_back() -> bool:
        return _revoke(Verification.objects.select_for_update().get(pk=verification.pk), actor)

    return committed(take_back)


@sensitive_variables()
def holder(secret: str) -> TokenHolder | None:
    """Whoever comes with an active token; ``None`` for any other text."""
    if not PATTERN.fullmatch(secret):
        return None
    tokens = ClientToken.objects.active().annotate(status=F("verification__status"))
    token = tokens.filter(digest=_digest(secret)).first()
    if token is None:
        return None
    purposes = frozenset(token.purposes)
    has_ended = token.status in Verification.FINAL  # type: ignore[attr-defined]  # annotated
    return TokenHolder(token, purposes & AFTER_THE_END if has_ended else purposes)


def purge(most: int = BATCH) -> int:
    """Forget tokens that were over a day ago, at most so many; returns how many it were."""
    old = ClientToken.objects.filter(expires_at__lt=db_now(-KEPT_FOR.total_seconds()))
    ids = list(old.order_by("expires_at").values_list("pk", flat=True)[:most])
    return ClientToken.objects.filter(pk__in=ids).delete()[0] if ids else 0


def _revoke(verification: Verification, actor: str) -> bool:
    """What has to be done under the lock of the verification's row."""
    ids = list(verification.client_tokens.active().values_list("pk", flat=True))
    ClientToken.objects.filter(pk__in=ids).update(revoked_at=timezone.now())
    for pk in ids:
        Event.objects.append_locked(
            verification, "token_revoked", actor=actor, data={"token": str(pk)}
        )
    return bool(ids)


@sensitive_variables()
def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _some_of(known: Iterable[str], wanted: object, name: str, code: str) -> list[str]:
    """Those of the known that are wanted, in the order of the known; all when nothing is said."""
    all_known = list(known)
    if wanted is None:
        return all_known
    if not isinstance(wanted, list | tuple) or not all(one in all_known for one in wanted):
        raise InputError(code, name)
    return [one for one in all_known if one in wanted]


def _seconds(expires_in: object) -> int:
    rules = app_settings.client_tokens
    if expires_in is None:
        return rules.lifetime
    if isinstance(expires_in, float) and expires_in.is_integer():  # 900.0 is a JSON integer too
        expires_in = int(expires_in)
    if not isinstance(expires_in, int) or isinstance(expires_in, bool):
        raise InputError("expires_in_invalid", "expires_in")
    if not SHORTEST_LIFE <= expires_in <= rules.max_lifetime:
        raise InputError("expires_in_invalid", "expires_in")
    return expires_in
