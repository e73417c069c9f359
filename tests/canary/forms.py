"""The forms in which a secret may lie in a file, and the search for all of them.

Bytes that were compressed, wrapped into lines of mail, or put into base64 after that are
opened first, so that a session, a cache entry or an error mail hides nothing.
"""

from __future__ import annotations

import base64
import binascii
import html
import json
import quopri
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from urllib.parse import quote

#: bytes that a photo is known by: so many in a row are in no other file by chance
WINDOW = 24
#: how large a compressed find may get; bombs are none of our business
MOST_INFLATED = 8_000_000
#: compressed finds looked at in one file
MOST_STREAMS = 20_000

_ZLIB = re.compile(rb"\x78[\x01\x5e\x9c\xda]|\x1f\x8b\x08")
#: compressed and then base64, as Django signs sessions and cookies
_PACKED = re.compile(rb"(?:eJ|H4sI)[A-Za-z0-9_+/-]{16,}={0,2}")
_LINE_ENDS = re.compile(rb"=?\r?\n[ \t]*")


def base64_at(offset: int, raw: bytes) -> bytes:
    """The letters that ``raw`` alone decides when it begins at that place of three."""
    padded = b"\0" * offset + raw
    encoded = base64.b64encode(padded)
    first = (offset * 8 + 5) // 6
    last = len(padded) * 8 // 6
    return encoded[first:last]


def urlsafe(encoded: bytes) -> bytes:
    return encoded.translate(bytes.maketrans(b"+/", b"-_"))


def python_bytes(raw: bytes) -> bytes:
    """As ``repr`` prints bytes."""
    return repr(raw)[2:-1].encode()


Encode = Callable[[bytes], bytes]

#: how bytes may be written; for texts each holds for their UTF-8
OF_BYTES: dict[str, Encode] = {
    "plain": bytes,
    **{f"base64 at {offset}": lambda raw, n=offset: base64_at(n, raw) for offset in range(3)},  # type: ignore[misc]
    **{
        f"urlsafe base64 at {offset}": lambda raw, n=offset: urlsafe(base64_at(n, raw))  # type: ignore[misc]
        for offset in range(3)
    },
    "hex": binascii.hexlify,
    "HEX": lambda raw: binascii.hexlify(raw).upper(),
    "percent": lambda raw: quote(raw, safe="").encode(),
    "percent, small": lambda raw: re.sub(
        rb"%..", lambda found: found[0].lower(), quote(raw, safe="").encode()
    ),
    "every byte percent": lambda raw: "".join(f"%{byte:02X}" for byte in raw).encode(),
    "Python bytes": python_bytes,
    "every byte \\x": lambda raw: "".join(f"\\x{byte:02x}" for byte in raw).encode(),
    "quoted-printable": lambda raw: quopri.encodestring(raw).replace(b"=\n", b""),
    "octal": lambda raw: "".join(f"\\{byte:03o}" for byte in raw).encode(),
}
#: how a text may be written besides
OF_TEXTS: dict[str, Callable[[str], bytes]] = {
    "UTF-16 little": lambda text: text.encode("utf-16-le"),
    "UTF-16 big": lambda text: text.encode("utf-16-be"),
    "JSON": lambda text: json.dumps(text)[1:-1].encode(),
    "JSON in JSON": lambda text: json.dumps(json.dumps(text)[1:-1])[1:-1].encode(),
    "Python": lambda text: ascii(text)[1:-1].encode(),
    "GBK": lambda text: text.encode("gbk", "replace"),
    "HTML": lambda text: html.escape(text).encode(),
    "entities": lambda text: "".join(f"&#{ord(letter)};" for letter in text).encode(),
    "hex entities": lambda text: "".join(f"&#x{ord(letter):x};" for letter in text).encode(),
    "entities where needed": lambda text: text.encode("ascii", "xmlcharrefreplace"),
}
#: with these the UTF-16 of a text is looked for in base64 as well
OF_WIDE_TEXTS = ("base64 at 0", "base64 at 1", "base64 at 2", "hex")


