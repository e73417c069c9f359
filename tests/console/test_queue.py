"""The queue of reviewers and the way through it, as plain forms without a script."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from django_faceverify import intake, reviewing
from django_faceverify.console import queue as queues
from django_faceverify.models import Judgement, Review, Verification
from django_faceverify.models.clock import db_now
from tests.conftest import draw_jpeg
from tests.console.conftest import LIST, decided_as, page_of

QUEUE = f"{LIST}queue/"

REVIEWING = ("view_verification", "review_verification", "view_photo")


@pytest.fixture
def checker(staff: Callable[..., User]) -> User:
    return staff(*REVIEWING, name="checker")


@pytest.fixture
def as_checker(checker: User) -> Client:
    client = Client()
    client.force_login(checker)
    return client


@pytest.fixture
def rules(settings: Any) -> Callable[..., None]:
    def change(four_eyes: bool = False, **review: Any) -> None:
        level = {"PROVIDER": "default", "LIVE": False, "FOUR_EYES": four_eyes}
        settings.FACEVERIFY = {
            **settings.FACEVERIFY,
            "LEVELS": {**settings.FACEVERIFY["LEVELS"], "default": level},
            "REVIEW": review,
        }

    return change


def look(client: Client, query: str = "") -> str:
    response = client.get(f"{QUEUE}?{query}")
    assert response.status_code == 200
    return response.content.decode()


def shows(page: str, *cases: Verification) -> list[bool]:
    return [page_of(case) in page for case in cases]


def decide(client: Client, case: Verification, **more: Any) -> Any:
    case.refresh_from_db()
    facts = {"decision": "verify", "reason_code": "same_person", "note": ""}
    seen = {"seen_at": case.updated_at.isoformat()}
    return client.post(page_of(case, "review"), facts | seen | more)


# what waits


def test_the_buckets(
    as_reviewer: Client, reviewer: User, checker: User, alice: User, rules: Any
) -> None:
    rules(four_eyes=True)
    free, mine, theirs, second, own = (decided_as(user, 72) for user in [alice] * 4 + [reviewer])
    reviewing.claim(mine, user=reviewer)
    reviewing.claim(theirs, user=checker)
    intake.review(second, reviewer=checker, decision="verify", reason_code="same_person")
    cases = (free, mine, theirs, second, own)
    assert shows(look(as_reviewer), *cases) == [True, False, False, False, False]
    assert shows(look(as_reviewer, "bucket=mine"), *cases) == [False, True, False, False, False]
    assert shows(look(as_reviewer, "bucket=second"), *cases) == [False, False, False, True, False]
    assert shows(look(as_reviewer, "bucket=overdue"), *cases) == [False] * 5
    Review.objects.update(since=db_now(-25 * 3600))
    assert shows(look(as_reviewer, "bucket=overdue"), *cases) == [True, True, False, True, False]


def test_a_judged_case_does_not_wait_for_the_same_person(
    as_reviewer: Client, reviewer: User, in_review: Verification, rules: Any
) -> None:
    rules(four_eyes=True)
    intake.review(in_review, reviewer=reviewer, decision="verify", reason_code="same_person")
    assert shows(look(as_reviewer, "bucket=second"), in_review) == [False]


def test_counts_are_capped(
    as_reviewer: Client, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        decided_as(alice, 72)
    assert "<strong>3</strong>" in look(as_reviewer)
    monkeypatch.setattr(queues, "MOST_COUNTED", 2)
    assert "<strong>more than 1,000</strong>" in look(as_reviewer)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("level=default", [True, True]),
        ("level=live", [False, False]),
        ("reason=low_similarity", [True, True]),
        ("reason=reopened", [False, False]),
        ("provider=default", [True, True]),
        ("band=70-80", [True, True]),
        ("band=80-100", [False, False]),
        ("band=none", [False, False]),
        ("age=day", [False, True]),
        ("age=hour", [False, True]),
        ("level=' OR 1=1&band=x&age=-1&bucket=all&reason=%00", [True, True]),
    ],
)
def test_filters(as_reviewer: Client, alice: User, query: str, expected: list[bool]) -> None:
    new, old = decided_as(alice, 72), decided_as(alice, 73)
    Review.objects.filter(pk=old.pk).update(since=db_now(-2 * 24 * 3600))
    assert shows(look(as_reviewer, query), new, old) == expected


def test_pages_follow_one_another_without_skipping(
    as_reviewer: Client, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queues, "PAGE", 2)
    cases = [decided_as(alice, 72) for _ in range(5)]
    Review.objects.update(since=timezone.now())  # all at one moment: the key decides
    seen: list[Any] = []
    address = QUEUE
    while address:
        with CaptureQueriesContext(connection) as queries:
            page = as_reviewer.get(address).content.decode()
        assert not any("OFFSET" in query["sql"] for query in queries)
        seen += [case.pk for case in cases if page_of(case) in page]
        _, is_more, rest = page.partition("&amp;after=")
        address = f"{QUEUE}?bucket=unassigned&after={rest.partition(chr(34))[0]}" if is_more else ""
    assert len(seen) == 5
    assert set(seen) == {case.pk for case in cases}


@pytest.mark.parametrize(
    "after",
    [
        "x",
        "2026-01-01~1",
        "2026-01-01T00:00:00~" + "0" * 32,
        "~",
        f"0001-01-01T00:00:00%2B14:00~{'0' * 32}",
    ],
)
def test_a_mark_that_is_none_begins_at_the_first(
    as_reviewer: Client, in_review: Verification, after: str
) -> None:
    assert shows(look(as_reviewer, f"after={after}"), in_review) == [True]


@pytest.mark.parametrize("count", [1, 8])
def test_the_number_of_queries_is_fixed(
    as_reviewer: Client, alice: User, count: int, django_assert_num_queries: Any
) -> None:
    for number in range(count):
        case = decided_as(alice, 72)
        reviewing.keep_next([case.pk], user=User.objects.create_user(f"colleague {number}"))
    # session, viewer, two of permissions; own judgements, five piles counted, the page
    with django_assert_num_queries(11):
        look(as_reviewer)


@pytest.mark.parametrize("count", [1, 8])
def test_the_number_of_queries_of_a_case_is_fixed(
    as_reviewer: Client, alice: User, count: int, django_assert_num_queries: Any
) -> None:
    cases = [decided_as(alice, 72) for _ in range(count + 1)]
    # as for any case, and: the work on it, own judgement, related by number and their photos,
    # photos with the same picture and their cases, what can be undone
    with django_assert_num_queries(20):
        assert as_reviewer.get(f"{page_of(cases[0])}?bucket=unassigned").status_code == 200


def test_no_name_no_number_no_photo(as_reviewer: Client, in_review: Verification) -> None:
    page = look(as_reviewer)
    assert "<img" not in page
    assert "photo_viewed" not in set(in_review.events.values_list("action", flat=True))


# working through it


def test_from_case_to_case(as_reviewer: Client, reviewer: User, alice: User) -> None:
    first, second, other = decided_as(alice, 72), decided_as(alice, 73), decided_as(alice, 65)
    Review.objects.filter(pk=other.pk).update(band="60-70")
    query = "bucket=unassigned&band=70-80"
    response = as_reviewer.post(f"{QUEUE}next/", {"queue": query})
    assert response.headers["Location"] == f"{page_of(first)}?{query}"
    assert Review.objects.claimed_by(reviewer).get().pk == first.pk
    response = decide(as_reviewer, first, queue=query)
    assert response.headers["Location"] == f"{page_of(second)}?{query}"
    assert Review.objects.claimed_by(reviewer).get().pk == second.pk
    response = decide(as_reviewer, second, queue=query)
    assert response.headers["Location"] == f"{QUEUE}?{query}"
    page = as_reviewer.get(response.headers["Location"]).content.decode()
    assert "No further case waits here." in page
    first.refresh_from_db()
    assert first.status == "verified"


def test_a_skipped_case_is_put_back(as_reviewer: Client, reviewer: User, alice: User) -> None:
    first, second = decided_as(alice, 72), decided_as(alice, 73)
    reviewing.claim(first, user=reviewer)
    response = as_reviewer.post(f"{QUEUE}next/", {"queue": "", "case": first.pk})
    assert response.headers["Location"].startswith(page_of(second))
    assert Review.objects.claimed_by(reviewer).get().pk == second.pk


def test_a_claim_is_seen_by_others(
    as_reviewer: Client, as_checker: Client, in_review: Verification
) -> None:
    assert as_reviewer.post(page_of(in_review, "claim")).status_code == 302
    assert "Yours until" in as_reviewer.get(page_of(in_review)).content.decode()
    page = as_checker.get(page_of(in_review)).content.decode()
    assert "reviewer works on this case until" in page
    assert 'name="reason_code"' not in page
    assert decide(as_checker, in_review).status_code == 409
    refused = as_checker.post(page_of(in_review, "claim"), headers={"accept": "application/json"})
    assert refused.status_code == 409
    assert "working on this verification" in refused.json()["refusal"]
    as_reviewer.post(page_of(in_review, "release"))
    granted = as_checker.post(page_of(in_review, "claim"), headers={"accept": "application/json"})
    assert (granted.status_code, granted.json()) == (200, {"refusal": ""})


def test_undo(as_reviewer: Client, in_review: Verification, rules: Any) -> None:
    rules(UNDO_SECONDS=60)
    response = decide(as_reviewer, in_review, queue="bucket=unassigned")
    page = as_reviewer.get(response.headers["Location"]).content.decode()
    assert "unless you undo it" in page
    assert page_of(in_review, "undo") in page
    assert "takes effect at" in as_reviewer.get(page_of(in_review)).content.decode()
    response = as_reviewer.post(page_of(in_review, "undo"), follow=True)
    assert "undone" in response.content.decode()
    assert 'name="reason_code"' in response.content.decode()
    assert not Judgement.objects.exists()
    again = as_reviewer.post(page_of(in_review, "undo"), follow=True)
    assert "There is no decision of yours" in again.content.decode()


def test_the_second_person_does_not_see_what_the_first_one_thinks(
    as_reviewer: Client, as_checker: Client, in_review: Verification, rules: Any
) -> None:
    rules(four_eyes=True)
    decide(as_reviewer, in_review, decision="reject", reason_code="fraud_suspected", note="a mask")
    page = as_checker.get(page_of(in_review)).content.decode()
    assert "you are the second person" in page
    assert "a mask" not in page
    assert "<code>fraud_suspected</code>" not in page
    page = as_reviewer.get(page_of(in_review)).content.decode()
    assert "You have judged this case; it waits for a second person." in page
    decide(as_checker, in_review, decision="reject", reason_code="different_person")
    page = as_checker.get(page_of(in_review)).content.decode()
    assert "confirmed by checker" in page
    assert "a mask" in page
    assert "fraud suspected" in page


def test_two_who_do_not_agree(
    as_reviewer: Client, as_checker: Client, in_review: Verification, rules: Any
) -> None:
    rules(four_eyes=True)
    decide(as_reviewer, in_review)
    response = decide(as_checker, in_review, decision="reject", reason_code="different_person")
    page = as_checker.get(response.headers["Location"]).content.decode()
    assert "you two do not agree" in page
    assert "decisions verify / reject" in page


def test_a_stale_decision_shows_what_has_changed(
    as_reviewer: Client, as_checker: Client, in_review: Verification, rules: Any
) -> None:
    rules(four_eyes=True)
    seen_at, number = in_review.updated_at.isoformat(), in_review.events.count()
    decide(as_checker, in_review)
    response = decide(as_reviewer, in_review, seen_at=seen_at, seen_number=number, note="kept")
    page = response.content.decode()
    assert response.status_code == 409
    assert "What has changed since you opened the case" in page
    assert page.count("judged; a second person has to agree") == 2  # there and in the history
    assert "kept" in page


# many at once


def ticks(client: Client, *cases: Verification) -> list[str]:
    page = look(client)
    return [
        part.partition('"')[0]
        for part in page.split('name="case" value="')[1:]
        if any(str(case.pk) in part.partition('"')[0] for case in cases)
    ]


def test_many_at_once(as_reviewer: Client, alice: User) -> None:
    first, second, third = (decided_as(alice, 72) for _ in range(3))
    facts = {"case": ticks(as_reviewer, first, second), "judgement": "retry:image_blurry"}
    asked = as_reviewer.post(f"{QUEUE}decide/", facts).content.decode()
    assert "photo blurred" in asked
    assert Verification.objects.filter(status="in_review").count() == 3
    intake.cancel(second, user=alice)
    done = as_reviewer.post(f"{QUEUE}decide/", facts | {"confirmed": "yes"}).content.decode()
    assert "is now: requires input" in done
    assert "has changed since you opened it" in done
    statuses = [Verification.objects.get(pk=case.pk).status for case in (first, second, third)]
    assert statuses == ["requires_input", "canceled", "in_review"]


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"judgement": ""}, "choose a decision"),
        ({"judgement": "verify:image_blurry"}, "choose a decision"),
        ({"judgement": "delete:same_person"}, "choose a decision"),
        ({"judgement": "verify:same_person"}, "tick the cases"),
    ],
)
def test_many_at_once_with_something_missing(
    as_reviewer: Client, in_review: Verification, facts: dict[str, str], words: str
) -> None:
    page = as_reviewer.post(f"{QUEUE}decide/", facts, follow=True).content.decode()
    assert words in page
    assert (
        as_reviewer.post(
            f"{QUEUE}decide/", {"judgement": "verify:same_person", "case": "x"}
        ).status_code
        == 400
    )


# related cases


def test_related_cases(as_reviewer: Client, alice: User, bob: User) -> None:
    picture = draw_jpeg(seed=7)
    case = decided_as(alice, 72, jpeg=picture)
    same_number = decided_as(bob, 72, jpeg=draw_jpeg(seed=8))
    same_photo = decided_as(bob, 72, jpeg=picture, idcard_number="000000199203030037")
    page = as_reviewer.get(page_of(case)).content.decode()
    by_number, _, by_photo = page.partition("The very same photo")
    assert page_of(same_number) in by_number
    assert page_of(same_photo) in by_photo
    assert page_of(same_number) not in by_photo


def test_related_cases_are_for_reviewers(
    client: Client, staff: Callable[..., User], in_review: Verification
) -> None:
    client.force_login(staff("view_verification"))
    assert "Related cases" not in client.get(page_of(in_review)).content.decode()


# who may


@pytest.mark.parametrize(
    "address", ["queue/next/", "queue/decide/", "{case}/claim/", "{case}/release/", "{case}/undo/"]
)
def test_only_reviewers_work_here(
    client: Client, staff: Callable[..., User], in_review: Verification, address: str
) -> None:
    client.force_login(staff("view_verification", "view_photo"))
    assert client.post(LIST + address.format(case=in_review.pk)).status_code == 403
    assert client.get(QUEUE).status_code == 403
    assert Review.objects.unclaimed().count() == 1


def test_nobody_claims_their_own_case(as_reviewer: Client, reviewer: User) -> None:
    own = decided_as(reviewer, 72)
    page = as_reviewer.post(page_of(own, "claim"), follow=True).content.decode()
    assert "This is your own case" in page
    assert Review.objects.unclaimed().count() == 1
