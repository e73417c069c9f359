"""``manage.py faceverify_census``: how many people's faces lie here, for a filing."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.core.serializers.json import DjangoJSONEncoder

from django_faceverify import census
from django_faceverify.conf import DAY, app_settings


class Command(BaseCommand):
    help = (
        "Count the persons whose photos are stored, and print what a filing with an authority "
        "asks for. It reads every case that holds photos, which takes its time when they are many."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--last", action="store_true", help="show the last count of the purge")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, **options: Any) -> None:
        found = census.last() if options["last"] else census.take()
        facts = self.facts(found)
        if options["json"]:
            self.stdout.write(json.dumps(facts, cls=DjangoJSONEncoder, indent=2))
            return
        for name, value in facts.items():
            self.stdout.write(f"{name:18} {_text(value)}")

    def facts(self, found: census.Census | None) -> dict[str, Any]:
        clocks = asdict(app_settings.retention)
        return {
            "counted at": found and found.at.isoformat(timespec="seconds"),
            "persons": found and found.person_count,
            "of the limit": f"{found.percent} % of {census.FILING_LIMIT}" if found else None,
            "photos": found and found.photo_count,
            "oldest photo": found and found.oldest_photo_at,
            "preset": clocks.pop("preset"),
            "kept for days": {
                name: None if seconds is None else seconds / DAY for name, seconds in clocks.items()
            },
            "providers": {
                alias: entry.get("BACKEND") for alias, entry in app_settings.PROVIDERS.items()
            },
        }


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(
            f"{name} {'for ever' if item is None else _text(item)}" for name, item in value.items()
        )
    if isinstance(value, float):
        return f"{value:g}"
    return "-" if value is None else str(value)
