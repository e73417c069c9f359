"""``manage.py faceverify_doctor``: says what the doctor finds, to people or to programs."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from django_faceverify import doctor


class Command(BaseCommand):
    help = (
        "Look at settings, providers, storage, keys, clocks, broker and queue, and say what is "
        "wrong. Makes no paid call. Exits with 1 if there is an error."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, **options: Any) -> None:
        findings = list(doctor.examine())
        is_healthy = all(finding.level != doctor.ERROR for finding in findings)
        if options["json"]:
            report = {"is_healthy": is_healthy, "findings": [asdict(item) for item in findings]}
            self.stdout.write(json.dumps(report, ensure_ascii=False, indent=2))
        else:
            for finding in findings:
                self.stdout.write(f"{finding.level:8} {finding.area:9} {finding.text}")
        if not is_healthy:
            sys.exit(1)
