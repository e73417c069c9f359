"""The demo's accounts, whose passwords are their names. Never make them on a real site."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import Permission, User
from django.db.models import QuerySet

REVIEWING = (
    "view_verification",
    "review_verification",
    "view_photo",
    "view_verificationattempt",
    "view_event",
    "reveal_identity",
    "override_verification",
)


@dataclass(frozen=True)
class Account:
    """Somebody who can log in, and with what rights."""

    name: str
    is_admin: bool = False
    permissions: tuple[str, ...] = ()


ACCOUNTS = (
    Account("admin", is_admin=True),
    Account("reviewer", permissions=REVIEWING),
    Account("checker", permissions=REVIEWING),
    Account("alice"),
    Account("bob"),
)


class DemoTolerantHasher(PBKDF2PasswordHasher):
    """Django's hasher, which leaves the demo's cheap hashes as they are.

    HTTP Basic checks a password with every request. A costly hash of a password that is
    no secret would protect nothing, and be most of what a load test measures. Every other
    password is hashed at full cost.
    """

    DEMO_ITERATIONS = 1

    def must_update(self, encoded: str) -> bool:
        is_demo = self.decode(encoded)["iterations"] == self.DEMO_ITERATIONS
        return not is_demo and super().must_update(encoded)

    def encode_cheaply(self, password: str) -> str:
        return self.encode(password, self.salt(), iterations=self.DEMO_ITERATIONS)


def ensure_accounts() -> list[str]:
    """Make the demo's accounts, or put them back as they should be; returns their names."""
    for account in ACCOUNTS:
        user, _ = User.objects.get_or_create(username=account.name)
        user.is_active = True
        user.is_superuser = account.is_admin
        user.is_staff = account.is_admin or bool(account.permissions)
        if not user.password or not user.check_password(account.name):
            user.password = DemoTolerantHasher().encode_cheaply(account.name)
        user.save()
        user.user_permissions.set(_permissions(account))
    return [account.name for account in ACCOUNTS]


def _permissions(account: Account) -> QuerySet[Permission]:
    return Permission.objects.filter(
        content_type__app_label="django_faceverify", codename__in=account.permissions
    )
