from __future__ import annotations

import hashlib
import inspect
import random
import struct
import threading
import warnings
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from io import BytesIO

import pytest
from PIL import Image, ImageFile
from PIL.JpegImagePlugin import JpegImageFile

from django_faceverify import photo
from django_faceverify.exceptions import InputError
from django_faceverify.photo import CanonicalPhoto, canonicalize
from django_faceverify.reasons import REASONS
from tests import photos

MAX_BYTES = 4_000_000
Encode = Callable[..., bytes]


def accept(upload: bytes, *, max_bytes: int = MAX_BYTES, max_side: int = 2048) -> Image.Image:
    """Canonicalize, check what holds for every result, and return the decoded picture."""
    result = canonicalize(upload, max_bytes=max_bytes, max_side=max_side)
    assert result.sha256 == hashlib.sha256(result.data).hexdigest()
    assert result.byte_size == len(result.data) <= max_bytes
    picture = Image.open(BytesIO(result.data))
    assert isinstance(picture, JpegImageFile)
    assert (picture.format, picture.mode) == ("JPEG", "RGB")
    assert picture.size == (result.width, result.height)
    assert max(picture.size) <= max_side
    assert min(picture.size) >= photo.MIN_SIDE
    assert [name for name, _ in picture.applist] == ["APP0"]
    assert result.data.endswith(b"\xff\xd9")
    picture.load()
    return picture


def refuse(upload: bytes, *, max_bytes: int = MAX_BYTES) -> str:
    with pytest.raises(InputError) as caught:
        canonicalize(upload, max_bytes=max_bytes)
    assert caught.value.field == "image"
    assert caught.value.code in REASONS
    return caught.value.code


def refusal(upload: bytes) -> str | None:
    """The code of the refusal, or None for a photo that was accepted."""
    try:
        accept(upload)
    except InputError as error:
        return error.code
    return None


def looks_like(seen: object, meant: tuple[int, int, int], tolerance: int = 6) -> bool:
    assert isinstance(seen, tuple)
    return all(abs(a - b) <= tolerance for a, b in zip(seen, meant, strict=True))


def assert_scene(picture: Image.Image) -> None:
    for place, colour in photos.corners(picture).items():
        assert looks_like(colour, photos.CORNERS[place]), place


@pytest.mark.parametrize("encode", [photos.jpeg, photos.png])
def test_plain_photos(encode: Encode) -> None:
    picture = accept(encode(quality=95))
    assert picture.size == (320, 240)
    assert_scene(picture)


def test_same_photo_gives_same_bytes() -> None:
    first = canonicalize(photos.png(), max_bytes=MAX_BYTES)
    assert first == canonicalize(photos.png(), max_bytes=MAX_BYTES)


def test_repr_shows_no_photo() -> None:
    result = canonicalize(photos.png(), max_bytes=MAX_BYTES)
    assert "data" not in repr(result)
    assert len(repr(result)) < 200


NO_PHOTOS = {
    "nothing": (b"", "image_empty"),
    "one byte": (b"\xff", "image_format"),
    "text": (b"my photo", "image_format"),
    "SVG": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image_format"),
    "PDF": (b"%PDF-1.7", "image_format"),
    "GIF": (photos.encode(photos.scene(), "GIF"), "image_format"),
    "BMP": (photos.encode(photos.scene(), "BMP"), "image_format"),
    "TIFF": (photos.encode(photos.scene(), "TIFF"), "image_format"),
    "JPEG after a space": (b" " + photos.jpeg(), "image_format"),
    "JPEG signature": (b"\xff\xd8\xff", "image_undecodable"),
    "JPEG signature and text": (b"\xff\xd8\xff" + b"hello" * 99, "image_undecodable"),
    "PNG signature": (photos.PNG_SIGNATURE, "image_undecodable"),
    "PNG signature and JPEG": (photos.PNG_SIGNATURE + photos.jpeg(), "image_undecodable"),
    "PNG header": (photos.png_header(320, 240), "image_undecodable"),
    "PNG without pixels": (photos.png_bomb(0, 0), "image_undecodable"),
}


@pytest.mark.parametrize("name", NO_PHOTOS)
def test_what_is_no_photo(name: str) -> None:
    upload, code = NO_PHOTOS[name]
    assert refuse(upload) == code


@pytest.mark.parametrize("share", [0.02, 0.1, 0.3, 0.5, 0.8, 0.95])
@pytest.mark.parametrize("encode", [photos.jpeg, photos.png])
def test_truncated_photos(encode: Encode, share: float) -> None:
    upload = encode(photos.noise())
    assert refuse(upload[: int(len(upload) * share)]) == "image_undecodable"


