"""Short-lived keys with which a browser or an app may act on one verification."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _

from django_faceverify.models.clock import db_now
from django_faceverify.models.keys import new_id


class ClientTokenQuerySet(models.QuerySet["ClientToken"]):
    def active(self) -> ClientTokenQuerySet:
        """Neither revoked nor expired, by the database's clock."""
        return self.filter(revoked_at=None, expires_at__gt=db_now())


class ClientToken(models.Model):
    """One token that was given out; of the token itself only its digest is known.

    At most one of a verification is active, which ``tokens.issue`` sees to under a lock of
    the verification's row.
    """

    class Purpose(models.TextChoices):
        CONSENT = "consent", _("agree and take it back")
        SUBMIT = "submit", _("send photos and cancel")
        READ = "read", _("look at the status")

    id = models.UUIDField(_("id"), primary_key=True, default=new_id, editable=False)
    verification = models.ForeignKey(
        "django_faceverify.Verification",
        models.CASCADE,
        related_name="client_tokens",
        verbose_name=_("verification"),
    )
    digest = models.CharField(max_length=64, unique=True, editable=False)
    purposes = models.JSONField(_("purposes"))
    origins = models.JSONField(_("origins"))
    created_at = models.DateTimeField(_("created at"))
    expires_at = models.DateTimeField(_("expires at"))
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)

    objects = ClientTokenQuerySet.as_manager()

    class Meta:
        verbose_name = _("client token")
        verbose_name_plural = _("client tokens")
        indexes = [models.Index(fields=["expires_at"], name="faceverify_token_expires")]

    def __str__(self) -> str:
        return str(self.pk)


class TokenHolder:
    """Whoever holds a token, where others would be a user: nobody by name, without an account.

    ``purposes`` are what the token is good for at this moment.
    """

    pk = id = None
    username = ""
    is_authenticated = is_active = True
    is_anonymous = is_staff = is_superuser = False

    def __init__(self, token: ClientToken, purposes: frozenset[str]) -> None:
        self.token_id: UUID = token.pk
        self.verification_id: UUID = token.verification_id
        self.origins: tuple[str, ...] = tuple(token.origins)
        self.purposes = purposes

    def __str__(self) -> str:
        return f"token:{self.token_id}"

    def get_username(self) -> str:
        return self.username

    def has_perm(self, *permission: Any) -> bool:
        return False

    def has_perms(self, *permissions: Any) -> bool:
        return False
