"""``faceverify_reconcile``: every difference is found, none is invented."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from django_faceverify import statement
from django_faceverify.models import Verification
from tests.ledgers import write_attempts

pytestmark = pytest.mark.django_db


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "statement.csv"


def write(
    path: Path, lines: Iterable[Any], header: str = "session_id,amount", encoding: str = "utf-8"
) -> Path:
    path.write_text("\n".join([header, *lines]) + "\n", encoding=encoding)
    return path


def billed(session_ids: Iterable[str], amount: str = "1.80") -> list[str]:
    return [f"{session_id},{amount}" for session_id in session_ids]


def reconcile(path: Path, *options: str) -> tuple[int, dict[str, set[str]], dict[str, Any]]:
    """The exit code, the session ids by the kind of their difference, and the totals."""
    out, code = StringIO(), 0
    try:
        call_command("faceverify_reconcile", str(path), "--json", *options, stdout=out)
    except SystemExit as end:
        code = int(end.code or 0)
    *differences, totals = map(json.loads, out.getvalue().splitlines())
    found: dict[str, set[str]] = {}
    for difference in differences:
        session_ids = found.setdefault(difference["kind"], set())
        assert difference["session_id"] not in session_ids
        session_ids.add(difference["session_id"])
    assert {kind: len(ids) for kind, ids in found.items()} == {
        kind: count for kind, count in totals["counts"].items() if count
    }
    assert totals["is_close"] == (code == 0)
    return code, found, totals


def test_every_difference_in_a_long_statement_is_found_and_none_is_false(
    verification: Verification, path: Path
) -> None:
    ours = write_attempts(verification, 5000)
    shuffled = random.Random(1)
    missing = set(shuffled.sample(ours[1:-1], 50))  # its ends say how far the statement reaches
    extra = {f"{number:032x}" for number in range(50)}
    lines = billed(session_id for session_id in {*ours, *extra} - missing)
    shuffled.shuffle(lines)
    code, found, totals = reconcile(write(path, lines))
    assert found == {"not_ours": extra, "yes_not_billed": missing}
    assert (totals["expected"], totals["billed"]) == ("9000.0", "9000.00")
    assert code == 0


def test_every_kind(verification: Verification, path: Path) -> None:
    agreed = write_attempts(verification, 3)
    no = write_attempts(verification, 1, is_billed="no")
    [paid, unpaid] = write_attempts(verification, 2, is_billed="unknown")
    [missing, free] = write_attempts(verification, 2)
    last_year = timezone.now() - timedelta(days=365)
    old = write_attempts(verification, 1, started_at=last_year)
    write_attempts(verification, 1, provider="other")
    lines = [
        *billed([*agreed, agreed[0], *no, paid, *old, "0"]),
        *billed([free], amount="0.00"),
    ]
    day = f"{timezone.now() - timedelta(days=2):%Y-%m-%d}"
    code, found, totals = reconcile(write(path, lines), "--since", day)
    assert found == {
        "not_ours": {"0"},
        "twice": {agreed[0]},
        "billed_though_no": set(no),
        "other_period": set(old),
        "unknown_billed": {paid},
        "unknown_not_billed": {unpaid},
        "yes_not_billed": {missing, free},
    }
    assert (totals["expected"], totals["billed"], totals["difference"]) == ("9.0", "14.40", "5.40")
    assert code == 1


def test_without_amounts_every_line_costs_the_price(
    verification: Verification, path: Path, settings: Any
) -> None:
    entry = {**settings.FACEVERIFY["PROVIDERS"]["default"], "LIMITS": {"PRICE": 2.5}}
    settings.FACEVERIFY = {**settings.FACEVERIFY, "PROVIDERS": {"default": entry}}
    ours = write_attempts(verification, 4)
    code, found, totals = reconcile(
        write(path, ours, header="流水号", encoding="gb18030"), "--session-column", "流水号"
    )
    assert (code, found) == (0, {})
    assert (totals["expected"], totals["billed"]) == ("10.0", "10.0")


@pytest.mark.parametrize(("missing", "code"), [(5, 0), (6, 1)])
def test_half_a_percent_may_be_off(
    verification: Verification, path: Path, missing: int, code: int
) -> None:
    ours = write_attempts(verification, 1000)
    assert reconcile(write(path, billed([ours[0], *ours[1 + missing :]])))[0] == code


def test_a_statement_may_name_the_providers_own_ids(verification: Verification, path: Path) -> None:
    """As FaceID's does: each call by the ``RequestId`` that came with its answer."""
    answered, request_ids = write_answered(verification, 12)
    [paid_twice, missing, *_] = answered
    [free] = write_attempts(verification, 1, is_billed="no", provider_session_id="Free-1")
    [unanswered] = write_attempts(verification, 1, is_billed="unknown")
    other = str(UUID(int=99))
    write_attempts(verification, 1, provider="other", provider_session_id=other)
    lines = billed([*request_ids[:1], *request_ids[:1], *request_ids[2:], "Free-1", other])
    code, found, _ = reconcile(
        write(path, lines, header="RequestId,amount"),
        *("--session-column", "RequestId", "--since", "2026-01-01"),
    )
    assert found == {
        "not_ours": {other},
        "twice": {paid_twice},
        "billed_though_no": {free},
        "unknown_not_billed": {unanswered},
        "yes_not_billed": {missing},
    }
    assert code == 1


