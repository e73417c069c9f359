"""``faceverify_metrics``: what Prometheus reads says how the database stands."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from django_faceverify import quotas, webhooks
from django_faceverify.management.commands import faceverify_metrics
from django_faceverify.metrics import FaceVerifyCollector
from django_faceverify.models import ProviderHealth, Verification, WebhookDelivery
from django_faceverify.models.clock import db_now
from tests.conftest import submitted
from tests.ledgers import State, write_attempts

DEFAULT = (("provider", "default"),)


def scrape() -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    """Every number by its name and labels."""
    out = StringIO()
    call_command("faceverify_metrics", stdout=out)
    return {
        family.name: {
            tuple(sorted(sample.labels.items())): sample.value for sample in family.samples
        }
        for family in text_string_to_metric_families(out.getvalue())
    }


@pytest.mark.django_db
def test_a_quiet_site() -> None:
    numbers = scrape()
    assert numbers["faceverify_attempts_last_hour"] == {}
    assert numbers["faceverify_unknown_ratio"] == {DEFAULT: 0}
    assert set(numbers["faceverify_verifications"].values()) == {0}
    assert numbers["faceverify_oldest_due_seconds"] == {(): 0}
    assert numbers["faceverify_breaker_open"] == {DEFAULT: 0}
    assert numbers["faceverify_calls_left_today"] == {DEFAULT: 10_000}
    assert set(numbers["faceverify_webhook_deliveries"].values()) == {0}
    assert numbers["faceverify_webhook_oldest_due_seconds"] == {(): 0}
    assert set(numbers["faceverify_webhook_endpoints"].values()) == {0}


@pytest.mark.django_db
def test_a_busy_site(verification: Verification) -> None:
    write_attempts(verification, 3)
    write_attempts(verification, 1, state=State.UNKNOWN)
    write_attempts(verification, 1, started_at=timezone.now() - timedelta(hours=2))
    Verification.objects.update(next_run_at=db_now(-90))
    for status in ("in_review", "in_review", "canceled"):
        Verification.objects.filter(pk=submitted(None).pk).update(status=status, stage=None)
    now = timezone.now()
    ProviderHealth.objects.create(
        provider="default", open_until=now, next_call_at=now, updated_at=now
    )
    quotas.take("budget/default", quotas.this_day(), 10_000, amount=4)
    numbers = scrape()
    assert numbers["faceverify_attempts_last_hour"] == {
        (*DEFAULT, ("state", "answered")): 3,
        (*DEFAULT, ("state", "unknown")): 1,
    }
    assert numbers["faceverify_unknown_ratio"] == {DEFAULT: 0.25}
    assert numbers["faceverify_verifications"] == {
        (("queue", "waiting"),): 1,
        (("queue", "calling"),): 0,
        (("queue", "unknown"),): 0,
        (("queue", "in_review"),): 2,
    }
    assert 89 < numbers["faceverify_oldest_due_seconds"][()] < 120
    assert numbers["faceverify_breaker_open"] == {DEFAULT: 1}
    assert numbers["faceverify_calls_left_today"] == {DEFAULT: 9_996}


@pytest.mark.django_db
def test_webhooks(settings: Any) -> None:
    settings.FACEVERIFY = {**settings.FACEVERIFY, "WEBHOOKS": {"ALLOW_LOOPBACK": True}}
    well, failing, disabled = (webhooks.create_endpoint("http://127.0.0.1:9/")[0] for _ in range(3))
    for endpoint in (well, well, failing, disabled):
        webhooks.send_test(endpoint)
    well.deliveries.update(due_at=db_now(-90))
    disabled.deliveries.update(due_at=db_now(-3600))
    failing.deliveries.update(state=WebhookDelivery.State.DEAD, due_at=None)
    type(failing).objects.filter(pk=failing.pk).update(failing_since=timezone.now())
    webhooks.disable(disabled)
    numbers = scrape()
    assert numbers["faceverify_webhook_deliveries"] == {
        (("state", "waiting"),): 3,
        (("state", "dead"),): 1,
    }
    assert 89 < numbers["faceverify_webhook_oldest_due_seconds"][()] < 120
    assert numbers["faceverify_webhook_endpoints"] == {
        (("health", "well"),): 1,
        (("health", "failing"),): 1,
        (("health", "disabled"),): 1,
    }


@pytest.mark.django_db
def test_no_limit_has_no_number(settings: Any) -> None:
    entry = {**settings.FACEVERIFY["PROVIDERS"]["default"], "LIMITS": {"CALLS_PER_DAY": None}}
    settings.FACEVERIFY = {**settings.FACEVERIFY, "PROVIDERS": {"default": entry}}
    assert scrape()["faceverify_calls_left_today"] == {}


def test_registering_does_not_ask_the_database() -> None:
    CollectorRegistry(auto_describe=True).register(FaceVerifyCollector())


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faceverify_metrics, "IS_INSTALLED", False)
    with pytest.raises(CommandError, match="pip install"):
        call_command("faceverify_metrics")
