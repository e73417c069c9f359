"""Settings of the processes of a chaos run; the run names its own world in the environment."""

from __future__ import annotations

import json
import os
from typing import Any

from tests.settings import *  # noqa: F403 (a variant of the whole)
from tests.settings import FACEVERIFY
from tests.settings import STORAGES as BASE_STORAGES

WORLD = json.loads(os.environ["CHAOS_WORLD"])

STORAGES = BASE_STORAGES | {
    "faceverify": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": f"{WORLD['folder']}/photos"},
    },
}
CELERY_BROKER_URL = WORLD["broker_url"]
CELERY_BROKER_TRANSPORT_OPTIONS = WORLD["broker_options"]
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_DEFAULT_QUEUE = WORLD["queue"]
CELERY_TASK_DEFAULT_DELIVERY_MODE = "transient"
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False

BASE: dict[str, Any] = FACEVERIFY
FACEVERIFY = BASE | {
    "PROVIDERS": {
        "default": {
            "BACKEND": "tests.chaos.askable.AskableProvider",
            "OPTIONS": {
                "appid": "1250000000",
                "secret_id": "docs-example-secret-id",
                "secret_key": "docs-example-secret-key",
                "endpoint": WORLD["endpoint"],
                "timeout": 2.0,
            },
            "THRESHOLDS": {"verify_at": 80, "review_at": 70},
        }
    },
    "QUOTAS": dict.fromkeys((*BASE["QUOTAS"], "RETRIES_OF_UNKNOWN_DAY")),
    "UNKNOWN_POLICY": WORLD["policy"],
    "LEASE": 10,
}
