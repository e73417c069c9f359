"""What all providers over HTTP share: sending once, in time, and telling what went wrong.

A vendor's class says how its request is built and what its answer means, and nothing
about sockets. See ``qcloud.QcloudProvider`` for one.
"""

from __future__ import annotations

import contextlib
import os
from abc import abstractmethod
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import ClassVar

import requests
from django.core.checks import CheckMessage, Error
from django.views.decorators.debug import sensitive_variables
from urllib3.response import BaseHTTPResponse

from django_faceverify import __version__, journal
from django_faceverify.deadline import Deadline
from django_faceverify.exceptions import (
    NotSent,
    OutcomeUnknown,
    ProtocolError,
    ProviderError,
    Refused,
    Throttled,
)
from django_faceverify.providers.answer import Answer, is_number
from django_faceverify.providers.base import Comparison, ComparisonRequest, Provider
from django_faceverify.reasons import ReasonCode
from django_faceverify.transport import (
    Call,
    is_loopback,
    is_private,
    parse_retry_after,
    send,
)

#: longest answer that is read, in bytes
MAX_ANSWER_BYTES = 1024 * 1024
CHUNK_BYTES = 64 * 1024

#: longest ``timeout`` that makes sense, in seconds
MAX_TIMEOUT = 120

#: first bytes of the photos that may be sent, and their media types
IMAGE_TYPES = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}

HEADERS = {
    "Accept": "application/json",
    # A compressed answer could unpack to any size, so none is asked for and none is unpacked.
    "Accept-Encoding": "identity",
    "Connection": "close",
    "User-Agent": f"django-faceverify/{__version__}",
}

#: 4xx statuses that do not mean a wrong configuration
CLIENT_ERROR_REASONS: dict[int, ReasonCode] = {
    HTTPStatus.PAYMENT_REQUIRED: ReasonCode.PROVIDER_ARREARS,
    HTTPStatus.REQUEST_TIMEOUT: ReasonCode.PROVIDER_UNAVAILABLE,
}