BOMBS = {
    "PNG of 20,000 x 20,000": photos.png_bomb(20_000, 20_000),
    "PNG with a long side": photos.png_bomb(12_001, 100),
    "PNG as large as can be": photos.png_bomb(2**31 - 1, 2**31 - 1),
    "PNG just over its limit": photos.png_bomb(4001, 4001),
    "JPEG of 20,000 x 20,000": photos.resized_jpeg_header(photos.jpeg(), 20_000, 20_000),
    "JPEG as large as can be": photos.resized_jpeg_header(photos.jpeg(), 65_500, 65_500),
    "JPEG with a long side": photos.resized_jpeg_header(photos.jpeg(), 100, 12_001),
    "JPEG just over its limit": photos.resized_jpeg_header(photos.jpeg(), 11_000, 11_000),
    "JPEG that must be held whole": photos.jpeg(Image.new("L", (4001, 4001)), progressive=True),
}


@pytest.mark.parametrize("name", BOMBS)
def test_too_many_pixels_are_refused_by_the_header(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ImageFile.ImageFile, "load", pytest.fail)
    assert refuse(BOMBS[name]) == "image_too_many_pixels"


@pytest.mark.parametrize("size", [(63, 200), (200, 63), (1, 1)])
@pytest.mark.parametrize("encode", [photos.jpeg, photos.png])
def test_too_small(size: tuple[int, int], encode: Encode) -> None:
    assert refuse(encode(photos.scene(*size))) == "image_too_small"


def test_smallest_photo() -> None:
    assert accept(photos.png(photos.scene(64, 64))).size == (64, 64)


def test_long_strip_would_shrink_to_less_than_the_smallest_side() -> None:
    assert refuse(photos.jpeg(photos.scene(4000, 70))) == "image_too_small"


def test_animated_png() -> None:
    frames = [photos.noise(seed=2)]
    assert refuse(photos.png(photos.scene(), save_all=True, append_images=frames)) == (
        "image_animated"
    )


def test_first_picture_of_several_in_a_phone_jpeg_is_kept() -> None:
    upload = photos.encode(
        photos.scene(), "MPO", save_all=True, append_images=[photos.noise(640, 480)], quality=95
    )
    assert_scene(accept(upload))


UNTURNED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@pytest.mark.parametrize("encode", [photos.jpeg, photos.png])
@pytest.mark.parametrize("orientation", UNTURNED)
def test_photo_is_turned_upright(orientation: int, encode: Encode) -> None:
    method = UNTURNED[orientation]
    stored = photos.scene() if method is None else photos.scene().transpose(method)
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = accept(encode(stored, exif=exif))
    assert picture.size == (320, 240)
    assert_scene(picture)


