"""Answers of every kind that no provider should give, drawn from a seed.

Each comes with what it may be taken for. ``TROUBLE`` is anything but an answer about the
person and anything but "nothing was sent": the request was received, after all.
"""

from __future__ import annotations

import gzip
import json
import random
import zlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from django_faceverify.exceptions import OutcomeUnknown, ProtocolError, Refused, Throttled
from django_faceverify.providers.base import Comparison

#: what a call can end in once its request has left; exactly these classes
CLASSES: frozenset[type] = frozenset(
    {Comparison, Throttled, Refused, OutcomeUnknown, ProtocolError}
)
TROUBLE = CLASSES - {Comparison}
#: money may have been spent, and nobody knows
UNKNOWN: frozenset[type] = frozenset({OutcomeUnknown, ProtocolError})

STATUSES = (
    *(100, 101, 102, 103, 199, 200, 201, 204, 206, 226, 300, 301, 302, 303, 304, 307, 308),
    *(400, 401, 402, 403, 404, 408, 409, 413, 418, 429, 451, 499, 500, 501, 502, 503, 504),
    *(511, 599, 600, 999, 0, 1),
)
#: an answer that is larger than any that is read
TOO_LARGE = 1024 * 1024 + 1


class WrongAnswer(NamedTuple):
    """What stands on the wire, byte by byte, and what it may be taken for."""

    kind: str
    wire: bytes
    may_be: frozenset[type]


def draw(count: int, seed: int) -> Iterator[WrongAnswer]:
    """So many answers, all kinds in turn; the same for the same seed."""
    fate = random.Random(seed)
    for number in range(count):
        kind = KINDS[number % len(KINDS)]
        wire, may_be = kind(fate)
        yield WrongAnswer(kind.__name__, wire, may_be)


# The wire


def http(body: bytes, status: object = 200, *headers: str, sized: bool = True) -> bytes:
    size = [f"Content-Length: {len(body)}"] if sized else []
    lines = [f"HTTP/1.1 {status} Said", *size, *headers]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def good(similarity: object = 95.0, **changes: Any) -> dict[str, Any]:
    return {"code": 0, "message": "OK", "data": {"similarity": similarity}, **changes}


def encoded(value: object) -> bytes:
    return json.dumps(value).encode()


def anything(fate: random.Random, depth: int = 3) -> Any:
    """A JSON value of any type; ``NaN`` and infinities too, which JSON does not know."""
    kinds: list[Callable[[], Any]] = [
        lambda: None,
        lambda: fate.choice([True, False]),
        lambda: fate.randint(-(10**6), 10**6),
        lambda: fate.choice([10**18, -(10**30), 2**63, 2**31]),
        lambda: fate.uniform(-200, 300),
        lambda: fate.choice([float("nan"), float("inf"), float("-inf"), 1e308, -0.0, 5e-324]),
        lambda: fate.choice(["", "0", "95", "OK", "张三", "\x00", "\ud800", "x" * 300]),
    ]
    if depth:
        kinds.append(lambda: [anything(fate, depth - 1) for _ in range(fate.randrange(4))])
        kinds.append(
            lambda: {
                fate.choice(["code", "data", "similarity", "message", "session_id", "x"]): anything(
                    fate, depth - 1
                )
                for _ in range(fate.randrange(4))
            }
        )
    return fate.choice(kinds)()


# The kinds

Kind = tuple[bytes, frozenset[type]]


def similarity_of_a_wrong_type(fate: random.Random) -> Kind:
    wrong: list[object] = [
        "95",
        None,
        True,
        [],
        {},
        [95],
        -0.001,
        100.001,
        1e308,
        float("nan"),
        float("inf"),
    ]
    wrong += [float("-inf"), 10**400, -(10**400), "NaN", 2**64, -1, 101]
    return http(encoded(good(fate.choice(wrong)))), UNKNOWN


def similarity_by_another_name(fate: random.Random) -> Kind:
    name = fate.choice(["Similarity", "similarity ", "score", "", "similаrity", "SIMILARITY"])
    return http(encoded(good() | {"data": {name: 95}})), UNKNOWN


def data_of_a_wrong_type(fate: random.Random) -> Kind:
    return http(encoded(good() | {"data": fate.choice([None, [], "", 95, True, [95], "{}"])})), (
        UNKNOWN
    )


def code_of_a_wrong_type(fate: random.Random) -> Kind:
    wrong: list[object] = [
        "0",
        None,
        False,
        0.0,
        [],
        {},
        [0],
        "",
        float("nan"),
        float("inf"),
        1e400,
        10**400,
    ]
    return http(encoded(good(code=fate.choice(wrong)))), UNKNOWN


