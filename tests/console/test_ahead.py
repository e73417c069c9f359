"""The next case is kept and its photo sent ahead: what is on record, and what others can do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from django_faceverify import intake, reviewing
from django_faceverify.exceptions import Conflict
from django_faceverify.models import Review, Verification
from django_faceverify.models.clock import db_now
from django_faceverify.models.keys import new_id
from tests.console.conftest import LIST, decided_as, page_of
from tests.console.test_queue import QUEUE, REVIEWING, decide, look, shows
from tests.console.test_queue import as_checker as as_checker  # the fixtures
from tests.console.test_queue import checker as checker
from tests.console.test_queue import rules as rules

BUCKET = "bucket=unassigned"


def ask(client: Client, current: Verification, query: str = BUCKET) -> dict[str, str] | None:
    """What the script of the page does: keep the next case, and hear where its photo is."""
    response = client.post(f"{QUEUE}ahead/", {"case": current.pk, "queue": query})
    assert response.status_code == 200
    found: dict[str, str] | None = response.json()["photo"]
    return found


def kept_for(user: User) -> list[Any]:
    return list(Review.objects.kept_for(user).values_list("pk", flat=True))


def recorded(case: Verification) -> list[str]:
    found = case.events.filter(action__startswith="photo_").order_by("number")
    return list(found.values_list("action", flat=True))


def start(client: Client, query: str = BUCKET) -> None:
    client.post(f"{QUEUE}next/", {"queue": query})


@pytest.fixture
def cases(alice: User) -> list[Verification]:
    return [decided_as(alice, 72) for _ in range(3)]


@pytest.fixture
def at_work(as_reviewer: Client, cases: list[Verification]) -> Client:
    """On the first of three cases."""
    start(as_reviewer)
    return as_reviewer


# the claim


def test_the_next_case_is_kept_until_the_normal_end_of_a_claim(
    at_work: Client, reviewer: User, cases: list[Verification]
) -> None:
    photo = ask(at_work, cases[0])
    assert kept_for(reviewer) == [cases[1].pk]
    assert photo is not None
    assert photo["shown"] == page_of(cases[1], "photo", cases[1].photos.get().pk)
    row = Review.objects.get(pk=cases[1].pk)
    assert row.is_kept
    assert not Review.objects.get(pk=cases[0].pk).is_kept  # which is worked on
    assert row.claimed_until is not None
    Review.objects.filter(pk=row.pk).update(claimed_until=db_now())
    assert kept_for(reviewer) == []


def test_one_case_ahead_however_often_and_from_however_many_tabs(
    at_work: Client, reviewer: User, cases: list[Verification]
) -> None:
    assert ask(at_work, cases[0]) == ask(at_work, cases[0])
    ask(at_work, cases[0], "bucket=overdue")  # another tab, where nothing waits
    assert kept_for(reviewer) == []
    Review.objects.filter(pk=cases[2].pk).update(since=db_now(-25 * 3600))
    ask(at_work, cases[0])
    ask(at_work, cases[0], "bucket=overdue")
    assert kept_for(reviewer) == [cases[2].pk]


def test_the_case_at_hand_is_not_the_next_one_even_if_the_claim_has_ended(
    at_work: Client, reviewer: User, cases: list[Verification]
) -> None:
    Review.objects.update(claimed_until=db_now())
    ask(at_work, cases[0])
    assert kept_for(reviewer) == [cases[1].pk]


def test_what_is_kept_comes_next(
    at_work: Client, reviewer: User, checker: User, cases: list[Verification]
) -> None:
    reviewing.claim(cases[1], user=checker)
    ask(at_work, cases[0])
    reviewing.release(cases[1], user=checker)
    response = decide(at_work, cases[0], queue=BUCKET)
    assert response.headers["Location"] == f"{page_of(cases[2])}?{BUCKET}"
    assert kept_for(reviewer) == []
    assert {row.pk for row in Review.objects.claimed_by(reviewer)} == {cases[2].pk}


def test_leaving_lets_go_of_what_is_kept_and_of_nothing_else(
    at_work: Client, reviewer: User, cases: list[Verification]
) -> None:
    ask(at_work, cases[0])
    assert at_work.post(f"{QUEUE}leave/").status_code == 200
    assert [row.pk for row in Review.objects.claimed_by(reviewer)] == [cases[0].pk]


def test_others_see_it_and_may_take_it(
    at_work: Client, as_checker: Client, checker: User, cases: list[Verification]
) -> None:
    ask(at_work, cases[0])
    kept = cases[1]
    page = look(as_checker)
    assert shows(page, *cases) == [False, True, True]
    assert page.count("kept for reviewer") == 1
    page = as_checker.get(page_of(kept)).content.decode()
    assert "Kept for reviewer as their next case until" in page
    assert 'name="reason_code"' not in page
    assert decide(as_checker, kept).status_code == 409  # not past the claim
    assert as_checker.post(page_of(kept, "claim")).status_code == 302
    assert 'name="reason_code"' in as_checker.get(page_of(kept)).content.decode()
    with pytest.raises(Conflict):
        reviewing.claim(kept, user=User.objects.get(username="reviewer"))


def test_nobody_is_without_work_while_somebody_has_two(
    at_work: Client, as_checker: Client, reviewer: User, checker: User, cases: list[Verification]
) -> None:
    ask(at_work, cases[0])
    start(as_checker)
    working = Review.objects.claimed_by(checker)
    assert [row.pk for row in working] == [cases[2].pk]  # not the older one, which is kept
    assert ask(as_checker, cases[2]) is None  # to keep a case, none is taken away
    assert kept_for(reviewer) == [cases[1].pk]
    response = decide(as_checker, cases[2], queue=BUCKET)  # now there is nothing else
    assert response.headers["Location"] == f"{page_of(cases[1])}?{BUCKET}"
    assert kept_for(reviewer) == []
    response = decide(at_work, cases[0], queue=BUCKET)
    assert response.headers["Location"] == f"{QUEUE}?{BUCKET}"


def test_a_claim_that_was_kept_is_whole_after_undoing(
    at_work: Client, reviewer: User, cases: list[Verification], rules: Any
) -> None:
    rules(UNDO_SECONDS=60)
    ask(at_work, cases[0])
    Review.objects.filter(pk=cases[1].pk).update(claimed_until=db_now())
    decide(at_work, cases[1])
    at_work.post(page_of(cases[1], "undo"))
    assert cases[1].pk in {row.pk for row in Review.objects.claimed_by(reviewer)}
    assert kept_for(reviewer) == []


def test_in_the_bucket_of_second_judgements(
    as_reviewer: Client, reviewer: User, checker: User, cases: list[Verification], rules: Any
) -> None:
    rules(four_eyes=True)
    for case in cases[:2]:
        intake.review(case, reviewer=checker, decision="verify", reason_code="same_person")
    start(as_reviewer, "bucket=second")
    assert ask(as_reviewer, cases[0], "bucket=second") is not None
    assert kept_for(reviewer) == [cases[1].pk]
    response = decide(as_reviewer, cases[0], queue="bucket=second")
    assert response.headers["Location"] == f"{page_of(cases[1])}?bucket=second"


# the photo


def test_it_is_sent_like_any_other_and_on_record_as_sent(
    at_work: Client, reviewer: User, cases: list[Verification]
) -> None:
    photo = ask(at_work, cases[0])
    assert photo is not None
    response = at_work.get(photo["ahead"])
    assert response.content == cases[1].photos.get().read()
    assert {"no-store", "private"} <= set(response.headers["Cache-Control"].split(", "))
    assert response.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    event = cases[1].events.get(action="photo_sent_ahead")
    assert (event.actor, event.data) == (f"user:{reviewer.pk}", {"photo": photo["id"]})
    assert recorded(cases[1]) == ["photo_sent_ahead"]
    page = at_work.get(page_of(cases[1])).content.decode()
    assert "reviewer · photo 1: photo fetched ahead, not yet looked at" in page


def test_opening_the_case_is_the_look(at_work: Client, cases: list[Verification]) -> None:
    photo = ask(at_work, cases[0])
    assert photo is not None
    at_work.get(photo["ahead"])
    decide(at_work, cases[0], queue=BUCKET, photo_ahead=photo["id"])
    assert recorded(cases[1]) == ["photo_sent_ahead", "photo_viewed"]
    page = at_work.get(page_of(cases[1])).content.decode()
    assert "reviewer · photo 1: photo looked at" in page


def test_so_it_is_without_a_decision(at_work: Client, cases: list[Verification]) -> None:
    photo = ask(at_work, cases[0])
    assert photo is not None
    at_work.get(photo["ahead"])
    at_work.post(
        f"{QUEUE}next/", {"queue": BUCKET, "case": cases[0].pk, "photo_ahead": photo["id"]}
    )
    assert recorded(cases[1]) == ["photo_sent_ahead", "photo_viewed"]


def test_an_older_photo_is_not_looked_at_by_opening_the_case(
    at_work: Client, cases: list[Verification]
) -> None:
    """It lies folded up below the newest, which is fetched."""
    photo = ask(at_work, cases[0])
    assert photo is not None
    at_work.get(photo["ahead"])
    newer = cases[1].photos.get()
    newer.pk, newer.number = new_id(), 2
    newer.save(force_insert=True)
    decide(at_work, cases[0], queue=BUCKET, photo_ahead=photo["id"])
    assert recorded(cases[1]) == ["photo_sent_ahead"]


def test_there_is_no_look_where_none_can_be(
    at_work: Client, as_checker: Client, cases: list[Verification]
) -> None:
    photo = ask(at_work, cases[0])
    assert photo is not None
    # never sent
    decide(at_work, cases[0], queue=BUCKET, photo_ahead=photo["id"])
    assert recorded(cases[1]) == []
    # sent, and another case was opened
    later = ask(at_work, cases[1])
    assert later is not None
    at_work.get(later["ahead"])
    as_checker.post(page_of(cases[2], "claim"))
    decide(at_work, cases[1], queue=BUCKET, photo_ahead=later["id"])
    assert recorded(cases[2]) == ["photo_sent_ahead"]
    # and the one who opens it has got nothing
    decide(as_checker, cases[2], queue=BUCKET, photo_ahead=later["id"])
    assert recorded(cases[2]) == ["photo_sent_ahead"]


@pytest.mark.parametrize("nonsense", ["", "x", "00000000-0000-0000-0000-000000000000"])
def test_a_photo_that_is_none(at_work: Client, cases: list[Verification], nonsense: str) -> None:
    assert decide(at_work, cases[0], queue=BUCKET, photo_ahead=nonsense).status_code == 302
    assert recorded(cases[1]) == []


def taken(cases: list[Verification], checker: User) -> None:
    reviewing.claim(cases[1], user=checker)


def ended(cases: list[Verification], checker: User) -> None:
    Review.objects.update(claimed_until=db_now())


def decided(cases: list[Verification], checker: User) -> None:
    taken(cases, checker)
    intake.review(cases[1], reviewer=checker, decision="verify", reason_code="same_person")


def redacted(cases: list[Verification], checker: User) -> None:
    assert cases[1].user is not None
    intake.redact(cases[1], user=cases[1].user)


@pytest.mark.parametrize("meanwhile", [taken, ended, decided, redacted])
def test_it_is_not_sent_when_it_is_not_the_next_case_any_more(
    at_work: Client, checker: User, cases: list[Verification], meanwhile: Callable[..., None]
) -> None:
    photo = ask(at_work, cases[0])
    assert photo is not None
    meanwhile(cases, checker)
    assert at_work.get(photo["ahead"]).status_code == 404
    assert recorded(cases[1]) == []


def test_a_case_that_nobody_keeps_sends_nothing_ahead(
    at_work: Client, cases: list[Verification]
) -> None:
    for case in cases:  # worked on, and waiting
        address = page_of(case, "photo_ahead", case.photos.get().pk)
        assert at_work.get(address).status_code == 404
        assert at_work.post(address).status_code == 405
        assert recorded(case) == []


def test_the_next_case_may_have_no_photo(
    at_work: Client, reviewer: User, cases: list[Verification]
) -> None:
    cases[1].photos.update(file_name="")  # it was given by its address
    assert ask(at_work, cases[0]) is None
    assert kept_for(reviewer) == [cases[1].pk]


# who may, and whether at all


def test_whoever_sees_no_photos_keeps_no_case(
    client: Client, staff: Callable[..., User], cases: list[Verification]
) -> None:
    user = staff("view_verification", "review_verification")
    client.force_login(user)
    start(client)
    assert "data-fv-ahead" not in client.get(f"{page_of(cases[0])}?{BUCKET}").content.decode()
    assert ask(client, cases[0]) is None
    assert kept_for(user) == []


def test_a_site_may_do_without(
    at_work: Client, reviewer: User, cases: list[Verification], rules: Any
) -> None:
    assert "data-fv-ahead" in at_work.get(f"{page_of(cases[0])}?{BUCKET}").content.decode()
    assert "data-fv-ahead" not in at_work.get(page_of(cases[0])).content.decode()  # no queue
    photo = ask(at_work, cases[0])
    assert photo is not None
    rules(PHOTO_AHEAD=False)
    page = at_work.get(f"{page_of(cases[0])}?{BUCKET}").content.decode()
    assert "data-fv-ahead" not in page
    assert "data-fv-onward" not in page
    assert ask(at_work, cases[0]) is None
    assert at_work.get(photo["ahead"]).status_code == 404
    assert recorded(cases[1]) == []


@pytest.mark.parametrize("address", ["queue/ahead/", "queue/leave/"])
def test_only_reviewers(client: Client, staff: Callable[..., User], address: str) -> None:
    client.force_login(staff(*(set(REVIEWING) - {"review_verification"})))
    assert client.post(LIST + address).status_code == 403


def test_of_a_case_that_is_not_there(at_work: Client) -> None:
    for odd in ("x", "00000000-0000-0000-0000-000000000000"):
        assert at_work.post(f"{QUEUE}ahead/", {"case": odd}).status_code == 404


@pytest.mark.parametrize("count", [1, 8])
def test_the_number_of_queries_is_fixed(
    as_reviewer: Client, alice: User, count: int, django_assert_num_queries: Any
) -> None:
    cases = [decided_as(alice, 72) for _ in range(count + 1)]
    start(as_reviewer)
    # session, viewer, two of permissions; the case; kept, waiting; claim; let go; photo
    with django_assert_num_queries(10):
        photo = ask(as_reviewer, cases[0])
    assert photo is not None
    with django_assert_num_queries(12):
        as_reviewer.get(photo["ahead"])
