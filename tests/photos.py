"""Sample photos, drawn by the tests themselves: no picture of a person is kept here."""

from __future__ import annotations

import random
import struct
import zlib
from io import BytesIO
from typing import Any

from PIL import Image

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"

#: the colours of ``scene``, by where they stand
CORNERS = {
    "top left": (200, 30, 30),
    "top right": (30, 160, 30),
    "bottom left": (30, 30, 200),
    "bottom right": (220, 200, 40),
}


def scene(width: int = 320, height: int = 240) -> Image.Image:
    """Four rectangles of different colours, so that turning and mirroring can be seen."""
    image = Image.new("RGB", (width, height), CORNERS["top left"])
    left, top = width // 2, height // 2
    image.paste(CORNERS["top right"], (left, 0, width, top))
    image.paste(CORNERS["bottom left"], (0, top, left, height))
    image.paste(CORNERS["bottom right"], (left, top, width, height))
    return image


def noise(width: int = 320, height: int = 240, seed: int = 1) -> Image.Image:
    """Random pixels, which compress badly."""
    pixels = random.Random(seed).randbytes(width * height * 3)
    return Image.frombytes("RGB", (width, height), pixels)


def corners(image: Image.Image) -> dict[str, tuple[int, int, int]]:
    """The colours in the middle of the four quarters."""
    x, y = image.width // 4, image.height // 4
    rgb = image.convert("RGB")
    places = {
        "top left": (x, y),
        "top right": (3 * x, y),
        "bottom left": (x, 3 * y),
        "bottom right": (3 * x, 3 * y),
    }
    return {name: rgb.getpixel(place) for name, place in places.items()}  # type: ignore[misc]


def jpeg(image: Image.Image | None = None, **options: Any) -> bytes:
    return encode(image or scene(), "JPEG", **options)


def png(image: Image.Image | None = None, **options: Any) -> bytes:
    return encode(image or scene(), "PNG", **options)


def encode(image: Image.Image, file_format: str, **options: Any) -> bytes:
    buffer = BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_header(width: int, height: int, bit_depth: int = 8, colour_type: int = 2) -> bytes:
    body = struct.pack(">IIBBBBB", width, height, bit_depth, colour_type, 0, 0, 0)
    return PNG_SIGNATURE + png_chunk(b"IHDR", body)


def png_bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that promises any number of pixels."""
    return png_header(width, height) + png_chunk(b"IDAT", b"") + png_chunk(b"IEND", b"")


def raw_png(
    width: int, height: int, row: bytes, *, bit_depth: int, colour_type: int, extra: bytes = b""
) -> bytes:
    """A PNG of equal rows, for kinds that Pillow does not write; ``extra`` are more chunks."""
    pixels = zlib.compress((b"\0" + row) * height)
    return (
        png_header(width, height, bit_depth, colour_type)
        + extra
        + png_chunk(b"IDAT", pixels)
        + png_chunk(b"IEND", b"")
    )


def resized_jpeg_header(upload: bytes, width: int, height: int) -> bytes:
    """The same JPEG with other measures in its frame header, as a bomb would have."""
    frame = upload.index(b"\xff\xc0")
    return upload[: frame + 5] + struct.pack(">HH", height, width) + upload[frame + 9 :]
