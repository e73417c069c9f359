"""Settings of the example project; every choice can be made by an environment variable.

With nothing set, all that it needs lies in one folder (``FACEVERIFY_DATA_DIR``): an SQLite
database, a broker made of files, the sealed photos, the keys, the logs. The provider is then
the sandbox on this machine: start it with ``manage.py faceverify_sandbox``.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import dj_database_url
import pymysql

from example_project import broker
from example_project.secret_files import (
    make_sealing_key,
    make_secret_key,
    make_webhook_secret,
    read_or_make,
)

pymysql.install_as_MySQLdb()

BASE_DIR = Path(__file__).resolve().parent.parent

DATA_DIR = Path(os.environ.get("FACEVERIFY_DATA_DIR") or BASE_DIR / "var").resolve()
DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)


# The site

SECRET_KEY = read_or_make(DATA_DIR / "secret.key", make_secret_key)
DEBUG = os.environ.get("DJANGO_DEBUG", "0") == "1"
ALLOWED_HOSTS = os.environ.get(
    "DJANGO_ALLOWED_HOSTS", "localhost,127.0.0.1,[::1],testserver"
).split(",")
CSRF_TRUSTED_ORIGINS = [
    origin for origin in os.environ.get("DJANGO_CSRF_TRUSTED_ORIGINS", "").split(",") if origin
]

ROOT_URLCONF = "example_project.urls"
WSGI_APPLICATION = "example_project.wsgi.application"
ASGI_APPLICATION = "example_project.asgi.application"

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_filters",
    "django_faceverify",
    "example_project",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True

SESSION_COOKIE_NAME = "faceverify_session"
SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_NAME = "faceverify_csrftoken"
X_FRAME_OPTIONS = "DENY"
LOGIN_URL = "admin:login"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
PASSWORD_HASHERS = [
    "example_project.accounts.DemoTolerantHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]


# The database

DATABASE_URL = os.environ.get("DATABASE_URL") or f"sqlite:///{DATA_DIR / 'db.sqlite3'}"
DATABASE_CHOICES: dict[str, dict[str, Any]] = {
    "django.db.backends.sqlite3": {
        "OPTIONS": {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;",
        },
        "CONN_MAX_AGE": 60,
    },
    # Celery closes a task's connection after each task; the pool keeps it open behind its back.
    "django.db.backends.postgresql": {
        "OPTIONS": {
            "pool": {"min_size": 1, "max_size": 32, "timeout": 10},
            "server_side_binding": True,  # statements are planned once for each connection
            "prepare_threshold": 2,
        },
        "CONN_MAX_AGE": 0,
    },
    "django.db.backends.mysql": {
        "OPTIONS": {"charset": "utf8mb4", "isolation_level": "read committed"},
        "CONN_MAX_AGE": 60,
    },
}


def database(url: str) -> dict[str, Any]:
    """The database at ``url``, with what its kind does best with."""
    given: dict[str, Any] = {**dj_database_url.parse(url, conn_health_checks=True)}
    choice = DATABASE_CHOICES.get(given["ENGINE"], {})
    return {**given, **choice, "OPTIONS": {**choice.get("OPTIONS", {}), **given.get("OPTIONS", {})}}


DATABASES = {"default": database(DATABASE_URL)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"


# Files

STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = True  # so that gunicorn serves a fresh clone without collectstatic
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": str(DATA_DIR / "media")},
    },
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "faceverify": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {
            "location": str(DATA_DIR / "photos"),
            "file_permissions_mode": 0o600,
            "directory_permissions_mode": 0o700,
        },
    },
}


# The API

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.BasicAuthentication",  # first: it answers 401, not 403
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
}


# The queue

CELERY_BROKER_URL = os.environ.get("CELERY_BROKER_URL") or "filesystem://localhost"
CELERY_BROKER_TRANSPORT_OPTIONS = broker.options(CELERY_BROKER_URL, DATA_DIR / "broker")
CELERY_BROKER_CONNECTION_TIMEOUT = broker.CONNECT_TIMEOUT
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a worker waits for its broker for ever
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_DELIVERY_MODE = "transient"  # the row is the queue; a message may be lost
CELERY_TIMEZONE = TIME_ZONE
CELERY_WORKER_POOL = "threads"  # a worker waits for the provider nearly all the time
CELERY_WORKER_CONCURRENCY = 8
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "beat-schedule")
CELERY_BEAT_SCHEDULE = {
    "sweep": {"task": "django_faceverify.sweep", "schedule": 15.0, "options": {"expires": 15.0}},
    "purge": {"task": "django_faceverify.purge", "schedule": 300.0, "options": {"expires": 300.0}},
    "webhooks": {
        "task": "django_faceverify.deliver_webhooks",
        "schedule": 15.0,
        "options": {"expires": 15.0},
    },
}


# Face verification

SANDBOX_URL = "http://127.0.0.1:8410"
QCLOUD = "django_faceverify.providers.qcloud.QcloudProvider"
FACEID = "django_faceverify.providers.faceid.FaceIDProvider"
PROVIDER = os.environ.get("FACEVERIFY_PROVIDER") or QCLOUD
PROVIDER_TIMEOUT = float(os.environ.get("FACEVERIFY_TIMEOUT") or 20)
#: the successor knows an account by its secret id alone
ACCOUNT = (
    {} if PROVIDER == FACEID else {"appid": os.environ.get("FACEVERIFY_APPID") or "1250000000"}
)
#: whether only ID numbers that real people can hold are taken
IS_LIVE = os.environ.get("FACEVERIFY_LIVE") == "1"
FACEVERIFY = {
    "PROVIDERS": {
        "default": {
            "BACKEND": PROVIDER,
            "LIMITS": {"CALLS_PER_DAY": 100_000},
            "LEGAL": {
                "NAME": "the sandbox of django-faceverify",
                "CONTACT": "whoever started it",
                "REGION": "this machine",
            },
            "OPTIONS": {
                **ACCOUNT,
                "secret_id": os.environ.get("FACEVERIFY_SECRET_ID") or "docs-example-secret-id",
                "secret_key": os.environ.get("FACEVERIFY_SECRET_KEY") or "docs-example-secret-key",
                "endpoint": os.environ.get("FACEVERIFY_ENDPOINT")
                or f"{SANDBOX_URL}{'/' if PROVIDER == FACEID else '/face/idcardcompare'}",
                "timeout": PROVIDER_TIMEOUT,
            },
            "THRESHOLDS": {
                "verify_at": float(os.environ.get("FACEVERIFY_VERIFY_AT") or 80),
                "review_at": float(os.environ.get("FACEVERIFY_REVIEW_AT") or 70),
            },
        },
    },
    "LEVELS": {
        "default": {"PROVIDER": "default", "LIVE": IS_LIVE},
        # two reviewers have to agree, and have a while to think better of it
        "careful": {
            "PROVIDER": "default",
            "LIVE": IS_LIVE,
            "OPEN": True,
            "FOUR_EYES": True,
            "UNDO_SECONDS": 15,
        },
    },
    "CONSENT": {"CURRENT": "demo-1"},  # the shipped demonstration, in English and Chinese
    "ALTERNATIVE_URL": "/#another-way",
    "KEYS": {"example": read_or_make(DATA_DIR / "sealing.key", make_sealing_key)},
    "UNKNOWN_POLICY": os.environ.get("FACEVERIFY_UNKNOWN_POLICY") or "review",
    "LEASE": max(60, round(3 * PROVIDER_TIMEOUT)),
    "ALLOW_PHOTO_URLS": True,
    "WEBHOOKS": {"ALLOW_LOOPBACK": True},  # the receiver below runs on this machine
    # needs the extra local, and a face in every photo: make demo switches it on where it can
    "QUALITY": {"CHECK": os.environ.get("FACEVERIFY_QUALITY") == "1"},
    # Wide enough to be load-tested; the defaults are for real people.
    "QUOTAS": {
        "CALLS_PER_IDCARD_MINUTE": 10_000,
        "CALLS_PER_IDCARD_DAY": 100_000,
        "PHOTOS_PER_IDCARD_DAY": 100_000,
        "PHOTOS_PER_USER_DAY": 100_000,
        "IDCARDS_PER_USER_MONTH": 100_000,
    },
    "THROTTLES": {
        "REQUESTS_PER_ADDRESS_MINUTE": 100_000,
        "REQUESTS_PER_PRINCIPAL_MINUTE": 100_000,
        "POSTS_PER_PRINCIPAL_MINUTE": 100_000,
        "POSTS_PER_IDCARD_HOUR": 100_000,
    },
}


# The receiver of webhooks (receiver.py), which on a real site is another program

WEBHOOK_SECRET = read_or_make(DATA_DIR / "webhook.secret", make_webhook_secret)


# What happened: on the console and in a file, without a word about a person

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "line"},
        "file": {
            "class": "logging.handlers.WatchedFileHandler",
            "filename": str(DATA_DIR / "site.log"),
            "formatter": "line",
            "delay": True,
        },
    },
    "root": {"handlers": ["console", "file"], "level": "INFO"},
}
