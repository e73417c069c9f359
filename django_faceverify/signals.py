"""What a site may listen to; sent after the commit, never a step of ours.

Every receiver of a ``verification_`` signal gets ``verification_id`` (a UUID) and ``status``;
``VerificationReceiver`` is its type. A receiver that fails is logged by the kind of its error
and stops nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol
from uuid import UUID

from django.dispatch import Signal

from django_faceverify import journal


class VerificationReceiver(Protocol):
    """A receiver of the ``verification_`` signals; ``sender`` is ``models.Verification``."""

    def __call__(
        self, sender: type, *, verification_id: UUID, status: str, **kwargs: Any
    ) -> object: ...


class WebhookEndpointReceiver(Protocol):
    """A receiver of ``webhook_endpoint_disabled``; ``sender`` is ``models.WebhookEndpoint``."""

    def __call__(
        self, sender: type, *, endpoint_id: UUID, reason: str, **kwargs: Any
    ) -> object: ...


class Announcement(Signal):
    """A signal whose receivers cannot harm us: neither by failing nor by what they say then."""

    def tell(self, *, sender: type, **facts: Any) -> None:
        """Call all receivers, whatever each of them does."""
        self.send_robust(sender=sender, **facts)

    def _log_robust_failure(self, receiver: Callable[..., object], error: Exception) -> None:
        """Instead of Django's line, which quotes the error: that may be about a person."""
        journal.tell("receiver_failed", error=error)


#: a photo was accepted and is being compared
verification_submitted = Announcement()
#: verified or rejected, by thresholds or by a reviewer
verification_decided = Announcement()
#: the person is asked for another photo or for a correction
verification_needs_input = Announcement()
#: personal data was destroyed
verification_redacted = Announcement()
#: two people took a decision back; whoever acted on it should know
verification_reopened = Announcement()

#: somebody was shown sealed data: ``verification_id`` (UUID), ``actor`` (str, ``user:7``) and
#: ``reason`` (str, a code of ``reasons.RevealReason``)
identity_revealed = Announcement()
#: somebody reveals unusually much: ``actor`` (str), ``count`` (int, reveals in this hour),
#: ``limit`` (int, the most that is allowed) and ``is_refused`` (bool, one too many was asked)
reveals_unusual = Announcement()
#: nothing is sent to this webhook endpoint any more
webhook_endpoint_disabled = Announcement()
