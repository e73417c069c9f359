"""Those who are told: made, changed, given new secrets, switched off and on."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from django_faceverify import journal
from django_faceverify.conf import app_settings
from django_faceverify.exceptions import InputError
from django_faceverify.models import WebhookEndpoint
from django_faceverify.signals import webhook_endpoint_disabled
from django_faceverify.targets import check_host, check_url
from django_faceverify.webhooks.message import EVENTS, decode_secret, new_secret

MAX_DESCRIPTION = 200

Reason = WebhookEndpoint.DisabledReason


@sensitive_variables("secret")
def create_endpoint(
    url: object,
    *,
    events: Iterable[object] = (),
    description: object = "",
    secret: str = "",
) -> tuple[WebhookEndpoint, str]:
    """A new endpoint and its secret, which is not shown again; without ``events`` it gets all.

    A ``secret`` of the receiver's own is kept if one is given. Raises ``InputError``.
    """
    endpoint = WebhookEndpoint()
    describe(endpoint, url, events=events, description=description)
    return endpoint, store_new(endpoint, secret)


def describe(
    endpoint: WebhookEndpoint, url: object, *, events: Iterable[object], description: object
) -> None:
    """Say where and what an endpoint is told; nothing is stored. Raises ``InputError``."""
    rules = app_settings.webhooks
    chosen = [str(event) for event in events]
    if not set(chosen) <= set(EVENTS):
        raise InputError("webhook_events_invalid", "events")
    if (
        not isinstance(description, str)
        or not description.isprintable()
        or len(description) > MAX_DESCRIPTION
    ):
        raise InputError("webhook_description_invalid", "description")
    endpoint.url = check_url(url, rules)
    check_host(endpoint.url, rules)
    endpoint.events = [event for event in EVENTS if event in chosen]
    endpoint.description = description.strip()


@sensitive_variables("secret")
def store_new(endpoint: WebhookEndpoint, secret: str = "") -> str:
    """Store an endpoint that was described, and return its secret."""
    secret = secret or new_secret()
    try:
        decode_secret(secret)
    except ValueError:
        raise InputError("webhook_secret_invalid", "secret") from None
    endpoint.secret = secret
    endpoint.created_at = endpoint.updated_at = timezone.now()
    endpoint.save(force_insert=True)
    return secret


def store(endpoint: WebhookEndpoint) -> None:
    """Store what ``describe`` has changed, and nothing else."""
    endpoint.updated_at = timezone.now()
    endpoint.save(update_fields=["url", "events", "description", "updated_at"])


@sensitive_variables("secret")
def rotate_secret(endpoint: WebhookEndpoint) -> str:
    """Give the endpoint a new secret; the one before signs beside it for ``ROTATION_HOURS``."""
    secret = new_secret()
    with transaction.atomic():
        endpoint = WebhookEndpoint.objects.select_for_update().get(pk=endpoint.pk)
        now = timezone.now()
        endpoint.old_secret = endpoint.secret.unseal()
        endpoint.old_secret_until = now + timedelta(hours=app_settings.webhooks.rotation_hours)
        endpoint.secret = secret
        endpoint.updated_at = now
        endpoint.save(update_fields=["secret", "old_secret", "old_secret_until", "updated_at"])
    return secret


@sensitive_variables()
def secrets_of(endpoint: WebhookEndpoint) -> list[str]:
    """The secrets that sign now, the newest first; ``SealBroken`` when one does not open."""
    secrets = [endpoint.secret.unseal()]
    if endpoint.old_secret and (endpoint.old_secret_until or timezone.now()) > timezone.now():
        secrets.append(endpoint.old_secret.unseal())
    return secrets


def disable(endpoint: WebhookEndpoint, reason: str = Reason.STAFF) -> bool:
    """Send nothing to it any more; what waits, waits. Says whether it was enabled."""
    now = timezone.now()
    won = WebhookEndpoint.objects.filter(pk=endpoint.pk, is_enabled=True).update(
        is_enabled=False, disabled_at=now, disabled_reason=reason, updated_at=now
    )
    if won and reason != Reason.STAFF:
        journal.tell("webhook_disabled", endpoint=endpoint.pk, reason=reason)
    if won:
        transaction.on_commit(
            lambda: webhook_endpoint_disabled.tell(
                sender=WebhookEndpoint, endpoint_id=endpoint.pk, reason=str(reason)
            ),
            robust=True,
        )
    return bool(won)


def enable(endpoint: WebhookEndpoint) -> bool:
    """Send to it again, what waited first. Says whether it was disabled."""
    return bool(
        WebhookEndpoint.objects.filter(pk=endpoint.pk, is_enabled=False).update(
            is_enabled=True,
            disabled_at=None,
            disabled_reason="",
            failing_since=None,
            updated_at=timezone.now(),
        )
    )


def note_failure(endpoint: WebhookEndpoint) -> None:
    """It has failed once more; switch it off when nothing has succeeded for days."""
    if endpoint.failing_since is None:
        WebhookEndpoint.objects.filter(pk=endpoint.pk, failing_since__isnull=True).update(
            failing_since=timezone.now()
        )
        return
    patience = timedelta(days=app_settings.webhooks.disable_after_days)
    if endpoint.failing_since < timezone.now() - patience:
        disable(endpoint, Reason.FAILING)


def note_success(endpoint: WebhookEndpoint) -> None:
    if endpoint.failing_since is not None:
        WebhookEndpoint.objects.filter(pk=endpoint.pk).update(failing_since=None)