@dataclass(frozen=True)
class Secret:
    """What may be found nowhere: a text, or the bytes of a picture by some windows."""

    name: str
    text: str = ""
    picture: bytes = b""

    def needles(self) -> Iterator[tuple[str, bytes]]:
        """Each form's name, and the bytes that give it away."""
        if self.text:
            yield from self._forms("", self.text.encode(), OF_BYTES)
            for name, encode in OF_TEXTS.items():
                yield name, encode(self.text)
            for name in OF_WIDE_TEXTS:
                yield f"UTF-16, {name}", OF_BYTES[name](self.text.encode("utf-16-le"))
        for place in self.windows():
            yield from self._forms(
                f"byte {place}, ", self.picture[place : place + WINDOW], OF_BYTES
            )

    def windows(self) -> list[int]:
        """Where to look into a picture: beyond what all pictures of a kind have in common."""
        count = 4 if self.picture else 0
        return [len(self.picture) * (2 * step + 3) // 12 for step in range(count)]

    @staticmethod
    def _forms(prefix: str, raw: bytes, forms: dict[str, Encode]) -> Iterator[tuple[str, bytes]]:
        for name, encode in forms.items():
            yield prefix + name, encode(raw)


@dataclass(frozen=True)
class Find:
    """A secret where it must not be; prints what is needed to see how it came there."""

    where: str
    secret: str
    form: str
    around: bytes

    def __str__(self) -> str:
        return f"{self.where}: {self.secret} ({self.form}): {self.around!r}"


class Searcher:
    """Looks for all forms of some secrets."""

    def __init__(self, secrets: list[Secret]) -> None:
        self.needles: dict[bytes, tuple[str, str]] = {}
        for secret in secrets:
            for form, needle in secret.needles():
                self.needles.setdefault(needle, (secret.name, form))

    def search(self, where: str, data: bytes) -> list[Find]:
        return [
            find
            for layer, content in layers(data)
            for find in self._search_layer(f"{where}{layer}", content)
        ]

    def search_tree(self, root: Path, spared: Callable[[Path], bool] = lambda _: False) -> Sweep:
        """Everything under a folder, the names of files included."""
        sweep = Sweep()
        for path in sorted(root.rglob("*")):
            if path.is_symlink() or spared(path):
                continue
            sweep.finds += self.search(f"the name {path.name!r}", path.name.encode())
            if path.is_file():
                data = path.read_bytes()
                sweep.file_count += 1
                sweep.byte_count += len(data)
                sweep.finds += self.search(str(path), data)
        return sweep

    def _search_layer(self, where: str, data: bytes) -> Iterator[Find]:
        for needle, (secret, form) in self.needles.items():
            place = data.find(needle)
            if place >= 0:
                around = data[max(0, place - 80) : place + len(needle) + 80]
                yield Find(where, secret, form, around)


class Sweep:
    """What a search went through, and what it found."""

    def __init__(self) -> None:
        self.file_count = 0
        self.byte_count = 0
        self.finds: list[Find] = []

    def __iadd__(self, other: Sweep) -> Sweep:
        self.file_count += other.file_count
        self.byte_count += other.byte_count
        self.finds += other.finds
        return self


def layers(data: bytes) -> Iterator[tuple[str, bytes]]:
    """The bytes as they are, with their lines joined, and whatever is compressed in them."""
    yield "", data
    if b"\0" not in data[:4096] and b"\n" in data:
        yield " (lines joined)", _LINE_ENDS.sub(b"", data)
    inflated = b"\n".join(streams(data))
    if inflated:
        yield " (inflated)", inflated


def streams(data: bytes) -> Iterator[bytes]:
    """What is in the compressed streams, those in base64 included."""
    for found in islice(_ZLIB.finditer(data), MOST_STREAMS):
        yield inflate(data[found.start() : found.start() + MOST_INFLATED])
    for found in islice(_PACKED.finditer(data), MOST_STREAMS):
        packed = found[0].rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
        packed = packed[: len(packed) // 4 * 4]
        yield inflate(base64.b64decode(packed))


def inflate(data: bytes) -> bytes:
    """As much of a stream as is whole; nothing where there is none."""
    opener = zlib.decompressobj(wbits=47)
    opened = bytearray()
    try:
        for start in range(0, len(data), 1024):
            opened += opener.decompress(data[start : start + 1024], MOST_INFLATED)
            if opener.eof or len(opened) >= MOST_INFLATED:
                break
    except zlib.error:
        pass
    return bytes(opened) if len(opened) >= WINDOW else b""
