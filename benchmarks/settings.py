"""The measured site. A run chooses what differs by environment variables.

``BENCHMARK_CONNECTIONS`` says how a worker treats its database connections: ``plain`` is what
Celery does by itself, one new connection for each task; ``pooled`` (for threads) and ``kept``
(for processes) are the two ways to keep them.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import dj_database_url

FOLDER = Path(os.environ["BENCHMARK_FOLDER"])
ENDPOINT = os.environ.get("BENCHMARK_ENDPOINT", "http://127.0.0.1:9/face/idcardcompare")
CA_BUNDLE = os.environ.get("BENCHMARK_CA_BUNDLE")
CONNECTIONS = os.environ.get("BENCHMARK_CONNECTIONS", "plain")
CONCURRENCY = int(os.environ.get("BENCHMARK_CONCURRENCY", "1"))

#: limits are counted as on a real site, and never reached
WIDE = 1_000_000

SECRET_KEY = "only-measured"  # noqa: S105 (nobody signs in here)
ALLOWED_HOSTS = ["testserver"]
ROOT_URLCONF = "benchmarks.urls"
USE_TZ = True
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "rest_framework",
    "django_filters",
    "django_faceverify",
    "benchmarks.naive",
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

#: a statement is planned once for each connection
PREPARED = {"server_side_binding": True, "prepare_threshold": 2}

DATABASE: dict[str, Any] = {**dj_database_url.parse(os.environ["BENCHMARK_DATABASE_URL"])}
if CONNECTIONS == "pooled":
    DATABASE["OPTIONS"] = {
        "pool": {"min_size": 1, "max_size": max(4, CONCURRENCY // 5), "timeout": 10},
        **PREPARED,
    }
elif CONNECTIONS == "kept":
    DATABASE["CONN_HEALTH_CHECKS"] = True
    DATABASE["OPTIONS"] = PREPARED
    CELERY_DB_REUSE_MAX = 1000
DATABASES = {"default": DATABASE}

MEDIA_ROOT = FOLDER / "media"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "faceverify": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": str(FOLDER / "photos"), "file_permissions_mode": 0o600},
    },
}

CELERY_BROKER_URL = os.environ["BENCHMARK_BROKER_URL"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True

FACEVERIFY = {
    "PROVIDERS": {
        "default": {
            "BACKEND": "django_faceverify.providers.qcloud.QcloudProvider",
            "LIMITS": {"CALLS_PER_DAY": WIDE},
            "OPTIONS": {
                "appid": "1250000000",
                "secret_id": "id",
                "secret_key": "key",
                "endpoint": ENDPOINT,
                "ca_bundle": CA_BUNDLE,
            },
        },
    },
    "LEVELS": {"default": {"PROVIDER": "default", "LIVE": False}},
    "KEYS": {"benchmark": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="},
    "QUOTAS": {
        "CALLS_PER_IDCARD_MINUTE": WIDE,
        "CALLS_PER_IDCARD_DAY": WIDE,
        "PHOTOS_PER_IDCARD_DAY": WIDE,
        "PHOTOS_PER_USER_DAY": WIDE,
        "IDCARDS_PER_USER_MONTH": WIDE,
    },
    "THROTTLES": {
        "REQUESTS_PER_ADDRESS_MINUTE": WIDE,
        "REQUESTS_PER_PRINCIPAL_MINUTE": WIDE,
        "POSTS_PER_PRINCIPAL_MINUTE": WIDE,
        "POSTS_PER_IDCARD_HOUR": WIDE,
    },
}
