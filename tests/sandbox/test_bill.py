from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from django_faceverify.sandbox import Sandbox, scenario_number
from django_faceverify.sandbox.answer import Answer
from django_faceverify.sandbox.bill import Bill, BillError
from django_faceverify.sandbox.codes import Code

from .caller import EXAMPLE_NUMBER, NAME, compare, fields, get

LINE = {
    "number": 1,
    "at": "2017-07-14T02:40:00.250+00:00",
    "session_id": "s-1",
    "code": 0,
    "scenario": "001",
    "similarity": 95.0,
    "amount": "1.80",
    "currency": "CNY",
}


def answer(session_id: str = "s-1") -> Answer:
    return Answer(
        code=Code.OK, message="OK", session_id=session_id, similarity=95.0, scenario="001"
    )


def test_over_http(sandbox: Sandbox) -> None:
    for scenario in ("001", "004", "010"):
        compare(sandbox.url, fields(scenario_number(scenario), session_id=f"s-{scenario}"))
    bill = get(sandbox.base_url + "/bill").json
    assert bill["count"] == 2
    assert [(line["number"], line["session_id"], line["code"]) for line in bill["lines"]] == [
        (1, "s-001", 0),
        (2, "s-004", -5803),
    ]
    assert bill["lines"][1]["similarity"] is None
    assert bill["lines"][0].keys() == LINE.keys()


def test_one_line_of_json_for_each_charge(tmp_path: Path) -> None:
    path = tmp_path / "bill.jsonl"
    Bill(path, clock=lambda: 1_500_000_000.25).charge(answer())
    assert [json.loads(line) for line in path.read_text("utf-8").splitlines()] == [LINE]


def test_survives_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "bill.jsonl"
    for session_id in ("s-1", "会话-2"):
        with Sandbox(bill_path=path) as sandbox:
            compare(sandbox.url, fields(session_id=session_id))
    with Sandbox(bill_path=str(path)) as sandbox:
        bill = get(sandbox.base_url + "/bill").json
    assert [(line["number"], line["session_id"]) for line in bill["lines"]] == [
        (1, "s-1"),
        (2, "会话-2"),
    ]


def test_holds_nothing_personal(tmp_path: Path) -> None:
    path = tmp_path / "bill.jsonl"
    with Sandbox(bill_path=path) as sandbox:
        compare(sandbox.url)
    text = path.read_text("utf-8")
    assert "example" in text
    assert EXAMPLE_NUMBER not in text
    assert NAME not in text
    assert "img.example" not in text


def test_many_at_once(tmp_path: Path) -> None:
    path = tmp_path / "bill.jsonl"
    bill = Bill(path)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(bill.charge, [answer(str(number)) for number in range(200)]))
    assert [line.number for line in Bill(path).lines] == list(range(1, 201))


@pytest.mark.parametrize(
    "content",
    [
        "notes of mine",
        "notes of mine\n",
        "{}\n",
        "[]\n",
        json.dumps(LINE),
        json.dumps({**LINE, "number": 2}) + "\n",
        json.dumps(LINE) + "\n\n",
    ],
)
def test_another_file_is_left_alone(tmp_path: Path, content: str) -> None:
    path = tmp_path / "file"
    path.write_text(content)
    with pytest.raises(BillError):
        Bill(path)
    assert path.read_text() == content