def code_that_nobody_knows(fate: random.Random) -> Kind:
    code = fate.choice([1, -1, 999_999, 10**6, -(10**6), 2**31, 2**63, -(2**64), 10**18, 77_777])
    return http(encoded(good(code=code))), UNKNOWN


def another_call(fate: random.Random) -> Kind:
    session_id = fate.choice(["x", "0" * 32, 5, True, [], {}, ["a"], "\x00", "s" * 10_000])
    return http(encoded(good() | {"data": {"similarity": 95, "session_id": session_id}})), UNKNOWN


def member_twice(fate: random.Random) -> Kind:
    name, value = fate.choice([("code", "0"), ("data", '{"similarity":95}'), ("message", '"OK"')])
    where = fate.choice(["before", "after", "within"])
    body = '{"code":0,"message":"OK","data":{"similarity":95}}'
    if where == "within":
        body = body.replace('{"similarity":95}', '{"similarity":12,"similarity":95}')
    elif where == "before":
        body = "{" + f'"{name}":{value},' + body[1:]
    else:
        body = body[:-1] + f',"{name}":{value}' + "}"
    return http(body.encode()), UNKNOWN


def not_an_object(fate: random.Random) -> Kind:
    value = fate.choice([anything(fate, 0), [], [good()], "OK", 0, None, [[]]])
    return http(encoded(value)), UNKNOWN


def any_object(fate: random.Random) -> Kind:
    """Codes are drawn too, so it may mean whatever its code means."""
    value = {**good(), "code": fate.randint(-7000, 30), "data": anything(fate)}
    return http(encoded(value), fate.choice(STATUSES[9:])), CLASSES


def cut_off(fate: random.Random) -> Kind:
    """JSON that ends too early, though the length says that it is whole."""
    body = encoded(good())
    return http(body[: fate.randrange(len(body))]), UNKNOWN


def cut_off_on_the_wire(fate: random.Random) -> Kind:
    wire = http(encoded(good()))
    return wire[: fate.randrange(len(wire))], UNKNOWN


def bits_turned(fate: random.Random) -> Kind:
    """A good answer with some bytes changed; it may still be one."""
    body = bytearray(encoded(good()))
    for _ in range(fate.randint(1, 4)):
        body[fate.randrange(len(body))] = fate.randrange(256)
    return http(bytes(body)), CLASSES


def nested(fate: random.Random) -> Kind:
    opening, closing = fate.choice([(b"[", b"]"), (b'{"a":', b"}"), (b'{"data":', b"}")])
    depth = fate.choice([50, 900, 5_000, 100_000])
    end = closing * depth if fate.random() < 0.7 else b""
    return http(opening * depth + b"1" + end), UNKNOWN


def huge_number(fate: random.Random) -> Kind:
    number = fate.choice(
        [b"9" * 5_000, b"9" * 500_000, b"1e999999", b"-1e400", b"1." + b"1" * 9_999]
    )
    member = fate.choice([b'{"code":%b}', b'{"code":0,"data":{"similarity":%b}}'])
    taken = number.startswith(b"1.") and b"similarity" in member
    return http(member % number), frozenset({Comparison}) if taken else UNKNOWN


def gzip_bomb(fate: random.Random) -> Kind:
    """Some kilobytes that would unpack to ten megabytes."""
    packed, name = fate.choice(BOMBS)
    return http(packed, 200, f"Content-Encoding: {name}"), UNKNOWN


def packed_answer(fate: random.Random) -> Kind:
    """None was asked for, so none is unpacked."""
    return http(gzip.compress(encoded(good())), 200, "Content-Encoding: gzip"), UNKNOWN


def too_large(fate: random.Random) -> Kind:
    if fate.random() < 0.95:  # a few are enough
        return http(b" " * 70_000 + b"{"), UNKNOWN
    return http(encoded(good())[:-1] + b" " * TOO_LARGE + b"}"), UNKNOWN


def empty(fate: random.Random) -> Kind:
    return http(fate.choice([b"", b" ", b"\r\n", b"\x00", b"\xef\xbb\xbf"])), UNKNOWN


def no_http(fate: random.Random) -> Kind:
    lines = [b"", b"\r\n", b"OK\r\n\r\n", b"HTTP/1.1\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n"]
    lines += [b"HTTP/9.9 200 OK\r\n\r\n{}", b"\x16\x03\x01\x02\x00", b"ICY 200 OK\r\n\r\n"]
    lines += [b"HTTP/1.1 200 OK\r\n" + b"A" * 70_000, b"HTTP/1.1 99999999999 OK\r\n\r\n"]
    return fate.choice([*lines, fate.randbytes(fate.randrange(200))]), UNKNOWN


