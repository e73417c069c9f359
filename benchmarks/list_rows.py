"""Fills the tables with as many cases as asked: ``python -m benchmarks.list_rows COUNT``.

The rows are made up by a fixed seed and go in by COPY (PostgreSQL) or ``executemany``
(SQLite), without indexes and foreign keys, which are built afterwards. They look like those
of a real site: sealed columns hold tokens of the right length (that do not open), one case
in ten is redacted, three in a hundred wait for a reviewer. However many there are, they lie
in the same hundred days, so that a page of one day is full at every size.
"""

from __future__ import annotations

import math
import os
import random
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta, timezone
from itertools import islice
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.list_settings")
django.setup()

# Django has to be set up before these can be imported.
from django.contrib.auth import get_user_model  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.db.models import Model, UniqueConstraint  # noqa: E402

from django_faceverify import sealing  # noqa: E402
from django_faceverify.models import (  # noqa: E402
    Judgement,
    Photo,
    Review,
    Verification,
    VerificationAttempt,
    WebhookDelivery,
    WebhookEndpoint,
)
from django_faceverify.models.review import band_of  # noqa: E402
from django_faceverify.webhooks import EVENTS  # noqa: E402

#: an ID number that nobody can hold; every five-hundredth of ten thousand cases is about it
IDCARD_NUMBER = "000000199001010011"
KNOWN_CASES = 20
DAYS = 100
USERS = 1000
#: of all cases, those of the user who has most
HOT_USER_SHARE = 0.02
#: of the cases in review, those that wait for a second person: enough for a page of ten thousand
SECOND_SHARE = 0.2
SLICE = 20_000

MODELS: tuple[type[Model], ...] = (
    Verification,
    Review,
    Judgement,
    Photo,
    VerificationAttempt,
    WebhookDelivery,
)
#: a text for a column, or None; both databases read their own types out of texts
Row = list[str | None]

STATUSES = (
    ("verified", 70), ("rejected", 15), ("requires_input", 5), ("in_review", 3),
    ("processing", 1), ("canceled", 3), ("expired", 3),
)  # fmt: skip
REASONS = {
    "rejected": ("face_mismatch", "photos_exhausted", "no_face", "different_person"),
    "in_review": ("low_similarity", "id_photo_poor"),
    "canceled": ("canceled_by_subject",),
    "expired": ("not_started_in_time",),
}
SIMILARITIES = {"verified": (80, 100), "rejected": (0, 60), "in_review": (70, 80)}


def main() -> None:
    count = int(sys.argv[1])
    if Verification.objects.exists():
        return  # a database that was kept
    begin = time.monotonic()
    people = get_user_model()
    people.objects.bulk_create(
        [people(username=f"person-{number}") for number in range(USERS)], ignore_conflicts=True
    )
    people.objects.filter(username="reviewer").delete()  # of a run that was cut off
    people.objects.create_superuser("reviewer", password="reviewer")  # noqa: S106 (measured only)
    connection.disable_constraint_checking()  # for SQLite, which cannot do it later
    with transaction.atomic(), ExitStack() as stack:
        endpoint = WebhookEndpoint(url="https://example.com/", secret="made up")  # noqa: S106
        endpoint.created_at = endpoint.updated_at = datetime.now(timezone.utc)
        endpoint.save()
        for model in MODELS:
            stack.enter_context(without_indexes(model))
        cases = Cases(count, endpoint.pk.hex)
        while any(batch := cases.batch(SLICE)):
            for model in MODELS:
                write(model, batch[model])
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("VACUUM (ANALYZE)")
        else:
            cursor.execute("ANALYZE")
    print(f"{count} cases in {time.monotonic() - begin:.0f} s")  # noqa: T201 (its output)


