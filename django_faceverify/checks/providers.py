"""System checks of ``PROVIDERS``: each entry, then what the provider says of itself."""

from __future__ import annotations

from typing import Any

from django.utils.module_loading import import_string

from django_faceverify.checks import limits, thresholds
from django_faceverify.checks.findings import Messages, error, unknown_keys, warning
from django_faceverify.conf import LIMIT_DEFAULTS, PROVIDER_KEYS, app_settings
from django_faceverify.exceptions import InvalidProvider
from django_faceverify.providers import providers
from django_faceverify.providers.base import Provider
from django_faceverify.verification import LEASE_MARGIN


def of_entries() -> Messages:
    """Each provider entry, then the provider's own checks."""
    if not app_settings.PROVIDERS:
        yield error(
            "E030",
            "FACEVERIFY['PROVIDERS'] names no provider.",
            "Start with the sandbox: see docs/tutorial.md.",
        )
    for alias, entry in app_settings.PROVIDERS.items():
        where = f"FACEVERIFY['PROVIDERS'][{alias!r}]"
        yield from unknown_keys(entry, PROVIDER_KEYS, where, "E031")
        yield from thresholds.one_entry(entry.get("THRESHOLDS", {}), where)
        yield from limits.numbers(entry.get("LIMITS", {}), LIMIT_DEFAULTS, f"{where}['LIMITS']")
        provider = yield from _build(alias, where)
        if provider is None:
            continue
        yield from provider.check()
        yield from _timeout(provider, where)
        yield from _can_be_asked(provider, where)
        if getattr(provider, "is_sandbox", False) and not app_settings.is_debug:
            yield warning(
                "W032",
                f"{where} points at this machine: a sandbox verifies nobody.",
                "Set the provider's own endpoint and credentials before you go live.",
            )


def _build(alias: str, where: str) -> Any:
    """The provider of that alias; a generator that yields the reason when there is none."""
    backend = app_settings.PROVIDERS[alias].get("BACKEND")
    try:
        is_provider = issubclass(import_string(str(backend)), Provider)
    except (ImportError, TypeError, AttributeError):
        is_provider = False
    if not is_provider:
        yield error(
            "E033",
            f"{where}['BACKEND'] is not the dotted path of a Provider.",
            "Such as 'django_faceverify.providers.qcloud.QcloudProvider'.",
        )
        return None
    try:
        return providers[alias]
    except InvalidProvider as wrong:
        yield error("E034", str(wrong), "See docs/reference/settings.md for the OPTIONS it takes.")
        return None


def _timeout(provider: Provider, where: str) -> Messages:
    if provider.timeout + LEASE_MARGIN >= app_settings.LEASE:
        yield error(
            "E035",
            f"{where} may take {provider.timeout:g} s for a call, too long for the lease of "
            f"{app_settings.LEASE} s.",
            f"Keep FACEVERIFY['LEASE'] at least {LEASE_MARGIN:g} s above the timeout; three "
            "times the timeout is a good choice.",
        )


def _can_be_asked(provider: Provider, where: str) -> Messages:
    if app_settings.UNKNOWN_POLICY == "reconcile" and not provider.can_be_asked:
        yield error(
            "E036",
            f"{where} cannot be asked what became of a call, which UNKNOWN_POLICY "
            "'reconcile' needs.",
            "Choose 'review' or 'retry', or a provider with can_be_asked and find().",
        )
