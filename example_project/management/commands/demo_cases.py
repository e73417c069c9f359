"""``manage.py demo_cases``: fill the queue, so that there is something to look at."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand

from example_project.accounts import ensure_accounts
from example_project.cases import fill_queue


class Command(BaseCommand):
    help = (
        "Send cases of every outcome through the real engine, once. The sandbox must run; "
        "makes the demo's accounts too. Not for a real site."
    )

    def handle(self, **options: Any) -> None:
        ensure_accounts()
        people = User.objects.in_bulk(["alice", "bob", "reviewer"], field_name="username")
        count = fill_queue([people["alice"], people["bob"]], people["reviewer"])
        self.stdout.write(f"New cases: {count}")
