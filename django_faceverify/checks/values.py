"""What kind of value a setting is; ``True`` is no number, and neither is one that is not finite."""

from __future__ import annotations

import math
from typing import Any


def is_whole(value: Any, least: float, most: float = math.inf) -> bool:
    return isinstance(value, int) and is_number(value, least, most)


def is_number(value: Any, least: float, most: float = math.inf) -> bool:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return least <= value <= most and value != math.inf
