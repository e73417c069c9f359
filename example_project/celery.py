"""The site's Celery app: ``celery -A example_project worker`` and ``... beat``."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery
from celery.signals import celeryd_init
from kombu.transport import TRANSPORT_ALIASES

from example_project import broker

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "example_project.settings")

TRANSPORT_ALIASES["filesystem"] = "example_project.file_broker:Transport"

app = Celery("example_project")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@celeryd_init.connect
def be_patient(*, conf: Any, **kwargs: Any) -> None:
    """Nobody waits for a worker, so it may wait for a slow broker."""
    conf.broker_transport_options = broker.for_worker(conf.broker_transport_options)
    conf.broker_connection_timeout = broker.WORKER_TIMEOUT
