"""The example project, as talkative as a site can be: DEBUG level, error mails, caches in files."""

from __future__ import annotations

import os
from typing import Any

from example_project import settings as site
from example_project.settings import *  # noqa: F403
from example_project.settings import DATA_DIR, DATABASES

given_rules: dict[str, Any] = dict(site.FACEVERIFY)
given_storages: dict[str, Any] = dict(site.STORAGES)
given_logging: dict[str, Any] = dict(site.LOGGING)

ADMINS = [("operator", "operator@example.com")]
EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
EMAIL_FILE_PATH = str(DATA_DIR / "mail")

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": str(DATA_DIR / "cache"),
    }
}
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

CELERY_TASK_IGNORE_RESULT = False
CELERY_RESULT_BACKEND = f"file://{DATA_DIR / 'results'}"
CELERY_RESULT_EXTENDED = True
CELERY_BEAT_SCHEDULE = {
    "sweep": {"task": "django_faceverify.sweep", "schedule": 1.0, "options": {"expires": 15.0}},
    "purge": {"task": "django_faceverify.purge", "schedule": 2.0, "options": {"expires": 15.0}},
}

#: so that a locked database fails a request while the test waits
LOCK_SECONDS = 1
if "sqlite" in DATABASES["default"]["ENGINE"]:
    DATABASES["default"]["OPTIONS"]["timeout"] = LOCK_SECONDS

FACEVERIFY = given_rules | {
    "PROVIDERS": {"default": given_rules["PROVIDERS"]["default"]},
    "KEYS": given_rules["KEYS"],
    "LEASE": 60,
}
STORAGES = given_storages | {
    "faceverify": {
        **given_storages["faceverify"],
        "OPTIONS": {
            **given_storages["faceverify"]["OPTIONS"],
            "location": os.environ["CANARY_PHOTOS"],
        },
    }
}

LOGGING = given_logging | {
    "handlers": {
        **given_logging["handlers"],
        "mail": {
            "class": "django.utils.log.AdminEmailHandler",
            "level": "ERROR",
            "include_html": True,
            "filters": ["no_debug"],
        },
    },
    "filters": {"no_debug": {"()": "django.utils.log.RequireDebugFalse"}},
    "root": {"handlers": ["console", "file", "mail"], "level": "DEBUG"},
}
