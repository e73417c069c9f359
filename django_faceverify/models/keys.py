"""Primary keys: made by us before the INSERT, because sealed columns are bound to them."""

from __future__ import annotations

import os
import time
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
