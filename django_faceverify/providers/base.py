"""What a provider is: a service that compares one photo with a registered portrait.

A provider never sees a model, and the rest of the app never sees a wire format. Between
them cross only the three small types below and the errors of ``exceptions.ProviderError``.
Messages of these errors must not contain sensitive information.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from django.core.checks import CheckMessage

from django_faceverify.providers.far import FarTable


@dataclass(frozen=True, kw_only=True)
class ComparisonRequest:
    """One call: is the person in this photo the holder of this ID number?

    Exactly one of ``image`` (JPEG or PNG bytes) and ``url`` is used; a provider that is
    given both sends only the URL. ``session_id`` is ours and unique for each call.
    """

    session_id: str
    idcard_name: str = field(repr=False)
    idcard_number: str = field(repr=False)
    image: bytes | None = field(default=None, repr=False)
    url: str | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The provider did its work and answered.

    Either ``similarity`` is a finite number from 0 to 100, or ``reason_code`` (one of
    ``reasons.ReasonCode``) says why the comparison has none: no face, name and number do
    not match, no portrait on file. With both, the provider has judged for itself: the
    reason is its verdict, which no threshold of ours overrules. ``is_billed`` is ``yes``,
    ``no`` or ``unknown``.
    """

    similarity: float | None = None
    reason_code: str = ""
    is_billed: str = "yes"
    provider_code: str = ""
    provider_message: str = ""
    provider_session_id: str = ""
    http_status: int = 0


@dataclass(frozen=True)
class NeverSeen:
    """The provider was asked about a call: it did no work for it, and will not bill it."""


@dataclass(frozen=True, kw_only=True)
class CodeMeaning:
    """One row of a provider's table: what one of its codes means to us.

    ``kind`` is how the call ended (``answered``, ``throttled``, ``refused`` or
    ``unknown``); ``fixable_by`` is ``subject``, ``reviewer``, ``site``, ``provider`` or
    ``nobody``; ``is_billed`` is ``yes``, ``no`` or ``unknown``; ``counts_as_try`` says
    whether it uses up one of the person's photos.
    """

    reason_code: str
    kind: str
    fixable_by: str
    is_retryable: bool
    is_billed: str
    counts_as_try: bool = False


@dataclass(frozen=True, kw_only=True)
class Operator:
    """Who runs a service, in which country (ISO 3166, two letters), and its own rules for data.

    What people read before they agree is not this but ``LEGAL`` of the settings: with which
    company a site has its contract, only the site knows.
    """

    name: str
    country: str
    privacy_url: str = ""


class Provider(ABC):
    """A face comparison service, built from ``OPTIONS`` of its entry in the settings.

    The attributes say what it can and cannot do; photos are fitted to them, the system checks
    refuse settings that contradict them, and ``faceverify_doctor`` shows them.
    """

    #: most bytes of a photo that fit the provider's request body, before any encoding
    max_image_bytes: ClassVar[int]
    #: whether a photo travels as base64, so that the service's own limit is a third higher
    sends_base64: ClassVar[bool] = False
    takes_bytes: ClassVar[bool] = True
    takes_url: ClassVar[bool] = False
    #: whether it judges that a living person was in front of the camera
    checks_liveness: ClassVar[bool] = False
    #: the similarity below which the provider itself says that this is not the person; 0 where
    #: the thresholds are all ours
    lowest_threshold: ClassVar[float] = 0.0
    #: what the vendor has published about false accepts on this scale, if anything
    far_table: ClassVar[FarTable | None] = None
    #: who runs it; ``None`` where that is the site itself or nobody knows
    operator: ClassVar[Operator | None] = None
    #: whether a call may be billed
    costs_money: ClassVar[bool] = True
    #: whether ``find`` can tell what became of a call whose answer was lost
    can_be_asked: ClassVar[bool] = False
    #: seconds after the end of a call within which the provider, if asked, may not know of it
    #: yet; until then its ``NeverSeen`` is not believed
    visibility_delay: float = 300.0

    def __init__(self, alias: str, **options: Any) -> None:
        self.alias = alias

    @abstractmethod
    def compare(
        self, request: ComparisonRequest, *, about_to_send: Callable[[], None]
    ) -> Comparison:
        """Make one call and return the provider's answer, or raise a ``ProviderError``.

        ``about_to_send`` is called exactly once, when the connection (and TLS) stands and
        before the first byte of the request leaves. An exception that it raises stops the
        call and passes through unchanged.
        """

    def find(self, session_id: str) -> Comparison | NeverSeen | None:
        """What became of the call of that ``session_id``, by the provider's own records.

        The answer as it would have come; ``NeverSeen``; or ``None``: not known yet, ask
        again later. A ``ProviderError`` means the same as ``None``. Asking costs nothing,
        ends within ``timeout``, and is done only for a provider that ``can_be_asked``.
        """
        raise NotImplementedError

    def check(self) -> Iterable[CheckMessage]:
        """System checks of this provider's options; no network, no database."""
        return []

    @property
    def timeout(self) -> float:
        """The most seconds one call may take in all."""
        return 20.0

    @property
    def is_sandbox(self) -> bool:
        """Whether this is a stand-in that knows no real person, not to be used in production."""
        return False
