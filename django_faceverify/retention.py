"""The clocks of retention: what is held no longer than it may be, and a record of that.

Any number of purges may run at once, from Celery beat, from cron or by hand, and each may
be killed at any line: every case is a short transaction of its own that asks again whether
it is due, and the next purge goes on where the work is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import date
from time import monotonic
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from django_faceverify import (
    census,
    idempotency,
    journal,
    lifecycle,
    orphans,
    quotas,
    redaction,
    tokens,
    webhooks,
)
from django_faceverify.audit import deleting_cases
from django_faceverify.conf import Retention, app_settings
from django_faceverify.models import Counter, IdentitySearch, RetentionDay, Verification
from django_faceverify.models.clock import db_now
from django_faceverify.models.transactions import committed
from django_faceverify.reasons import RedactionReason

Holding = Verification.Holding

#: seconds that one purge works; what is left is the next one's
PURGE_SECONDS = 120.0
#: cases of one rule between two looks at the clock
BATCH = 100
#: cases of one rule that may fail in one purge before it leaves the rule
MOST_FAILURES = 1000
#: seconds after which a counter is of no use, unless its window is the month
COUNTER_SECONDS = 48 * 3600


@dataclass(frozen=True)
class Rule:
    """One clock: what is due by it, what is done about one case, and how that is counted.

    ``destroy`` returns how many things it has destroyed.
    """

    clock: str
    count: str
    due: Callable[[Retention], QuerySet[Verification]]
    destroy: Callable[[Verification], int]


@dataclass
class Report:
    """What one purge did. ``failed`` are cases that could not be purged."""

    counts: dict[str, int] = field(default_factory=dict)
    failed: int = 0
    is_done: bool = True

    def add(self, count: str, number: int) -> None:
        self.counts[count] = self.counts.get(count, 0) + number


def purge(seconds: float = PURGE_SECONDS) -> Report:
    """Destroy what is due, for so long at most, and take the census once a day."""
    end, report = monotonic() + seconds, Report()
    day = _today()
    for rule in RULES:
        for number in _purge_by(rule, end, report):
            _record(day, report, rule.count, number)
    _record(day, report, "counter_count", _delete_counters(end))
    report.add("search_count", _delete_searches(end))
    report.add("key_count", _forget(idempotency.purge, idempotency.BATCH, end))
    report.add("delivery_count", _forget(webhooks.purge, webhooks.PURGE_BATCH, end))
    report.add("token_count", _forget(tokens.purge, tokens.BATCH, end))
    _take_census(day)
    for folder in _folders_to_sweep(day, end):
        _record(day, report, "orphan_count", orphans.sweep(folder))
    report.is_done = monotonic() < end
    return report


def due_counts() -> dict[str, int]:
    """How much is due now, by rule; nothing is destroyed."""
    clocks = app_settings.retention
    return {rule.count: rule.due(clocks).count() for rule in RULES}


def _purge_by(rule: Rule, end: float, report: Report) -> Iterator[int]:
    """Work off one rule in batches, oldest first; yields how many each has destroyed."""
    failed: set[UUID] = set()
    tried: set[UUID] = set()
    while monotonic() < end and len(failed) < MOST_FAILURES:
        rows = list(rule.due(app_settings.retention).exclude(pk__in=failed)[:BATCH])
        if not rows or tried == {row.pk for row in rows}:
            return  # all is done, or what is left cannot be
        number, tried = 0, {row.pk for row in rows}
        for row in rows:
            try:
                number += rule.destroy(row)
            except Exception as error:  # noqa: BLE001 (one case is not to hold up the others)
                journal.tell("purge_failed", row=row, error=error)
                failed.add(row.pk)
                report.failed += 1
        yield number


def _photos_due(clocks: Retention) -> QuerySet[Verification]:
    return _held(Holding.PHOTOS, clocks.photo)


def _destroy_photos(verification: Verification) -> int:
    return redaction.destroy_photos(
        verification, reason_code=RedactionReason.RETENTION_OVER, rule="PHOTO"
    )


def _drafts_due(clocks: Retention) -> QuerySet[Verification]:
    return _held(Holding.DRAFT, clocks.draft)


def _redact_draft(verification: Verification) -> int:
    return _redact(verification, "DRAFT")


def _identities_due(clocks: Retention) -> QuerySet[Verification]:
    return _held(Holding.IDENTITY, clocks.identity)


def _identities_with_photos_due(clocks: Retention) -> QuerySet[Verification]:
    """Photos do not outlive the name, however long their own clock is."""
    return _held(Holding.PHOTOS, clocks.identity)


def _identities_with_kept_photos_due(clocks: Retention) -> QuerySet[Verification]:
    return _held(Holding.KEPT, clocks.identity)


def _redact_identity(verification: Verification) -> int:
    return _redact(verification, "IDENTITY")


def _cases_due(clocks: Retention) -> QuerySet[Verification]:
    if clocks.audit is None:
        return Verification.objects.none()
    return Verification.objects.redacted(clocks.audit).order_by("redacted_at")


def _delete_case(verification: Verification) -> int:
    """Delete a redacted case with its history: the only path on which events are deleted."""

    def work() -> int:
        due = Verification.objects.filter(pk=verification.pk, redacted_at__isnull=False)
        with deleting_cases(due, actor=lifecycle.SYSTEM, reason="AUDIT") as ids:
            Verification.objects.filter(pk__in=ids).delete()
        return len(ids)

    return committed(work)


RULES = (
    Rule("PHOTO", "photo_count", _photos_due, _destroy_photos),
    Rule("DRAFT", "draft_count", _drafts_due, _redact_draft),
    Rule("IDENTITY", "identity_count", _identities_due, _redact_identity),
    Rule("IDENTITY", "identity_count", _identities_with_photos_due, _redact_identity),
    Rule("IDENTITY", "identity_count", _identities_with_kept_photos_due, _redact_identity),
    Rule("AUDIT", "case_count", _cases_due, _delete_case),
)


def _held(holding: str, seconds: float | None) -> QuerySet[Verification]:
    if seconds is None:
        return Verification.objects.none()
    return Verification.objects.held(holding, seconds).order_by("ended_at")


def _redact(verification: Verification, rule: str) -> int:
    """Redact it, unless it has been reopened since it was found due."""
    return int(
        redaction.redact(
            verification,
            actor="system",
            reason_code=RedactionReason.RETENTION_OVER,
            rule=rule,
            guard={"ended_at": verification.ended_at},
        )
    )


def _delete_counters(end: float) -> int:
    """Delete what the limits remember about people, once its window is over."""
    old = Counter.objects.filter(updated_at__lt=db_now(-COUNTER_SECONDS)).exclude(
        window=quotas.this_month().name
    )
    return _delete(old.order_by("updated_at"), end)


def _delete_searches(end: float) -> int:
    """Delete who searched, as old as the history of a case may become."""
    seconds = app_settings.retention.audit
    if seconds is None:
        return 0
    return _delete(IdentitySearch.objects.filter(at__lt=db_now(-seconds)).order_by("at"), end)


def _delete(rows: QuerySet[Any], end: float) -> int:
    """Delete rows a batch at a time, in their order; returns how many."""
    number = 0
    while monotonic() < end:
        keys = list(rows.values_list("pk", flat=True)[:BATCH])
        if not keys:
            break
        # Asked again: a counter may be in use once more.
        number += committed(rows.filter(pk__in=keys).delete)[0]
    return number


def _forget(purge: Callable[[], int], batch: int, end: float) -> int:
    """Let a room forget what has a time of its own, a batch at a time; returns how much."""
    number, forgotten = 0, batch
    while forgotten >= batch and monotonic() < end:
        forgotten = committed(purge)
        number += forgotten
    return number


def _today() -> date:
    """The day whose record this purge adds to; made when it is the first of the day."""
    day = timezone.localdate()
    clocks = asdict(app_settings.retention)
    now = timezone.now()
    if not RetentionDay.objects.filter(pk=day).update(clocks=clocks, updated_at=now):
        try:
            with transaction.atomic():
                RetentionDay.objects.create(day=day, clocks=clocks, updated_at=now)
        except IntegrityError:  # another purge was faster
            pass
    return day


def _record(day: date, report: Report, count: str, number: int) -> None:
    report.add(count, number)
    if number:
        RetentionDay.objects.filter(pk=day).update(
            **{count: F(count) + number}, updated_at=timezone.now()
        )


def _take_census(day: date) -> None:
    """Count the persons, once a day."""
    rows = RetentionDay.objects.filter(pk=day, person_count=None)
    if not rows.exists():
        return
    found = census.take()
    rows.update(
        person_count=found.person_count,
        stored_photo_count=found.photo_count,
        oldest_photo_at=found.oldest_photo_at,
        updated_at=found.at,
    )


def _folders_to_sweep(day: date, end: float) -> Iterator[str]:
    """Folders of photos that nobody has swept today; each is taken by one purge only."""
    rows = RetentionDay.objects.filter(pk=day)
    while monotonic() < end:
        number = rows.values_list("folder_count", flat=True).get()
        if number >= orphans.FOLDER_COUNT:
            return
        if rows.filter(folder_count=number).update(folder_count=number + 1):
            yield f"{number:02x}"
