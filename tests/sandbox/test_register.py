"""The sandbox with a register: who is in it is compared, and the bill and both formats say so."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

import pytest

from django_faceverify.sandbox import Sandbox, scenario_number
from django_faceverify.sandbox.codes import Code
from django_faceverify.sandbox.register import compared, found
from django_faceverify.sandbox.scenarios import Scenario
from tests.photos import jpeg

from .caller import NAME, Response, compare, compare_photo, fields, get, request, sign_tc3

NUMBER = scenario_number("901")
PHOTO = jpeg()

#: what the register says, and how both services put it: code, ``Result`` or error, charged
ANSWERS: list[tuple[Scenario, int, str, bool]] = [
    (compared(88.25), 0, "Success", True),
    (compared(12.5), 0, "FailedOperation.CompareLowSimilarity", True),
    (found(Code.NAME_MISMATCH), -5803, "FailedOperation.IdNameMisMatch", True),
    (found(Code.NO_FACE), -4012, "FailedOperation.LifePhotoDetectNoFaces", False),
    (found(Code.TOO_MANY_FACES), -1309, "FailedOperation.LifePhotoDetectFaces", False),
    (found(Code.NO_FEATURES), -4006, "FailedOperation.IncompleteFace", False),
    (found(Code.IMAGE_UNDECODABLE), -4011, "FailedOperation.ImageDecodeFailed", False),
    (found(Code.REGISTERED_PHOTO_POOR), -5817, "FailedOperation.IdPhotoPoorQuality", False),
    (found(Code.INTERNAL_ERROR), -5802, "InternalError", False),
]


class OnePerson:
    """A register that answers as a test wants, and keeps what it was given."""

    def __init__(self) -> None:
        self.says = compared(88.25)
        self.asked: list[tuple[str, str, bytes]] = []

    def __len__(self) -> int:
        return 1

    def answer(self, name: str, number: str, image: bytes) -> Scenario | None:
        self.asked.append((name, number, image))
        return self.says if number == NUMBER else None


@pytest.fixture
def register() -> OnePerson:
    return OnePerson()


@pytest.fixture
def sandbox(register: OnePerson) -> Iterator[Sandbox]:
    with Sandbox(register=register) as running:
        yield running


def ask_successor(sandbox: Sandbox, image: bytes = PHOTO) -> dict[str, object]:
    given = {"IdCard": NUMBER, "Name": NAME, "ImageBase64": base64.b64encode(image).decode()}
    body = json.dumps(given).encode()
    headers = sign_tc3(body, host=f"127.0.0.1:{sandbox.port}")
    answer: dict[str, object] = request(sandbox.faceid_url, body, headers).json["Response"]
    return answer


@pytest.mark.parametrize(("says", "code", "result", "is_charged"), ANSWERS)
def test_both_services_say_what_the_register_found(
    sandbox: Sandbox,
    register: OnePerson,
    says: Scenario,
    code: int,
    result: str,
    is_charged: bool,
) -> None:
    register.says = says
    first = compare_photo(sandbox.url, PHOTO, idcard_number=NUMBER)
    assert first.code == code
    assert first.json["data"].get("similarity") == says.similarity
    second = ask_successor(sandbox)
    error = second.get("Error")
    assert (error["Code"] if isinstance(error, dict) else second["Result"]) == result
    assert len(sandbox.bill.lines) == (2 if is_charged else 0)
    assert register.asked == [(NAME, NUMBER, PHOTO)] * 2


def test_a_photo_as_text_is_given_as_a_file(sandbox: Sandbox, register: OnePerson) -> None:
    text = base64.encodebytes(PHOTO).decode()
    answer: Response = compare(sandbox.url, fields(NUMBER, url=None, image=text))
    assert answer.code == 0
    assert register.asked == [(NAME, NUMBER, PHOTO)]


def test_an_address_is_not_fetched(sandbox: Sandbox, register: OnePerson) -> None:
    compare(sandbox.url, fields(NUMBER))
    assert register.asked == [(NAME, NUMBER, b"")]


def test_others_get_what_is_scripted(sandbox: Sandbox) -> None:
    answer = compare_photo(sandbox.url, PHOTO, idcard_number=scenario_number("002"))
    assert answer.json["data"]["similarity"] == 72.0
    assert compare_photo(sandbox.url, PHOTO, idcard_number=scenario_number("902")).code == -5804


def test_the_page_says_that_faces_are_compared(sandbox: Sandbox) -> None:
    assert b"compares the faces of 1 people" in get(sandbox.base_url + "/").body
    with Sandbox() as scripted:
        assert b"compares no faces" in get(scripted.base_url + "/").body
