"""The measured site with an admin, and beside it the peers in ``stock``."""

from __future__ import annotations

from benchmarks.settings import *  # noqa: F403 (this is how Django's settings build on others)
from benchmarks.settings import FACEVERIFY, INSTALLED_APPS

ROOT_URLCONF = "benchmarks.list_urls"
INSTALLED_APPS = [
    *INSTALLED_APPS,
    "django.contrib.admin",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
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
STATIC_URL = "static/"
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"

_DEFAULT = FACEVERIFY["PROVIDERS"]["default"]
FACEVERIFY = FACEVERIFY | {
    "PROVIDERS": {"default": _DEFAULT, "second": _DEFAULT},
    "LEVELS": {
        "default": {"PROVIDER": "default", "LIVE": False},
        "strict": {"PROVIDER": "second", "LIVE": False},
    },
    "QUOTAS": FACEVERIFY["QUOTAS"] | {"SEARCHES_PER_REVIEWER_HOUR": None},
}