class Cases:
    """Makes up cases from the oldest to the newest, each with what hangs on it."""

    def __init__(self, count: int, endpoint: str) -> None:
        self.random = random.Random(count)  # noqa: S311 (no secret)
        self.count, self.endpoint, self.number = count, endpoint, 0
        self.end = datetime.now(timezone.utc).replace(tzinfo=None) - timedelta(minutes=1)
        self.step = timedelta(days=DAYS) / count
        self.tokens = [sealing.seal_text("王小明的名字", context=str(n)) for n in range(500)]
        self.known = sealing.blind_index(IDCARD_NUMBER)
        ids = get_user_model().objects.filter(username__startswith="person").order_by("pk")
        self.reviewer = str(get_user_model().objects.get(username="reviewer").pk)
        self.users = [str(pk) for pk in ids.values_list("pk", flat=True)]
        self.statuses = [name for name, share in STATUSES for _ in range(share)]

    def batch(self, size: int) -> dict[type[Model], list[Row]]:
        rows: dict[type[Model], list[Row]] = {}
        if self.number >= self.count:
            return rows
        for model in MODELS:
            rows[model] = []
        for _ in range(min(size, self.count - self.number)):
            self._case(rows)
            self.number += 1
        return rows

    def _key(self, at: datetime) -> str:
        milliseconds = int((at - datetime(1970, 1, 1)).total_seconds() * 1000)
        bits = f"{self.random.getrandbits(72):018x}"
        return f"{milliseconds:012x}7{bits[:3]}8{bits[3:]}"

    def _case(self, rows: dict[type[Model], list[Row]]) -> None:
        chance, number = self.random.random, self.number
        at = self.end - self.step * (self.count - 1 - number)
        done = at + timedelta(seconds=5 + chance() * 600)
        created, decided = str(at), str(done)
        key, status = self._key(at), self.random.choice(self.statuses)
        is_final = status in Verification.FINAL
        is_compared = status in SIMILARITIES
        is_redacted = is_final and chance() < 0.1
        low_high = SIMILARITIES.get(status)
        similarity = f"{self.random.uniform(*low_high):.4f}" if low_high else None
        reasons = REASONS.get(status)
        is_known = number % (self.count // KNOWN_CASES) == 0 and not is_redacted
        provider = ("second" if chance() < 0.02 else "default") if is_compared else ""
        is_decided = status in {"verified", "rejected"}
        index = self.known if is_known else f"benchmark:{self.random.getrandbits(256):064x}"
        due = str(self.end + timedelta(days=3650)) if status == "processing" else None
        token = self.random.choice(self.tokens)
        rows[Verification].append([
            key,
            self.users[0] if chance() < HOT_USER_SHARE else self.random.choice(self.users),
            f"order-{number // 2}", "strict" if chance() < 0.01 else "default", "0", "{}", status,
            self.random.choice(reasons) if reasons else "", similarity,
            "80" if is_compared else None, "70" if is_compared else None, "", "", "", provider,
            "threshold" if is_decided else "", decided if is_decided else None, None,
            "" if is_redacted else token, "" if is_redacted else token,
            "" if is_redacted else index, "" if is_redacted else "000***********0011", "",
            "1" if is_compared else "0", "1" if status == "rejected" else "0", created, decided,
            str(at + timedelta(days=7)), decided if is_final else None,
            decided if is_redacted else None,
            None if is_redacted else "identity" if is_final else "photos",
            "waiting" if due else None, "1", "0", "0", None, due, due,
        ])  # fmt: skip
        if status == "in_review":
            self._wait(rows, rows[Verification][-1], decided)
        if not is_compared:
            return
        photo = self._key(at)
        rows[Photo].append([
            photo, key, "1", f"{photo[:2]}/{photo}", "", f"{self.random.getrandbits(256):064x}",
            "480", "640", "60000", None, "camera", created, None,
        ])  # fmt: skip
        state = "answered" if chance() < 0.98 else "unknown"
        rows[VerificationAttempt].append([
            self._key(at), key, photo, "case", "1", provider, self._key(at), state,
            "yes" if state == "answered" else "unknown", "", "0", "OK", "", similarity, "200",
            created, decided, str(int(400 * math.exp(3 * chance() - 1))),
        ])  # fmt: skip
        if number % 5 == 0:
            rows[WebhookDelivery].append([
                self._key(at), self.endpoint, key, self.random.choice(EVENTS), status, "", decided,
                "dead" if chance() < 0.05 else "delivered", None, None, "1", "0", "", "200", "90",
                decided,
            ])  # fmt: skip

    def _wait(self, rows: dict[type[Model], list[Row]], case: Row, since: str) -> None:
        """Its row in the queue; half of what waits for a second person, the reviewer has judged."""
        columns = [field.column for field in Verification._meta.concrete_fields]
        of = dict(zip(columns, case, strict=True))
        judge = None
        if self.random.random() < SECOND_SHARE:
            judge = self.random.choice((self.reviewer, self.users[1]))
            rows[Judgement].append([
                self._key(datetime.fromisoformat(since)), of["id"], "1", f"user:{judge}", judge,
                "verify", "same_person", "", since,
            ])  # fmt: skip
        rows[Review].append([
            of["id"], since, "second" if judge else "first", None, None, None, "0", judge,
            of["user_id"], of["level"], of["reason_code"], of["provider"],
            band_of(float(of["similarity"] or 0)),
        ])  # fmt: skip


@contextmanager
def without_indexes(model: type[Model]) -> Iterator[None]:
    """They are built in one go at the end, which is many times faster."""
    unique = [one for one in model._meta.constraints if isinstance(one, UniqueConstraint)]
    with connection.schema_editor() as editor:
        if connection.vendor == "postgresql":
            editor.execute("SET session_replication_role = replica")
            editor.execute("SET maintenance_work_mem = '512MB'")
        for index in model._meta.indexes:
            editor.remove_index(model, index)
        if connection.vendor == "postgresql":
            for constraint in unique:
                editor.remove_constraint(model, constraint)
    yield
    with connection.schema_editor() as editor:
        for index in model._meta.indexes:
            editor.add_index(model, index)
        if connection.vendor == "postgresql":
            for constraint in unique:
                editor.add_constraint(model, constraint)


def write(model: type[Model], rows: Iterable[Row]) -> None:
    names = [connection.ops.quote_name(field.column) for field in model._meta.concrete_fields]
    table = connection.ops.quote_name(model._meta.db_table)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            copied: Any = cursor.copy(f"COPY {table} ({', '.join(names)}) FROM STDIN")
            with copied as copy:
                for lines in slices(rows, 1000):
                    copy.write("".join(map(_line, lines)))
        else:
            places = ", ".join(["%s"] * len(names))
            cursor.executemany(
                f"INSERT INTO {table} ({', '.join(names)}) VALUES ({places})",  # noqa: S608 (names are the model's)
                list(rows),
            )


def slices(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    iterator = iter(rows)
    while some := list(islice(iterator, size)):
        yield some


def _line(row: Row) -> str:
    return "\t".join(["\\N" if value is None else value for value in row]) + "\n"


if __name__ == "__main__":
    main()
