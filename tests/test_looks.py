"""Nothing is shown that is not permitted, counted and on record."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission, User
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.dispatch import Signal
from django.utils import timezone

from django_faceverify import looks, quotas
from django_faceverify.exceptions import (
    Conflict,
    InputError,
    NotPermitted,
    QuotaExceeded,
    SealBroken,
)
from django_faceverify.models import Event, IdentitySearch, Reveal, Verification
from django_faceverify.models.photo import photo_storage
from django_faceverify.reasons import RevealReason
from django_faceverify.signals import identity_revealed, reveals_unusual
from tests.conftest import IDCARD_NAME, IDCARD_NUMBER, submitted

pytestmark = pytest.mark.django_db(transaction=True)

NOTE = "complaint of 张三, 4711"
WHY = {"reason_code": "complaint", "note": NOTE}


@pytest.fixture
def revealer(reviewer: User) -> User:
    reviewer.user_permissions.add(Permission.objects.get(codename="reveal_identity"))
    return User.objects.get(pk=reviewer.pk)


@pytest.fixture
def heard() -> Iterator[Callable[[Signal], list[dict[str, Any]]]]:
    """Listen to a signal; what was sent is in the list."""
    connected = []

    def listen(signal: Signal) -> list[dict[str, Any]]:
        sent: list[dict[str, Any]] = []

        def note(sender: Any, signal: Signal, **facts: Any) -> None:
            sent.append(facts)

        signal.connect(note, weak=False)
        connected.append((signal, note))
        return sent

    yield listen
    for signal, receiver in connected:
        signal.disconnect(receiver)


def allow(settings: Any, **changes: Any) -> None:
    quotas_ = {**settings.FACEVERIFY["QUOTAS"], **changes}
    settings.FACEVERIFY = {**settings.FACEVERIFY, "QUOTAS": quotas_}


def reveals(verification: Verification) -> list[Event]:
    return list(verification.events.filter(action="revealed").order_by("number"))


# --- a name and an ID number --------------------------------------------------------------


def test_it_is_shown_and_on_record(verification: Verification, revealer: User) -> None:
    identity = looks.reveal_identity(verification, user=revealer, **WHY)
    assert (identity.idcard_name, identity.idcard_number) == (IDCARD_NAME, IDCARD_NUMBER)
    [event] = reveals(verification)
    assert event.actor == f"user:{revealer.pk}"
    assert event.data == {"column": "idcard_name, idcard_number", "reason": "complaint"}
    assert IDCARD_NAME not in repr(identity)
    assert IDCARD_NUMBER not in repr(identity)


def test_the_note_is_sealed_and_not_in_the_event(
    verification: Verification, revealer: User
) -> None:
    looks.reveal_identity(verification, user=revealer, **WHY)
    [event] = reveals(verification)
    note = verification.reveals.get(event_number=event.number)
    assert note.note.unseal() == NOTE
    with connection.cursor() as cursor:
        cursor.execute("SELECT note FROM django_faceverify_reveal")
        ((stored,),) = cursor.fetchall()
    assert stored.startswith("fv1.")
    note.note.reveal("user:7", "review")
    assert reveals(verification)[1].data == {"column": "reveal.note", "reason": "review"}


def test_words_that_are_no_reason_of_the_list_become_the_note(verification: Verification) -> None:
    verification.idcard_name.reveal("user:7", "call of Mr Zhang")
    [event] = reveals(verification)
    assert event.data == {"column": "idcard_name", "reason": "other"}
    assert verification.reveals.get().note.unseal() == "call of Mr Zhang"


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"reason_code": None}, "reveal_reason_invalid", "reason_code"),
        ({"reason_code": "curiosity"}, "reveal_reason_invalid", "reason_code"),
        ({"reason_code": ["review"]}, "reveal_reason_invalid", "reason_code"),
        ({"note": ""}, "reveal_note_too_short", "note"),
        ({"note": "four"}, "reveal_note_too_short", "note"),
        ({"note": "    a    "}, "reveal_note_too_short", "note"),
        ({"note": "x" * 2001}, "note_invalid", "note"),
        ({"note": None}, "note_invalid", "note"),
    ],
)
def test_without_a_reason_nothing_is_shown(
    verification: Verification, revealer: User, changes: dict[str, Any], code: str, field: str
) -> None:
    with pytest.raises(InputError) as refused:
        looks.reveal_identity(verification, user=revealer, **{**WHY, **changes})
    assert (refused.value.code, refused.value.field) == (code, field)
    assert reveals(verification) == []
    assert not Reveal.objects.exists()


@pytest.mark.parametrize("reason", RevealReason.values)
def test_every_reason_of_the_list_will_do(
    verification: Verification, revealer: User, reason: str
) -> None:
    looks.reveal_identity(verification, user=revealer, reason_code=reason, note="12345")
    assert reveals(verification)[0].data["reason"] == reason


def test_to_review_is_not_to_reveal(verification: Verification, reviewer: User) -> None:
    with pytest.raises(PermissionDenied):
        looks.reveal_identity(verification, user=reviewer, **WHY)
    assert reveals(verification) == []


def test_nobody_reveals_a_case_of_their_own(revealer: User) -> None:
    with pytest.raises(NotPermitted, match="own_case"):
        looks.reveal_identity(submitted(revealer), user=revealer, **WHY)


def test_a_superuser_is_recorded_like_anybody_else(verification: Verification) -> None:
    root = User.objects.create_superuser("root")
    looks.reveal_identity(verification, user=root, **WHY)
    assert reveals(verification)[0].actor == f"user:{root.pk}"


def test_what_is_destroyed_cannot_be_shown(verification: Verification, revealer: User) -> None:
    Verification.objects.update(idcard_name="", idcard_number="")
    verification.refresh_from_db()
    with pytest.raises(Conflict, match="identity_destroyed"):
        looks.reveal_identity(verification, user=revealer, **WHY)


def test_without_a_record_nothing_is_opened(
    verification: Verification, revealer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever dies while the record is written has shown nothing."""
    opened: list[str] = []
    monkeypatch.setattr("django_faceverify.sealing.unseal_text", lambda *a, **k: opened.append("x"))
    for broken in (
        "django_faceverify.models.event.EventQuerySet.append_locked",
        "django_faceverify.models.Reveal.save",
        "django_faceverify.quotas.admit_reveal",
    ):
        with monkeypatch.context() as patch:
            patch.setattr(broken, _die)
            with pytest.raises(SystemExit):
                looks.reveal_identity(verification, user=revealer, **WHY)
    assert opened == []
    assert reveals(verification) == []
    assert quotas.reveals_this_hour(f"user:{revealer.pk}") == 0


