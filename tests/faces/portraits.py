"""Pictures of faces: two public-domain portraits of the example project, and what cameras do to them."""

from __future__ import annotations

from functools import cache
from io import BytesIO

from PIL import Image, ImageDraw, ImageFilter

from example_project.demo.pictures import portrait
from tests.photos import jpeg, scene

HOPPER, COLLINS = "grace_hopper.jpg", "astronaut.jpg"
#: about the width of both faces in their portraits, in pixels
FACE_WIDTH = {HOPPER: 162, COLLINS: 80}


@cache
def picture(name: str = HOPPER) -> Image.Image:
    return Image.open(BytesIO(portrait(name))).convert("RGB")


def blurred(share: float, name: str = HOPPER) -> bytes:
    """Out of focus, by a share of the width of the face."""
    return jpeg(picture(name).filter(ImageFilter.GaussianBlur(share * FACE_WIDTH[name])))


def on_its_side() -> bytes:
    """As phones do it: the pixels lie, and the EXIF says that they have to be turned."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return jpeg(picture().transpose(Image.Transpose.ROTATE_90), exif=exif)


def two_people() -> bytes:
    both = Image.new("RGB", (1000, 600), "white")
    both.paste(picture(HOPPER).crop((100, 60, 400, 400)), (60, 100))
    both.paste(picture(COLLINS).crop((120, 20, 300, 220)).resize((306, 340)), (600, 100))
    return jpeg(both)


def far_away() -> bytes:
    """A whole face, of some twenty pixels."""
    small = picture().resize((72, 84), Image.Resampling.LANCZOS)
    room = Image.new("RGB", (640, 480), (205, 210, 215))
    room.paste(small, (280, 180))
    return jpeg(room)


def huge() -> bytes:
    """Twenty-five megapixels, as a good camera makes them."""
    return jpeg(picture().resize((4608, 5405)), quality=80)


def nobody() -> bytes:
    """A landscape: something to see, and no face."""
    image = scene(640, 480)
    ImageDraw.Draw(image).ellipse((200, 100, 420, 320), fill=(120, 90, 60))
    return jpeg(image)
