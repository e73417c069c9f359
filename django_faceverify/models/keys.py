"""Primary keys: made by us before the INSERT, because sealed columns are bound to them."""

from __future__ import annotations

import os
import time
from datetime import datetime, timezone
from uuid import UUID


def new_id() -> UUID:
    """A random id whose first 48 bits are the time in milliseconds (RFC 9562, version 7).

    Time order keeps index pages warm; nothing may rely on it as an order.
    """
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10), "big")
    value = (milliseconds & (1 << 48) - 1) << 80 | random
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)


def made_at(key: UUID) -> datetime:
    """When ``new_id`` made a key, to the millisecond, by the clock of that machine."""
    return datetime.fromtimestamp((key.int >> 80) / 1000, tz=timezone.utc)
