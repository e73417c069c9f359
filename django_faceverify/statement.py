"""The provider's statement against our ledger: what was billed, and what should have been.

A line names a call by the session id that we sent with it, or by the id that the provider gave
it in its answer. Both sides may be longer than memory: the statement's lines lie in a temporary
file, and ledger and statement are asked for one batch of ids after the other.
"""

from __future__ import annotations

import csv
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from django.db.models import QuerySet, TextChoices

from django_faceverify.models import VerificationAttempt

Billed = VerificationAttempt.Billed

#: ids that are looked up at once
BATCH = 500
#: what statements from China come in; the first that reads the whole file is taken
ENCODINGS = ("utf-8-sig", "gb18030")
#: the column of the amounts if it is not named
AMOUNT_COLUMN = "amount"
#: what the hyphens may be missing from
UUID_DIGITS = re.compile("[0-9a-f]{32}")
AMOUNT = re.compile(r"-?[¥￥]?(\d+|\d{1,3}(,\d{3})+)(\.\d+)?")


class StatementError(Exception):
    """The statement cannot be read; the message says where and why."""


class Kind(TextChoices):
    """What a statement and a ledger may disagree about."""

    NOT_OURS = "not_ours", "billed, but not in our ledger"
    TWICE = "twice", "billed on more than one line"
    BILLED_THOUGH_NO = "billed_though_no", "billed, though we recorded no"
    OTHER_PERIOD = "other_period", "billed, but outside the period"
    UNKNOWN_BILLED = "unknown_billed", "unknown to us, and billed"
    UNKNOWN_NOT_BILLED = "unknown_not_billed", "unknown to us, and not billed"
    YES_NOT_BILLED = "yes_not_billed", "recorded as billed, but not billed"


@dataclass(frozen=True)
class Difference:
    """One call about which the two disagree; without a line it is not on the statement.

    It is named by our session id, or as on the statement if the ledger does not have it.
    """

    kind: Kind
    session_id: str
    line: int | None = None


class Line(NamedTuple):
    """Where an id stands on the statement first, how often, and how it is spelled there."""

    number: int
    times: int
    text: str

    def spellings(self, key: str) -> set[str]:
        """How a provider may have spelled this id in its answer."""
        spellings = {self.text, self.text.lower(), key}
        return spellings | {str(UUID(key))} if UUID_DIGITS.fullmatch(key) else spellings


class Statement:
    """The billed lines of a CSV file, each by the key of its id.

    A line with the amount 0 was not billed. Without a column of amounts, every line was, and
    ``amount`` is ``None``.
    """

    def __init__(self, lines: sqlite3.Connection) -> None:
        self._lines = lines
        self.line_count = 0
        self.amount: Decimal | None = None

    def add(self, text: str, line: int, amount: Decimal | None) -> None:
        """Count one line with this id; its place in the file is kept for the first of an id."""
        if amount is not None:
            self.amount = (self.amount or Decimal(0)) + amount
        if amount == 0:
            return
        self.line_count += 1
        self._lines.execute(
            "INSERT INTO line VALUES (?, ?, 1, ?) "
            "ON CONFLICT (key) DO UPDATE SET count = count + 1",
            (key_of(text), line, text),
        )

    def batches(self) -> Iterator[dict[str, Line]]:
        """Lines by their keys, in the order of the keys."""
        cursor = self._lines.execute("SELECT key, line, count, text FROM line ORDER BY key")
        while rows := cursor.fetchmany(BATCH):
            yield {key: Line(*line) for key, *line in rows}

    def names(self, keys: list[str]) -> set[str]:
        """Those of the given keys that were billed."""
        marks = ",".join("?" * len(keys))
        query = f"SELECT key FROM line WHERE key IN ({marks})"  # noqa: S608 (question marks only)
        return {key for (key,) in self._lines.execute(query, keys)}


def key_of(text: str) -> str:
    """What all spellings of an id have in common: no matter capitals and hyphens."""
    return text.strip().lower().replace("-", "")


@contextmanager
def read_statement(
    path: Path, session_column: str, amount_column: str | None = None
) -> Iterator[Statement]:
    """Read a CSV file; a column of amounts that is named has to be there."""
    with closing(sqlite3.connect("")) as lines:  # a file that SQLite removes by itself
        lines.execute(
            "CREATE TABLE line (key TEXT PRIMARY KEY, line INTEGER, count INTEGER, text TEXT) "
            "WITHOUT ROWID"
        )
        statement = Statement(lines)
        try:
            with path.open(encoding=_encoding_of(path), newline="") as file:
                _read_lines(statement, csv.DictReader(file), session_column, amount_column)
        except OSError as error:
            raise StatementError(f"The statement cannot be opened: {error.strerror}.") from error
        except csv.Error as error:
            raise StatementError(f"The statement is not CSV: {error}.") from error
        yield statement


