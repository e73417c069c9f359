"""Redaction: nothing personal is left anywhere, and what was decided stays explained."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.storage import FileSystemStorage
from django.db import connection, transaction
from django.dispatch import receiver

from django_faceverify import intake, lifecycle, redaction, sealing
from django_faceverify import verification as engine
from django_faceverify.audit import deleting_cases
from django_faceverify.exceptions import Conflict, SealBroken
from django_faceverify.models import Event, Verification
from django_faceverify.models.photo import photo_storage
from django_faceverify.reasons import RedactionReason
from django_faceverify.signals import verification_redacted
from tests.conftest import CONSENT, IDCARD_NUMBER, draw_jpeg, submitted
from tests.scripted import ScriptedProvider, similarity

pytestmark = pytest.mark.django_db(transaction=True)

ASKED = RedactionReason.SUBJECT_REQUEST


def redact(case: Verification, **facts: Any) -> bool:
    facts = {"actor": "user:7", "reason_code": ASKED} | facts
    done = redaction.redact(case, **facts)
    case.refresh_from_db()
    return done


def decided(user: Any, value: float = 95, **facts: Any) -> Verification:
    case = submitted(user, **facts)
    ScriptedProvider.script(similarity(value))
    engine.run(case.pk)
    case.refresh_from_db()
    return case


def file_exists(file_name: str) -> bool:
    return photo_storage().exists(file_name)


def stored_files() -> set[Path]:
    storage = photo_storage()
    assert isinstance(storage, FileSystemStorage)
    return {path for path in Path(storage.location).rglob("*") if path.is_file()}


def rows_of(*tables: str) -> str:
    """Everything that stands in these tables, as text."""
    found = []
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"SELECT * FROM django_faceverify_{table}")
            found += cursor.fetchall()
    return json.dumps(found, default=str, ensure_ascii=False)


def test_personal_data_is_gone_and_the_decision_stays(alice: User) -> None:
    case = decided(alice, reference="order-7", metadata={"phone": "13800000000"})
    case.review_note = "looks like his brother"
    case.save(update_fields=["review_note"])
    photo = case.photos.get()
    before = {photo.file_name, photo.sha256, case.idcard_number_index, case.idcard_number_mask}

    assert redact(case)

    row = rows_of("verification", "photo", "verificationattempt", "event")
    assert not [text for text in before if text in row]
    assert "fv1." not in row
    assert "13800000000" not in row
    assert not file_exists(photo.file_name)
    assert (case.status, case.similarity, case.provider) == ("verified", 95, "default")
    assert (case.decision_source, case.verify_at, case.review_at) == ("threshold", 80, 70)
    assert (case.reference, case.user, case.metadata) == ("order-7", alice, {})
    assert case.redacted_at
    assert case.attempts.get().session_id
    assert case.photos.get().purged_at
    assert not intake.find_by_idcard_number(IDCARD_NUMBER).exists()
    with pytest.raises(SealBroken, match="photo_lost"):
        case.photos.get().read()


def test_the_event_says_who_and_why_and_the_chain_holds(alice: User) -> None:
    case = decided(alice)
    redact(case)
    events = list(case.events.order_by("number"))
    assert (events[-1].action, events[-1].actor, events[-1].reason_code) == (
        "redacted",
        "user:7",
        "subject_request",
    )
    assert events[-1].data == {"count": 1}
    previous = ""
    for event in events:
        assert sealing.mac_matches("audit", event.mac, *event.sealed_parts(previous))
        previous = event.mac


def test_an_address_of_a_photo_goes_too(alice: User, idcard: dict[str, Any]) -> None:
    submission = intake.Submission(url="https://photos.example.com/me.jpg")
    case = intake.create(user=alice, submission=submission, consent=CONSENT, **idcard)
    redact(case)
    assert case.photos.get().url == ""


def test_twice_is_once(alice: User) -> None:
    case = decided(alice)
    assert redact(case)
    at, count = case.redacted_at, case.events.count()
    assert not redact(case)
    assert (case.redacted_at, case.events.count()) == (at, count)


def test_a_case_that_is_gone(alice: User) -> None:
    case = decided(alice)
    rows = Verification.objects.filter(pk=case.pk)
    with deleting_cases(rows, actor="system", reason="test"):
        rows.delete()
    assert not redaction.redact(case, actor="system", reason_code=ASKED)


@pytest.mark.parametrize(
    ("reason_code", "told"),
    [
        (RedactionReason.SUBJECT_REQUEST, "canceled_by_subject"),
        (RedactionReason.CONSENT_WITHDRAWN, "canceled_by_subject"),
        (RedactionReason.STAFF_REQUEST, "canceled_by_staff"),
    ],
)
def test_a_case_under_way_is_canceled_first(
    verification: Verification, reason_code: str, told: str
) -> None:
    assert redact(verification, reason_code=reason_code)
    assert (verification.status, verification.reason_code) == ("canceled", told)
    assert verification.stage is None
    assert [event.action for event in verification.events.order_by("number")][-2:] == [
        "canceled",
        "redacted",
    ]


def test_no_call_is_begun_for_it(verification: Verification) -> None:
    redact(verification)
    assert not engine.run(verification.pk)
    assert ScriptedProvider.requests == []


def test_redacted_between_claim_and_call_nothing_is_sent(verification: Verification) -> None:
    claim = engine.claim_call(verification.pk)
    assert claim is not None
    redact(verification)
    answer = engine.call(claim)
    if answer is not None:
        engine.record(claim, answer)
    assert ScriptedProvider.requests == []
    verification.refresh_from_db()
    assert verification.status == "canceled"


def test_an_answer_that_comes_later_decides_nothing(verification: Verification) -> None:
    claim = engine.claim_call(verification.pk)
    assert claim is not None
    answer = engine.call(claim)
    assert answer is not None
    redact(verification)
    engine.record(claim, answer)
    verification.refresh_from_db()
    assert (verification.status, verification.similarity) == ("canceled", None)
    assert verification.attempts.get().similarity == 95  # evidence of what was paid
    assert verification.idcard_name == ""


def test_nothing_moves_a_redacted_case(alice: User) -> None:
    case = decided(alice)
    redact(case)
    for action in lifecycle.TRANSITIONS:
        assert not lifecycle.move(case, action, actor="system", sources=(case.status,))


def test_a_photo_that_arrives_meanwhile_is_refused(alice: User, idcard: dict[str, Any]) -> None:
    stale = intake.create(user=alice, consent=CONSENT, **idcard)
    redact(Verification.objects.get(pk=stale.pk))
    files = stored_files()
    with pytest.raises(Conflict, match="not_waiting_for_photo"):
        intake.submit(stale, intake.Submission(image=draw_jpeg()), user=alice)
    assert stored_files() == files


def test_a_correction_of_a_redacted_case_is_refused(alice: User) -> None:
    case = decided(alice, 12)
    redact(Verification.objects.get(pk=case.pk))
    stale = Verification.objects.defer("idcard_name", "idcard_number").get(pk=case.pk)
    stale.status = "requires_input"
    with pytest.raises(Conflict):
        intake.submit(stale, intake.Submission(image=draw_jpeg()), user=alice, idcard_name="李四")


def test_the_site_is_told_after_the_commit(alice: User) -> None:
    case, told = decided(alice), []
    file_name = case.photos.get().file_name

    @receiver(verification_redacted)
    def listen(sender: Any, verification_id: Any, status: str, **kwargs: Any) -> None:
        told.append((verification_id, status, connection.in_atomic_block))

    with transaction.atomic():
        redaction.redact(case, actor="system", reason_code=ASKED)
        assert told == []
        assert file_exists(file_name)
    assert told == [(case.pk, "verified", False)]
    assert not file_exists(file_name)
    verification_redacted.disconnect(listen)


def test_what_is_rolled_back_has_destroyed_nothing(alice: User) -> None:
    case = decided(alice)
    file_name = case.photos.get().file_name

    class Undone(Exception):
        pass

    def redact_and_fail() -> None:
        redaction.redact(case, actor="system", reason_code=ASKED)
        raise Undone

    with pytest.raises(Undone), transaction.atomic():
        redact_and_fail()
    case.refresh_from_db()
    assert not case.redacted_at
    assert file_exists(file_name)
    assert case.photos.get().read()


def test_a_storage_that_fails_does_not_stop_it(
    alice: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    case = decided(alice)
    file_name = case.photos.get().file_name

    def fail(file_name: str) -> None:
        raise OSError(file_name)

    monkeypatch.setattr(redaction, "discard_photo", fail)
    assert redact(case)
    assert case.redacted_at
    assert "OSError" in caplog.text
    assert file_name not in caplog.text


def test_a_guard_that_no_longer_holds(alice: User) -> None:
    case = decided(alice)
    assert not redact(case, guard={"ended_at": case.created_at})
    assert not case.redacted_at
    assert redact(case, guard={"ended_at": case.ended_at})


def test_only_photos(alice: User) -> None:
    case = decided(alice)
    file_name = case.photos.get().file_name
    assert redaction.destroy_photos(case, reason_code="retention_over", rule="PHOTO") == 1
    assert redaction.destroy_photos(case, reason_code="retention_over", rule="PHOTO") == 0
    case.refresh_from_db()
    assert (case.holds, case.redacted_at) == ("identity", None)
    assert case.idcard_name.unseal()
    assert not file_exists(file_name)
    event = Event.objects.filter(verification=case).latest("number")
    assert (event.action, event.data) == ("photos_destroyed", {"count": 1, "rule": "PHOTO"})
    assert redact(case)
    assert case.events.latest("number").data == {"count": 0}


def test_photos_of_a_case_under_way_stay(verification: Verification) -> None:
    assert redaction.destroy_photos(verification, reason_code="retention_over", rule="PHOTO") == 0
    assert verification.photos.get().read()


def test_who_asks_through_the_door(alice: User, reviewer: User) -> None:
    own, other = decided(alice), decided(alice)
    assert intake.redact(own, user=alice).redacted_at
    assert intake.redact(other, user=reviewer, is_staff=True).redacted_at
    assert [case.events.latest("number").reason_code for case in (own, other)] == [
        "subject_request",
        "staff_request",
    ]
