"""``manage.py faceverify_reconcile``: the provider's statement against our ledger.

A difference is printed when it is found, the totals last; nothing is written.
"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentTypeError
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from django_faceverify.conf import app_settings
from django_faceverify.costs import cost_of
from django_faceverify.models import VerificationAttempt
from django_faceverify.quotas import BOOKS
from django_faceverify.statement import (
    Difference,
    Kind,
    Statement,
    StatementError,
    attempts_between,
    compare,
    period_of,
    read_statement,
)

#: the share of the expected cost that may be off
TOLERANCE = Decimal("0.005")


@dataclass(frozen=True, kw_only=True)
class Totals:
    """Money on both sides; ``is_close`` is whether the difference may be left alone."""

    expected: Decimal
    billed: Decimal

    @property
    def difference(self) -> Decimal:
        return self.billed - self.expected

    @property
    def is_close(self) -> bool:
        return abs(self.difference) <= TOLERANCE * self.expected


class Command(BaseCommand):
    help = (
        "Compare the provider's statement, a CSV file, with the ledger of calls. Exits with 1 "
        "if the billed cost differs from the expected one by more than 0.5 %."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("statement", type=Path, help="a CSV file with a line for each call")
        parser.add_argument("--provider", default="default", help="its alias (%(default)s)")
        parser.add_argument("--since", type=_day, help="the first day, such as 2026-11-01")
        parser.add_argument("--until", type=_day, help="the last day")
        parser.add_argument(
            "--session-column",
            default="session_id",
            help="of our or of the provider's ids of the calls (%(default)s)",
        )
        parser.add_argument("--amount-column", help="(amount, if there is such a column)")
        parser.add_argument("--json", action="store_true", help="print JSON, an object a line")

    def handle(self, **options: Any) -> None:
        provider = options["provider"]
        if provider not in app_settings.PROVIDERS:
            raise CommandError(f"FACEVERIFY['PROVIDERS'] has no {provider!r}.")
        write = self.write_json if options["json"] else self.write_text
        try:
            with read_statement(
                options["statement"], options["session_column"], options["amount_column"]
            ) as statement:
                since, until = _period(statement, provider, options["since"], options["until"])
                counts: Counter[Kind] = Counter()
                for difference in compare(statement, provider, since, until):
                    counts[difference.kind] += 1
                    write(difference)
                totals = _totals(statement, provider, since, until)
        except StatementError as error:
            raise CommandError(str(error)) from error
        (self.sum_up_json if options["json"] else self.sum_up)(totals, counts)
        if not totals.is_close:
            sys.exit(1)

    def write_text(self, difference: Difference) -> None:
        where = f"  line {difference.line}" if difference.line else ""
        self.stdout.write(f"{difference.kind.value:18}  {difference.session_id}{where}")

    def write_json(self, difference: Difference) -> None:
        self.stdout.write(json.dumps({**asdict(difference), "kind": difference.kind.value}))

    def sum_up(self, totals: Totals, counts: Counter[Kind]) -> None:
        for kind in Kind:
            self.stdout.write(f"{kind.value:18} {counts[kind]:11}  {kind.label}")
        for name in ("expected", "billed", "difference"):
            self.stdout.write(f"{name:18} {getattr(totals, name):11.2f}")

    def sum_up_json(self, totals: Totals, counts: Counter[Kind]) -> None:
        money = {name: str(getattr(totals, name)) for name in ("expected", "billed", "difference")}
        by_kind = {kind.value: counts[kind] for kind in Kind}
        self.stdout.write(json.dumps({**money, "is_close": totals.is_close, "counts": by_kind}))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a day such as 2026-11-01") from None


def _period(
    statement: Statement, provider: str, since: date | None, until: date | None
) -> tuple[datetime | None, datetime | None]:
    """The days that were named; without any, as far as the statement reaches."""
    if since is None and until is None:
        return period_of(statement, provider)
    if since and until and since > until:
        raise CommandError("--since is after --until.")
    return (
        datetime.combine(since, time.min, BOOKS) if since else None,
        datetime.combine(until, time.max, BOOKS) if until else None,
    )


def _totals(
    statement: Statement, provider: str, since: datetime | None, until: datetime | None
) -> Totals:
    calls = attempts_between(provider, since, until)
    billed = (
        cost_of(provider, statement.line_count) if statement.amount is None else statement.amount
    )
    expected = cost_of(provider, calls.filter(is_billed=VerificationAttempt.Billed.YES).count())
    return Totals(expected=expected, billed=billed)
