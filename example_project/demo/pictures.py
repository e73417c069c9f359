"""Pictures for the demo: drawn faces that belong to nobody, and two portraits that may be shown."""

from __future__ import annotations

import random
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps

PORTRAITS = Path(__file__).resolve().parent.parent / "pictures"

SIZE = (480, 600)
WALLS = ((203, 213, 225), (214, 211, 209), (199, 210, 196), (224, 208, 196), (196, 210, 220))
SHIRTS = ((30, 64, 95), (120, 53, 60), (52, 92, 74), (70, 70, 84), (140, 100, 50))
SKINS = ((241, 211, 183), (228, 190, 158), (206, 162, 128), (246, 222, 200))
HAIRS = ((32, 28, 28), (58, 42, 34), (92, 84, 80), (20, 20, 26))


def portrait(name: str) -> bytes:
    """One of the portraits in ``pictures/``; ``SOURCES.md`` there says whose they are."""
    return (PORTRAITS / name).read_bytes()


def selfie(name: str) -> bytes:
    """The same portrait as another camera might show it: there is no second one of anybody."""
    picture = ImageOps.mirror(Image.open(BytesIO(portrait(name))).convert("RGB"))
    picture = picture.rotate(6, Image.Resampling.BICUBIC, fillcolor=WALLS[0])
    picture = ImageOps.crop(picture, border=picture.width // 20)
    picture = ImageEnhance.Brightness(picture).enhance(0.85).filter(ImageFilter.GaussianBlur(0.8))
    return _as_jpeg(picture, quality=60)


def wall() -> bytes:
    """Nobody."""
    return _as_jpeg(Image.new("RGB", SIZE, WALLS[0]), quality=88)


def drawn_face(seed: int) -> bytes:
    """A drawn head and shoulders as JPEG; each seed gives another, and always the same."""
    dice = random.Random(seed)  # noqa: S311 (draws a face, keeps no secret)
    picture = Image.new("RGB", SIZE, dice.choice(WALLS))
    pen = ImageDraw.Draw(picture)
    skin, hair = dice.choice(SKINS), dice.choice(HAIRS)
    middle, top = SIZE[0] // 2 + dice.randint(-12, 12), 130 + dice.randint(-12, 12)
    width, height = 104 + dice.randint(-10, 10), 260 + dice.randint(-14, 14)
    _draw_body(pen, middle, top + height, dice.choice(SHIRTS), skin)
    _draw_head(pen, middle, top, width, height, skin, hair, has_long_hair=dice.random() < 0.45)
    _draw_features(pen, middle, top, width, height, hair, has_glasses=dice.random() < 0.35)
    return _as_jpeg(picture, quality=88)


def _as_jpeg(picture: Image.Image, quality: int) -> bytes:
    file = BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return file.getvalue()


Colour = tuple[int, int, int]


def _draw_body(
    pen: ImageDraw.ImageDraw, middle: int, chin: int, shirt: Colour, skin: Colour
) -> None:
    pen.rounded_rectangle((middle - 42, chin - 60, middle + 42, chin + 60), 20, fill=skin)
    pen.ellipse((middle - 190, chin + 20, middle + 190, chin + 420), fill=shirt)
    pen.polygon(
        [(middle - 44, chin + 24), (middle + 44, chin + 24), (middle, chin + 84)], fill=skin
    )


def _draw_head(
    pen: ImageDraw.ImageDraw,
    middle: int,
    top: int,
    width: int,
    height: int,
    skin: Colour,
    hair: Colour,
    *,
    has_long_hair: bool,
) -> None:
    length = height + 20 if has_long_hair else height // 2
    box = (middle - width - 16, top - 34, middle + width + 16, top + length)
    pen.rounded_rectangle(box, width, fill=hair)
    for side in (-1, 1):
        ear = middle + side * width
        pen.ellipse((ear - 16, top + 110, ear + 16, top + 166), fill=skin)
    pen.ellipse((middle - width, top, middle + width, top + height), fill=skin)
    pen.chord((middle - width, top - 12, middle + width, top + 150), 180, 360, fill=hair)


def _draw_features(
    pen: ImageDraw.ImageDraw,
    middle: int,
    top: int,
    width: int,
    height: int,
    hair: Colour,
    *,
    has_glasses: bool,
) -> None:
    eyes, mouth = top + height // 2, top + height * 4 // 5
    for side in (-1, 1):
        eye = middle + side * width * 2 // 5
        pen.ellipse((eye - 19, eyes - 10, eye + 19, eyes + 10), fill="white")
        pen.ellipse((eye - 9, eyes - 9, eye + 9, eyes + 9), fill=(40, 32, 28))
        pen.arc((eye - 26, eyes - 34, eye + 26, eyes + 10), 205, 335, fill=hair, width=6)
        if has_glasses:
            pen.ellipse((eye - 34, eyes - 28, eye + 34, eyes + 28), outline=(50, 50, 60), width=5)
    if has_glasses:
        bridge = width * 2 // 5 - 34
        pen.line((middle - bridge, eyes, middle + bridge, eyes), fill=(50, 50, 60), width=5)
    pen.line(
        [(middle - 4, eyes + 14), (middle - 14, eyes + 54), (middle + 8, eyes + 58)],
        fill=(150, 108, 88),
        width=5,
        joint="curve",
    )
    pen.arc(
        (middle - 38, mouth - 26, middle + 38, mouth + 12), 20, 160, fill=(168, 72, 72), width=7
    )
