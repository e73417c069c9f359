"""What the database itself refuses, and what a sealed attribute never gives away."""

from __future__ import annotations

import copy
import io
import json
import pickle
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import management, serializers
from django.core.exceptions import FieldError
from django.db import IntegrityError, connection, transaction
from django.forms.models import model_to_dict
from django.utils import timezone

from django_faceverify.exceptions import SealBroken
from django_faceverify.models import Event, Photo, Verification, VerificationAttempt
from django_faceverify.models.clock import db_now
from django_faceverify.models.fields import SealedValue
from django_faceverify.models.keys import new_id
from tests.conftest import IDCARD_NAME, IDCARD_NUMBER, submitted

pytestmark = pytest.mark.django_db


# --- keys and clock -----------------------------------------------------------------------


def test_ids_are_version_7_and_follow_time() -> None:
    ids = [new_id() for _ in range(200)]
    assert len(set(ids)) == 200
    assert {key.version for key in ids} == {7}
    assert {key.variant for key in ids} == {"specified in RFC 4122"}
    milliseconds = [key.int >> 80 for key in ids]
    assert milliseconds == sorted(milliseconds)


def test_the_database_clock_is_utc(verification: Verification) -> None:
    rows = Verification.objects.filter(pk=verification.pk)
    rows.update(expires_at=db_now(3600))
    moment = rows.values_list("expires_at", flat=True).get()
    assert abs(moment - timezone.now() - timedelta(hours=1)) < timedelta(minutes=1)


# --- constraints --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "facts",
    [
        {"similarity": 100.5},
        {"similarity": -0.1},
        {"verify_at": 70.0, "review_at": 80.0},
        {"verify_at": 101.0, "review_at": 80.0},
        {"status": "verified", "stage": None},
        {"status": "rejected", "stage": None, "decided_at": "2026-01-01T00:00Z"},
        {"status": "done", "stage": None},
        {"status": "in_review"},
        {"stage": None},
        {"next_run_at": None},
        {"stage": "calling"},
    ],
    ids=str,
)
def test_what_must_never_be_is_refused(verification: Verification, facts: dict[str, Any]) -> None:
    rows = Verification.objects.filter(pk=verification.pk)
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.update(**facts)


def test_one_session_id_is_one_call(verification: Verification) -> None:
    facts: dict[str, Any] = {
        "verification": verification,
        "photo": verification.photos.get(),
        "provider": "default",
        "started_at": timezone.now(),
        "session_id": "same",
    }
    VerificationAttempt.objects.create(number=1, **facts)
    with pytest.raises(IntegrityError), transaction.atomic():
        VerificationAttempt.objects.create(number=2, **facts)
    facts["session_id"] = "other"
    with pytest.raises(IntegrityError), transaction.atomic():
        VerificationAttempt.objects.create(number=1, **facts)


# --- sealed columns -----------------------------------------------------------------------


def stored_row(verification: Verification) -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT idcard_name, idcard_number, idcard_number_index, idcard_number_mask"
            " FROM django_faceverify_verification"
        )
        return json.dumps(cursor.fetchall(), ensure_ascii=False)


def test_no_column_holds_plaintext(verification: Verification) -> None:
    row = stored_row(verification)
    assert IDCARD_NAME not in row
    assert IDCARD_NUMBER not in row
    assert "000***********0011" in row


def test_reading_gives_no_plaintext(verification: Verification) -> None:
    verification.refresh_from_db()
    value = verification.idcard_number
    assert isinstance(value, SealedValue)
    assert str(value) == "000***********0011"
    assert repr(value) == str(verification.idcard_name) == "<sealed>"
    shown = f"{model_to_dict(verification)} {vars(verification)} {value!r} {value}"
    assert IDCARD_NUMBER not in shown
    assert IDCARD_NAME not in shown


def test_unsaved_plaintext_is_not_shown_either() -> None:
    verification = Verification(idcard_name=IDCARD_NAME, idcard_number=IDCARD_NUMBER)
    assert IDCARD_NAME not in f"{vars(verification)} {verification.idcard_name!r}"
    with pytest.raises(TypeError):
        pickle.dumps(verification)
    with pytest.raises(TypeError):
        pickle.dumps(verification.idcard_name)


