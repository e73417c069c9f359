"""``manage.py demo_accounts``: accounts whose passwords are their names."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from example_project.accounts import ensure_accounts


class Command(BaseCommand):
    help = "Make the demo's accounts, whose passwords are their names. Not for a real site."

    def handle(self, **options: Any) -> None:
        self.stdout.write(f"Accounts (password = name): {', '.join(ensure_accounts())}")
