"""A provider that charges, and keeps its bill outside the database: the witness of all tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from django_faceverify.exceptions import (
    NotSent,
    OutcomeUnknown,
    ProtocolError,
    Refused,
    Throttled,
)
from django_faceverify.providers.base import Comparison, ComparisonRequest, NeverSeen, Provider
from django_faceverify.reasons import ReasonCode


@dataclass(frozen=True)
class Reply:
    """What becomes of one request: whether it arrives and is charged, and how the call ends."""

    ending: Comparison | Exception
    is_billed: bool
    is_sent: bool = True

    @property
    def record(self) -> Comparison | NeverSeen:
        """What the provider knows of the request afterwards, whether or not its answer came."""
        if isinstance(self.ending, Comparison):
            return self.ending
        return Comparison(similarity=95.0) if self.is_billed else NeverSeen()


def finding(reason_code: ReasonCode, *, is_billed: bool) -> Reply:
    """An answer about the person that holds no similarity."""
    return Reply(
        Comparison(reason_code=reason_code, is_billed="yes" if is_billed else "no"), is_billed
    )


MATCH = Reply(Comparison(similarity=95.0), is_billed=True)
BETWEEN = Reply(Comparison(similarity=72.0), is_billed=True)
MISMATCH = Reply(Comparison(similarity=12.0), is_billed=True)
WRONG_NAME = finding(ReasonCode.ID_NAME_MISMATCH, is_billed=True)
NO_FACE = finding(ReasonCode.NO_FACE, is_billed=False)
REGISTRY_GAP = finding(ReasonCode.ID_PHOTO_POOR, is_billed=False)
THROTTLED = Reply(Throttled(ReasonCode.PROVIDER_THROTTLED), is_billed=False)
REFUSED = Reply(Refused(ReasonCode.PROVIDER_UNAVAILABLE), is_billed=False)
NOT_CONNECTED = Reply(NotSent(ReasonCode.PROVIDER_UNAVAILABLE), is_billed=False, is_sent=False)
TOO_LARGE = Reply(NotSent(ReasonCode.IMAGE_TOO_LARGE), is_billed=False, is_sent=False)
LOST_ANSWER = Reply(OutcomeUnknown(ReasonCode.OUTCOME_UNKNOWN), is_billed=True)
LOST_REQUEST = Reply(OutcomeUnknown(ReasonCode.OUTCOME_UNKNOWN), is_billed=False)
NO_CONTRACT = Reply(ProtocolError(ReasonCode.PROVIDER_PROTOCOL), is_billed=True)
BUG = Reply(RuntimeError("a bug in the provider"), is_billed=True)

#: what the provider does with a verification's first request, its second, ...; the last for ever
SCRIPTS: dict[str, tuple[Reply, ...]] = {
    "match": (MATCH,),
    "between": (BETWEEN,),
    "mismatch": (MISMATCH,),
    "wrong_name": (WRONG_NAME,),
    "no_face": (NO_FACE,),
    "registry_gap": (REGISTRY_GAP,),
    "throttled": (THROTTLED, MATCH),
    "refused": (REFUSED, MATCH),
    "not_connected": (NOT_CONNECTED, MATCH),
    "too_large": (TOO_LARGE,),
    "lost_answer": (LOST_ANSWER, MATCH),
    "lost_request": (LOST_REQUEST, MATCH),
    "no_contract": (NO_CONTRACT, MATCH),
    "bug": (BUG, MATCH),
}


class BillingProvider(Provider):
    """Plays a script and writes down what it received and what it charged, by session id."""

    max_image_bytes = 4_000_000
    takes_url = True
    can_be_asked = True
    visibility_delay = 0.0
    script: ClassVar[tuple[Reply, ...]] = (MATCH,)
    played: ClassVar[int] = 0
    received: ClassVar[dict[str, Reply]] = {}
    bill: ClassVar[list[str]] = []
    #: whether it knows what it has done when it is asked, or not yet
    knows: ClassVar[bool] = True

    def __init__(self, alias: str, **options: Any) -> None:
        super().__init__(alias)

    @classmethod
    def begin(cls, *script: Reply) -> None:
        """Play this script from now on, with an empty bill."""
        cls.script, cls.played = script, 0
        cls.received, cls.bill, cls.knows = {}, [], True

    @staticmethod
    def reach(boundary: str) -> None:
        """Where a test may let the calling process die."""

    def compare(
        self, request: ComparisonRequest, *, about_to_send: Callable[[], None]
    ) -> Comparison:
        cls = type(self)
        reply = cls.script[min(cls.played, len(cls.script) - 1)]
        if not reply.is_sent:
            cls.played += 1
        else:
            about_to_send()
            cls.reach("before the request leaves")
            cls.played += 1
            cls.received[request.session_id] = reply
            if reply.is_billed:
                cls.bill.append(request.session_id)
            cls.reach("after the provider has charged")
        if isinstance(reply.ending, Exception):
            raise reply.ending
        return reply.ending

    def find(self, session_id: str) -> Comparison | NeverSeen | None:
        cls = type(self)
        cls.reach("before the question")
        reply = cls.received.get(session_id)
        cls.reach("after the question")
        if not cls.knows:
            return None
        return reply.record if reply else NeverSeen()
