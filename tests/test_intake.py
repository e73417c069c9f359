"""What people and sites may ask for, what is refused, and that a refusal leaves nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django import DjangoCaptureOnCommitCallbacks

from django_faceverify import intake, signals
from django_faceverify import verification as engine
from django_faceverify.exceptions import Conflict, InputError, NotPermitted
from django_faceverify.models import Event, Photo, Verification
from django_faceverify.models.photo import photo_storage
from django_faceverify.providers.base import Comparison
from tests.conftest import CONSENT, IDCARD_NAME, IDCARD_NUMBER, draw_jpeg, submitted
from tests.scripted import ScriptedProvider, similarity

pytestmark = pytest.mark.django_db


def stored_files() -> list[Path]:
    root = Path(photo_storage().path("."))
    return [path for path in root.rglob("*") if path.is_file()] if root.exists() else []


@pytest.fixture
def nothing_stored(db: None) -> Iterator[None]:
    """Whatever the test tries, no row, file or call may come of it."""
    files = stored_files()
    rows = Verification.objects.count(), Photo.objects.count(), Event.objects.count()
    yield
    assert (Verification.objects.count(), Photo.objects.count(), Event.objects.count()) == rows
    assert stored_files() == files
    assert ScriptedProvider.requests == []


def in_review(user: User) -> Verification:
    ScriptedProvider.script(similarity(72))
    case = submitted(user)
    engine.run(case.pk)
    case.refresh_from_db()
    return case


# --- create -------------------------------------------------------------------------------


def test_a_case_without_a_photo_waits_for_one(alice: User, idcard: dict[str, Any]) -> None:
    case = intake.create(user=alice, reference="order-1", metadata={"n": 1}, **idcard)
    assert (case.status, case.stage, case.photo_count) == ("requires_input", None, 0)
    assert (case.user, case.reference, case.metadata) == (alice, "order-1", {"n": 1})
    assert case.expires_at > case.created_at


def test_a_case_with_a_photo_is_on_the_queue(alice: User, idcard: dict[str, Any]) -> None:
    case = submitted(alice, **idcard)
    assert (case.status, case.stage, case.photo_count) == ("processing", "waiting", 1)
    photo = case.photos.get()
    assert (photo.number, photo.source, photo.width, photo.height) == (1, "upload", 320, 400)


def test_the_worker_is_woken_by_id_only(
    alice: User,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(
        "django_faceverify.tasks.verify.apply_async", lambda *args, **options: sent.append(args)
    )
    with django_capture_on_commit_callbacks(execute=True):
        case = submitted(alice)
    assert sent == [((str(case.pk),),)]


def test_a_broker_that_is_down_costs_nothing(
    alice: User,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    def down(*args: object, **options: object) -> None:
        raise OSError("no broker")

    monkeypatch.setattr("django_faceverify.tasks.verify.apply_async", down)
    with django_capture_on_commit_callbacks(execute=True):
        case = submitted(alice)
    assert Verification.objects.due().get() == case


def test_a_photo_by_address(alice: User, idcard: dict[str, Any]) -> None:
    submission = intake.Submission(url="http://img.example.com/a.jpg")
    case = intake.create(user=alice, submission=submission, consent=CONSENT, **idcard)
    engine.run(case.pk)
    (request,) = ScriptedProvider.requests
    assert (request.url, request.image) == ("http://img.example.com/a.jpg", None)


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"idcard_name": ""}, "required"),
        ({"idcard_name": 5}, "idcard_name_characters"),
        ({"idcard_name": "张" * 61}, "idcard_name_length"),
        ({"idcard_number": "000000199002300011"}, "idcard_number_birth_date"),
        ({"idcard_number": "0" * 17}, "idcard_number_length"),
        ({"level": "gold"}, "level_unknown"),
        ({"level": None}, "level_unknown"),
        ({"level": ["default"]}, "level_unknown"),
        ({"level": "live"}, "idcard_number_region"),
        ({"reference": "x" * 101}, "reference_invalid"),
        ({"reference": "a\x00b"}, "reference_invalid"),
        ({"reference": "a\ud800"}, "reference_invalid"),
        ({"reference": 7}, "reference_invalid"),
        ({"metadata": []}, "metadata_invalid"),
        ({"metadata": {"a": {}}}, "metadata_invalid"),
        ({"metadata": {"a": "x" * 201}}, "metadata_invalid"),
        ({"metadata": {"a": float("nan")}}, "metadata_invalid"),
        ({"metadata": {"a": "\x00"}}, "metadata_invalid"),
        ({"metadata": {str(n): n for n in range(21)}}, "metadata_invalid"),
        ({"metadata": {1: 1}}, "metadata_invalid"),
        ({"metadata": {"n": 2**53}}, "metadata_invalid"),
        ({"consent": {"granted": False, "text_version": "demo-1"}}, "consent_required"),
        ({"consent": {"granted": "yes", "text_version": "demo-1"}}, "consent_invalid"),
        ({"consent": {"granted": True}}, "consent_invalid"),
        ({"consent": "yes"}, "consent_invalid"),
    ],
    ids=str,
)
def test_what_cannot_be_used_is_refused(
    alice: User, idcard: dict[str, Any], nothing_stored: None, facts: dict[str, Any], code: str
) -> None:
    with pytest.raises(InputError) as refusal:
        submitted(alice, **{**idcard, **facts})
    assert refusal.value.code == code
    assert refusal.value.field == next(iter(facts)) or code == "idcard_number_region"


@pytest.mark.parametrize(
    ("submission", "code"),
    [
        (intake.Submission(), "required"),
        (intake.Submission(image=b""), "image_empty"),
        (intake.Submission(image=b"GIF89a" + b"x" * 50), "image_format"),
        (intake.Submission(image=b"\xff\xd8\xff" + b"\x00" * (7 * 2**20)), "image_too_large"),
        (intake.Submission(url=""), "url_invalid"),
        (intake.Submission(url="ftp://img.example.com/a.jpg"), "url_invalid"),
        (intake.Submission(url="https:///a.jpg"), "url_invalid"),
        (intake.Submission(url="https://me:secret@img.example.com/a.jpg"), "url_invalid"),
        (intake.Submission(url="https://img.example.com:port/"), "url_invalid"),
        (intake.Submission(url="https://img.example.com/\n"), "url_invalid"),
        (intake.Submission(url="https://img.example.com/" + "a" * 2000), "url_invalid"),
        (intake.Submission(url="https://图.example.com/"), "url_invalid"),
        (intake.Submission(url="https://[::1/"), "url_invalid"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_photo_that_cannot_be_used_is_refused(
    alice: User,
    idcard: dict[str, Any],
    nothing_stored: None,
    submission: intake.Submission,
    code: str,
) -> None:
    with pytest.raises(InputError) as refusal:
        intake.create(user=alice, submission=submission, consent=CONSENT, **idcard)
    assert refusal.value.code == code


def test_a_site_may_refuse_addresses(
    alice: User, idcard: dict[str, Any], settings: Any, nothing_stored: None
) -> None:
    settings.FACEVERIFY = {**settings.FACEVERIFY, "ALLOW_PHOTO_URLS": False}
    submission = intake.Submission(url="https://img.example.com/a")
    with pytest.raises(InputError, match="url_not_allowed"):
        intake.create(user=alice, submission=submission, consent=CONSENT, **idcard)


def test_a_row_that_fails_takes_its_file_along(
    alice: User, nothing_stored: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **facts: object) -> None:
        raise OSError

    monkeypatch.setattr(Photo, "save", fail)
    with pytest.raises(OSError):  # noqa: PT011 (raised three lines above)
        submitted(alice)


def test_a_process_that_is_asked_to_end_keeps_the_photo(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end(*args: object, **facts: object) -> None:
        raise SystemExit

    files = len(stored_files())
    monkeypatch.setattr(Photo, "save", end)
    with pytest.raises(SystemExit):
        submitted(alice)
    assert len(stored_files()) == files + 1, "it may have come after the commit"


# --- submit -------------------------------------------------------------------------------


def test_only_a_waiting_case_takes_a_photo(verification: Verification, alice: User) -> None:
    files = stored_files()
    with pytest.raises(Conflict, match="not_waiting_for_photo"):
        intake.submit(verification, intake.Submission(image=draw_jpeg()), user=alice)
    Verification.objects.filter(pk=verification.pk).update(status="in_review", stage=None)
    verification.status = "requires_input"  # what a slow request still believes
    with pytest.raises(Conflict, match="not_waiting_for_photo"):
        intake.submit(verification, intake.Submission(image=draw_jpeg()), user=alice)
    assert stored_files() == files


def test_details_may_be_corrected_after_a_mismatch(alice: User) -> None:
    ScriptedProvider.script(Comparison(reason_code="id_name_mismatch"), similarity(95))
    case = submitted(alice)
    engine.run(case.pk)
    case.refresh_from_db()
    assert case.try_count == 1
    intake.submit(case, intake.Submission(image=draw_jpeg()), user=alice, idcard_name="李四")
    engine.run(case.pk)
    assert [request.idcard_name for request in ScriptedProvider.requests] == [IDCARD_NAME, "李四"]
    assert ScriptedProvider.requests[1].idcard_number == IDCARD_NUMBER
    case.refresh_from_db()
    assert case.status == "verified"


def test_details_are_not_corrected_without_being_asked(alice: User, idcard: dict[str, Any]) -> None:
    case = intake.create(user=alice, **idcard)
    with pytest.raises(Conflict, match="correction_not_asked"):
        intake.submit(case, intake.Submission(image=draw_jpeg()), user=alice, idcard_name="李四")


def test_a_slow_request_does_not_clash_with_a_newer_photo(alice: User) -> None:
    ScriptedProvider.script(similarity(12))
    case = submitted(alice)
    engine.run(case.pk)
    slow = Verification.objects.get(pk=case.pk)
    newer = Verification.objects.get(pk=case.pk)
    intake.submit(newer, intake.Submission(image=draw_jpeg(seed=2)), user=alice)
    engine.run(case.pk)
    intake.submit(slow, intake.Submission(image=draw_jpeg(seed=3)), user=alice)
    assert list(case.photos.order_by("number").values_list("number", flat=True)) == [1, 2, 3]


def test_a_caller_who_is_not_trusted_chooses_among_open_levels(
    alice: User, idcard: dict[str, Any], settings: Any
) -> None:
    levels = {"default": {"LIVE": False}, "shop": {"LIVE": False, "OPEN": True}}
    settings.FACEVERIFY = {**settings.FACEVERIFY, "LEVELS": {**levels, "lax": {"LIVE": False}}}
    for level in levels:
        intake.create(user=alice, level=level, is_level_free=False, **idcard)
    with pytest.raises(InputError, match="level_unknown"):
        intake.create(user=alice, level="lax", is_level_free=False, **idcard)
    intake.create(user=alice, level="lax", **idcard)


# --- cancel and review --------------------------------------------------------------------


def test_cancel_ends_a_case_once(verification: Verification, alice: User) -> None:
    case = intake.cancel(verification, user=alice)
    assert (case.status, case.stage, case.reason_code) == ("canceled", None, "canceled_by_subject")
    with pytest.raises(Conflict, match="already_final"):
        intake.cancel(case, user=alice)
    assert not engine.run(case.pk)


@pytest.mark.parametrize(
    ("decision", "reason", "status"),
    [
        ("verify", "same_person", "verified"),
        ("reject", "different_person", "rejected"),
        ("retry", "better_photo_needed", "requires_input"),
    ],
)
def test_a_reviewer_decides(
    alice: User, reviewer: User, decision: str, reason: str, status: str
) -> None:
    case = in_review(alice)
    intake.review(
        case,
        reviewer=reviewer,
        decision=decision,
        reason_code=reason,
        note="looked twice",
        seen_at=case.updated_at,
    )
    assert (case.status, case.reason_code) == (status, reason)
    assert case.review_note.unseal() == "looked twice"
    assert case.similarity == 72
    if decision != "retry":
        assert (case.decided_by, case.decision_source) == (reviewer, "reviewer")
    event = case.events.order_by("-number")[0]
    assert (event.actor, event.reason_code) == (f"user:{reviewer.pk}", reason)
    with pytest.raises(Conflict, match="not_in_review"):
        intake.review(case, reviewer=reviewer, decision=decision, reason_code=reason)


def test_a_reviewer_needs_a_reason_a_case_and_a_fresh_look(alice: User, reviewer: User) -> None:
    case = in_review(alice)
    with pytest.raises(InputError, match="decision_invalid"):
        intake.review(case, reviewer=reviewer, decision="maybe", reason_code="same_person")
    with pytest.raises(InputError, match="decision_invalid"):
        intake.review(case, reviewer=reviewer, decision=["verify"], reason_code="same_person")
    with pytest.raises(InputError, match="reason_invalid"):
        intake.review(case, reviewer=reviewer, decision="verify", reason_code="fraud_suspected")
    with pytest.raises(InputError, match="note_invalid"):
        intake.review(
            case, reviewer=reviewer, decision="verify", reason_code="same_person", note="x" * 2001
        )
    with pytest.raises(NotPermitted, match="own_case"):
        intake.review(case, reviewer=alice, decision="verify", reason_code="same_person")
    with pytest.raises(Conflict, match="changed_meanwhile"):
        intake.review(
            case,
            reviewer=reviewer,
            decision="verify",
            reason_code="same_person",
            seen_at=case.created_at,
        )
    case.refresh_from_db()
    assert case.status == "in_review"


# --- find, look, announce -----------------------------------------------------------------


def test_a_number_is_found_through_the_blind_index(verification: Verification) -> None:
    assert intake.find_by_idcard_number(f" {IDCARD_NUMBER} ").get() == verification
    assert not intake.find_by_idcard_number("000000199001010012").exists()
    with pytest.raises(InputError):
        intake.find_by_idcard_number("12")


def test_the_site_hears_after_the_commit(
    alice: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    heard: list[tuple[str, str]] = []

    def listen(name: str) -> Any:
        return lambda **facts: heard.append((name, facts["status"]))

    listeners = {
        signals.verification_submitted: listen("submitted"),
        signals.verification_decided: listen("decided"),
    }
    for signal, listener in listeners.items():
        signal.connect(listener, weak=False)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            case = submitted(alice)
            assert heard == []
        with django_capture_on_commit_callbacks(execute=True):
            engine.run(case.pk)
    finally:
        for signal, listener in listeners.items():
            signal.disconnect(listener)
    assert heard == [("submitted", "processing"), ("decided", "verified")]
