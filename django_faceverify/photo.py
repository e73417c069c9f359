"""Photos: whatever was uploaded becomes one small, clean JPEG, or is refused.

Nothing of the original survives but its pixels: no position, no camera, no comment, no
colour profile, no bytes behind the picture. What is stored, hashed, shown and sent to a
provider is always the canonical photo, so this is the only place that decodes an upload.
"""

from __future__ import annotations

import hashlib
import struct
import threading
import zlib
from dataclasses import dataclass, field
from io import BytesIO

from django.views.decorators.debug import sensitive_variables
from PIL import ExifTags, Image
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile

from django_faceverify.exceptions import InputError

MIN_SIDE = 64  # pixels; providers refuse smaller pictures
MAX_SIDE_READ = 12_000  # pixels
MAX_PIXELS_SHRUNK_ON_READING = 120_000_000
MAX_PIXELS_READ_WHOLE = 16_000_000
MAX_SCANS = 100  # ordinary progressive pictures have about ten

TARGET_BYTES = 600_000
QUALITIES = (92, 88, 84, 80)  # below the last one, fewer pixels harm a face less
SHRINK_STEP = 0.8

# The plugin is chosen here and called directly: ``Image.open`` would warn about large phone
# photos, and would follow the second picture that many phones put behind the first.
_DECODERS: tuple[tuple[bytes, type[ImageFile]], ...] = (
    (b"\xff\xd8\xff", JpegImageFile),
    (b"\x89PNG\r\n\x1a\n", PngImageFile),
)

# A damaged or hostile file surfaces as almost any of the exceptions that parsing code can
# raise, and as a warning where the site turns warnings into errors. To the person all mean
# the same. Not ``Exception``: a task's time limit must pass through.
_DAMAGED = (
    ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, MemoryError,
    OSError, RuntimeError, SyntaxError, TypeError, ValueError, Warning,
    struct.error, zlib.error, Image.DecompressionBombError,
)  # fmt: skip

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# one decode may take a quarter of a gigabyte, so a burst of uploads waits in line
_DECODING = threading.BoundedSemaphore(2)


@dataclass(frozen=True)
class CanonicalPhoto:
    """An upright RGB JPEG without metadata; ``sha256`` is the hex digest of ``data``."""

    data: bytes = field(repr=False)
    width: int
    height: int
    sha256: str

    @property
    def byte_size(self) -> int:
        """Length of ``data`` in bytes."""
        return len(self.data)


@sensitive_variables()
def canonicalize(upload: bytes, *, max_bytes: int, max_side: int = 2048) -> CanonicalPhoto:
    """Return the uploaded JPEG or PNG as a clean JPEG.

    The result has at most ``max_bytes`` bytes (about 600 KB where quality allows) and at
    most ``max_side`` pixels on its longer side. Smaller pictures are not enlarged.

    Raises ``InputError`` on ``image``: ``image_empty``, ``image_format``,
    ``image_too_many_pixels``, ``image_too_small``, ``image_animated``,
    ``image_undecodable``, or ``image_too_large`` when no rendering fits ``max_bytes``.
    """
    decoder = _choose_decoder(upload)
    with _DECODING:
        picture = _decode(decoder, upload, max_side)
        data, picture = _encode(picture, max_bytes)
    return CanonicalPhoto(data, picture.width, picture.height, hashlib.sha256(data).hexdigest())


@sensitive_variables()
def decode(stored: bytes, *, max_side: int) -> Image.Image:
    """The pixels of a JPEG or PNG, upright, in RGB and within ``max_side``.

    As careful as with an upload: a photo on record may come from anywhere. Raises
    ``InputError`` as ``canonicalize`` does.
    """
    decoder = _choose_decoder(stored)
    with _DECODING:
        return _decode(decoder, stored, max_side)


@sensitive_variables()
def _choose_decoder(upload: bytes) -> type[ImageFile]:
    if not upload:
        raise InputError("image_empty", "image")
    for signature, decoder in _DECODERS:
        if upload.startswith(signature):
            return decoder
    raise InputError("image_format", "image")


@sensitive_variables()
def _decode(decoder: type[ImageFile], upload: bytes, max_side: int) -> Image.Image:
    """Return a new RGB image, upright and within ``max_side``, that carries only pixels."""
    stream = BytesIO(upload)
    try:
        image = decoder(stream)  # reads no further than the header
        _refuse_unsuitable(image)
        if isinstance(image, JpegImageFile):
            _refuse_costly_scans(image, upload, pixels_start=stream.tell())
        picture = _redraw(image, max_side)
    except _DAMAGED:
        raise InputError("image_undecodable", "image") from None
    if min(picture.size) < MIN_SIDE:  # a long strip gets too narrow when it is shrunk
        raise InputError("image_too_small", "image")
    return picture


