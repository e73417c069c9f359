"""The page of one case: what it tells, to whom, and what it never shows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone, translation

from django_faceverify import intake, looks, shadow
from django_faceverify import verification as engine
from django_faceverify.exceptions import Throttled
from django_faceverify.models import Photo, Verification
from django_faceverify.models.clock import db_now
from django_faceverify.providers.base import Comparison
from tests.conftest import IDCARD_NAME, IDCARD_NUMBER, submitted
from tests.console.conftest import LIST, decided_as, page_of
from tests.scripted import ScriptedProvider
from tests.shadows import SecondProvider, decided, make_due, use_shadow


def look(client: Client, verification: Verification) -> str:
    response = client.get(page_of(verification))
    assert response.status_code == 200
    return response.content.decode()


def test_it_explains_the_outcome(as_reviewer: Client, in_review: Verification) -> None:
    page = look(as_reviewer, in_review)
    assert "2.0 above the review line, 8.0 below verification" in page
    assert "similarity between the two thresholds" in page
    assert "verified from 80.0, review from 70.0" in page
    assert "Your case is being looked at by a person." in page
    assert "never returns it" in page
    assert "Not about a real person" in page
    assert in_review.attempts.get().session_id in page
    assert "<strong>sent to review</strong> by system" in page
    assert "<strong>created</strong> by alice" in page


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (95, "15.0 above the verification line"),
        (80, "0.0 above the verification line"),
        (79.999, "9.99 above the review line, 0.01 below verification"),
        (70, "0.0 above the review line, 10.0 below verification"),
        (69.999, "0.01 below the review line"),
        (12.5, "57.5 below the review line"),
    ],
)
def test_the_distance_in_words(as_reviewer: Client, alice: User, value: float, words: str) -> None:
    assert words in look(as_reviewer, decided_as(alice, value))


def test_who_consented_is_told_in_the_language_of_the_page(
    as_reviewer: Client, in_review: Verification
) -> None:
    assert "consent by the person" in look(as_reviewer, in_review)
    with translation.override("zh-hans"):
        page = look(as_reviewer, in_review)
    assert "同意人 被核验人" in page
    assert "subject" not in page


def test_who_decided_is_told(as_reviewer: Client, reviewer: User, in_review: Any) -> None:
    intake.review(
        in_review,
        reviewer=reviewer,
        decision="verify",
        reason_code="same_person",
        note="seen at the counter",
    )
    page = look(as_reviewer, in_review)
    assert "seen at the counter" in page
    assert "by reviewer, reviewer" in page
    assert "<strong>verified</strong> by reviewer" in page


def test_a_note_is_for_reviewers(
    client: Client, staff: Callable[..., User], reviewer: User, in_review: Verification
) -> None:
    intake.review(
        in_review, reviewer=reviewer, decision="verify", reason_code="same_person", note="private"
    )
    client.force_login(staff("view_verification"))
    assert "private" not in look(client, in_review)


def test_name_and_number_stay_sealed(
    as_reviewer: Client, admin_client: Client, in_review: Verification, jpeg: bytes
) -> None:
    for client in (as_reviewer, admin_client):
        response = client.get(page_of(in_review))
        page = response.content.decode()
        assert IDCARD_NAME not in page
        assert IDCARD_NUMBER not in page
        assert "000***********0011" in page
        assert jpeg[:20] not in response.content


def test_everything_from_outside_is_escaped(as_reviewer: Client, alice: User) -> None:
    evil = "<img src=x onerror=alert(1)>"
    verification = submitted(alice, reference=evil, metadata={evil: evil})
    ScriptedProvider.script(
        Comparison(similarity=72, provider_code=evil, provider_message=evil, http_status=200)
    )
    engine.run(verification.pk)
    for path in (
        page_of(verification), LIST, "/admin/django_faceverify/verificationattempt/",
    ):  # fmt: skip
        page = as_reviewer.get(path).content.decode()
        assert "<img src=x" not in page
        assert "&lt;img src=x onerror=alert(1)&gt;" in page


def test_a_case_without_a_photo(as_reviewer: Client, alice: User) -> None:
    page = look(
        as_reviewer, intake.create(user=alice, idcard_name=IDCARD_NAME, idcard_number=IDCARD_NUMBER)
    )
    assert "No photo was sent yet." in page
    assert "No provider has been called." in page
    assert "There is no similarity" in page


def test_what_the_local_engine_saw_is_told(
    client: Client, staff: Callable[..., User], as_reviewer: Client, in_review: Verification
) -> None:
    assert "width of the face in pixels" not in look(as_reviewer, in_review)
    assert "data-fv-measured" in look(as_reviewer, in_review)
    kept = {"face_count": 1, "face_width": 148, "sharpness": 212.5, "brightness": 131.0}
    Photo.objects.update(facts=kept)
    page = look(as_reviewer, in_review)
    assert "faces: 1<" in page
    assert "width of the face in pixels: 148<" in page
    assert "sharpness: 212.5<" in page
    assert "data-fv-measured" not in page  # the browser measures on another scale
    client.force_login(staff("view_verification"))
    assert "width of the face in pixels" not in look(client, in_review)


def test_a_redacted_case(as_reviewer: Client, in_review: Verification) -> None:
    intake.redact(in_review, user=None)
    page = look(as_reviewer, in_review)
    assert "This photo has been destroyed." in page
    assert "personal data destroyed" in page
    assert "asked for by the person" in page
    assert "redacted" in as_reviewer.get(LIST).content.decode()


def test_photos_are_named_but_not_loaded_unasked(
    as_reviewer: Client, alice: User, jpeg: bytes
) -> None:
    verification = decided_as(alice, 12)
    intake.submit(verification, intake.Submission(image=jpeg), user=alice)
    page = look(as_reviewer, verification)
    newest, older = verification.photos.order_by("-number")
    assert page.index(str(newest.pk)) < page.index("<details") < page.index(str(older.pk))
    assert page.count('loading="lazy"') == 2
    assert not verification.events.filter(action="photo_viewed").exists()


def test_without_permission_a_sentence_stands_for_the_photo(
    client: Client, staff: Callable[..., User], in_review: Verification
) -> None:
    client.force_login(staff("view_verification"))
    page = look(client, in_review)
    assert "You may not see photos." in page
    assert "/photos/" not in page


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"purged_at": timezone.now()}, "has been destroyed"),
        ({"file_name": ""}, "Given by its address"),
    ],
)
def test_a_photo_that_is_not_here(
    as_reviewer: Client, in_review: Verification, changes: dict[str, Any], words: str
) -> None:
    Photo.objects.update(**changes)
    assert words in look(as_reviewer, in_review)


@pytest.mark.parametrize("throttled", [1, 12])
def test_the_number_of_queries_is_fixed(
    as_reviewer: Client, alice: User, throttled: int, django_assert_num_queries: Any
) -> None:
    verification = submitted(alice)
    ScriptedProvider.script(Throttled("provider_throttled", "15", "", 200, 0.0))
    for _ in range(throttled):
        engine.run(verification.pk)
        Verification.objects.update(next_run_at=db_now())
    # session, viewer, two of permissions; case, its user, photos, attempts, history, looks,
    # the people in the history, and related cases by number and by photo
    with django_assert_num_queries(15):
        look(as_reviewer, verification)


@pytest.mark.parametrize("object_id", ["0" * 32, "not-an-id", "1"])
def test_an_unknown_case(as_reviewer: Client, object_id: str) -> None:
    assert as_reviewer.get(f"{LIST}{object_id}/change/").status_code == 404


def test_the_consent_is_shown(as_reviewer: Client, alice: User, settings: Any) -> None:
    verification = submitted(alice)
    page = as_reviewer.get(page_of(verification)).content.decode()
    given = verification.consents.get()
    for words in ("demo-1 (en)", "face_verification", given.text_sha256, "I agree."):
        assert words in page
    assert "the person · by the site" in page
    texts = {"demo-1": {"TEXT": {"en": "I agree to everything."}}}
    settings.FACEVERIFY = {**settings.FACEVERIFY, "CONSENT": {"TEXTS": texts}}
    page = as_reviewer.get(page_of(verification)).content.decode()
    assert given.text_sha256 in page
    assert "I agree" not in page  # it is not what was agreed to


def test_a_consent_that_is_gone_is_shown_too(as_reviewer: Client, alice: User) -> None:
    verification = submitted(alice)
    intake.withdraw_consent(verification, user=alice)
    page = as_reviewer.get(page_of(verification)).content.decode()
    assert "Withdrawn" in page
    assert "consent withdrawn" in page


def test_no_consent_is_said(as_reviewer: Client, alice: User) -> None:
    verification = intake.create(user=alice, idcard_name=IDCARD_NAME, idcard_number=IDCARD_NUMBER)
    assert "None. Without one" in as_reviewer.get(page_of(verification)).content.decode()


def test_a_history_that_was_tampered_with_is_told(
    as_reviewer: Client, in_review: Verification
) -> None:
    page = look(as_reviewer, in_review)
    assert "Each event is as it was written" in page
    Verification.objects.filter(pk=in_review.pk).update(status="canceled")
    page = look(as_reviewer, in_review)
    assert "This history is not as it was written" in page
    assert "Each event is as it was written" not in page


@pytest.mark.django_db(transaction=True)
def test_what_a_second_provider_thinks_is_told_after_the_decision(
    as_reviewer: Client, alice: User, reviewer: User, settings: Any
) -> None:
    use_shadow(settings)
    SecondProvider.script(
        Comparison(similarity=93.4, provider_code="s7", provider_message="alike", http_status=200)
    )
    run = decided(submitted(alice), 72)
    make_due()
    assert shadow.run(run.pk)
    page = look(as_reviewer, run.verification)
    call = run.verification.attempts.of_a_shadow().get()
    assert call.session_id in page  # that it was called is no secret
    assert "not told before the case is decided" in page
    for verdict in ("93.4", "s7", "alike"):
        assert f">{verdict}<" not in page
    assert "72.0" in page

    intake.review(run.verification, reviewer=reviewer, decision="verify", reason_code="same_person")
    page = look(as_reviewer, run.verification)
    assert ">93.4<" in page
    assert ">s7<" in page
    assert "not told before the case is decided" not in page


def test_earlier_photos_of_the_same_number(
    client: Client, staff: Callable[..., User], as_reviewer: Client, alice: User
) -> None:
    earlier, other = decided_as(alice, 95), submitted(alice, idcard_number="000000199002020028")
    case = decided_as(alice, 72)
    photo = earlier.photos.get()
    url = page_of(earlier, "photo", photo.pk)
    page = look(as_reviewer, case)
    assert page.count(url) == 1
    assert "The same ID number, " in page
    assert str(other.photos.get().pk) not in page
    assert as_reviewer.get(url).status_code == 200
    assert earlier.events.filter(action="photo_viewed").count() == 1

    client.force_login(staff("view_verification", "review_verification"))
    assert url not in look(client, case)
    Photo.objects.filter(pk=photo.pk).update(purged_at=timezone.now())
    assert url not in look(as_reviewer, case)


def test_related_cases_are_those_that_this_person_may_see(
    as_reviewer: Client, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = decided_as(alice, 72, reference="mine")
    hidden, same_photo = (
        decided_as(alice, 72, reference="theirs", idcard_number=number)
        for number in (IDCARD_NUMBER, "000000199002020028")
    )
    page = look(as_reviewer, mine)
    assert page_of(hidden) in page
    assert page_of(same_photo) in page

    console = admin.site.get_model_admin(Verification)
    every = console.get_queryset
    monkeypatch.setattr(
        console, "get_queryset", lambda request: every(request).filter(reference="mine")
    )
    page = look(as_reviewer, mine)
    assert "None about the same ID number, and none with the same photo." in page
    assert str(hidden.pk) not in page


def test_what_leads_nowhere_is_not_offered(
    client: Client, staff: Callable[..., User], in_review: Verification
) -> None:
    client.force_login(staff("view_verification"))
    page = client.get(f"{page_of(in_review)}?bucket=unassigned").content.decode()
    assert "/queue/" not in page
    for key in "unbq":
        assert f"<kbd>{key}</kbd>" not in page


def test_a_level_that_the_site_has_removed(
    as_reviewer: Client, in_review: Verification, settings: Any
) -> None:
    assert "not in the settings any more" not in look(as_reviewer, in_review)
    Verification.objects.update(level="gone")
    page = look(as_reviewer, in_review)
    assert "not in the settings any more" in page
    assert 'name="reason_code"' in page


@pytest.mark.parametrize(
    ("reason_code", "words"),
    [
        ("low_similarity", "Too alike to refuse, and not alike enough to verify."),
        ("outcome_unknown", "The photo was sent, and no answer came back."),
        ("photo_lost", "nothing was compared"),
        ("reopened", "Two people have taken a decision back"),
        ("canceled_by_staff", "Somebody of the site ended it"),
        ("consent_withdrawn", "The person ended it"),
        ("id_not_found", "The register cannot answer for this person."),
    ],
)
def test_the_reason_in_words(
    as_reviewer: Client, in_review: Verification, reason_code: str, words: str
) -> None:
    Verification.objects.update(reason_code=reason_code)
    assert words in look(as_reviewer, in_review)


def test_all_moments_of_a_page_look_alike(as_reviewer: Client, alice: User) -> None:
    case = decided_as(alice, 95)
    ended = datetime(2026, 3, 2, 1, 30, tzinfo=timezone.get_current_timezone())
    Verification.objects.filter(pk=case.pk).update(ended_at=ended)
    page = look(as_reviewer, case)
    assert "March 9, 2026, 1:30 a.m." in page  # a week for photos
    assert "April 1, 2026, 1:30 a.m." in page


def test_what_was_revealed_is_named_in_words(
    as_reviewer: Client, admin_user: User, in_review: Verification
) -> None:
    looks.reveal_identity(in_review, user=admin_user, reason_code="fraud", note="complaint 4711")
    page = look(as_reviewer, in_review)
    assert "column Name / ID number" in page
    assert "idcard_name" not in page
    with translation.override("zh-hans"):
        assert "姓名 / 身份证号 ·" in look(as_reviewer, in_review)


def test_a_case_whose_answer_is_still_out(as_reviewer: Client, alice: User) -> None:
    assert "The provider has not answered yet." in look(as_reviewer, submitted(alice))
