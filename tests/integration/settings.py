"""Settings of the processes that the integration tests start; each test names its own world."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from tests.settings import *  # noqa: F403
from tests.settings import FACEVERIFY as BASE
from tests.settings import STORAGES as BASE_STORAGES

FOLDER = Path(os.environ["STORY_FOLDER"])

STORAGES = BASE_STORAGES | {
    "faceverify": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": str(FOLDER / "photos"), "file_permissions_mode": 0o600},
    },
}
CELERY_BROKER_URL = os.environ["STORY_BROKER_URL"]
CELERY_BROKER_TRANSPORT_OPTIONS = json.loads(os.environ["STORY_BROKER_OPTIONS"])
CELERY_TASK_DEFAULT_QUEUE = os.environ["STORY_QUEUE"]
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False

#: what each wire format needs besides what all need
WIRES: dict[str, dict[str, str]] = {
    "django_faceverify.providers.qcloud.QcloudProvider": {"appid": "1250000000"},
    "django_faceverify.providers.faceid.FaceIDProvider": {},
}


def provider(backend: str, endpoint: str, **entry: Any) -> dict[str, Any]:
    """A provider that speaks to the sandbox."""
    options = {
        **WIRES[backend],
        "secret_id": "docs-example-secret-id",
        "secret_key": "docs-example-secret-key",
        "endpoint": endpoint,
        "timeout": float(os.environ["STORY_TIMEOUT"]),
    }
    return {
        "BACKEND": backend,
        "OPTIONS": options,
        "THRESHOLDS": {"verify_at": 80, "review_at": 70},
        **entry,
    }


PROVIDERS = {"default": provider(os.environ["STORY_PROVIDER"], os.environ["STORY_ENDPOINT"])}
FACEVERIFY = BASE | {"PROVIDERS": PROVIDERS}
if os.environ.get("STORY_SHADOW"):
    PROVIDERS["second"] = provider(
        os.environ["STORY_SHADOW"],
        os.environ["STORY_SHADOW_ENDPOINT"],
        THRESHOLDS={"TARGET_FAR": "1e-4"},
        LEGAL={"NAME": "Second Faces Ltd", "CONTACT": "privacy@second.example.com"},
    )
    FACEVERIFY |= {
        "LEVELS": {"default": {"LIVE": False, "SHADOW": {"PROVIDER": "second", "SHARE": 1.0}}},
        "CONSENT": {
            "TEXTS": {
                "demo-1": {"TEXT": {"en": "I agree to Second Faces Ltd."}, "PROVIDERS": ["second"]}
            }
        },
    }
