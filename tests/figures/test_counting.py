"""Counting on, again, at once and after a purge: always the same numbers."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from django_faceverify import figures, intake, lifecycle, reopening, sweeper
from django_faceverify import verification as engine
from django_faceverify.audit import deleting_cases
from django_faceverify.figures import cells, counting
from django_faceverify.figures.scale import unpacked
from django_faceverify.models import (
    DailyFigure,
    Event,
    FigureCount,
    Verification,
    VerificationAttempt,
)
from django_faceverify.models.keys import new_id
from django_faceverify.quotas import this_day
from tests.conftest import CONSENT, draw_jpeg, submitted
from tests.ledgers import write_attempts
from tests.scripted import ScriptedProvider, similarity

pytestmark = pytest.mark.django_db


def stored() -> dict[tuple[Any, ...], int]:
    """All rows by what they are about; the key of each follows from that."""
    columns = ("day", "span", "kind", "level", "provider", "source", "result", "detail")
    rows = DailyFigure.objects.values_list(*columns, "count", "buckets")
    for *_, count, buckets in rows:
        assert count > 0
        assert not buckets or sum(places(buckets).values()) == count
        assert all(places(buckets).values())
    whole = {tuple(facts): count for *facts, count, _ in rows}
    return whole | {
        (*facts, bucket): count
        for *facts, _, buckets in rows
        for bucket, count in places(buckets).items()
    }


def total(kind: str, bucket: int | str | None = None, **facts: Any) -> int:
    span = "week" if kind == "comparison" else "day"
    rows = DailyFigure.objects.filter(kind=kind, span=span, **facts)
    if bucket is None:
        return sum(rows.values_list("count", flat=True))
    return sum(places(row.buckets).get(bucket, 0) for row in rows)


def places(buckets: Any) -> dict[Any, int]:
    return unpacked(buckets) if isinstance(buckets, list) else buckets


def count_all() -> int:
    return figures.advance(float("inf"), settled=0).event_count


def decided(user: Any, value: float) -> Verification:
    case = submitted(user)
    ScriptedProvider.script(similarity(value))
    engine.run(case.pk)
    case.refresh_from_db()
    return case


def purge(case: Verification) -> None:
    rows = Verification.objects.filter(pk=case.pk)
    with deleting_cases(rows, actor=lifecycle.SYSTEM, reason="AUDIT") as ids:
        Verification.objects.filter(pk__in=ids).delete()


@pytest.fixture
def cases(alice: User, reviewer: User) -> list[Verification]:
    """One verified, one reviewed, one that waits for another photo, one canceled."""
    made = [decided(alice, value) for value in (95, 72, 30, 71)]
    intake.review(made[1], reviewer=reviewer, decision="verify", reason_code="same_person")
    intake.cancel(made[3], user=alice)
    return made


def test_what_the_app_itself_writes(cases: list[Verification], reviewer: User) -> None:
    assert count_all() == sum(case.events.count() for case in cases)
    assert total("opened", level="default", provider="default") == 4
    ended = DailyFigure.objects.filter(kind="ended").values_list("source", "result", "count")
    assert sorted(ended) == [
        ("", "canceled", 1),
        ("reviewer", "verified", 1),
        ("threshold", "verified", 1),
    ]
    assert total("comparison", bucket=720, detail="verified") == 1
    assert total("similarity", result="mismatch", bucket=30) == 1
    assert total("review", f"user:{reviewer.pk}", source="against") == 1
    assert total("call", result="answered", source="yes") == 4
    assert total("latency") == 4


def test_a_finding_of_a_shadow_is_no_verdict_about_the_case(alice: User) -> None:
    """The first call of a shadow has the number of the call that decided."""
    case = decided(alice, 95)
    (own,) = case.attempts.all()
    own.pk, own.session_id = new_id(), "of-the-shadow"
    own.role, own.provider, own.reason_code = "shadow", "second", "face_mismatch"
    own.save(force_insert=True)
    count_all()
    assert total("comparison", source="threshold", result="verified") == 1
    assert total("ended", source="threshold", result="verified") == 1


def test_nothing_is_counted_twice(cases: list[Verification]) -> None:
    count_all()
    before = stored()
    assert count_all() == 0
    assert stored() == before


def test_in_pieces_it_is_the_same(
    cases: list[Verification], monkeypatch: pytest.MonkeyPatch
) -> None:
    count_all()
    whole = stored()
    DailyFigure.objects.all().delete()
    FigureCount.objects.all().delete()
    monkeypatch.setattr(counting, "BATCH", 3)
    for _ in range(100):
        if figures.advance(0, settled=0).is_done:
            break
    assert stored() == whole


def test_a_decision_that_is_taken_back_moves(
    cases: list[Verification], reviewer: User, admin_user: User
) -> None:
    count_all()
    second = User.objects.create_superuser("second")
    reopening.propose(cases[0], user=second, reason_code="mistake")
    reopening.confirm(cases[0], user=admin_user)
    count_all()
    assert total("ended", result="verified") == 1
    assert total("taken_back", "system", result="open") == 1
    intake.review(cases[0], reviewer=reviewer, decision="reject", reason_code="different_person")
    count_all()
    assert total("ended", result="rejected", source="reviewer") == 1
    assert total("taken_back", result="open") == 0
    assert total("taken_back", "system", result="different") == 1
    assert total("comparison", result="verified", detail="rejected") == 1
    grown = stored()
    assert figures.rebuild() == []
    assert stored() == grown


def test_young_events_rest_first(cases: list[Verification]) -> None:
    assert figures.advance(settled=60).event_count == 0
    assert figures.advance(settled=0).event_count > 0


def test_the_loser_of_two_counters_adds_nothing(
    cases: list[Verification], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one moves the mark after this one has read what to count."""
    really = counting._added_by

    def overtaken(batch: Any, before: int) -> Counter[Any]:
        added = really(batch, before)
        monkeypatch.setattr(counting, "_added_by", really)
        count_all()
        return added

    monkeypatch.setattr(counting, "_added_by", overtaken)
    count_all()
    assert total("opened") == 4
    grown = stored()
    figures.rebuild()
    assert stored() == grown


