"""What must hold for a verification, judged by the bill, the ledger and the history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from django_faceverify import quotas, sealing
from django_faceverify.conf import app_settings
from django_faceverify.models import Verification, VerificationAttempt

State = VerificationAttempt.State

#: states of a call for which a provider may have charged
CHARGEABLE = {State.SENDING, State.ANSWERED, State.UNKNOWN}
DECISIONS = {"verified", "rejected"}


def violations(verification: Verification, bill: Iterable[str]) -> Iterator[str]:
    """Every broken promise; ``bill`` is what the provider charged, by session id."""
    attempts = list(verification.attempts.order_by("number"))
    yield from paid_too_often(attempts, Counter(bill))
    yield from wrong_ledger(attempts, set(bill))
    yield from wrong_history(verification)


def paid_too_often(attempts: list[VerificationAttempt], bill: Counter[str]) -> Iterator[str]:
    """Never more charges for one photo than the policy allows, never two for one attempt."""
    for session_id, charges in bill.items():
        if charges > 1:
            yield f"attempt {session_id} was charged {charges} times"
    for photo, charges in Counter(a.photo_id for a in attempts if a.session_id in bill).items():
        if charges > app_settings.max_possibly_billed_calls:
            yield f"photo {photo} was charged {charges} times"


def wrong_ledger(attempts: list[VerificationAttempt], bill: set[str]) -> Iterator[str]:
    """What was charged stands in the ledger as charged, or at least as possibly charged."""
    for session_id in bill - {attempt.session_id for attempt in attempts}:
        yield f"charge {session_id} has no attempt"
    for attempt in attempts:
        is_charged = attempt.session_id in bill
        if is_charged and (attempt.state not in CHARGEABLE or attempt.is_billed == "no"):
            yield f"attempt {attempt.number} was charged but stands as {attempt.state}"
        if not is_charged and attempt.is_billed == "yes":
            yield f"attempt {attempt.number} was not charged but stands as charged"


def wrong_history(verification: Verification) -> Iterator[str]:
    """One decision at most, and a chain of events in which every link holds."""
    events = list(verification.events.order_by("number"))
    if len([event for event in events if event.action in DECISIONS]) > 1:
        yield "decided more than once"
    if [event.number for event in events] != list(range(1, len(events) + 1)):
        yield "the events are not numbered 1, 2, 3, ..."
    calls = [event.data["session_id"] for event in events if event.action == "called"]
    attempts = verification.attempts.order_by("number").values_list("session_id", flat=True)
    if calls != list(attempts):
        yield "the history and the ledger name different calls"
    mac = ""
    for event in events:
        if not sealing.mac_matches("audit", event.mac, *event.sealed_parts(mac)):
            yield f"event {event.number} does not fit the one before"
        mac = event.mac


def wrong_budget(provider: str) -> Iterator[str]:
    """The day's budget holds every call that may cost money, and none that was given back."""
    attempts = VerificationAttempt.objects.filter(provider=provider)
    possibly_billed = attempts.filter(state__in=VerificationAttempt.POSSIBLY_BILLED)
    calls = possibly_billed.exclude(is_billed="no").count()
    if (counted := quotas.calls_today(provider)) != calls:
        yield f"{counted} calls are counted, {calls} were made"


def unfinished(verification: Verification) -> Iterator[str]:
    """Attempts that nobody will finish, once nothing is under way any more."""
    for attempt in verification.attempts.filter(state__in=(State.INTENT, State.SENDING)):
        yield f"attempt {attempt.number} was left as {attempt.state}"
