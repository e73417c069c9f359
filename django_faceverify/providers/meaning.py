"""What a provider's own code means to us: the rows of its table, and how a call ends by one."""

from __future__ import annotations

from dataclasses import replace

from django_faceverify.exceptions import ProtocolError, ProviderError, Refused, Throttled
from django_faceverify.providers.answer import Answer
from django_faceverify.providers.base import CodeMeaning, Comparison
from django_faceverify.reasons import REASONS, ReasonCode

ERRORS: dict[str, type[ProviderError]] = {
    "throttled": Throttled,
    "refused": Refused,
    "unknown": ProtocolError,
}


def meaning(
    kind: str, reason: ReasonCode, is_billed: str, *, retry: bool = False, counts: bool = False
) -> CodeMeaning:
    """One row; whose turn it is to mend things follows from the reason."""
    return CodeMeaning(
        reason_code=reason.value,
        kind=kind,
        fixable_by=REASONS[reason].fixable_by.value,
        is_retryable=retry,
        is_billed=is_billed,
        counts_as_try=counts,
    )


def found(reason: ReasonCode, is_billed: str = "unknown", *, counts: bool = False) -> CodeMeaning:
    """The service did its work, and this is what it says about the person or the photo."""
    return meaning("answered", reason, is_billed, counts=counts)


COMPARED = CodeMeaning(
    reason_code="", kind="answered", fixable_by="nobody", is_retryable=False, is_billed="yes"
)
CONFIG = meaning("refused", ReasonCode.PROVIDER_CONFIG, "no")
#: Each call is signed afresh, so a signature that was too old or seen before may pass next time.
STALE = replace(CONFIG, is_retryable=True)
ARREARS = meaning("refused", ReasonCode.PROVIDER_ARREARS, "no")
DOWN = meaning("refused", ReasonCode.PROVIDER_UNAVAILABLE, "no", retry=True)
THROTTLED = meaning("throttled", ReasonCode.PROVIDER_THROTTLED, "no", retry=True)
#: Answers to questions that our call does not ask: about a video, a person or a group.
FOREIGN = meaning("unknown", ReasonCode.PROVIDER_PROTOCOL, "unknown")


def conclude(
    row: CodeMeaning,
    answer: Answer,
    *,
    code: str,
    message: str,
    similarity: float | None = None,
    session_id: str = "",
) -> Comparison:
    """How a call ends whose answer holds a code with this meaning.

    Returns the ``Comparison`` when the service did its work, else raises the
    ``ProviderError`` of that kind.
    """
    if row.kind != "answered":
        raise ERRORS[row.kind](row.reason_code, code, message, answer.status, answer.retry_after)
    return Comparison(
        similarity=None if similarity is None else float(similarity),
        reason_code=row.reason_code,
        is_billed=row.is_billed,
        provider_code=code,
        provider_message=message,
        provider_session_id=session_id,
        http_status=answer.status,
    )
