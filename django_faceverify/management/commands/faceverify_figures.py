"""``manage.py faceverify_figures``: count what has happened, for the page of figures."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from django_faceverify import figures


class Command(BaseCommand):
    help = (
        "Count what has happened since the last count; the sweep does the same, a little at a "
        "time. With --rebuild, count all of it again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--rebuild",
            action="store_true",
            help="count everything again, but keep days of which cases were purged",
        )

    def handle(self, **options: Any) -> None:
        if not options["rebuild"]:
            counted = figures.advance(float("inf"), settled=0)
            self.stdout.write(f"Counted: {counted.event_count} events")
            return
        kept = figures.rebuild()
        self.stdout.write("Counted everything again.")
        for day in kept:
            self.stdout.write(f"{day}: kept as it was, since less is left of it")
