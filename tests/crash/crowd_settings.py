"""Settings of many processes at one database; the bill is a file that all of them share."""

from __future__ import annotations

import os

from tests.settings import *  # noqa: F403 (a variant of the whole)
from tests.settings import FACEVERIFY

FACEVERIFY = {
    **FACEVERIFY,
    "PROVIDERS": {
        "default": {
            "BACKEND": "tests.crash.file_bill.FileBillProvider",
            "OPTIONS": {"bill": os.environ["FACEVERIFY_TEST_BILL"]},
            "THRESHOLDS": {"verify_at": 80, "review_at": 70},
            "LIMITS": {"CALLS_PER_DAY": 1_000_000},
        }
    },
    "UNKNOWN_POLICY": os.environ.get("FACEVERIFY_TEST_POLICY") or "review",
    "LEASE": int(os.environ.get("FACEVERIFY_TEST_LEASE") or 60),
}

ALLOWED_HOSTS = ["127.0.0.1"]
