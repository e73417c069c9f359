"""A provider in memory, as Django's ``locmem`` is a mail server in memory."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar

from django_faceverify.exceptions import NotSent
from django_faceverify.providers.base import Comparison, ComparisonRequest, Provider
from django_faceverify.providers.far import FarTable

#: what it says while nothing else was asked for
SAME_PERSON = Comparison(similarity=95.0, provider_code="0", http_status=200)


class MemoryProvider(Provider):
    """Answers what a test has asked for, and keeps every request in ``outbox``.

    All instances share both, since a site builds its own. ``reset`` forgets them; with the
    pytest plugin that happens before each test that uses its fixture.

        MemoryProvider.answers_with(Comparison(similarity=12))
        ...
        (request,) = MemoryProvider.outbox
    """

    max_image_bytes = 4 * 1024 * 1024
    takes_url = True
    costs_money = False
    #: nobody's figures, so that levels with a target can be tested
    far_table = FarTable(
        version="made-up",
        source="django_faceverify.testing",
        published=date(2026, 1, 1),
        rows=((Decimal("1e-2"), 60.0), (Decimal("1e-3"), 70.0), (Decimal("1e-4"), 80.0)),
    )

    outbox: ClassVar[list[ComparisonRequest]] = []
    _answers: ClassVar[list[Comparison | Exception]] = [SAME_PERSON]

    def __init__(self, alias: str, **options: Any) -> None:
        super().__init__(alias)

    @classmethod
    def answers_with(cls, *answers: Comparison | Exception) -> None:
        """From now on these, in order, and the last of them for ever.

        An exception is raised: ``exceptions.NotSent`` before the call counts as sent, any
        other after.
        """
        if not answers:
            raise ValueError("at least one answer is needed")
        cls._answers[:] = answers

    @classmethod
    def reset(cls) -> None:
        """Empty the outbox, and say "the same person" to everybody again."""
        cls.outbox.clear()
        cls._answers[:] = [SAME_PERSON]

    def compare(
        self, request: ComparisonRequest, *, about_to_send: Callable[[], None]
    ) -> Comparison:
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, NotSent):
            raise answer
        about_to_send()
        self.outbox.append(request)
        if isinstance(answer, Exception):
            raise answer
        return answer