def _die(*args: Any, **kwargs: Any) -> None:
    raise SystemExit


def test_the_record_is_committed_before_it_is_opened(
    verification: Verification, revealer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[bool, int]] = []

    def look(token: str, *, context: str) -> str:
        seen.append((connection.in_atomic_block, len(reveals(verification))))
        return "x"

    monkeypatch.setattr("django_faceverify.sealing.unseal_text", look)
    looks.reveal_identity(verification, user=revealer, **WHY)
    assert seen == [(False, 1), (False, 1)]


def test_what_does_not_open_is_on_record_too(verification: Verification, revealer: User) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE django_faceverify_verification SET idcard_name=idcard_number")
    verification.refresh_from_db()
    with pytest.raises(SealBroken):
        looks.reveal_identity(verification, user=revealer, **WHY)
    assert len(reveals(verification)) == 1


# --- how many -----------------------------------------------------------------------------


def test_reveals_are_limited_by_person_and_hour(
    verification: Verification, revealer: User, settings: Any
) -> None:
    allow(settings, REVEALS_PER_REVIEWER_HOUR=3)
    root = User.objects.create_superuser("root")
    for _ in range(3):
        looks.reveal_identity(verification, user=revealer, **WHY)
    for _ in range(2):
        with pytest.raises(QuotaExceeded, match="too_many_reveals") as refused:
            looks.reveal_identity(verification, user=revealer, **WHY)
        assert 0 < refused.value.retry_after <= 3600
    looks.reveal_identity(verification, user=root, **WHY)
    assert len(reveals(verification)) == 4
    refusals = verification.events.filter(action="reveal_refused")
    assert [event.actor for event in refusals] == [f"user:{revealer.pk}"] * 2


def test_the_limit_is_fifty_unless_told(verification: Verification, revealer: User) -> None:
    for _ in range(50):
        looks.reveal_identity(verification, user=revealer, **WHY)
    with pytest.raises(QuotaExceeded):
        looks.reveal_identity(verification, user=revealer, **WHY)


def test_the_site_hears_of_each_reveal_after_the_commit(
    verification: Verification, revealer: User, heard: Callable[[Signal], list[dict[str, Any]]]
) -> None:
    sent = heard(identity_revealed)
    looks.reveal_identity(verification, user=revealer, **WHY)
    actor = f"user:{revealer.pk}"
    assert sent == [{"verification_id": verification.pk, "actor": actor, "reason": "complaint"}]


