"""The provider in memory, which a test scripts, and which can be asked what became of a call."""

from __future__ import annotations

from typing import ClassVar

from django_faceverify.providers.base import Comparison, ComparisonRequest, NeverSeen
from django_faceverify.testing.memory import MemoryProvider

Finding = Comparison | Exception | NeverSeen | None


class ScriptedProvider(MemoryProvider):
    """``script`` says what it answers, and ``knows`` what it gives when it is asked.

    Both in order, and the last for ever; an exception is raised.
    """

    can_be_asked = True
    visibility_delay = 0.0
    outbox: ClassVar[list[ComparisonRequest]] = []
    requests = outbox
    _answers: ClassVar[list[Comparison | Exception]] = []
    findings: ClassVar[list[Finding]] = [None]
    questions: ClassVar[list[str]] = []

    def find(self, session_id: str) -> Comparison | NeverSeen | None:
        self.questions.append(session_id)
        finding = self.findings.pop(0) if len(self.findings) > 1 else self.findings[0]
        if isinstance(finding, Exception):
            raise finding
        return finding

    @classmethod
    def knows(cls, *findings: Finding) -> None:
        cls.findings[:], cls.questions[:] = findings, []

    @classmethod
    def script(cls, *answers: Comparison | Exception) -> None:
        cls.answers_with(*answers)
        cls.outbox.clear()
        cls.knows(None)


def similarity(value: float) -> Comparison:
    return Comparison(similarity=value, provider_code="0", http_status=200)