class HTTPProvider(Provider):
    """A provider that is asked by one HTTP request.

    A vendor's class overrides ``build_request`` and ``parse_response``, and sets
    ``max_body_bytes`` and ``max_image_bytes``. ``timeout`` is in seconds and bounds the
    whole call. ``ca_bundle`` is a file of CA certificates to trust instead of the usual.
    """

    #: most bytes of a request body, measured after encoding
    max_body_bytes: ClassVar[int]

    def __init__(
        self,
        alias: str,
        *,
        endpoint: str,
        timeout: float = 20.0,
        ca_bundle: str | os.PathLike[str] | None = None,
    ) -> None:
        super().__init__(alias)
        self.endpoint = endpoint
        self._timeout = timeout
        self._ca_bundle = ca_bundle

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.alias!r}>"

    @property
    def timeout(self) -> float:
        return self._timeout

    @property
    def is_sandbox(self) -> bool:
        """Whether the endpoint is on this machine, where no real service is."""
        return is_loopback(self.endpoint)

    @sensitive_variables()
    def compare(
        self, request: ComparisonRequest, *, about_to_send: Callable[[], None]
    ) -> Comparison:
        """Build the request, send it once, read the answer, say what it means.

        Raises ``NotSent`` before ``about_to_send`` was called or when it is certain that
        no byte left, another ``ProviderError`` after. Nothing is retried or followed.
        """
        self.refuse_misconfiguration()
        self.refuse_unreadable_image(request)
        outgoing = self.prepare(request)
        answer = self.exchange(outgoing, about_to_send)
        return self.parse_response(answer, request)

    @abstractmethod
    def build_request(self, request: ComparisonRequest) -> requests.Request:
        """The vendor's HTTP request, with its body already encoded to bytes."""

    @abstractmethod
    def parse_response(self, answer: Answer, request: ComparisonRequest) -> Comparison:
        """What the vendor's answer means: a ``Comparison``, or a ``ProviderError`` raised.

        The body is read whatever the HTTP status. When it holds no code of the vendor's,
        raise ``error_for_status(answer)``.
        """

    def refuse_misconfiguration(self) -> None:
        """Never call with settings that the system checks call an error."""
        if any(message.is_serious() for message in self.check()):
            raise NotSent(ReasonCode.PROVIDER_CONFIG.value)

    @sensitive_variables()
    def refuse_unreadable_image(self, request: ComparisonRequest) -> None:
        """Do not pay for an answer that is known: the bytes are not a JPEG or PNG."""
        if request.url and self.takes_url:
            return
        if image_type(request.image or b"") is None:
            raise NotSent(ReasonCode.IMAGE_UNDECODABLE.value)

    @sensitive_variables()
    def prepare(self, request: ComparisonRequest) -> requests.PreparedRequest:
        """Build the vendor's request, add what all carry, refuse a large one or one in clear."""
        try:
            outgoing = self.build_request(request)
            outgoing.headers = {**HEADERS, **outgoing.headers}
            prepared = outgoing.prepare()
        except ValueError as error:  # cannot be encoded; its text quotes what could not
            journal.tell("request_not_built", provider=self.alias, error=error)
            reason = ReasonCode.PROVIDER_CONFIG
        else:
            if not is_private(prepared.url):
                reason = ReasonCode.PROVIDER_CONFIG
            elif len(prepared.body or b"") > self.max_body_bytes:
                reason = ReasonCode.IMAGE_TOO_LARGE
            else:
                return prepared
        raise NotSent(reason.value)

    @sensitive_variables()
    def exchange(
        self, outgoing: requests.PreparedRequest, about_to_send: Callable[[], None]
    ) -> Answer:
        """Send the request and read the whole answer before the deadline.

        The error depends only on how far the call came, never on what kind of failure it
        was: nothing may have left (``NotSent``), or something may have (``OutcomeUnknown``).
        """
        with Deadline(self.timeout) as deadline:
            call = Call(deadline, about_to_send)
            try:
                answer = self.read(self.send(outgoing, call))
                deadline.check()
            except Exception as error:  # noqa: BLE001 (whatever it is, it must not get out)
                failure = self.failure(call, error)
            else:
                if len(answer.body) <= MAX_ANSWER_BYTES:
                    return answer
                failure = ProtocolError(
                    ReasonCode.PROVIDER_PROTOCOL.value, http_status=answer.status
                )
        # Raised here, where no error is being handled, so that it carries none as its context.
        raise failure

    @sensitive_variables()
    def send(self, outgoing: requests.PreparedRequest, call: Call) -> BaseHTTPResponse:
        """Connect, announce, send; return when status line and headers are there."""
        ca_bundle = os.fspath(self._ca_bundle) if self._ca_bundle else None
        return send(outgoing, call, ca_bundle)

    @sensitive_variables()
    def read(self, response: BaseHTTPResponse) -> Answer:
        """The answer's bytes as they were sent, until there are more than is allowed."""
        body = bytearray()
        with contextlib.closing(response):
            for chunk in response.stream(CHUNK_BYTES, decode_content=False):
                body += chunk
                if len(body) > MAX_ANSWER_BYTES:
                    break
        return Answer(
            status=response.status,
            body=bytes(body),
            retry_after=parse_retry_after(response.headers.get("Retry-After")),
        )

    def failure(self, call: Call, error: Exception) -> Exception:
        """The error that a broken call ends with."""
        if call.stopped_by is not None:
            return call.stopped_by
        journal.tell("call_broke", provider=self.alias, error=error)
        if call.may_have_left:
            return OutcomeUnknown(ReasonCode.OUTCOME_UNKNOWN.value)
        return NotSent(ReasonCode.PROVIDER_UNAVAILABLE.value)

    def error_for_status(self, answer: Answer) -> ProviderError:
        """What an answer without any code of the vendor's means, by its HTTP status.

        Redirects and 4xx say that the work was not done. A 5xx may come from a gateway
        behind which it was done and billed, so its outcome is unknown.
        """
        status = answer.status
        kind: type[ProviderError]
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            kind, reason = Throttled, ReasonCode.PROVIDER_THROTTLED
        elif 300 <= status < 400:
            kind, reason = Refused, ReasonCode.PROVIDER_CONFIG
        elif 400 <= status < 500:
            kind, reason = Refused, CLIENT_ERROR_REASONS.get(status, ReasonCode.PROVIDER_CONFIG)
        elif 500 <= status < 600:
            kind, reason = OutcomeUnknown, ReasonCode.OUTCOME_UNKNOWN
        else:
            kind, reason = ProtocolError, ReasonCode.PROVIDER_PROTOCOL
        return kind(reason.value, http_status=status, retry_after=answer.retry_after)

    def check(self) -> Iterable[CheckMessage]:
        yield from super().check()
        if not is_private(self.endpoint):
            yield self.problem(
                "E202", "endpoint must be an https:// URL.", "http:// is for this machine only."
            )
        if not (is_number(self.timeout) and 0 < self.timeout <= MAX_TIMEOUT):
            yield self.problem(
                "E203",
                "timeout must be a number of seconds above 0.",
                f"It bounds the whole call; 20 is usual, {MAX_TIMEOUT} the most.",
            )
        if self._ca_bundle is not None and not is_file(self._ca_bundle):
            yield self.problem(
                "E205", "ca_bundle is not a file.", "Name a PEM file of CA certificates."
            )

    def problem(self, number: str, text: str, hint: str) -> Error:
        """A system check message about one of this provider's options."""
        return Error(
            f"Provider {self.alias!r}: {text}", hint=hint, obj=self, id=f"faceverify.{number}"
        )


@sensitive_variables()
def image_type(image: bytes) -> str | None:
    """The media type by the first bytes; ``None`` when it is neither JPEG nor PNG."""
    for signature, media_type in IMAGE_TYPES.items():
        if image.startswith(signature):
            return media_type
    return None


def is_file(path: object) -> bool:
    return isinstance(path, str | os.PathLike) and os.path.isfile(path)
