"""``manage.py faceverify_metrics``: the numbers for Prometheus, as text."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

try:
    from prometheus_client import CollectorRegistry, generate_latest

    from django_faceverify.metrics import FaceVerifyCollector
except ModuleNotFoundError:
    IS_INSTALLED = False
else:
    IS_INSTALLED = True


class Command(BaseCommand):
    help = "Print the numbers for Prometheus in its text format. Needs the extra 'metrics'."

    def handle(self, **options: Any) -> None:
        if not IS_INSTALLED:
            raise CommandError(
                "prometheus-client is not installed: pip install 'django-faceverify[metrics]'"
            )
        registry = CollectorRegistry()
        registry.register(FaceVerifyCollector())
        self.stdout.write(generate_latest(registry).decode(), ending="")
