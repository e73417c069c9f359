"""Numbers for Prometheus, read from the database at each scrape.

Needs the extra ``metrics``. Every query reads the last hour, one row for each provider, or
at most ``COUNT_LIMIT`` rows through an index.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta

from django.db.models import Count
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from django_faceverify import census
from django_faceverify.conf import app_settings
from django_faceverify.models import (
    ProviderHealth,
    Verification,
    VerificationAttempt,
    WebhookDelivery,
    WebhookEndpoint,
)
from django_faceverify.quotas import calls_today

State = VerificationAttempt.State
Status, Stage = Verification.Status, Verification.Stage

#: as far as verifications are counted
COUNT_LIMIT = 10_000
RECENT = timedelta(hours=1)


class FaceVerifyCollector(Collector):
    """Register it once, with a registry that your site shows to Prometheus."""

    def describe(self) -> Iterable[Metric]:
        """Nothing: so that registering does not ask the database."""
        return []

    def collect(self) -> Iterator[Metric]:
        yield from _attempts()
        yield _verifications()
        yield _oldest_due()
        yield _breakers()
        yield _calls_left()
        yield _stored_faces()
        yield from _webhooks()


def _attempts() -> Iterator[Metric]:
    rows = (
        VerificationAttempt.objects.filter(started_at__gte=timezone.now() - RECENT)
        .values_list("provider", "state")
        .annotate(count=Count("pk"))
        .order_by("provider", "state")
    )
    attempts = GaugeMetricFamily(
        "faceverify_attempts_last_hour",
        "Attempts that began in the last hour.",
        labels=("provider", "state"),
    )
    totals: dict[str, int] = dict.fromkeys(app_settings.PROVIDERS, 0)
    unknown: dict[str, int] = {}
    for provider, state, count in rows:
        attempts.add_metric((provider, state), count)
        totals[provider] = totals.get(provider, 0) + count
        if state == State.UNKNOWN:
            unknown[provider] = count
    yield attempts
    ratio = GaugeMetricFamily(
        "faceverify_unknown_ratio",
        "Share of the last hour's attempts that ended without an answer.",
        labels=("provider",),
    )
    for provider, total in totals.items():
        ratio.add_metric((provider,), unknown.get(provider, 0) / max(1, total))
    yield ratio


def _verifications() -> Metric:
    rows = Verification.objects
    queues = {
        "waiting": rows.processing(Stage.WAITING),
        "calling": rows.processing(Stage.CALLING),
        "unknown": rows.processing(Stage.UNKNOWN),
        "in_review": rows.filter(status=Status.IN_REVIEW),
    }
    family = GaugeMetricFamily(
        "faceverify_verifications",
        f"Verifications that wait for something, counted up to {COUNT_LIMIT}.",
        labels=("queue",),
    )
    for name, queue in queues.items():
        family.add_metric((name,), queue.values("pk")[:COUNT_LIMIT].count())
    return family


def _oldest_due() -> Metric:
    oldest = (
        Verification.objects.due()
        .order_by("next_run_at")
        .values_list("next_run_at", flat=True)
        .first()
    )
    seconds = (timezone.now() - oldest).total_seconds() if oldest else 0.0
    return GaugeMetricFamily(
        "faceverify_oldest_due_seconds",
        "For how long the oldest call that may be made has waited.",
        value=max(0.0, seconds),
    )


def _breakers() -> Metric:
    paused = set(
        ProviderHealth.objects.filter(open_until__isnull=False).values_list("provider", flat=True)
    )
    family = GaugeMetricFamily(
        "faceverify_breaker_open", "1 while calls to the provider are paused.", labels=("provider",)
    )
    for provider in app_settings.PROVIDERS:
        family.add_metric((provider,), provider in paused)
    return family


def _calls_left() -> Metric:
    """A provider without a limit has no number."""
    family = GaugeMetricFamily(
        "faceverify_calls_left_today",
        "Calls that the provider's CALLS_PER_DAY still allows today.",
        labels=("provider",),
    )
    for provider in app_settings.PROVIDERS:
        limit = app_settings.limits(provider).calls_per_day
        if limit is not None:
            family.add_metric((provider,), max(0, limit - calls_today(provider)))
    return family


def _stored_faces() -> Metric:
    """As the last census of the purge found it; before the first there is no number."""
    family = GaugeMetricFamily(
        "faceverify_stored_faces",
        "Persons whose photos are stored, and the photos, as counted once a day.",
        labels=("what",),
    )
    if found := census.last():
        family.add_metric(("persons",), found.person_count)
        family.add_metric(("photos",), found.photo_count)
    return family


def _webhooks() -> Iterator[Metric]:
    """What is still to be told, and who cannot be."""
    rows = WebhookDelivery.objects
    deliveries = GaugeMetricFamily(
        "faceverify_webhook_deliveries",
        f"Webhook deliveries that wait, or were given up, counted up to {COUNT_LIMIT}.",
        labels=("state",),
    )
    for name, states in {"waiting": rows.model.OPEN, "dead": (rows.model.State.DEAD,)}.items():
        found = rows.filter(state__in=states).values("pk")
        deliveries.add_metric((name,), found[:COUNT_LIMIT].count())
    yield deliveries
    due = rows.due().filter(endpoint__is_enabled=True).order_by("due_at")
    oldest = due.values_list("due_at", flat=True).first()
    seconds = (timezone.now() - oldest).total_seconds() if oldest else 0.0
    yield GaugeMetricFamily(
        "faceverify_webhook_oldest_due_seconds",
        "For how long the oldest webhook that may be sent has waited.",
        value=max(0.0, seconds),
    )
    endpoints = GaugeMetricFamily(
        "faceverify_webhook_endpoints", "Webhook endpoints by their health.", labels=("health",)
    )
    enabled = WebhookEndpoint.objects.filter(is_enabled=True)
    endpoints.add_metric(("well",), enabled.filter(failing_since__isnull=True).count())
    endpoints.add_metric(("failing",), enabled.filter(failing_since__isnull=False).count())
    disabled = WebhookEndpoint.objects.filter(is_enabled=False)
    endpoints.add_metric(("disabled",), disabled.count())
    yield endpoints
