"""``manage.py faceverify_audit``: is the history what was written?"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date
from itertools import chain
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections, router

from django_faceverify import rotation
from django_faceverify.audit import chains, proof, roots, triggers
from django_faceverify.audit.findings import Finding, Kind
from django_faceverify.models import Event, Verification


class Command(BaseCommand):
    help = (
        "verify: find what was changed, added, moved or deleted in the history, and what "
        "was sealed for another row; ends with 1 if there is anything. root: write the roots of all days that are over, and print the "
        "newest. protect: create the database's triggers again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=("verify", "root", "protect"))
        parser.add_argument("--verification", type=UUID, help="look at one case, not at the roots")
        parser.add_argument(
            "--since", type=date.fromisoformat, help="look at days from this one on (YYYY-MM-DD)"
        )
        parser.add_argument(
            "--noted",
            action="append",
            default=[],
            metavar="MAC",
            help="a root that was kept elsewhere and must still be there; may be repeated",
        )
        parser.add_argument("--json", action="store_true", help="print JSON objects, one a line")

    def handle(self, **options: Any) -> None:
        getattr(self, options["action"])(options)

    def verify(self, options: dict[str, Any]) -> None:
        count = 0
        for finding in self._findings(options):
            count += 1
            if options["json"]:
                self.stdout.write(json.dumps(asdict(finding)))
            else:
                self.stdout.write(_line(finding))
        if options["json"]:
            self.stdout.write(json.dumps({"is_intact": not count, "finding_count": count}))
        else:
            self.stdout.write(f"Findings: {count}" if count else "The history is intact.")
        if count:
            sys.exit(1)

    def root(self, options: dict[str, Any]) -> None:
        while roots.write_due_root():
            pass
        root = roots.newest_root()
        if options["json"]:
            facts = {"day": str(root.day), "mac": root.mac} if root else None
            self.stdout.write(json.dumps(facts))
        else:
            self.stdout.write(str(root) if root else "No day with events is over yet.")

    def protect(self, options: dict[str, Any]) -> None:
        connection = connections[router.db_for_write(Event)]
        triggers.create(connection)
        if triggers.is_expected(connection) and triggers.missing(connection):
            raise CommandError("The database did not allow it: see faceverify.W078.")
        self.stdout.write("The database refuses to change or delete the history.")

    def _findings(self, options: dict[str, Any]) -> Any:
        pk = options["verification"]
        if pk is None:
            history = proof.examine(options["since"], options["noted"])
            return history if options["since"] else chain(history, _broken_seals())
        if not Verification.objects.filter(pk=pk).exists():
            raise CommandError("There is no such verification.")
        return chains.examine_case(pk)


def _broken_seals() -> Iterator[Finding]:
    """What was sealed for another place than it stands in."""
    for model, pk, column in rotation.unopenable():
        case = str(pk) if model == Verification._meta.model_name else ""
        yield Finding(Kind.SEAL, case=case, detail=f"{model} {pk} {column} does not open")


def _line(finding: Finding) -> str:
    facts = {key: value for key, value in asdict(finding).items() if value not in ("", None)}
    kind = facts.pop("kind").value
    return " ".join([f"{kind:12}", *(f"{key}={value}" for key, value in facts.items())])