def test_a_saved_row_survives_pickle_copy_and_dumpdata(verification: Verification) -> None:
    verification = Verification.objects.get(pk=verification.pk)
    for twin in (pickle.loads(pickle.dumps(verification)), copy.deepcopy(verification)):
        assert twin.idcard_name.unseal() == IDCARD_NAME
    output = io.StringIO()
    management.call_command("dumpdata", "django_faceverify.verification", stdout=output)
    assert IDCARD_NAME not in output.getvalue()
    (again,) = serializers.deserialize("json", output.getvalue())
    again.save()
    assert Verification.objects.get().idcard_name.unseal() == IDCARD_NAME


def test_plaintext_can_be_neither_sought_nor_written_in_bulk(verification: Verification) -> None:
    rows = Verification.objects.all()
    for lookup in ("idcard_name", "idcard_name__in", "idcard_name__contains"):
        with pytest.raises(FieldError):
            rows.filter(**{lookup: [IDCARD_NAME]})
    with pytest.raises(FieldError), transaction.atomic():
        rows.update(idcard_name=IDCARD_NAME)
    assert rows.filter(idcard_name__isnull=False).count() == 1


def test_a_swapped_ciphertext_does_not_open(alice: User, bob: User) -> None:
    mine, other = submitted(alice), submitted(bob)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT idcard_name FROM django_faceverify_verification WHERE user_id=%s", [bob.pk]
        )
        (token,) = cursor.fetchone()
        cursor.execute("UPDATE django_faceverify_verification SET idcard_name=%s", [token])
    assert Verification.objects.get(pk=other.pk).idcard_name.unseal() == IDCARD_NAME
    with pytest.raises(SealBroken):
        Verification.objects.get(pk=mine.pk).idcard_name.unseal()


def test_deferred_columns_load_when_read(verification: Verification) -> None:
    row = Verification.objects.only("pk").get(pk=verification.pk)
    assert row.idcard_name.unseal() == IDCARD_NAME


def test_a_reveal_is_on_record(verification: Verification) -> None:
    assert verification.idcard_name.reveal("user:7", "complaint") == IDCARD_NAME
    event = verification.events.order_by("-number")[0]
    assert (event.action, event.actor) == ("revealed", "user:7")
    assert event.data == {"column": "idcard_name", "reason": "complaint"}
    with pytest.raises(ValueError, match="reason"):
        verification.idcard_name.reveal("user:7", " ")


# --- photos -------------------------------------------------------------------------------


def test_a_stored_photo_is_sealed_and_opens(verification: Verification) -> None:
    from django_faceverify.models.photo import photo_storage

    photo = verification.photos.get()
    with photo_storage().open(photo.file_name) as file:
        assert b"JFIF" not in file.read()
    assert photo.read().startswith(b"\xff\xd8\xff")


def test_a_photo_moved_to_another_row_does_not_open(alice: User, bob: User) -> None:
    mine, other = submitted(alice).photos.get(), submitted(bob).photos.get()
    Photo.objects.filter(pk=mine.pk).update(file_name=other.file_name)
    mine.refresh_from_db()
    with pytest.raises(SealBroken):
        mine.read()


# --- events -------------------------------------------------------------------------------


def test_events_are_numbered_and_chained(verification: Verification) -> None:
    from django_faceverify import sealing

    previous = ""
    events = list(verification.events.order_by("number"))
    assert [event.number for event in events] == [1, 2]
    for event in events:
        assert sealing.mac_matches("audit", event.mac, *event.sealed_parts(previous))
        previous = event.mac
    events[0].actor = "user:999"
    assert not sealing.mac_matches("audit", events[0].mac, *events[0].sealed_parts(""))


def test_events_are_append_only(verification: Verification) -> None:
    event = verification.events.order_by("number")[0]
    for change in (
        lambda: Event.objects.update(actor="x"),
        lambda: Event.objects.all().delete(),
        event.save,
        event.delete,
    ):
        with pytest.raises(TypeError, match="append-only"):
            change()


def test_an_event_takes_only_known_facts(verification: Verification) -> None:
    with pytest.raises(ValueError, match="idcard_name"):
        Event.objects.append(verification, "x", actor="system", data={"idcard_name": "x"})


def test_a_new_reason_needs_no_migration() -> None:
    field = Verification._meta.get_field("reason_code")
    assert field.choices
    _, path, _, kwargs = field.deconstruct()
    assert (path, "choices" in kwargs) == ("django.db.models.CharField", False)
