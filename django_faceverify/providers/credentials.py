"""The account at a provider: what its calls are signed with, and never shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.core.checks import CheckMessage, Error
from django.views.decorators.debug import sensitive_variables

from django_faceverify import journal
from django_faceverify.exceptions import NotSent
from django_faceverify.reasons import ReasonCode

#: a credential, or a callable that fetches it anew for each call, such as from a vault
Credential = str | Callable[[], str]


class Credentials:
    """Named credentials of one provider; those named ``optional`` may be empty.

    What settings hold may be of any type; ``check`` looks at it.
    """

    def __init__(self, alias: str, *, optional: Iterable[str] = (), **credentials: Any) -> None:
        self._alias = alias
        self._optional = frozenset(optional)
        self._credentials = credentials

    def __repr__(self) -> str:
        return f"<credentials of provider {self._alias!r}>"

    @sensitive_variables()
    def open(self) -> dict[str, str]:
        """The credentials for one call; ``NotSent`` when a callable does not give its own."""
        try:
            opened = {name: self._open(name) for name in self._credentials}
        except Exception as error:  # noqa: BLE001 (its text could hold a credential)
            journal.tell("credentials_missing", provider=self._alias, error=error)
        else:
            return opened
        raise NotSent(ReasonCode.PROVIDER_CONFIG.value)

    def _open(self, name: str) -> str:
        value = self._credentials[name]
        if value == "" and name in self._optional:
            return ""
        return reveal(value)

    def texts(self) -> tuple[str, ...]:
        """Those that stand in the settings, which no message of the provider may repeat."""
        return tuple(value for value in self._credentials.values() if isinstance(value, str))

    def check(self) -> Iterable[CheckMessage]:
        """Wrong types (E204) and what is missing (E201)."""
        for name, value in self._credentials.items():
            if not (isinstance(value, str) or callable(value)):
                yield self._problem(
                    "E204", f"{name} must be a string.", "Or a callable that returns one."
                )
            elif value == "" and name not in self._optional:
                yield self._problem("E201", f"{name} is missing.", f"Set OPTIONS[{name!r}].")

    def _problem(self, number: str, text: str, hint: str) -> Error:
        return Error(f"Provider {self._alias!r}: {text}", hint=hint, id=f"faceverify.{number}")


def reveal(credential: Any) -> str:
    """A credential in clear; raises ``TypeError`` unless it is a non-empty string."""
    value = credential() if callable(credential) else credential
    if not isinstance(value, str) or not value:
        raise TypeError("a credential is a non-empty string")
    return value
