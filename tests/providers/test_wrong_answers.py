"""Ten thousand wrong answers over a real connection: each has one meaning, and costs no memory.

The second provider is given the same on the wire, where none may pass for an answer, and as many
as a fifth of its own answers with something wrong in them.
"""

from __future__ import annotations

import logging
import math
import os
import random
import tracemalloc
from collections import Counter
from collections.abc import Iterable, Iterator

import psutil
import pytest

from django_faceverify.exceptions import ProviderError
from django_faceverify.providers.base import Comparison, Provider
from django_faceverify.reasons import ReasonCode
from django_faceverify.testing.contract import comparison_request
from django_faceverify.testing.stub import Exchange, Stub

from . import test_faceid, test_qcloud
from .wrong_answers import (
    CLASSES,
    KINDS,
    TROUBLE,
    UNKNOWN,
    WrongAnswer,
    anything,
    draw,
    encoded,
    http,
)

COUNT, SEED = 10_000, 1
#: what one answer may take besides what is read of it, and all of them together, in bytes
MOST_FOR_ONE, MOST_FOR_ALL = 16_000_000, 64_000_000


class Speaker:
    """Says the next answer to each connection."""

    def __init__(self) -> None:
        self.wire = b""

    def __call__(self, exchange: Exchange) -> None:
        exchange.stub.received.clear()
        exchange.read_request()
        exchange.sock.sendall(self.wire)


@pytest.fixture(autouse=True)
def _silence() -> Iterator[None]:
    """Ten thousand lines are of no use to anybody."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def ending(provider: Provider) -> Comparison | ProviderError:
    try:
        return provider.compare(comparison_request(), about_to_send=lambda: None)
    except ProviderError as error:
        return error


def problem(answer: WrongAnswer, end: Comparison | ProviderError) -> str | None:
    """What is wrong with how an answer was taken."""
    if type(end) not in answer.may_be:
        return f"taken for {type(end).__name__}"
    if isinstance(end, ProviderError):
        wait = end.retry_after
        is_known = end.code in ReasonCode.values and (wait is None or 1 <= wait <= 3600)
        return None if is_known else f"explained as {end.code}, {wait}"
    if end.similarity is None:
        return None if end.reason_code in ReasonCode.values else "says nothing"
    is_number = math.isfinite(end.similarity) and 0 <= end.similarity <= 100
    return None if is_number and not end.reason_code else f"similarity {end.similarity}"


def test_each_of_ten_thousand_wrong_answers_has_one_meaning() -> None:
    process = psutil.Process(os.getpid())
    speaker = Speaker()
    with Stub(speaker) as server:
        provider = test_qcloud.build(server.url, timeout=5)
        before = process.memory_info().rss
        taken = hear(provider, speaker, draw(COUNT, SEED))
    assert server.connections == COUNT, "one connection for each call"
    assert set(taken) == {"Comparison", "Throttled", "Refused", "OutcomeUnknown", "ProtocolError"}
    assert process.memory_info().rss - before < MOST_FOR_ALL


def test_what_another_service_says_is_no_answer() -> None:
    """Whatever is wrong on the wire is wrong for every provider."""
    answers = (
        answer._replace(may_be=(answer.may_be & TROUBLE) or UNKNOWN)
        for answer in draw(COUNT // 10, SEED)
    )
    speaker = Speaker()
    with Stub(speaker) as server:
        taken = hear(test_faceid.build(server.url, timeout=5), speaker, answers)
    assert set(taken) == {"Throttled", "Refused", "OutcomeUnknown", "ProtocolError"}


def test_a_damaged_answer_of_faceid_has_one_meaning() -> None:
    speaker = Speaker()
    with Stub(speaker) as server:
        provider = test_faceid.build(server.url, timeout=5)
        taken = hear(provider, speaker, damaged(COUNT // 5, SEED))
    assert {"Comparison", "ProtocolError"} <= set(taken)


def damaged(count: int, seed: int) -> Iterator[WrongAnswer]:
    """Answers of FaceID with a member of any type, or with some bytes changed, or cut off."""
    fate = random.Random(seed)
    members = ("Sim", "Result", "Description", "Extra", "RequestId", "Error")
    for number in range(count):
        if number % 3:
            member, value = fate.choice(members), anything(fate)
            body = bytearray(encoded(test_faceid.result(**{member: value})))
            may_be = CLASSES if is_harmless(member, value) else UNKNOWN
        else:
            body, may_be = bytearray(encoded(test_faceid.result())), CLASSES
            for _ in range(fate.randint(1, 4)):
                body[fate.randrange(len(body))] = fate.randrange(256)
            if number % 2:
                del body[fate.randrange(len(body)) :]
                may_be = UNKNOWN
        yield WrongAnswer("damaged", http(bytes(body)), may_be)


def is_harmless(member: str, value: object) -> bool:
    """Whether the answer is still one with this in the place of that member."""
    if member == "Sim":
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return is_number and 0 <= value <= 100  # type: ignore[operator]  # a number by now
    return (
        member in ("Description", "RequestId") or value is None or (member, value) == ("Extra", "")
    )


def hear(provider: Provider, speaker: Speaker, answers: Iterable[WrongAnswer]) -> Counter[str]:
    """Give all of them to the provider, and find nothing wrong; returns what they were taken for."""
    problems, taken = [], Counter[str]()
    for answer in answers:
        speaker.wire = answer.wire
        end = ending(provider)
        taken[type(end).__name__] += 1
        if wrong := problem(answer, end):
            problems.append(f"{answer.kind}: {wrong}: {answer.wire[:200]!r}")
    assert problems == []
    return taken


def test_no_wrong_answer_takes_much_memory() -> None:
    speaker, most = Speaker(), Counter[str]()
    with Stub(speaker) as server:
        provider = test_qcloud.build(server.url, timeout=20)
        ending(provider)
        tracemalloc.start()
        try:
            for answer in draw(20 * len(KINDS), SEED):
                speaker.wire = answer.wire
                tracemalloc.reset_peak()
                before = tracemalloc.get_traced_memory()[0]
                ending(provider)
                peak = tracemalloc.get_traced_memory()[1] - before
                most[answer.kind] = max(most[answer.kind], peak)
        finally:
            tracemalloc.stop()
    assert {kind: peak for kind, peak in most.items() if peak > MOST_FOR_ONE} == {}
