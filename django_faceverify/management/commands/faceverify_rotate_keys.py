"""``manage.py faceverify_rotate_keys``: everything under the first key."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from django_faceverify import rotation
from django_faceverify.conf import app_settings

#: how often what others changed meanwhile is looked at again
PASSES = 5


class Command(BaseCommand):
    help = (
        "Seal everything again under the first key of the ring, while the site works, and say "
        "what is left under which key. May be stopped and started again at any time."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="change nothing, only say what is under which key"
        )
        parser.add_argument(
            "--retire",
            metavar="KEY",
            help="say whether that key can be taken off the ring; ends with 1 if it is in use",
        )
        parser.add_argument(
            "--without-history",
            action="store_true",
            help="with --retire: give up the proof of what was written under that key",
        )

    def handle(self, **options: Any) -> None:
        retired = options["retire"]
        if retired and retired == rotation.primary_key_id():
            raise CommandError(f"{retired} is the first key: everything new is sealed under it.")
        if not options["check"] and not retired:
            self._rotate()
        counts = rotation.remaining()
        self._report(counts)
        if retired:
            self._retire(retired, counts.get(retired, Counter()), options["without_history"])
        lost = [key_id for key_id in counts if key_id not in app_settings.KEYS]
        if lost:
            raise CommandError(f"Not on the ring, and still in use: {', '.join(sorted(lost))}.")

    def _rotate(self) -> None:
        """Pass after pass, until nothing was changed by others meanwhile."""
        total = 0
        for _ in range(PASSES):
            progress = rotation.rotate()
            total += progress.resealed
            if not progress.overtaken:
                break
        for name in progress.broken:
            self.stderr.write(f"Does not open, and stays as it is: {name}")
        self.stdout.write(f"Sealed anew under {rotation.primary_key_id()}: {total}")

    def _report(self, counts: dict[str, Counter[str]]) -> None:
        for key_id in dict.fromkeys([*app_settings.KEYS, *sorted(counts)]):
            columns = counts.get(key_id, Counter())
            told = ", ".join(f"{name} {number}" for name, number in sorted(columns.items()))
            self.stdout.write(f"{key_id}: {told or 'nothing'}")

    def _retire(self, key_id: str, columns: Counter[str], without_history: bool) -> None:
        if columns.total():
            raise CommandError(
                f"{key_id} is in use: {columns.total()} values. Run faceverify_rotate_keys."
            )
        events = rotation.chained_under(key_id)
        if events and not without_history:
            raise CommandError(
                f"{key_id} seals nothing any more, but proves {events} rows of the history. Keep it on the "
                "ring behind the first, or use --without-history."
            )
        self.stdout.write(f"{key_id} can be taken off the ring.")
