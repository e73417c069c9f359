"""``manage.py demo_openapi``: write down how the API of the example is described."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.test import Client
from django.urls import reverse


class Command(BaseCommand):
    help = "Write the OpenAPI description that this site answers with into a file."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", nargs="?", default="docs/reference/openapi.json", type=Path)

    def handle(self, *, file: Path, **options: Any) -> None:
        described = Client().get(reverse("faceverify:schema")).json()
        file.write_text(json.dumps(described, ensure_ascii=False, indent=2) + "\n", "utf-8")
        self.stdout.write(f"{file}: {len(described['paths'])} addresses")
