"""What our log lines may hold: ids, aliases, codes and class names, nothing about a person."""

from __future__ import annotations

import ast
from pathlib import Path

import django_faceverify

PACKAGE = Path(django_faceverify.__file__).parent
LEVELS = {"debug", "info", "warning", "error", "exception", "critical", "log"}

#: what a line may tell, as it stands in the code; think twice before you add to it
MAY_BE_TOLD = {
    "type(error).__name__",
    "error.code",
    "code",
    "provider",
    "self.alias",
    "pause",
    "verification_id",
    "claim.attempt.pk",
    "row",  # prints as an id or a session id
    "step.__name__",
}


def log_calls() -> list[tuple[Path, ast.Call]]:
    return [
        (path, node)
        for path in PACKAGE.rglob("*.py")
        if path.parent.name != "sandbox"  # it knows made-up people only
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in LEVELS
        and ast.unparse(node.func.value) == "logger"
    ]


def test_lines_tell_nothing_about_a_person() -> None:
    assert len(log_calls()) >= 5
    for path, call in log_calls():
        text, *told = call.args
        where = f"{path.name}:{call.lineno}"
        assert isinstance(text, ast.Constant), where
        assert {ast.unparse(part) for part in told} <= MAY_BE_TOLD, where


def test_no_line_carries_a_traceback() -> None:
    """The message of an error may quote what a person typed."""
    for path, call in log_calls():
        assert isinstance(call.func, ast.Attribute)
        assert call.func.attr != "exception", f"{path.name}:{call.lineno}"
        assert not call.keywords, f"{path.name}:{call.lineno}"
