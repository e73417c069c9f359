"""A large corpus of hostile, damaged and unusual photos, made by the tests themselves.

Each is accepted as a clean JPEG or refused with a code; nothing else may happen, no secret
of the original may survive, and memory stays bounded, which a process of its own measures.
"""

from __future__ import annotations

import json
import random
import resource
import struct
import subprocess
import sys
import warnings
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from io import BytesIO
from itertools import product
from typing import Any

import pytest
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from django_faceverify.exceptions import InputError
from django_faceverify.photo import canonicalize
from django_faceverify.reasons import REASONS
from tests import photos

MAX_BYTES = 4_000_000
SECRET = b"SECRET-7f3a"
LEAST_FILES = 1500
#: MiB over what an interpreter with everything imported takes
MOST_MEMORY = 300

Named = tuple[str, bytes]


def corpus() -> Iterator[Named]:
    """Every file with a name; always the same ones."""
    for family in FAMILIES:
        for name, upload in family():
            yield f"{family.__name__}: {name}", upload


def modes() -> Iterator[Named]:
    """Every kind of pixels that the writers know, in many sizes and qualities."""
    kinds = ("RGB", "L", "CMYK", "1", "P", "LA", "RGBA", "I;16", "YCbCr")
    sizes = ((64, 64), (63, 64), (64, 500), (317, 211), (1, 1), (2, 300))
    for mode, size, (kind, options) in product(kinds, sizes, WRITERS):
        image = Image.new("I;16", size, 30_000) if mode == "I;16" else photos.scene(*size)
        try:
            upload = photos.encode(image.convert(mode), kind, **options)
        except (OSError, ValueError, KeyError):
            continue  # this writer does not know these pixels
        yield f"{mode} {size} {kind} {options}", upload


WRITERS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("JPEG", {"quality": 5}),
    ("JPEG", {"quality": 100, "subsampling": 0}),
    ("JPEG", {"progressive": True}),
    ("JPEG", {"optimize": True, "restart_marker_rows": 1}),
    ("PNG", {}),
    ("PNG", {"compress_level": 0}),
    ("PNG", {"bits": 1}),
)


def raw_kinds() -> Iterator[Named]:
    """All kinds of a PNG's pixels, those that no standard knows included."""
    for depth, colour in product((0, 1, 2, 3, 4, 8, 16, 32, 255), (0, 1, 2, 3, 4, 5, 6, 7)):
        row = bytes(range(256)) * 4
        upload = photos.raw_png(96, 80, row, bit_depth=depth, colour_type=colour)
        yield f"depth {depth}, colour {colour}", upload


def dimensions() -> Iterator[Named]:
    """Promises of every size, from nothing to more than there is memory."""
    sides = (0, 1, 63, 64, 4000, 4001, 12_000, 12_001, 65_535, 2**31 - 1, 2**32 - 1)
    base = photos.jpeg()
    for width, height in product(sides, sides):
        yield f"PNG {width} x {height}", photos.png_bomb(width, height)
        if width <= 65_535 and height <= 65_535:
            yield f"JPEG {width} x {height}", photos.resized_jpeg_header(base, width, height)


