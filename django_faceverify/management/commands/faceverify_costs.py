"""``manage.py faceverify_costs``: what calls cost, by day and provider."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from django_faceverify.figures.report import DayCost, Scope, cost_by_day
from django_faceverify.management.counted import say_counted

#: how many days can be asked for
MOST_DAYS = 366
LINE = "{:10}  {:20} {:6} {:>8} {:>8} {:>8} {:>12}"


class Command(BaseCommand):
    help = (
        "Print what calls cost, by day (Asia/Shanghai), provider, and whether they were for the "
        "case or for a shadow."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--days", type=int, default=30, help="how many, today included (%(default)s)"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON list")

    def handle(self, **options: Any) -> None:
        if not 1 <= options["days"] <= MOST_DAYS:
            raise CommandError(f"--days must be from 1 to {MOST_DAYS}.")
        days = cost_by_day(Scope.of_last(options["days"]))
        say_counted(self)
        if options["json"]:
            self.stdout.write(json.dumps([_as_json(day) for day in days], indent=2))
            return
        self.stdout.write(
            LINE.format("day", "provider", "role", "billed", "free", "unknown", "cost")
        )
        for day in days:
            self.stdout.write(
                LINE.format(
                    f"{day.day}",
                    day.provider,
                    day.role,
                    day.calls.billed,
                    day.calls.free,
                    day.calls.perhaps,
                    f"{day.calls.cost:.2f}",
                )
            )


def _as_json(day: DayCost) -> dict[str, Any]:
    return {
        "day": day.day.isoformat(),
        "provider": day.provider,
        "role": day.role,
        "billed": day.calls.billed,
        "free": day.calls.free,
        "unknown": day.calls.perhaps,
        "cost": str(day.calls.cost),
    }
