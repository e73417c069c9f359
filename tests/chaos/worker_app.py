"""The Celery app whose workers are killed."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from celery import Celery
from celery.signals import worker_ready

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.chaos.settings")

app = Celery("tests.chaos")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_ready.connect
def _say_so(**kwargs: Any) -> None:
    """Tell the run that the pool stands: before that, there is nothing to kill."""
    world = json.loads(os.environ["CHAOS_WORLD"])
    Path(world["folder"], "ready").write_text(str(os.getpid()))