def bombs() -> Iterator[Named]:
    """Little that becomes much."""
    png, jpeg = photos.png(), photos.jpeg()
    for size in (1_000_000, 64_000_000, 200_000_000):
        packer = zlib.compressobj(9)
        packed = b"".join(packer.compress(bytes(1_000_000)) for _ in range(size // 1_000_000))
        packed += packer.flush()
        for kind, head in (
            (b"zTXt", b"Comment\0\0"),
            (b"iTXt", b"Comment\0\1\0\0\0"),
            (b"iCCP", b"icc\0\0"),
        ):
            chunk = photos.png_chunk(kind, head + packed)
            yield f"{kind.decode()} of {size}", png[:33] + chunk + png[33:]
        for side in (64, 2000, 4000):
            header = photos.png_header(side, side)
            pixels = photos.png_chunk(b"IDAT", packed) + photos.png_chunk(b"IEND", b"")
            yield f"{size} zeros for {side} x {side}", header + pixels
    for count in (10, 500, 3000):
        text = photos.png_chunk(b"tEXt", b"Comment\0" + SECRET * 50)
        yield f"{count} texts", png[:33] + text * count + png[33:]
        comment = b"\xff\xfe" + struct.pack(">H", 60_002) + SECRET * 5000 + bytes(5000)
        yield f"{count} comments", jpeg[:2] + comment * min(count, 60) + jpeg[2:]
    progressive = photos.jpeg(photos.scene(2000, 1500), progressive=True)
    scan = progressive[progressive.rindex(b"\xff\xda") : -2]
    for count in (1, 20, 99, 400, 4000):
        yield f"{count} scans more", progressive[:-2] + scan * count + b"\xff\xd9"
    for side in (4000, 3999, 2049):
        flat = Image.new("L", (side, side), 90)
        yield f"flat {side}", photos.png(flat)
        yield f"flat {side} progressive", photos.jpeg(flat, progressive=True)
    yield "flat 9000 JPEG", photos.jpeg(Image.new("L", (9000, 9000), 90))


def polyglots() -> Iterator[Named]:
    """Two files in one, in either order, and one in the other's middle."""
    payloads = {
        "ZIP": b"PK\x03\x04" + SECRET * 20,
        "HTML": b"<html><script>" + SECRET + b"</script>",
        "PDF": b"%PDF-1.7\n" + SECRET,
        "SVG": b"<svg xmlns='http://www.w3.org/2000/svg' onload='" + SECRET + b"'/>",
        "PHP": b"<?php system('" + SECRET + b"'); ?>",
        "EXE": b"MZ" + SECRET * 5,
        "ELF": b"\x7fELF" + SECRET * 5,
        "RAR": b"Rar!\x1a\x07" + SECRET,
        "GIF": b"GIF89a" + SECRET,
        "WebP": b"RIFF\x10\0\0\0WEBP" + SECRET,
        "EPS": b"%!PS-Adobe-3.0 EPSF-3.0\n" + SECRET,
        "ICO": b"\0\0\1\0" + SECRET,
        "HEIC": b"\0\0\0\x18ftypheic" + SECRET,
        "JP2": b"\0\0\0\x0cjP  \r\n\x87\n" + SECRET,
        "TIFF": b"II*\0\x08\0\0\0" + SECRET,
        "second JPEG": photos.jpeg(comment=SECRET),
        "second PNG": photos.png(),
    }
    for base_name, base in (("JPEG", photos.jpeg()), ("PNG", photos.png())):
        for name, payload in payloads.items():
            yield f"{base_name} and {name}", base + payload
            yield f"{name} and {base_name}", payload + base
            yield (
                f"{name} in {base_name}",
                base[: len(base) // 2] + payload + base[len(base) // 2 :],
            )
            yield f"{name} for {base_name}'s pixels", base[:40] + payload
    jpeg = photos.jpeg()
    for name, payload in payloads.items():
        for marker in (0xE0, 0xE1, 0xE2, 0xED, 0xEE, 0xEF, 0xFE):
            body = payload[:60_000]
            segment = bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body
            yield f"{name} in segment {marker:X}", jpeg[:2] + segment + jpeg[2:]


def metadata() -> Iterator[Named]:
    """Whatever cameras and programs write about a picture, alone and together."""
    exif = Image.Exif()
    exif[0x010F] = SECRET.decode()
    exif[0x9286] = SECRET
    exif.get_ifd(0x8825).update({1: "N", 2: (39.0, 54.0, 27.0), 29: SECRET.decode()})
    xmp = b"<x:xmpmeta>" + SECRET + b"</x:xmpmeta>"
    parts: dict[str, dict[str, Any]] = {
        "EXIF": {"exif": exif},
        "ICC": {"icc_profile": SECRET * 30},
        "XMP": {"xmp": xmp},
        "comment": {"comment": SECRET},
    }
    for chosen in product((False, True), repeat=len(parts)):
        options: dict[str, Any] = {}
        names = [name for name, is_in in zip(parts, chosen, strict=True) if is_in]
        for name in names:
            options |= parts[name]
        for mode in ("RGB", "L", "CMYK"):
            upload = photos.jpeg(photos.scene().convert(mode), **options)
            yield f"JPEG {mode} {names}", upload
            yield f"JPEG {mode} {names}, trailing", upload + b"PK\x03\x04" + SECRET
        if "comment" not in names:
            plain = {name: value for name, value in options.items() if name != "xmp"}
            yield f"PNG {names}", photos.png(**plain)
    for orientation in (*range(10), 255, 65_535):
        turned = Image.Exif()
        turned[0x0112] = orientation
        turned[0x010E] = SECRET.decode()
        yield f"orientation {orientation} JPEG", photos.jpeg(exif=turned)
        yield f"orientation {orientation} PNG", photos.png(exif=turned)
    png = photos.png()
    for kind in (b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"tIME",
                 b"pHYs", b"bKGD", b"sBIT", b"hIST", b"sPLT", b"acTL", b"fcTL", b"fdAT", b"prVT",
                 b"ABCD"):  # fmt: skip
        for body in (b"", SECRET, b"Key\0" + SECRET, b"Key\0\0" + zlib.compress(SECRET), bytes(26)):
            chunk = photos.png_chunk(kind, body)
            yield f"{kind.decode()} {body[:8]!r}", png[:33] + chunk + png[33:]


def animated() -> Iterator[Named]:
    for count in (1, 2, 20):
        frames = [photos.noise(80, 80, seed=seed) for seed in range(count)]
        yield (
            f"PNG of {count} more",
            photos.png(photos.scene(80, 80), save_all=True, append_images=frames),
        )
        yield (
            f"MPO of {count} more",
            photos.encode(photos.scene(80, 80), "MPO", save_all=True, append_images=frames),
        )


def wrong_kinds() -> Iterator[Named]:
    """Pictures in formats that are not taken, whatever their names say."""
    for kind in ("GIF", "BMP", "TIFF", "WEBP", "PPM", "TGA", "ICO", "JPEG2000", "PCX", "SGI"):
        for size in ((64, 64), (300, 200)):
            try:
                yield f"{kind} {size}", photos.encode(photos.scene(*size), kind)
            except (OSError, KeyError):
                continue  # not built into this Pillow


def truncated() -> Iterator[Named]:
    for name, upload in SOURCES.items():
        for part in range(1, 25):
            yield f"{name}, {part}/25", upload[: len(upload) * part // 25]


def without_a_piece() -> Iterator[Named]:
    """A segment or chunk is missing, doubled, or says a wrong length."""
    for name, upload in SOURCES.items():
        for part in range(1, 12):
            place = len(upload) * part // 12
            yield f"{name} without {part}", upload[:place] + upload[place + 40 :]
            yield f"{name} with {part} twice", upload[:place] + upload[place - 30 :]
            yield f"{name} zeroed at {part}", upload[:place] + bytes(30) + upload[place + 30 :]
    jpeg = photos.jpeg(exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff")
    for place in [at for at in range(len(jpeg) - 3) if jpeg[at] == 0xFF and jpeg[at + 1] > 0xBF]:
        for length in (0, 1, 2, 65_535):
            changed = jpeg[: place + 2] + struct.pack(">H", length) + jpeg[place + 4 :]
            yield f"segment at {place} of length {length}", changed


def mutated() -> Iterator[Named]:
    """Some bytes are others: in the headers above all, where they mean most."""
    chance = random.Random(41)
    sources = list(SOURCES.values())
    for number in range(900):
        damaged = bytearray(sources[number % len(sources)])
        reach = min(len(damaged), 700) if number % 3 else len(damaged)
        for _ in range(chance.randint(1, 8)):
            damaged[chance.randrange(3 if number % 2 else 8, reach)] = chance.randrange(256)
        yield str(number), bytes(damaged)


def _sources() -> dict[str, bytes]:
    small = photos.scene(96, 80)
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = SECRET.decode()
    return {
        "JPEG": photos.jpeg(small, exif=exif, comment=SECRET),
        "progressive": photos.jpeg(small, progressive=True, icc_profile=SECRET * 9),
        "CMYK": photos.jpeg(small.convert("CMYK")),
        "PNG": photos.png(small.convert("RGBA"), exif=exif),
        "palette": photos.png(small.quantize(8), transparency=0),
        "16 bits": photos.raw_png(96, 80, b"\x12\x34" * 96, bit_depth=16, colour_type=0),
        "animated": photos.png(small, save_all=True, append_images=[photos.noise(96, 80)]),
    }


SOURCES = _sources()
FAMILIES: tuple[Callable[[], Iterator[Named]], ...] = (
    modes, raw_kinds, dimensions, bombs, polyglots, metadata, animated, wrong_kinds, truncated,
    without_a_piece, mutated,
)  # fmt: skip


def verdict(upload: bytes) -> str:
    """The code of a refusal, or ``accepted`` for a clean photo; raises for anything else."""
    try:
        result = canonicalize(upload, max_bytes=MAX_BYTES)
    except InputError as refusal:
        known = refusal.field == "image" and refusal.code in REASONS
        return refusal.code if known and SECRET.decode() not in repr(refusal) else "leak"
    assert SECRET not in result.data
    picture = Image.open(BytesIO(result.data))
    assert isinstance(picture, JpegImageFile)
    assert (picture.mode, picture.size) == ("RGB", (result.width, result.height))
    assert [name for name, _ in picture.applist] == ["APP0"]
    assert set(picture.info) == {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert not picture.getexif()
    assert result.data.endswith(b"\xff\xd9")
    assert max(picture.size) <= 2048
    return "accepted"


def judge() -> dict[str, Any]:
    """Go through the corpus: how often which verdict, what was wrong, how much memory it took."""
    warnings.simplefilter("ignore")
    canonicalize(photos.jpeg(), max_bytes=MAX_BYTES)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    verdicts: Counter[str] = Counter()
    uncaught = []
    for name, upload in corpus():
        try:
            verdicts[verdict(upload)] += 1
        except BaseException as error:  # noqa: BLE001 (whatever it is, it is a find)
            uncaught.append(f"{name}: {error!r:.200}")
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"verdicts": verdicts, "uncaught": uncaught, "MiB": (most - before) / 1024}


@pytest.fixture(scope="module")
def judgement() -> dict[str, Any]:
    """From a process of its own, whose memory nobody else uses."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.test_photo_corpus"], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_every_file_is_accepted_or_refused(judgement: dict[str, Any]) -> None:
    assert judgement["uncaught"] == []
    assert sum(judgement["verdicts"].values()) >= LEAST_FILES


def test_the_corpus_covers_every_verdict_about_a_photo(judgement: dict[str, Any]) -> None:
    expected = {
        "accepted", "image_animated", "image_format", "image_too_many_pixels", "image_too_small",
        "image_undecodable",
    }  # fmt: skip
    assert set(judgement["verdicts"]) == expected
    assert min(judgement["verdicts"].values()) >= 5


def test_memory_is_bounded(judgement: dict[str, Any]) -> None:
    assert judgement["MiB"] < MOST_MEMORY


if __name__ == "__main__":
    import django

    django.setup()
    json.dump(judge(), sys.stdout)