def test_a_statement_of_both_kinds_of_ids(verification: Verification, path: Path) -> None:
    """Capitals and hyphens do not matter, and the period is that of all calls it names."""
    last_year = timezone.now() - timedelta(days=365)
    ours = write_attempts(verification, 3, started_at=last_year)
    _, request_ids = write_answered(verification, 3)
    lines = billed([*ours, request_ids[0].upper(), request_ids[1].replace("-", ""), request_ids[2]])
    code, found, totals = reconcile(write(path, lines))
    assert (code, found, totals["expected"]) == (0, {}, "10.8")


def write_answered(verification: Verification, count: int) -> tuple[list[str], list[str]]:
    """Attempts that the provider gave ids of its own; both kinds of ids."""
    request_ids = [str(uuid4()) for _ in range(count)]
    session_ids = [
        write_attempts(verification, 1, provider_session_id=request_id)[0]
        for request_id in request_ids
    ]
    return session_ids, request_ids


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_statements_as_they_come(verification: Verification, path: Path, encoding: str) -> None:
    [first, second] = write_attempts(verification, 2)
    hyphens = f"{first[:8]}-{first[8:12]}-{first[12:16]}-{first[16:20]}-{first[20:]}".upper()
    lines = [f'{hyphens},"￥1,000.00",人脸核身', "", f" {second} ,¥1.8,人脸核身"]
    write(path, lines, header="session_id, 金额 ,产品", encoding=encoding)
    code, found, totals = reconcile(path, "--amount-column", "金额")
    assert (code, found, totals["billed"]) == (1, {}, "1001.80")


def test_a_statement_of_nothing(verification: Verification, path: Path) -> None:
    write(path, [])
    with pytest.raises(CommandError, match="which days"):
        call_command("faceverify_reconcile", str(path))
    assert reconcile(path, "--until", "2026-01-01")[0] == 0
    ours = write_attempts(verification, 1)
    assert reconcile(path, "--since", "2026-01-01")[:2] == (1, {"yes_not_billed": set(ours)})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"id,amount\n1,1\n", "has no column 'session_id'; it has: id, amount"),
        (b"session_id,amount\nabc,free\n", "Line 2: 'free' is not an amount"),
        (b"session_id,amount\nabc,nan\n", "Line 2: 'nan' is not an amount"),
        (b"session_id,amount\nabc,1e9\n", "Line 2: '1e9' is not an amount"),
        (b"session_id,amount\nabc,1,80\n,1\n", "Line 3 has no session id"),
        (b"session_id,amount\nabc\n", "Line 2: '' is not an amount"),
        ("session_id,amount\nabc,1\n".encode("utf-16"), "neither UTF-8 nor GB 18030"),
        (b"session_id\n" + b"a" * 200_000, "is not CSV"),
    ],
)
def test_a_bad_statement_says_what_is_wrong(path: Path, content: bytes, said: str) -> None:
    path.write_bytes(content)
    with pytest.raises(CommandError, match=said):
        call_command("faceverify_reconcile", str(path))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--amount-column", "cost"], "has no column 'cost'"),
        (["--provider", "nobody"], "has no 'nobody'"),
        (["--since", "yesterday"], "is not a day"),
        (["--since", "2026-11-02", "--until", "2026-11-01"], "--since is after --until"),
    ],
)
def test_bad_options(path: Path, options: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        call_command("faceverify_reconcile", str(write(path, ["a,1"])), *options)


def test_no_file(path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be opened"):
        call_command("faceverify_reconcile", str(path))


def test_what_a_person_reads(verification: Verification, path: Path) -> None:
    ours = write_attempts(verification, 1)
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("faceverify_reconcile", str(write(path, billed([*ours, "f"]))), stdout=out)
    first, *rest = out.getvalue().splitlines()
    assert first.split() == ["not_ours", "f", "line", "3"]
    assert [line.split()[:2] for line in rest if "  0  " not in line] == [
        ["not_ours", "1"],
        ["expected", "1.80"],
        ["billed", "3.60"],
        ["difference", "1.80"],
    ]


def test_it_asks_for_batches(
    verification: Verification, path: Path, django_assert_num_queries: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(statement, "BATCH", 10)
    write(path, billed(write_attempts(verification, 25)))
    with django_assert_num_queries(3 + 3 + 1 + 1):  # the period, the lines, the ledger, the sum
        reconcile(path)
    write(path, billed(write_answered(verification, 25)[1]))
    with django_assert_num_queries(2 * 3 + 2 * 3 + 1 + 1):  # each line by both kinds of ids
        reconcile(path)