@pytest.mark.parametrize(
    "exif",
    [b"Exif\0\0garbage", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff"],
)
def test_unreadable_exif_does_not_spoil_a_photo(exif: bytes) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert_scene(accept(photos.jpeg(exif=exif, quality=95)))


def test_nothing_but_pixels_survives() -> None:
    exif = Image.Exif()
    exif[0x010F] = "SECRET-CAMERA"
    exif.get_ifd(0x8825).update({1: "N", 2: (39.0, 54.0, 27.0), 29: "SECRET-GPS"})
    upload = photos.jpeg(
        exif=exif,
        icc_profile=b"SECRET-ICC" * 20,
        comment=b"SECRET-COMMENT",
        xmp=b"<x:xmpmeta>SECRET-XMP</x:xmpmeta>",
    )
    trailing = b"PK\x03\x04SECRET-ARCHIVE<script>SECRET</script>"
    assert upload.count(b"SECRET") >= 5
    picture = accept(upload + trailing)
    data = canonicalize(upload + trailing, max_bytes=MAX_BYTES).data
    assert b"SECRET" not in data
    assert set(picture.info) == {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert not picture.getexif()


def test_nothing_but_pixels_of_a_png_survives() -> None:
    text = photos.png_chunk(b"tEXt", b"Comment\0SECRET-TEXT")
    upload = photos.png()
    upload = upload[:33] + text + upload[33:] + b"SECRET-TRAILER"
    assert_scene(accept(upload))
    assert b"SECRET" not in canonicalize(upload, max_bytes=MAX_BYTES).data


def test_transparency_becomes_white() -> None:
    image = photos.scene().convert("RGBA")
    image.paste((0, 0, 0, 0), (0, 0, 160, 120))
    image.paste((0, 0, 0, 128), (160, 0, 320, 120))
    seen = photos.corners(accept(photos.png(image)))
    assert looks_like(seen["top left"], (255, 255, 255))
    assert looks_like(seen["top right"], (127, 127, 127))
    assert looks_like(seen["bottom right"], photos.CORNERS["bottom right"])


def test_transparent_grey_becomes_white() -> None:
    image = Image.new("LA", (100, 100), (0, 0))
    assert looks_like(photos.corners(accept(photos.png(image)))["top left"], (255, 255, 255))


def test_palette_with_transparency() -> None:
    image = photos.scene().quantize(8)
    index = image.getpixel((10, 10))
    seen = photos.corners(accept(photos.png(image, transparency=index)))
    assert looks_like(seen["top left"], (255, 255, 255))
    assert looks_like(seen["bottom left"], photos.CORNERS["bottom left"])


def test_palette_without_transparency() -> None:
    assert_scene(accept(photos.png(photos.scene().quantize(8))))


def test_black_and_white() -> None:
    image = Image.new("1", (100, 100), 1)
    image.paste(0, (0, 0, 50, 50))
    seen = photos.corners(accept(photos.png(image)))
    assert looks_like(seen["top left"], (0, 0, 0))
    assert looks_like(seen["bottom right"], (255, 255, 255))


@pytest.mark.parametrize("encode", [photos.jpeg, photos.png])
def test_grey(encode: Encode) -> None:
    seen = photos.corners(accept(encode(Image.new("L", (100, 100), 90))))
    assert looks_like(seen["top left"], (90, 90, 90))


def test_cmyk_jpeg() -> None:
    assert_scene(accept(photos.jpeg(photos.scene().convert("CMYK"), quality=95)))


def test_16_bit_grey_is_scaled() -> None:
    row = struct.pack(">H", 0x8000) * 100
    upload = photos.raw_png(100, 100, row, bit_depth=16, colour_type=0)
    assert looks_like(photos.corners(accept(upload))["top left"], (128, 128, 128))


def test_16_bit_grey_with_a_transparent_level() -> None:
    row = struct.pack(">H", 0x8000) * 100
    level = photos.png_chunk(b"tRNS", struct.pack(">H", 0x1234))
    upload = photos.raw_png(100, 100, row, bit_depth=16, colour_type=0, extra=level)
    assert looks_like(photos.corners(accept(upload))["top left"], (128, 128, 128))


@pytest.mark.parametrize(
    ("colour_type", "pixel", "colour"),
    [
        (2, (0x2000, 0x8000, 0xFFFF), (32, 128, 255)),
        (4, (0x8000, 0xFFFF), (128, 128, 128)),
        (4, (0x8000, 0), (255, 255, 255)),
        (6, (0x2000, 0x8000, 0xFFFF, 0xFFFF), (32, 128, 255)),
        (6, (0x2000, 0x8000, 0xFFFF, 0), (255, 255, 255)),
    ],
)
def test_16_bit_colour(
    colour_type: int, pixel: tuple[int, ...], colour: tuple[int, int, int]
) -> None:
    row = struct.pack(f">{len(pixel)}H", *pixel) * 100
    upload = photos.raw_png(100, 100, row, bit_depth=16, colour_type=colour_type)
    assert looks_like(photos.corners(accept(upload))["top left"], colour)


@pytest.mark.parametrize("size", [(4096, 3072), (5000, 3333), (3000, 4000)])
def test_big_jpeg_shrinks(size: tuple[int, int]) -> None:
    picture = accept(photos.jpeg(photos.scene(*size)))
    assert max(picture.size) == 2048
    assert picture.width / picture.height == pytest.approx(size[0] / size[1], rel=0.002)
    assert_scene(picture)


def test_big_png_shrinks() -> None:
    assert accept(photos.png(photos.scene(3000, 1500)), max_side=600).size == (600, 300)


def test_phone_photo_beyond_the_warning_of_the_library() -> None:
    upload = photos.jpeg(Image.new("L", (9600, 9600), 90))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert accept(upload).size == (2048, 2048)


def test_big_jpeg_is_never_held_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[tuple[int, int]] = []
    flatten = photo._flatten

    def watching_flatten(image: Image.Image) -> Image.Image:
        decoded.append(image.size)
        return flatten(image)

    monkeypatch.setattr(photo, "_flatten", watching_flatten)
    accept(photos.jpeg(photos.scene(9000, 3000)))
    assert decoded == [(2250, 750)]


def test_progressive_photo() -> None:
    assert_scene(accept(photos.jpeg(progressive=True, quality=95)))


def test_jpeg_with_very_many_scans() -> None:
    upload = photos.jpeg(progressive=True)
    scan = upload[upload.rindex(b"\xff\xda") : -2]
    assert refuse(upload[:-2] + scan * 1000 + b"\xff\xd9") == "image_undecodable"


def test_big_jpeg_with_one_colour_in_each_scan() -> None:
    upload = photos.resized_jpeg_header(photos.jpeg(), 5000, 5000)
    start = upload.index(b"\xff\xda")
    scan = b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00"
    assert refuse(upload[:start] + scan + upload[start + 14 :]) == "image_too_many_pixels"


def test_quality_falls_before_size() -> None:
    image = photos.noise(900, 700)
    best = len(photos.jpeg(image, quality=92))
    result = canonicalize(photos.png(image), max_bytes=MAX_BYTES)
    assert result.byte_size < best
    assert (result.width, result.height) == (900, 700)


def test_target_may_be_passed_where_quality_would_suffer() -> None:
    result = canonicalize(photos.png(photos.noise(1600, 1200)), max_bytes=MAX_BYTES)
    assert photo.TARGET_BYTES < result.byte_size <= MAX_BYTES
    assert (result.width, result.height) == (1600, 1200)


@pytest.mark.parametrize("max_bytes", [200_000, 20_000, 6_000])
def test_tight_limits_are_kept(max_bytes: int) -> None:
    picture = accept(photos.png(photos.noise(600, 600)), max_bytes=max_bytes)
    assert picture.width == picture.height < 600


@pytest.mark.parametrize("max_bytes", [0, 500])
def test_nothing_fits_an_impossible_limit(max_bytes: int) -> None:
    assert refuse(photos.png(photos.noise()), max_bytes=max_bytes) == "image_too_large"


@pytest.mark.parametrize("kind", [b"zTXt", b"iCCP"])
def test_compressed_text_bomb(kind: bytes) -> None:
    bomb = photos.png_chunk(kind, b"Comment\0\0" + zlib.compress(bytes(64_000_000)))
    upload = photos.png()
    assert refusal(upload[:33] + bomb + upload[33:]) in {None, "image_undecodable"}


def mutations(count: int) -> Iterator[bytes]:
    """Damaged photos: changed, removed, repeated and inserted bytes, always the same ones."""
    exif = Image.Exif()
    exif[0x0112] = 6
    small = photos.scene(96, 80)
    sources = [
        photos.jpeg(small, exif=exif, comment=b"hello"),
        photos.jpeg(small, progressive=True),
        photos.jpeg(small.convert("CMYK")),
        photos.png(small.convert("RGBA"), exif=exif),
        photos.png(small.quantize(8), transparency=0),
        photos.raw_png(96, 80, b"\x12\x34" * 96, bit_depth=16, colour_type=0),
    ]
    chance = random.Random(20)
    for number in range(count):
        damaged = bytearray(sources[number % len(sources)])
        for _ in range(chance.randint(1, 6)):
            place = chance.randrange(8, len(damaged))
            length = chance.randint(1, 12)
            kind = chance.randrange(4)
            if kind == 0:
                damaged[place] = chance.randrange(256)
            elif kind == 1:
                del damaged[place : place + length]
            elif kind == 2:
                damaged[place:place] = damaged[place : place + length]
            else:
                damaged[place:place] = chance.randbytes(length)
            if len(damaged) < 20:
                break
        yield bytes(damaged)


@pytest.mark.filterwarnings("ignore")
def test_damaged_photos_are_accepted_or_refused_and_nothing_else() -> None:
    seen = Counter(refusal(upload) for upload in mutations(600))
    assert set(seen) <= {None, *REASONS}
    assert seen[None] > 50
    assert seen["image_undecodable"] > 50


def test_only_two_photos_are_decoded_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    decode = photo._decode
    two_at_once = threading.Barrier(2, timeout=10)
    lock = threading.Lock()
    running = most = 0

    def counting_decode(decoder: type, upload: bytes, max_side: int) -> Image.Image:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        two_at_once.wait()
        picture = decode(decoder, upload, max_side)
        with lock:
            running -= 1
        return picture

    monkeypatch.setattr(photo, "_decode", counting_decode)
    results: list[CanonicalPhoto] = []
    upload = photos.jpeg()
    threads = [
        threading.Thread(target=lambda: results.append(canonicalize(upload, max_bytes=MAX_BYTES)))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 6
    assert most == 2


def test_refusals_make_room_for_the_next_photo() -> None:
    for _ in range(3):
        assert refuse(photos.jpeg()[:200]) == "image_undecodable"
    accept(photos.jpeg())


def test_limits_of_the_library_stay_as_the_site_has_them() -> None:
    before = Image.MAX_IMAGE_PIXELS
    accept(photos.jpeg(photos.scene(4096, 3072)))
    assert before == Image.MAX_IMAGE_PIXELS


def test_every_function_that_sees_a_photo_is_marked_sensitive() -> None:
    functions = [
        function
        for function in vars(photo).values()
        if inspect.isfunction(function) and function.__module__ == photo.__name__
    ]
    assert functions
    assert all(hasattr(function, "__wrapped__") for function in functions)
