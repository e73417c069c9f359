"""The providers of this site, by the aliases of ``FACEVERIFY["PROVIDERS"]``.

``providers["default"]`` works as ``django.core.cache.caches["default"]`` does: built at
first use, one instance for each thread, rebuilt when a test overrides the setting.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from asgiref.local import Local
from django.core.signals import setting_changed
from django.dispatch import receiver
from django.utils.connection import BaseConnectionHandler
from django.utils.module_loading import import_string

from django_faceverify.conf import app_settings
from django_faceverify.exceptions import InvalidProvider
from django_faceverify.providers.base import Provider

__all__ = ["ProviderHandler", "providers"]


if TYPE_CHECKING:  # generic for the type checker only
    _Handler = BaseConnectionHandler[Provider]
else:
    _Handler = BaseConnectionHandler


class ProviderHandler(_Handler):
    """Aliases to providers. A wrong alias or entry raises ``InvalidProvider``.

    No error text of this class shows the value of an option: it may be a credential.
    """

    settings_name = "FACEVERIFY"
    exception_class = InvalidProvider

    def configure_settings(self, settings: dict[str, Any] | None) -> dict[str, Any]:
        return app_settings.PROVIDERS if settings is None else settings

    def __getitem__(self, alias: str) -> Provider:
        if alias not in self.settings:
            known = ", ".join(sorted(map(repr, self.settings))) or "none"
            raise InvalidProvider(
                f"FACEVERIFY['PROVIDERS'] has no provider {alias!r}; it has: {known}."
            )
        return super().__getitem__(alias)

    def create_connection(self, alias: str) -> Provider:
        entry = self.settings[alias]
        if not isinstance(entry, Mapping) or not isinstance(entry.get("OPTIONS", {}), Mapping):
            raise InvalidProvider(f"Provider {alias!r}: the entry and its OPTIONS must be dicts.")
        backend = _import_backend(alias, entry.get("BACKEND"))
        return _build(alias, backend, entry.get("OPTIONS", {}))

    def forget(self) -> None:
        """Read the settings and build the providers anew at the next use."""
        self._settings = None
        self.__dict__.pop("settings", None)
        self._connections = Local(self.thread_critical)


def _import_backend(alias: str, path: object) -> type[Provider]:
    if not isinstance(path, str):
        raise InvalidProvider(f"Provider {alias!r}: BACKEND must be the dotted path of a class.")
    try:
        backend = import_string(path)
    except ImportError as error:
        raise InvalidProvider(f"Provider {alias!r}: BACKEND {path!r}: {error}") from error
    if not (isinstance(backend, type) and issubclass(backend, Provider)):
        raise InvalidProvider(f"Provider {alias!r}: BACKEND {path!r} is not a Provider.")
    return backend


def _build(alias: str, backend: type[Provider], options: Mapping[str, Any]) -> Provider:
    """``backend(alias, **options)``, with every failure told by names only."""
    signature = inspect.signature(backend)
    try:
        signature.bind(alias, **options)
    except TypeError as error:
        taken = ", ".join(name for name in signature.parameters if name != "alias")
        problem = f"Provider {alias!r}: OPTIONS: {error}; {backend.__name__} takes: {taken}."
    else:
        try:
            return backend(alias, **options)
        except InvalidProvider:
            raise
        except Exception as error:  # noqa: BLE001 (its text could quote an option)
            problem = (
                f"Provider {alias!r}: {backend.__name__} cannot be built from its OPTIONS "
                f"({type(error).__name__})."
            )
    # Raised here, where nothing is being handled: an error in its context could quote an option.
    raise InvalidProvider(problem)


providers = ProviderHandler()


@receiver(setting_changed, dispatch_uid="django_faceverify.providers")
def forget_providers(*, setting: str, **kwargs: Any) -> None:
    if setting == ProviderHandler.settings_name:
        providers.forget()
