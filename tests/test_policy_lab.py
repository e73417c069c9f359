"""The lab replays what happened: exact numbers for small data, and laws for any."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from django_faceverify import policy_lab
from django_faceverify.decision import Thresholds, Zone
from django_faceverify.figures import cells
from django_faceverify.figures.cases import cells_of
from django_faceverify.figures.report import Scope
from django_faceverify.models import DailyFigure
from django_faceverify.policy_lab import Caution, Pile, Question
from tests.figures.histories import NOON, THRESHOLDS, History

VERIFIED, IN_REVIEW, MISMATCH = Zone
DAY = date(2026, 3, 2)
SCOPE = Scope(DAY, DAY, "", "default")


def question(verify_at: float, review_at: float, scope: Scope = SCOPE) -> Question:
    return Question(scope, Thresholds(verify_at, review_at))


#: similarity in tenths, where it fell, the provider's verdict, what people decided, how many
SMALL = [
    Pile(950, VERIFIED, False, "", 10),
    Pile(810, VERIFIED, False, "rejected", 1),
    Pile(800, VERIFIED, False, "", 4),
    Pile(799, IN_REVIEW, False, "verified", 3),
    Pile(750, IN_REVIEW, False, "verified", 5),
    Pile(750, IN_REVIEW, False, "rejected", 2),
    Pile(749, IN_REVIEW, False, "input_required", 1),
    Pile(700, IN_REVIEW, False, "rejected", 6),
    Pile(699, MISMATCH, False, "", 7),
    Pile(990, MISMATCH, True, "", 2),
]


def test_exact_numbers() -> None:
    answer = policy_lab.replay(question(75, 70), SMALL)
    assert answer.total == 41
    assert answer.was == {VERIFIED: 15, IN_REVIEW: 17, MISMATCH: 9}
    assert answer.trial.zones == {VERIFIED: 25, IN_REVIEW: 7, MISMATCH: 9}
    assert {move: count for move, count in answer.moved.items() if count} == {
        (VERIFIED, VERIFIED): 15,
        (IN_REVIEW, VERIFIED): 10,
        (IN_REVIEW, IN_REVIEW): 7,
        (MISMATCH, MISMATCH): 9,
    }
    assert answer.changed == 10
    assert answer.by_provider == 2
    share = answer.trial.wrongly_verified
    assert (share.count, share.total) == (3, 11)
    assert share.interval == pytest.approx((0.0975, 0.5656), abs=0.0001)
    assert answer.trial.wrongly_refused.total == 0
    assert answer.cautions == [
        Caution.FEW_CASES,
        Caution.FEW_DECISIONS_ABOVE,
        Caution.NO_DECISIONS_BELOW,
    ]


def test_what_people_said_of_those_that_would_be_turned_down() -> None:
    share = policy_lab.replay(question(85, 75.1), SMALL).trial.wrongly_refused
    assert (share.count, share.total) == (5, 13)


def test_bands_of_what_people_decided() -> None:
    bands = policy_lab.replay(question(80, 70), SMALL).bands
    assert (bands[0].low, bands[-1].high, len(bands)) == (68, 100, 16)
    by_low = {band.low: band for band in bands}
    seventy_four = by_low[74]
    assert (seventy_four.cases, seventy_four.verified, seventy_four.rejected) == (8, 5, 2)
    assert (seventy_four.asked_again, seventy_four.undecided) == (1, 0)
    assert (seventy_four.accepted.count, seventy_four.accepted.total) == (5, 7)
    assert by_low[98].cases == 0  # what the provider refused is nobody's similarity to judge
    assert by_low[80].undecided == 4


def test_the_neighbourhood_stays_on_the_scale() -> None:
    def lines(verify_at: float, review_at: float) -> list[float]:
        trials = policy_lab.replay(question(verify_at, review_at), SMALL).neighbours
        return [trial.thresholds.verify_at for trial in trials]

    assert lines(80, 70) == [75, 76, 77, 78, 79, 80, 81, 82, 83, 84, 85]
    assert lines(98, 97) == [97, 98, 99, 100]


@pytest.mark.parametrize(
    ("verify_at", "review_at", "scope"),
    [
        (80.05, 70, SCOPE),
        (80, 69.99, SCOPE),
        (70, 80, SCOPE),
        (101, 80, SCOPE),
        (80, 70, Scope(DAY, DAY, "", "")),
        (80, 70, Scope(DAY, DAY + timedelta(weeks=53), "", "default")),
        (80, 70, Scope(DAY, DAY - timedelta(days=1), "", "default")),
        (80, 70, Scope(DAY - timedelta(days=1), DAY, "", "default")),
    ],
)
def test_a_question_that_has_no_answer(verify_at: float, review_at: float, scope: Scope) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        question(verify_at, review_at, scope)


def test_no_cases() -> None:
    answer = policy_lab.replay(question(80, 70), [])
    assert (answer.total, answer.changed, answer.bands) == (0, 0, [])
    assert answer.cautions == [Caution.NO_CASES]


def test_the_setting() -> None:
    assert (
        policy_lab.snippet(question(82.5, 70))
        == 'FACEVERIFY["PROVIDERS"]["default"]["THRESHOLDS"] = {"verify_at": 82.5, "review_at": 70}'
    )
    scope = Scope(DAY, DAY, "live", "default")
    assert policy_lab.snippet(question(82.5, 70, scope)).startswith('FACEVERIFY["LEVELS"]["live"]')


lines = st.tuples(st.integers(0, 1000), st.integers(0, 1000)).map(
    lambda pair: Thresholds(max(pair) / 10, min(pair) / 10)
)


@st.composite
def piles(draw: st.DrawFn) -> list[Pile]:
    """Cases that were judged by thresholds of their own, or by the provider."""
    made = []
    for frozen in draw(st.lists(lines, max_size=20)):
        bucket = draw(st.integers(0, 1000))
        by_provider = draw(st.booleans())
        zone = draw(st.sampled_from(Zone)) if by_provider else frozen.zone(bucket / 10)
        decided = draw(st.sampled_from(["", *policy_lab.DECISIONS]))
        made.append(Pile(bucket, zone, by_provider, decided, draw(st.integers(1, 5))))
    return made


@given(cases=piles(), candidate=lines)
def test_counts_add_up(cases: list[Pile], candidate: Thresholds) -> None:
    answer = policy_lab.replay(Question(SCOPE, candidate), cases)
    total = sum(pile.count for pile in cases)
    assert answer.total == sum(answer.was.values()) == sum(answer.moved.values()) == total
    for zone in Zone:
        assert sum(answer.moved[zone, after] for after in Zone) == answer.was[zone]
        assert sum(answer.moved[before, zone] for before in Zone) == answer.trial.zones[zone]
    assert sum(band.cases for band in answer.bands) == total - answer.by_provider
    assert all(band.undecided >= 0 for band in answer.bands)


@given(cases=piles(), candidate=lines)
def test_a_verdict_of_the_provider_never_moves(cases: list[Pile], candidate: Thresholds) -> None:
    verdicts = [pile for pile in cases if pile.by_provider]
    assert policy_lab.replay(Question(SCOPE, candidate), verdicts).changed == 0


@given(cases=piles(), candidate=lines)
def test_a_tally_is_what_each_pile_by_itself_would_say(
    cases: list[Pile], candidate: Thresholds
) -> None:
    trial = policy_lab.Tally(cases).under(candidate)
    zones: Counter[Zone] = Counter()
    decided: Counter[tuple[Zone, str]] = Counter()
    for pile in cases:
        zones[pile.under(candidate)] += pile.count
        if not pile.by_provider:
            decided[pile.under(candidate), pile.decided] += pile.count
    assert trial.zones == {zone: zones[zone] for zone in Zone}
    for share, zone, wrong in (
        (trial.wrongly_verified, VERIFIED, "rejected"),
        (trial.wrongly_refused, MISMATCH, "verified"),
    ):
        assert share.count == decided[zone, wrong]
        assert share.total == decided[zone, "verified"] + decided[zone, "rejected"]


@given(cases=piles(), candidate=lines, step=st.integers(1, 100))
def test_a_stricter_line_verifies_no_more(
    cases: list[Pile], candidate: Thresholds, step: int
) -> None:
    stricter = Thresholds(min(100, candidate.verify_at + step / 10), candidate.review_at)
    tally = policy_lab.Tally(cases)
    now, then = tally.under(candidate).zones, tally.under(stricter).zones
    assert then[VERIFIED] <= now[VERIFIED]
    assert then[MISMATCH] == now[MISMATCH]


@pytest.mark.django_db
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(frozen=lines, similarities=st.lists(st.floats(0, 100), min_size=1, max_size=12))
def test_the_frozen_thresholds_reproduce_the_decisions(
    frozen: Thresholds, similarities: list[float]
) -> None:
    """From histories through the stored sums to the answer: nothing moves."""
    histories = [History().compared(value, frozen) for value in similarities]
    DailyFigure.objects.all().delete()
    cells.insert(sum((cells_of("live", history) for history in histories), Counter()))
    answer = policy_lab.ask(Question(SCOPE, frozen))
    assert answer.total == len(similarities)
    assert answer.changed == 0
    decided = Counter(frozen.zone(value) for value in similarities)
    assert answer.was == {zone: decided[zone] for zone in Zone}


@pytest.mark.django_db
def test_one_question_is_one_query(django_assert_num_queries: object) -> None:
    early = History(NOON - timedelta(days=2)).compared(95)
    late = History().compared(72, THRESHOLDS)
    cells.insert(cells_of("live", late) + cells_of("default", early))
    with django_assert_num_queries(1):  # type: ignore[operator]
        answer = policy_lab.ask(question(80, 70))
    assert answer.total == 1
    wider = Scope(DAY - timedelta(weeks=1), DAY, "", "default")
    assert policy_lab.ask(question(80, 70, wider)).total == 2
    assert policy_lab.ask(question(80, 70, Scope(wider.first, DAY, "live", "default"))).total == 1
