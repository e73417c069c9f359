"""Secrets that are made on the first run and kept in files that only their owner can read."""

from __future__ import annotations

import base64
import os
import secrets
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


def read_or_make(path: Path, make: Callable[[], str]) -> str:
    """The secret at ``path``, made now if there is none.

    Processes that start at the same time agree on one: each writes its own in full, and
    only the first link to it gets the name.
    """
    if not path.exists():
        descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")
        with os.fdopen(descriptor, "w") as file:
            file.write(make())
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(draft, path)
        Path(draft).unlink()
    return path.read_text()


def make_secret_key() -> str:
    return secrets.token_urlsafe(50)


def make_webhook_secret() -> str:
    return f"whsec_{make_sealing_key()}"


def make_sealing_key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()