def test_a_counter_that_dies_has_done_nothing(
    cases: list[Verification], monkeypatch: pytest.MonkeyPatch
) -> None:
    really = cells.add

    def die(added: Any) -> None:
        really(added)
        raise KeyboardInterrupt

    monkeypatch.setattr(cells, "add", die)
    with pytest.raises(KeyboardInterrupt):
        count_all()
    assert total("opened") == 0
    monkeypatch.setattr(cells, "add", really)
    count_all()
    assert total("opened") == 4


def test_history_outlives_the_purge(cases: list[Verification], alice: User) -> None:
    count_all()
    before = stored()
    purge(cases[3])
    figures.advance(float("inf"), settled=0)
    assert total("opened") == 4
    assert total("ended", result="canceled") == 1
    # the calls of a day are counted from the ledger until they have settled
    assert figures.rebuild() == [this_day().ends_at.date() - timedelta(days=1)]
    after = stored()
    assert {key for key in before if key[2] not in ("call", "latency")} <= set(after)


def test_redaction_changes_nothing(cases: list[Verification], alice: User) -> None:
    count_all()
    before = stored()
    intake.redact(cases[0], user=alice)
    count_all()
    assert stored() == before


def test_calls_are_counted_again_while_they_may_change(verification: Verification) -> None:
    midnight = this_day().ends_at - timedelta(days=1)
    for days_ago in (0, 1, 6, 7, 30):
        at = midnight - timedelta(days=days_ago) + timedelta(seconds=1)
        write_attempts(verification, 1, started_at=at, state="unknown", is_billed="unknown")
    count_all()
    assert total("call", result="unknown") == 5
    VerificationAttempt.objects.update(state="answered", is_billed="yes", duration_ms=400)
    count_all()
    assert total("call", result="answered") == 1  # today's
    FigureCount.objects.update(calls_day=midnight.date() - timedelta(days=1))  # a day later
    count_all()
    assert total("call", result="answered") == 4
    assert total("call", result="unknown", day=midnight.date() - timedelta(days=30)) == 1
    assert total("call") == 5


def test_a_settled_day_never_loses_what_was_purged(verification: Verification) -> None:
    """As after an update, when the whole ledger is counted again."""
    midnight = this_day().ends_at - timedelta(days=1)
    kept, fresh = (midnight - timedelta(days=days) for days in (7, 6))
    for at in (kept, fresh):
        write_attempts(verification, 3, started_at=at, duration_ms=400)
        shadow: dict[str, Any] = {"role": "shadow", "provider": "second", "duration_ms": 400}
        write_attempts(verification, 1, started_at=at, **shadow)
    count_all()
    assert total("call", detail="shadow") == 2
    for at in (kept, fresh):
        of_day = VerificationAttempt.objects.filter(role="case", started_at__gt=at)
        of_day.filter(started_at__lt=at + timedelta(seconds=3)).delete()
    FigureCount.objects.update(calls_day=None)
    count_all()
    assert total("call", day=kept.date()) == 4
    assert total("latency", day=kept.date()) == 4
    assert total("call", day=fresh.date()) == 2


