"""A folder of portraits: read as a whole, or refused with a reason that names nobody."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from django_faceverify.faces import register
from django_faceverify.faces.register import Register, RegisterUnusable
from example_project.demo.pictures import PORTRAITS

NAME, NUMBER = "欧阳探针", "00000019900307901X"
ROW = {"idcard_name": NAME, "idcard_number": NUMBER, "portrait": "a.jpg"}


def folder(tmp_path: Path, rows: Any) -> Path:
    (tmp_path / "a.jpg").write_bytes(b"the portrait")
    text = rows if isinstance(rows, str) else json.dumps(rows, ensure_ascii=False)
    (tmp_path / register.FILE_NAME).write_text(text, "utf-8")
    return tmp_path


def test_the_example_project_has_two_people() -> None:
    assert len(Register(PORTRAITS)) == 2


def test_name_and_number_have_to_belong_together(tmp_path: Path) -> None:
    known = Register(folder(tmp_path, [ROW]))
    assert known(NAME, NUMBER) == b"the portrait"
    assert known(NAME, NUMBER.lower()) == b"the portrait"
    assert known("李四", NUMBER) is None
    assert known(NAME, "000000199003079020") is None


@pytest.mark.parametrize(
    "rows",
    [
        *("[", "null", "{}", "[" * 100_000),
        [{}],
        ["a.jpg"],
        [ROW | {"more": "x"}],
        [ROW | {"idcard_number": 7}],
        [ROW | {"idcard_name": ""}],
        [ROW | {"portrait": "b.jpg"}],
        [ROW | {"portrait": "."}],
        [ROW | {"portrait": "../a.jpg"}],
        [ROW | {"portrait": "/etc/hostname"}],
        [ROW | {"portrait": "a\0.jpg"}],
        [ROW, ROW],
    ],
)
def test_what_is_no_register_is_refused(tmp_path: Path, rows: Any) -> None:
    with pytest.raises(RegisterUnusable) as caught:
        Register(folder(tmp_path, rows))
    assert NAME not in str(caught.value)
    assert NUMBER not in str(caught.value)


def test_a_folder_without_a_register_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RegisterUnusable, match=r"register\.json"):
        Register(tmp_path)


def test_a_portrait_has_a_size_to_keep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(register, "MAX_PORTRAIT_BYTES", 5)
    with pytest.raises(RegisterUnusable, match="too large"):
        Register(folder(tmp_path, [ROW]))