@sensitive_variables()
def _refuse_unsuitable(image: ImageFile) -> None:
    """Judge by the header, before memory is spent on pixels."""
    limit = (
        MAX_PIXELS_SHRUNK_ON_READING if isinstance(image, JpegImageFile) else MAX_PIXELS_READ_WHOLE
    )
    if max(image.size) > MAX_SIDE_READ or image.width * image.height > limit:
        raise InputError("image_too_many_pixels", "image")
    if min(image.size) < MIN_SIDE:
        raise InputError("image_too_small", "image")
    if getattr(image, "n_frames", 1) > 1:
        raise InputError("image_animated", "image")


@sensitive_variables()
def _refuse_costly_scans(image: JpegImageFile, upload: bytes, pixels_start: int) -> None:
    """Judge a JPEG whose pixels come in several passes, such as a progressive one.

    The decoder keeps all of it in memory, however small it is drawn, and goes through it
    once for each scan, though a scan may be only a few bytes long.
    """
    if not _has_several_scans(image, upload, pixels_start):
        return
    if image.width * image.height > MAX_PIXELS_READ_WHOLE:
        raise InputError("image_too_many_pixels", "image")
    if upload.count(b"\xff\xda", pixels_start) >= MAX_SCANS:
        raise InputError("image_undecodable", "image")


@sensitive_variables()
def _has_several_scans(image: JpegImageFile, upload: bytes, pixels_start: int) -> bool:
    """Whether the JPEG is progressive, or its first scan does not hold all colours.

    A scan header stands directly before the pixels and tells how many colours follow:
    ``FF DA``, two bytes of length, the number of colours, two bytes for each, three more.
    """
    return "progressive" in image.info or any(
        upload.startswith(
            bytes((0xFF, 0xDA, 0, 6 + 2 * colours, colours)), pixels_start - 8 - 2 * colours
        )
        for colours in range(1, image.layers)
    )


@sensitive_variables()
def _redraw(image: ImageFile, max_side: int) -> Image.Image:
    """Decode, then flatten, shrink and turn; a new image leaves all metadata behind."""
    scale = max_side / max(image.size)
    if scale < 1:  # a JPEG can be read at a half, a quarter or an eighth of its size
        image.draft("RGB", (max(1, int(image.width * scale)), max(1, int(image.height * scale))))
    image.load()
    orientation = _read_orientation(image)
    picture = _flatten(image)
    picture.thumbnail((max_side, max_side))
    if orientation in _UPRIGHT:
        picture = picture.transpose(_UPRIGHT[orientation])
    clean = Image.new("RGB", picture.size)
    clean.paste(picture)
    return clean


@sensitive_variables()
def _read_orientation(image: ImageFile) -> object:
    try:
        return image.getexif().get(ExifTags.Base.Orientation)
    except _DAMAGED:
        return None  # a photo with unreadable EXIF is still a photo


@sensitive_variables()
def _flatten(image: Image.Image) -> Image.Image:
    """Return the image as RGB, transparent parts on white."""
    if image.mode.startswith("I"):
        # 16-bit grey: Pillow would clip at 255 what has to be scaled
        return image.point(lambda value: value / 257).convert("L").convert("RGB")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGB", image.size, "white")
        white.paste(image, mask=image)
        return white
    return image if image.mode == "RGB" else image.convert("RGB")


@sensitive_variables()
def _encode(picture: Image.Image, max_bytes: int) -> tuple[bytes, Image.Image]:
    """Return JPEG bytes and the picture they show: lower quality first, then fewer pixels."""
    for quality in QUALITIES:
        data = _to_jpeg(picture, quality)
        if len(data) <= min(TARGET_BYTES, max_bytes):
            return data, picture
    while len(data) > max_bytes:
        width, height = (round(side * SHRINK_STEP) for side in picture.size)
        if min(width, height) < MIN_SIDE:
            raise InputError("image_too_large", "image")
        picture = picture.resize((width, height))
        data = _to_jpeg(picture, QUALITIES[-1])
    return data, picture


@sensitive_variables()
def _to_jpeg(picture: Image.Image, quality: int) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()