def test_a_week_is_kept_with_any_of_its_days(cases: list[Verification]) -> None:
    """What is left of a week whose case was purged would be less than what was counted."""
    count_all()
    compared = total("comparison")
    purge(cases[0])
    assert figures.rebuild()
    assert total("comparison") == compared
    DailyFigure.objects.filter(kind__in=("opened", "reason", "call")).delete()
    assert figures.rebuild() == []
    assert total("comparison") == compared - 1


def test_what_happened_since_the_last_count_is_in_what_is_kept(
    cases: list[Verification], reviewer: User
) -> None:
    """A week is kept, and a person decides one of its cases before everything is counted again."""
    waiting = decided(User.objects.create_user("carol"), 73)
    count_all()
    purge(cases[0])
    intake.review(waiting, reviewer=reviewer, decision="verify", reason_code="same_person")
    assert figures.rebuild()
    count_all()
    assert total("comparison", bucket=730, detail="verified") == 1
    assert total("comparison", bucket=730, detail="") == 0
    assert total("ended", result="verified") == 3


def test_another_counter_counts_nothing_twice_in_what_is_kept(
    cases: list[Verification], reviewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sweep counts a decision after the rebuild has read the history."""
    waiting = decided(User.objects.create_user("carol"), 73)
    count_all()
    purge(cases[0])
    really = counting._first_call_day

    def overtaken() -> Any:
        monkeypatch.setattr(counting, "_first_call_day", really)
        intake.review(waiting, reviewer=reviewer, decision="verify", reason_code="same_person")
        count_all()
        return really()

    monkeypatch.setattr(counting, "_first_call_day", overtaken)
    assert figures.rebuild()
    count_all()
    assert total("comparison", bucket=730, detail="verified") == 1
    assert total("comparison", bucket=730, detail="") == 0
    assert total("ended", result="verified") == 3


def test_a_clock_that_was_set_back_stops_no_count(cases: list[Verification]) -> None:
    ahead = timezone.now() + timedelta(days=300)
    FigureCount.objects.create(counted_at=ahead, calls_day=ahead.date())
    figures.advance(interval=60)
    mark = FigureCount.objects.get()
    assert mark.counted_at is not None
    assert mark.counted_at < ahead
    assert mark.calls_day == this_day().ends_at.date() - timedelta(days=1)


def test_an_event_of_a_clock_that_was_set_back_stops_no_count(
    alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = timezone.now()
    for user, clock in ((alice, now + timedelta(days=300)), (bob, now)):
        monkeypatch.setattr(timezone, "now", lambda clock=clock: clock)
        submitted(user)
    monkeypatch.setattr(timezone, "now", lambda: now + timedelta(seconds=61))
    assert figures.advance().event_count == Event.objects.count()
    assert total("opened") == 2


def test_buckets_that_are_empty_again_are_gone(alice: User) -> None:
    """Another photo moves the one comparison of the case to another place."""
    case = decided(alice, 30)
    count_all()
    assert total("comparison", bucket=300) == 1
    intake.submit(case, intake.Submission(image=draw_jpeg(seed=2)), user=alice, consent=CONSENT)
    ScriptedProvider.script(similarity(31))
    engine.run(case.pk)
    count_all()
    row = DailyFigure.objects.get(kind="comparison")
    assert (row.count, row.buckets) == (1, [310, 1])


def test_the_sweep_counts_once_a_minute(cases: list[Verification]) -> None:
    sweeper.sweep()
    first = FigureCount.objects.get().counted_at
    assert first is not None
    sweeper.sweep()
    assert FigureCount.objects.get().counted_at == first
    FigureCount.objects.update(counted_at=timezone.now() - timedelta(seconds=61))
    sweeper.sweep()
    counted_at = FigureCount.objects.get().counted_at
    assert counted_at is not None
    assert counted_at > first


def test_a_batch_costs_a_fixed_number_of_statements(
    cases: list[Verification], django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(40):
        count_all()


def test_the_day_ends_in_shanghai(verification: Verification) -> None:
    midnight = this_day().ends_at - timedelta(days=1)
    write_attempts(verification, 2, started_at=midnight - timedelta(seconds=2))
    count_all()
    days = dict(DailyFigure.objects.filter(kind="call").values_list("day", "count"))
    yesterday: datetime = midnight - timedelta(days=1)
    assert days == {midnight.date(): 1, yesterday.date(): 1}