def test_the_site_hears_of_a_spike(
    verification: Verification,
    revealer: User,
    settings: Any,
    heard: Callable[[Signal], list[dict[str, Any]]],
) -> None:
    allow(settings, REVEALS_PER_REVIEWER_HOUR=5)
    sent = heard(reveals_unusual)
    for _ in range(5):
        looks.reveal_identity(verification, user=revealer, **WHY)
    with pytest.raises(QuotaExceeded):
        looks.reveal_identity(verification, user=revealer, **WHY)
    actor = f"user:{revealer.pk}"
    assert sent == [
        {"actor": actor, "count": 3, "limit": 5, "is_refused": False},
        {"actor": actor, "count": 5, "limit": 5, "is_refused": False},
        {"actor": actor, "count": 5, "limit": 5, "is_refused": True},
    ]


def test_a_receiver_that_fails_stops_nothing(
    verification: Verification, revealer: User, settings: Any
) -> None:
    allow(settings, REVEALS_PER_REVIEWER_HOUR=1)
    for signal in (identity_revealed, reveals_unusual):
        signal.connect(_fail)
    try:
        assert looks.reveal_identity(verification, user=revealer, **WHY).idcard_name == IDCARD_NAME
    finally:
        for signal in (identity_revealed, reveals_unusual):
            signal.disconnect(_fail)


def _fail(**kwargs: Any) -> None:
    raise RuntimeError


def test_no_limit_needs_no_counter(
    verification: Verification, revealer: User, settings: Any
) -> None:
    allow(settings, REVEALS_PER_REVIEWER_HOUR=None)
    looks.reveal_identity(verification, user=revealer, **WHY)
    assert quotas.reveals_this_hour(f"user:{revealer.pk}") == 0


# --- a photo ------------------------------------------------------------------------------


def test_a_look_at_a_photo_is_on_record(verification: Verification, reviewer: User) -> None:
    photo = verification.photos.get()
    assert looks.view_photo(photo, user=reviewer).startswith(b"\xff\xd8\xff")
    event = verification.events.order_by("-number")[0]
    assert (event.action, event.actor) == ("photo_viewed", f"user:{reviewer.pk}")


def test_a_photo_needs_its_permission(verification: Verification, bob: User) -> None:
    with pytest.raises(PermissionDenied):
        looks.view_photo(verification.photos.get(), user=bob)
    assert not verification.events.filter(action="photo_viewed").exists()


def test_only_a_picture_that_is_held_is_found(verification: Verification, bob: User) -> None:
    photo = verification.photos.get()
    assert looks.find_photo(verification, photo.pk) == photo
    assert looks.find_photo(verification, str(photo.pk)) == photo
    for odd in ("", "x", uuid4(), None):
        assert looks.find_photo(verification, odd) is None
    assert looks.find_photo(submitted(bob), photo.pk) is None
    verification.photos.update(purged_at=timezone.now())
    assert looks.find_photo(verification, photo.pk) is None


def test_a_lost_photo_is_told(verification: Verification, reviewer: User) -> None:
    photo = verification.photos.get()
    photo_storage().delete(photo.file_name)
    with pytest.raises(SealBroken, match="photo_lost"):
        looks.view_photo(photo, user=reviewer)


# --- a search by ID number ----------------------------------------------------------------


def test_a_search_is_on_record_without_the_number(
    verification: Verification, reviewer: User
) -> None:
    assert looks.search(IDCARD_NUMBER, user=reviewer).get() == verification
    assert not looks.search("000000199001010012", user=reviewer).exists()
    kept = IdentitySearch.objects.order_by("id").values_list("actor", "found_count")
    assert list(kept) == [(f"user:{reviewer.pk}", 1), (f"user:{reviewer.pk}", 0)]
    columns = {field.name for field in IdentitySearch._meta.get_fields()}
    assert columns == {"id", "at", "actor", "found_count"}


def test_searches_are_limited_by_person_and_hour(
    verification: Verification, reviewer: User, settings: Any
) -> None:
    allow(settings, SEARCHES_PER_REVIEWER_HOUR=2)
    looks.search(IDCARD_NUMBER, user=reviewer)
    with pytest.raises(InputError):
        looks.search("12", user=reviewer)  # no number at all: nothing was looked up
    looks.search(IDCARD_NUMBER, user=reviewer)
    with pytest.raises(QuotaExceeded, match="too_many_searches"):
        looks.search(IDCARD_NUMBER, user=reviewer)
    assert IdentitySearch.objects.count() == 2


def test_a_search_needs_the_permission_to_view(verification: Verification, bob: User) -> None:
    with pytest.raises(PermissionDenied):
        looks.search(IDCARD_NUMBER, user=bob)
    assert not IdentitySearch.objects.exists()
