from __future__ import annotations

import http.client
import json
import socket
from pathlib import Path

import pytest

from django_faceverify.sandbox import Sandbox, scenario_number
from django_faceverify.sandbox.scenarios import (
    EXAMPLE_NUMBER,
    NOBODY,
    SCENARIOS,
    check_character,
    find_scenario,
    has_right_check_character,
)

from .caller import compare, fields, sign

PRINTED = json.loads(Path(__file__).with_name("samples.json").read_text("utf-8"))["printed_answer"]


def play(sandbox: Sandbox, scenario: str, birth_date: str = "19900307") -> object:
    """Return similarity or code: what a client learns from a well-formed answer."""
    number = scenario_number(scenario, birth_date)
    answer = compare(sandbox.url, fields(number, session_id="s-1"))
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    if answer.code == 0:
        assert answer.json["message"] == "OK"
        assert answer.json["data"]["session_id"] == "s-1"
        return answer.json["data"]["similarity"]
    assert answer.json["data"] == {}
    assert answer.json["message"]
    return answer.code


@pytest.mark.parametrize(
    ("scenario", "outcome"),
    [
        ("001", 95.0),
        ("002", 72.0),
        ("003", 12.0),
        ("004", -5803),
        ("005", -5804),
        ("006", -5817),
        ("010", -4012),
        ("011", -1309),
        ("012", -4006),
        ("030", 15),
        ("040", -5802),
        ("044", 130.5),
        ("050", 3),
        ("051", 9),
        ("999", -5804),
    ],
)
def test_same_answer_each_time(sandbox: Sandbox, scenario: str, outcome: object) -> None:
    assert play(sandbox, scenario) == outcome
    assert play(sandbox, scenario) == outcome


@pytest.mark.parametrize(("scenario", "code"), [("031", 15), ("041", -5802)])
def test_once_for_each_number(sandbox: Sandbox, scenario: str, code: int) -> None:
    assert [play(sandbox, scenario) for _ in range(3)] == [code, 95.0, 95.0]
    assert play(sandbox, scenario, birth_date="20000101") == code
    assert [line.scenario for line in sandbox.bill.lines] == [scenario, scenario]


def test_messages_that_clients_look_at(sandbox: Sandbox) -> None:
    arrears = compare(sandbox.url, fields(scenario_number("050"))).json["message"]
    assert arrears == "account abnormal,errorno is:2"
    several_faces = compare(sandbox.url, fields(scenario_number("011"))).json["message"]
    assert "检测到多张人脸" in several_faces


def test_not_json(sandbox: Sandbox) -> None:
    answer = compare(sandbox.url, fields(scenario_number("043")))
    assert answer.status == 200
    with pytest.raises(ValueError, match="Expecting value"):
        assert answer.json


def test_trailing_comma_as_printed_in_the_docs(sandbox: Sandbox) -> None:
    answer = compare(sandbox.url, fields(scenario_number("045"), session_id="s-1"))
    printed = PRINTED.replace("100.0", "95.0").replace('""', '"s-1"')
    assert answer.body.decode() == printed


def test_http_500_with_html(sandbox: Sandbox) -> None:
    answer = compare(sandbox.url, fields(scenario_number("046")))
    assert (answer.status, answer.headers["Content-Type"]) == (500, "text/html")
    assert answer.body.startswith(b"<html>")


def test_connection_dropped(sandbox: Sandbox) -> None:
    with pytest.raises(ConnectionResetError):
        compare(sandbox.url, fields(scenario_number("047")))
    assert sandbox.bill.lines == []
    assert sandbox.service.calls == {"": 1}


def wait_in_vain(sandbox: Sandbox) -> http.client.HTTPConnection:
    connection = http.client.HTTPConnection("127.0.0.1", sandbox.port, timeout=0.3)
    headers = {"Content-Type": "application/json", "Authorization": sign()}
    body = json.dumps(fields(scenario_number("042")))
    connection.request("POST", "/face/idcardcompare", body, headers)
    with pytest.raises(TimeoutError):
        connection.getresponse()
    return connection


def test_bills_and_never_answers() -> None:
    with Sandbox() as sandbox:
        wait_in_vain(sandbox).close()
        connection = wait_in_vain(sandbox)
        assert [line.scenario for line in sandbox.bill.lines] == ["042", "042"]
        assert isinstance(connection.sock, socket.socket)
    assert connection.sock.recv(1) == b""  # stopping does not wait for those who wait
    connection.close()


CHARGED = {"001", "002", "003", "004", "042", "043", "044", "045"}


def test_what_is_charged() -> None:
    assert {name for name, scenario in SCENARIOS.items() if scenario.is_billed} == CHARGED


def test_vendors_example(sandbox: Sandbox) -> None:
    assert compare(sandbox.url, fields(EXAMPLE_NUMBER)).json["data"]["similarity"] == 100.0


def test_check_character() -> None:
    assert check_character("11010519491231002") == "X"  # the example in the standard
    assert check_character(EXAMPLE_NUMBER[:17]) == "4"


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_no_real_person_can_hold_a_scenario_number(scenario: str) -> None:
    number = scenario_number(scenario)
    assert not has_right_check_character(number)
    assert find_scenario(number) is SCENARIOS[scenario]
    real_looking = number[:17] + check_character(number[:17])
    assert find_scenario(real_looking) is NOBODY
    assert find_scenario(real_looking.lower()) is NOBODY


@pytest.mark.parametrize(
    "number",
    [
        "11010519491231002X",
        "110105194912310021",
        scenario_number("001", "19900231"),
        scenario_number("001", "00000101"),
        "110105199003070010",
    ],
)
def test_nobody_holds_any_other_number(sandbox: Sandbox, number: str) -> None:
    assert compare(sandbox.url, fields(number)).code == -5804
    assert sandbox.bill.lines == []


def test_scenario_number() -> None:
    assert scenario_number("001") == "000000199003070010"
    assert scenario_number("045", "19991231")[6:17] == "19991231045"
