"""Settings of the test suite; the database is chosen by ``DATABASE_URL`` (SQLite without)."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

import dj_database_url
import pymysql

pymysql.install_as_MySQLdb()

VAR = Path(tempfile.mkdtemp(prefix="faceverify-tests-"))


@atexit.register
def _remove_var(owner: int = os.getpid()) -> None:
    if os.getpid() == owner:  # a forked child that ends has to leave it alone
        shutil.rmtree(VAR, ignore_errors=True)


SECRET_KEY = "tests-only"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # speed
USE_TZ = True
TIME_ZONE = "Asia/Shanghai"
LANGUAGE_CODE = "en"
ROOT_URLCONF = "tests.urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
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
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
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
DATABASES = {
    "default": dj_database_url.parse(
        os.environ.get("DATABASE_URL") or f"sqlite:///{VAR / 'db.sqlite3'}"
    )
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        "timeout": 20,
    }
if DATABASES["default"]["ENGINE"] == "django.db.backends.mysql":
    # some servers still make tables that hold Western European letters only
    DATABASES["default"]["TEST"] = {"CHARSET": "utf8mb4"}
STATIC_URL = "static/"

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "faceverify": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": str(VAR / "photos"), "file_permissions_mode": 0o600},
    },
}
WEBHOOK_SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
CELERY_BROKER_URL = "memory://"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
FACEVERIFY = {
    "PROVIDERS": {
        "default": {
            "BACKEND": "tests.scripted.ScriptedProvider",
            "THRESHOLDS": {"verify_at": 80, "review_at": 70},
            "LEGAL": {"NAME": "Example Faces Ltd", "CONTACT": "privacy@example.com"},
        }
    },
    "LEVELS": {
        "default": {"PROVIDER": "default", "LIVE": False},
        "live": {"PROVIDER": "default", "LIVE": True, "OPEN": True, "ALTERNATIVE_URL": "/counter/"},
    },
    "KEYS": {"test": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="},
    "ALLOW_PHOTO_URLS": True,
    "CONSENT": {
        "TEXTS": {"demo-1": {"TEXT": {"en": "I agree.", "zh-hans": "我同意。"}}},
    },
    # the tests of limits set their own
    "QUOTAS": dict.fromkeys(
        (
            "CALLS_PER_IDCARD_MINUTE",
            "CALLS_PER_IDCARD_DAY",
            "PHOTOS_PER_IDCARD_DAY",
            "PHOTOS_PER_USER_DAY",
            "IDCARDS_PER_USER_MONTH",
        )
    ),
    "THROTTLES": dict.fromkeys(
        (
            "REQUESTS_PER_ADDRESS_MINUTE",
            "REQUESTS_PER_PRINCIPAL_MINUTE",
            "POSTS_PER_PRINCIPAL_MINUTE",
            "POSTS_PER_IDCARD_HOUR",
        )
    ),
}
