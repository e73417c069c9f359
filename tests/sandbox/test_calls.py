from __future__ import annotations

from django_faceverify.sandbox.calls import Calls


def test_calls_are_counted_by_their_id() -> None:
    calls = Calls()
    for session_id in ("a", "b", "a"):
        calls.add(session_id)
    counts = calls.counts()
    assert counts == {"a": 2, "b": 1}
    calls.add("a")
    assert counts["a"] == 2, "what was given out does not change"
