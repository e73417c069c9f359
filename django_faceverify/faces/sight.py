"""What is seen in a picture: facts to keep, and a description to compare and forget."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Facts:
    """What a picture is like. Nobody can be recognised by it.

    All but ``face_count`` are of the largest face, and 0 where there is none: its width in
    pixels, its sharpness from 0 up (the variance of its edges), its brightness to 255.
    """

    face_count: int
    face_width: int = 0
    sharpness: float = 0.0
    brightness: float = 0.0


@dataclass(frozen=True)
class Sight:
    """The facts of a picture, and its largest face as 128 numbers of length 1.

    ``description`` is biometric data: it is compared and dropped, never kept or told.
    """

    facts: Facts
    description: Any = field(default=None, repr=False)
