"""``manage.py faceverify_erase_subject``: destroy the personal data of one person's cases."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from django_faceverify import redaction
from django_faceverify.management import subject
from django_faceverify.reasons import RedactionReason


class Command(BaseCommand):
    help = (
        "Destroy name, ID number, photos and whatever else is personal in all cases about one "
        "ID number, of one user, or in one case. Decisions and history stay. It cannot be undone. "
        "Ends with 1 if a case could not be erased, 2 if what was given cannot be used, and 3 if "
        "there is no such case."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        subject.add_arguments(parser)
        parser.add_argument("--yes", action="store_true", help="do not ask whether you are sure")
        parser.add_argument(
            "--reason",
            choices=[
                RedactionReason.SUBJECT_REQUEST.value,
                RedactionReason.STAFF_REQUEST.value,
                RedactionReason.CONSENT_WITHDRAWN.value,
            ],
            default=RedactionReason.SUBJECT_REQUEST.value,
            help="why, for the history (%(default)s)",
        )

    def handle(self, **options: Any) -> None:
        user = subject.acting_user(options)
        cases = list(subject.cases(options))
        if not options["yes"]:
            self.ask(len(cases))
        failed = 0
        for verification in cases:
            try:
                done = redaction.redact(
                    verification, actor=subject.actor_of(user), reason_code=options["reason"]
                )
            except Exception as error:  # noqa: BLE001 (the other cases are to go all the same)
                self.stderr.write(f"{verification.pk} failed ({type(error).__name__})")
                failed += 1
                continue
            self.stdout.write(f"{verification.pk} {'erased' if done else 'was erased before'}")
        if failed:
            raise CommandError(f"{failed} of {len(cases)} cases could not be erased.")

    def ask(self, count: int) -> None:
        """Make sure; whoever cannot be asked has to say ``--yes``."""
        if not sys.stdin.isatty():
            raise CommandError(
                f"{count} cases would be erased. Nobody can be asked: add --yes.",
                returncode=subject.UNUSABLE,
            )
        answer = input(f"Erase {count} cases for ever? Type ERASE: ")
        if answer != "ERASE":
            raise CommandError("Nothing was erased.", returncode=subject.UNUSABLE)
