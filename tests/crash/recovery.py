"""What happens after a crash: time passes, and a sweeper comes by."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django_faceverify import sweeper
from django_faceverify.models import Verification
from django_faceverify.models.clock import db_now

Status = Verification.Status

#: sweeps within which a verification must have come to rest
MAX_SWEEPS = 5

#: where a verification waits for nobody, for a reviewer, or for the person
AT_REST = Verification.FINAL | {Status.IN_REVIEW, Status.REQUIRES_INPUT}


def let_time_pass(verification_id: UUID) -> None:
    """Leases run out and waits are over; the deadline is still far away."""
    rows = Verification.objects.filter(pk=verification_id)
    rows.filter(stage="calling").update(lease_until=db_now(-1))
    rows.filter(stage__in=("waiting", "unknown")).update(next_run_at=db_now(-1))


def sweep_and_drain() -> bool:
    sweeper.sweep()
    sweeper.drain()
    return True


def recover(verification_id: UUID, sweep: Callable[[], object] = sweep_and_drain) -> None:
    """Sweep until the verification has come to rest, or until it should have."""
    for _ in range(MAX_SWEEPS):
        if is_at_rest(verification_id):
            return
        let_time_pass(verification_id)
        sweep()


def is_at_rest(verification_id: UUID) -> bool:
    return Verification.objects.filter(pk=verification_id, status__in=AT_REST).exists()
