"""``manage.py demo_webhook``: let the example tell itself what becomes of verifications."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from django_faceverify import webhooks
from django_faceverify.models import WebhookEndpoint

DESCRIPTION = "The example's own receiver"


class Command(BaseCommand):
    help = "Make the webhook endpoint of the example's own receiver, or move it to this address."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("url", nargs="?", default="http://127.0.0.1:8000/hooks/")

    def handle(self, *, url: str, **options: Any) -> None:
        endpoint = WebhookEndpoint.objects.filter(description=DESCRIPTION).first()
        if endpoint is None:
            secret = settings.WEBHOOK_SECRET
            endpoint, _ = webhooks.create_endpoint(url, description=DESCRIPTION, secret=secret)
        else:
            webhooks.describe(endpoint, url, events=endpoint.events, description=DESCRIPTION)
            webhooks.store(endpoint)
            webhooks.enable(endpoint)
        self.stdout.write(f"Webhooks go to {endpoint.url}")
