"""The Celery app of a site that uses ours, as small as it can be."""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.integration.settings")

app = Celery("tests.integration")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
