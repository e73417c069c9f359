"""The error tree.

Every error carries a stable ``code`` and nothing personal: no name, no ID number, no
photo, no key, no body of a request or an answer. All of them survive ``pickle``, so
that a task queue can carry them, and none needs keyword arguments to be rebuilt.

``InvalidProvider`` stands outside the tree on purpose: a wrong configuration must never
be retried or swallowed by code that handles a failed call.
"""

from __future__ import annotations

from typing import ClassVar

from django.core.exceptions import ImproperlyConfigured


class InvalidProvider(ImproperlyConfigured):
    """The settings name a provider that does not exist or cannot be built."""


class TargetOutOfReach(ImproperlyConfigured):
    """The settings ask a provider for a false accept rate that its table does not hold."""


class FaceVerifyError(Exception):
    """Base of all errors of this app; ``code`` is stable and safe to show and to log."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class InputError(FaceVerifyError):
    """What the caller sent cannot be used; nothing was stored and nothing was called.

    ``field`` names the offending field of the public API (``idcard_name``,
    ``idcard_number``, ``image``, ``url``, ``level``, ...), or is empty. The sentence for
    people stands in ``reasons.REASONS[code]``.
    """

    def __init__(self, code: str, field: str = "") -> None:
        super().__init__(code)
        self.args = (code, field)
        self.field = field


class Conflict(FaceVerifyError):
    """The verification is not in a status that allows this, or somebody else was faster."""


class InProgress(Conflict):
    """The same request, by its ``Idempotency-Key``, is being worked on at this moment.

    ``retry_after`` is in seconds; this one has done nothing.
    """

    retry_after: ClassVar[int] = 1


class NotPermitted(FaceVerifyError):
    """The actor may see this but may not do it, such as deciding one's own case."""


class QuotaExceeded(FaceVerifyError):
    """A limit, the day's money or a provider's pause says: not now.

    ``retry_after`` is in seconds; what was asked for has not happened.
    """

    def __init__(self, code: str, retry_after: float) -> None:
        super().__init__(code)
        self.args = (code, retry_after)
        self.retry_after = retry_after


class SealBroken(FaceVerifyError):
    """Sealed data does not open: changed, moved to another row, or its key is gone."""


class ProviderError(FaceVerifyError):
    """A call to a provider that brought no answer about the person.

    ``code`` is one of ``reasons.ReasonCode``. ``provider_code`` and ``provider_message``
    are the provider's own (the message never echoes what we sent), ``http_status`` is 0
    when there was no status line, ``retry_after`` is in seconds.
    """

    #: what the attempt becomes, see ``VerificationAttempt.State``
    attempt_state: ClassVar[str]
    #: what is known about the money: ``yes``, ``no`` or ``unknown``
    is_billed: ClassVar[str]

    def __init__(
        self,
        code: str,
        provider_code: str = "",
        provider_message: str = "",
        http_status: int = 0,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(code)
        self.args = (code, provider_code, provider_message, http_status, retry_after)
        self.provider_code = provider_code
        self.provider_message = provider_message
        self.http_status = http_status
        self.retry_after = retry_after


class NotSent(ProviderError):
    """No byte of the request can have left: name lookup, connect, TLS, or our own refusal."""

    attempt_state = "not_sent"
    is_billed = "no"


class Throttled(ProviderError):
    """The provider said: too often. Not billed; try again after ``retry_after``."""

    attempt_state = "throttled"
    is_billed = "no"


class Refused(ProviderError):
    """The provider answered that it did not do the work (configuration, arrears, fault)."""

    attempt_state = "refused"
    is_billed = "no"


class OutcomeUnknown(ProviderError):
    """The request may have been received, and no usable answer came. It may be billed."""

    attempt_state = "unknown"
    is_billed = "unknown"


class ProtocolError(OutcomeUnknown):
    """An answer came, but it is not the contract: not JSON, wrong types, an unknown code."""
