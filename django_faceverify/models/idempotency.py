"""Which requests were seen under which ``Idempotency-Key``, without a word of what they said."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _

from django_faceverify.exceptions import InProgress


class IdempotencyRecord(models.Model):
    """One key of one caller for one address: in flight, or settled.

    ``digest`` and ``fingerprint`` are keyed digests, of who asked where under which key, and
    of the body. A record is settled in the very transaction that changes the verification, so
    what was done is found whenever the worker died; the answer is rendered again from the
    verification. ``fence`` grows with each worker that takes the key over from a dead one.
    """

    digest = models.CharField(_("digest of the key"), max_length=120, primary_key=True)
    fingerprint = models.CharField(_("digest of the body"), max_length=120)
    fence = models.PositiveIntegerField(default=1, editable=False)
    lease_until = models.DateTimeField(_("in flight until"))
    verification_id = models.UUIDField(_("verification"), null=True, blank=True)
    http_status = models.PositiveSmallIntegerField(_("HTTP status"), null=True, blank=True)
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("idempotency record")
        verbose_name_plural = _("idempotency records")
        indexes = [models.Index(fields=["created_at"], name="faceverify_idempotency_made")]

    def __str__(self) -> str:
        return self.digest

    @property
    def is_settled(self) -> bool:
        return self.verification_id is not None or self.http_status is not None


class Hold:
    """One request's right to act under its key, for so long as nobody has taken it over."""

    def __init__(self, digest: str, fence: int) -> None:
        self.digest = digest
        self.fence = fence
        self.verification_id: UUID | None = None

    @property
    def rows(self) -> models.QuerySet[IdempotencyRecord]:
        """The record, while it still is this request's."""
        return IdempotencyRecord.objects.filter(digest=self.digest, fence=self.fence)

    def settle(self, verification_id: UUID) -> None:
        """Write down, in the transaction at hand, what this request changes.

        Raises ``InProgress``, which undoes the transaction, when another one has the key.
        What a site's own code does to further verifications meanwhile is not the request's.
        """
        if self.verification_id not in (None, verification_id):
            return
        self.verification_id = verification_id
        if not self.rows.update(verification_id=verification_id):
            raise InProgress("request_in_progress")


#: what the request at hand holds, if it came with a key
current_hold: ContextVar[Hold | None] = ContextVar("current_hold", default=None)


def settle_request(verification_id: UUID) -> None:
    """Tie the change of a verification to the key of the request that makes it, if any."""
    if hold := current_hold.get():
        hold.settle(verification_id)


@contextmanager
def beside_the_request() -> Iterator[None]:
    """What is written meanwhile, such as that a request was refused, does not settle its key."""
    token = current_hold.set(None)
    try:
        yield
    finally:
        current_hold.reset(token)
