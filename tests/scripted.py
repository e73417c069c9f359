"""A provider whose answers a test writes down, and which notes what it was asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django_faceverify.providers.base import Comparison, ComparisonRequest, Provider

Answer = Comparison | BaseException


class ScriptedProvider(Provider):
    """Gives ``answers`` in order, the last one for ever; an exception is raised.

    ``fails_before_sending`` says that the next exceptions come from the connection, before
    the first byte.
    """

    max_image_bytes = 4_000_000
    takes_url = True
    costs_money = False
    answers: ClassVar[list[Answer]] = []
    requests: ClassVar[list[ComparisonRequest]] = []
    fails_before_sending: ClassVar[bool] = False

    def __init__(self, alias: str, **options: Any) -> None:
        super().__init__(alias)

    def compare(
        self, request: ComparisonRequest, *, about_to_send: Callable[[], None]
    ) -> Comparison:
        cls = type(self)
        answer = cls.answers.pop(0) if len(cls.answers) > 1 else cls.answers[0]
        if cls.fails_before_sending and isinstance(answer, BaseException):
            raise answer
        about_to_send()
        cls.requests.append(request)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    @classmethod
    def script(cls, *answers: Answer, fails_before_sending: bool = False) -> None:
        cls.answers = list(answers)
        cls.requests = []
        cls.fails_before_sending = fails_before_sending


def similarity(value: float) -> Comparison:
    return Comparison(similarity=value, provider_code="0", http_status=200)
