"""What the sandbox shows besides the service: its bill, its calls, and a page for people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from html import escape
from http import HTTPStatus
from typing import Protocol

from .answer import JSON_TYPE, Reply, to_json
from .bill import PRICE, Bill
from .faceid import code_of
from .register import Register
from .scenarios import EXAMPLE, EXAMPLE_NUMBER, NOBODY, SCENARIOS, Scenario, scenario_number

_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Face comparison sandbox</title></head>
<body>
<h1>Face comparison sandbox</h1>
<p>This program plays the provider's service <code>POST /face/idcardcompare</code> and its
successor, <code>POST /</code> with the action <code>ImageRecognitionV2</code>, for
development and tests. It knows no real people. {faces} Every scenario works with any birth date, as long as the last character is wrong
by the checksum.</p>
<table>
<thead><tr><th>Scenario</th><th>ID number</th><th>What happens</th><th>Code</th><th>Successor</th>
<th>Charged ({price} CNY)</th></tr></thead>
<tbody>
{rows}
</tbody>
</table>
<p><a href="/bill">Bill</a>, <a href="/calls">calls</a>, <a href="/health">health</a></p>
</body>
</html>
"""


_NO_FACES = "It compares no faces: the ID number chooses the answer."
_FACES = (
    "It compares the faces of {count} people in its register; for all others it compares "
    "none, and the ID number chooses the answer."
)


class Counts(Protocol):
    @property
    def calls(self) -> dict[str, int]: ...


class Pages:
    """The pages under their paths; each is made when it is asked for."""

    def __init__(
        self, services: Sequence[Counts], bill: Bill, register: Register | None = None
    ) -> None:
        self._register = register
        self._services = services
        self._bill = bill
        self._pages: dict[str, Callable[[], Reply]] = {
            "/": self._welcome,
            "/bill": self._show_bill,
            "/calls": self._show_calls,
            "/health": _health,
        }

    def __contains__(self, path: str) -> bool:
        return path in self._pages

    def show(self, path: str) -> Reply:
        return self._pages[path]()

    def _show_bill(self) -> Reply:
        lines = [asdict(line) for line in self._bill.lines]
        return _json({"count": len(lines), "lines": lines})

    def _show_calls(self) -> Reply:
        calls = {id_: count for service in self._services for id_, count in service.calls.items()}
        lines = [{"session_id": session_id, "count": count} for session_id, count in calls.items()]
        return _json({"count": sum(calls.values()), "lines": lines})

    def _welcome(self) -> Reply:
        rows = [_row(scenario, scenario_number(name)) for name, scenario in SCENARIOS.items()]
        rows += [_row(EXAMPLE, EXAMPLE_NUMBER), _row(NOBODY, "any other")]
        faces = _FACES.format(count=len(self._register)) if self._register else _NO_FACES
        page = _PAGE.format(price=PRICE, faces=faces, rows="\n".join(rows))
        return Reply(HTTPStatus.OK, "text/html; charset=utf-8", page.encode("utf-8"))


def _json(document: dict[str, object]) -> Reply:
    return Reply(HTTPStatus.OK, JSON_TYPE, to_json(document))


def _health() -> Reply:
    return Reply(HTTPStatus.OK, "text/plain; charset=utf-8", b"ok")


def _row(scenario: Scenario, number: str) -> str:
    cells = (
        scenario.name,
        number,
        scenario.summary,
        f"{scenario.code:d} {scenario.message}",
        code_of(scenario),
        _when_charged(scenario),
    )
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"


def _when_charged(scenario: Scenario) -> str:
    if scenario.afterwards:
        return "from the second call on"
    return "yes" if scenario.is_billed else "no"
