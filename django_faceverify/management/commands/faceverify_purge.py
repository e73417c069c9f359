"""``manage.py faceverify_purge``: the clocks of retention, without Celery's beat."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from django_faceverify import retention

#: what the numbers are called
LABELS = {
    "photo_count": "photos destroyed",
    "draft_count": "cases without a photo redacted",
    "identity_count": "cases redacted",
    "case_count": "cases deleted with their history",
    "counter_count": "counters deleted",
    "key_count": "idempotency keys forgotten",
    "delivery_count": "webhook deliveries deleted",
    "token_count": "client tokens forgotten",
    "orphan_count": "files without a row deleted",
}
DUE_LABELS = {
    "photo_count": "cases whose photos are due",
    "draft_count": "cases without a photo that are due",
    "identity_count": "cases whose identity is due",
    "case_count": "cases whose history is due",
}


class Command(BaseCommand):
    help = (
        "Destroy what the clocks of FACEVERIFY['RETENTION'] say, and sweep the storage of photos "
        "once a day. Any number may run at once. Ends with 1 if a case could not be purged."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only count what is due")
        parser.add_argument(
            "--seconds",
            type=float,
            help="stop after so many seconds; the next run goes on (until nothing is due)",
        )

    def handle(self, **options: Any) -> None:
        if options["dry_run"]:
            self.show(retention.due_counts(), DUE_LABELS)
            return
        seconds = options["seconds"]
        report = retention.purge(float("inf") if seconds is None else seconds)
        self.show(report.counts, LABELS)
        if not report.is_done:
            self.stdout.write("The time is over; there may be more.")
        if report.failed:
            raise CommandError(f"{report.failed} cases could not be purged; see the log.")

    def show(self, counts: dict[str, int], labels: dict[str, str]) -> None:
        for name, label in labels.items():
            self.stdout.write(f"{counts.get(name, 0):8} {label}")
