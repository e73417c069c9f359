"""Settings of the rotation under load: each process has its own ring of keys."""

from __future__ import annotations

from tests.settings import *  # noqa: F403 (a variant of the whole)
from tests.settings import FACEVERIFY

FACEVERIFY = {**FACEVERIFY, "KEYS": "tests.crash.rotation.keys"}