def odd_headers(fate: random.Random) -> Kind:
    headers = ["X: y"] * 150, ["X" * 66_000 + ": y"], [": y"], ["no colon"], ["A: \xff\xfe"]
    chosen = fate.choice([*headers, ["Content-Length: -5"], ["Content-Length: 7, 9"]])
    return http(b"{}", 200, *chosen, sized=False), UNKNOWN


def wrong_length(fate: random.Random) -> Kind:
    """The body is longer or shorter than it says, or has no length that is one."""
    body = encoded(good())
    length = fate.choice(["0", "3", "9999", "-1", "abc", "1e3", "", "9" * 30])
    wire = http(body, 200, f"Content-Length: {length}", sized=False)
    is_ignored = length in ("-1", "abc", "1e3", "")  # the answer ends where the connection does
    return wire, CLASSES if is_ignored else UNKNOWN


def wrong_chunks(fate: random.Random) -> Kind:
    chunks = [
        b"zz\r\n{}\r\n0\r\n\r\n",
        b"ffffffff\r\n{}",
        b"-5\r\n{}\r\n",
        b"5\r\n{}",
        b"0\r\n\r\n",
    ]
    return http(fate.choice(chunks), 200, "Transfer-Encoding: chunked", sized=False), UNKNOWN


def wrong_letters(fate: random.Random) -> Kind:
    charset = fate.choice(["utf-16", "utf-32", "utf-16-le", "gb18030", "utf-7", "cp037"])
    text = json.dumps(good(message="成功"), ensure_ascii=False)
    said = fate.choice([charset, "utf-8", "no-such-charset", ""])
    header = f"Content-Type: application/json; charset={said}"
    # UTF-7 of ASCII is ASCII, and so is what it says
    may_be = CLASSES if charset == "utf-7" else UNKNOWN
    return http(text.encode(charset, "replace"), 200, header), may_be


def web_page(fate: random.Random) -> Kind:
    page = b"<html><body>" + fate.choice([b"502 Bad Gateway", b"Login", b""]) + b"</body></html>"
    status = fate.choice(STATUSES)
    return http(page, status, "Content-Type: text/html"), by_status(status)


def status_alone(fate: random.Random) -> Kind:
    status = fate.choice(STATUSES)
    return http(b"", status, "Location: http://127.0.0.1:9/"), by_status(status)


def asked_to_wait(fate: random.Random) -> Kind:
    """Once, twice or never, in words, numbers or letters that no header should hold."""
    waits = ["0", "1", "30", "-1", "9" * 400, "1.5", "soon", "", "NaN", "\xff\xfe", "30, 60"]
    waits += ["Wed, 21 Oct 2015 07:28:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT"]
    waits += ["Sun, 06 Nov 0000 08:49:37 GMT", "Wed, 99 Oct 2015 99:99:99 +9999", "\x00"]
    headers = [f"Retry-After: {fate.choice(waits)}" for _ in range(fate.randrange(4))]
    return http(b"", 429, *headers), frozenset({Throttled})


def good_answer(fate: random.Random) -> Kind:
    """Among all the others, what must not be taken for wrong."""
    similarity = fate.choice([0, 100, 50, 99.999, 0.0, 1e-300, 72.5])
    return http(encoded(good(similarity))), frozenset({Comparison})


def by_status(status: int) -> frozenset[type]:
    """What an answer without a code can be: refused where nothing can have been done."""
    if status == 429:
        return frozenset({Throttled})
    return frozenset({Refused}) if 300 <= status < 500 else UNKNOWN


BOMBS = [
    (gzip.compress(bytes(10_000_000)), "gzip"),
    (gzip.compress(b'{"code":0,"data":{"similarity":95}}' + b" " * 10_000_000), "gzip"),
    (zlib.compress(bytes(10_000_000)), "deflate"),
    (gzip.compress(gzip.compress(bytes(10_000_000))), "gzip, gzip"),
    (gzip.compress(bytes(10_000_000)), "br"),
]

KINDS: tuple[Callable[[random.Random], Kind], ...] = (
    *(similarity_of_a_wrong_type, similarity_by_another_name, data_of_a_wrong_type),
    *(code_of_a_wrong_type, code_that_nobody_knows, another_call, member_twice, not_an_object),
    *(any_object, cut_off, cut_off_on_the_wire, bits_turned, nested, huge_number, gzip_bomb),
    *(packed_answer, too_large, empty, no_http, odd_headers, wrong_length, wrong_chunks),
    *(wrong_letters, web_page, status_alone, asked_to_wait),
    good_answer,
)