def compare(
    statement: Statement,
    provider: str,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Iterator[Difference]:
    """Every difference between the statement and the provider's attempts of a period."""
    for lines in statement.batches():
        attempts = _attempts_on(lines, provider)
        for key, line in lines.items():
            attempt = attempts.get(key)
            name = attempt.session_id if attempt else line.text
            if line.times > 1:
                yield Difference(Kind.TWICE, name, line.number)
            if kind := _kind_of_billed(attempt, since, until):
                yield Difference(kind, name, line.number)
    unbilled = {
        Billed.YES: Kind.YES_NOT_BILLED,
        Billed.UNKNOWN: Kind.UNKNOWN_NOT_BILLED,
    }
    of_period = attempts_between(provider, since, until).filter(is_billed__in=unbilled)
    facts = of_period.values_list("is_billed", "session_id", "provider_session_id")
    rows = facts.iterator(chunk_size=BATCH)
    while batch := list(islice(rows, BATCH)):
        billed = statement.names([key_of(name) for _, *names in batch for name in names])
        for is_billed, *names in batch:
            if billed.isdisjoint(map(key_of, names)):
                yield Difference(unbilled[Billed(is_billed)], names[0])


def period_of(statement: Statement, provider: str) -> tuple[datetime, datetime]:
    """When the first and the last of the attempts began that the statement names."""
    ends: list[datetime] = []
    for lines in statement.batches():
        ends += (attempt.started_at for attempt in _attempts_on(lines, provider).values())
        ends = [min(ends), max(ends)] if ends else []
    if not ends:
        raise StatementError("The statement names none of our calls: say which days it is about.")
    return ends[0], ends[1]


def attempts_between(
    provider: str, since: datetime | None, until: datetime | None
) -> QuerySet[VerificationAttempt]:
    """The provider's attempts of a period, both of its ends included."""
    attempts = VerificationAttempt.objects.filter(provider=provider)
    if since:
        attempts = attempts.filter(started_at__gte=since)
    return attempts.filter(started_at__lte=until) if until else attempts


def _attempts_on(lines: dict[str, Line], provider: str) -> dict[str, VerificationAttempt]:
    """The provider's attempts that these lines name, by our session id or else by its own."""
    ledger = VerificationAttempt.objects.filter(provider=provider).only(
        "session_id", "provider_session_id", "is_billed", "started_at"
    )
    found = ledger.in_bulk(list(lines), field_name="session_id")
    spellings = [
        spelling
        for key, line in lines.items()
        if key not in found
        for spelling in line.spellings(key)
    ]
    if spellings:
        for attempt in ledger.filter(provider_session_id__in=spellings):
            found.setdefault(key_of(attempt.provider_session_id), attempt)
    return found


def _kind_of_billed(
    attempt: VerificationAttempt | None, since: datetime | None, until: datetime | None
) -> Kind | None:
    """What is odd about a call that was billed."""
    if attempt is None:
        return Kind.NOT_OURS
    if attempt.is_billed == Billed.NO:
        return Kind.BILLED_THOUGH_NO
    if attempt.is_billed == Billed.UNKNOWN:
        return Kind.UNKNOWN_BILLED
    is_early = since is not None and attempt.started_at < since
    is_late = until is not None and attempt.started_at > until
    return Kind.OTHER_PERIOD if is_early or is_late else None


def _read_lines(
    statement: Statement,
    rows: csv.DictReader[str],
    session_column: str,
    amount_column: str | None,
) -> None:
    columns = rows.fieldnames = [name.strip() for name in rows.fieldnames or []]
    if not columns:
        raise StatementError("The statement is empty.")
    for wanted in filter(None, (session_column, amount_column)):
        if wanted not in columns:
            raise StatementError(
                f"The statement has no column {wanted!r}; it has: {', '.join(columns)}."
            )
    amounts = amount_column or AMOUNT_COLUMN
    for row in rows:
        text = (row[session_column] or "").strip()
        if not key_of(text):
            raise StatementError(f"Line {rows.line_num} has no session id.")
        amount = _amount(row[amounts], rows.line_num) if amounts in columns else None
        statement.add(text, rows.line_num, amount)


def _amount(text: str | None, line: int) -> Decimal:
    text = (text or "").strip()
    if not AMOUNT.fullmatch(text):
        raise StatementError(f"Line {line}: {text[:20]!r} is not an amount.")
    return Decimal(re.sub("[¥￥,]", "", text))


def _encoding_of(path: Path) -> str:
    for encoding in ENCODINGS:
        try:
            with path.open(encoding=encoding) as file:
                while file.read(65536):
                    pass
        except UnicodeDecodeError:
            continue
        return encoding
    raise StatementError("The statement is neither UTF-8 nor GB 18030.")
