"""No call without a consent: who made the row, what was withdrawn, and who is a child."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from hashlib import sha256
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone, translation

from django_faceverify import consent as consents
from django_faceverify import identity, intake, sweeper, tasks
from django_faceverify import verification as engine
from django_faceverify.conf import DEMO_TEXT, app_settings
from django_faceverify.exceptions import Conflict, InputError
from django_faceverify.models import Consent, Event, Photo, Verification
from django_faceverify.models.clock import db_now
from django_faceverify.models.keys import new_id
from django_faceverify.providers.base import Comparison, ComparisonRequest
from django_faceverify.signals import verification_needs_input
from tests.conftest import CONSENT, IDCARD_NAME, IDCARD_NUMBER, draw_jpeg, submitted
from tests.scripted import ScriptedProvider, similarity

pytestmark = pytest.mark.django_db(transaction=True)

#: a child until 10 January 2027, as no real person's number is
CHILD = "000000201301100019"
BY_GUARDIAN = {**CONSENT, "guardian": True, "relation": "parent"}
ENGLISH = sha256(b"I agree.").hexdigest()
CHINESE = sha256("我同意。".encode()).hexdigest()


def configure(settings: Any, **changes: Any) -> None:
    rules = {**settings.FACEVERIFY["CONSENT"], **changes}
    settings.FACEVERIFY = {**settings.FACEVERIFY, "CONSENT": rules}


def work() -> None:
    """Whatever could make a call does its part."""
    for _ in range(2):
        sweeper.sweep()
        sweeper.drain(seconds=1)
    for pk in Verification.objects.values_list("pk", flat=True):
        tasks.verify(str(pk))


def row_of_the_site(user: User, number: str = IDCARD_NUMBER) -> Verification:
    """A case on the queue that no door of ours has made."""
    now = timezone.now()
    case = Verification(
        user=user, level="default", is_live=False, status="processing", stage="waiting",
        idcard_name=IDCARD_NAME, idcard_number=number, photo_count=1,
        created_at=now, updated_at=now, expires_at=now,
        next_run_at=now, deadline_at=now + timedelta(hours=1),
    )  # fmt: skip
    case.save()
    Photo.objects.create(
        pk=new_id(), verification=case, number=1, url="https://example.com/a.jpg",
        source="url", submitted_at=now,
    )  # fmt: skip
    return case


def agree(case: Verification, **facts: Any) -> Consent:
    """A consent as the site's own code may write it."""
    plain = {
        "purpose": "face_verification", "text_version": "demo-1", "locale": "en",
        "text_sha256": ENGLISH, "method": "site", "given_by": "subject",
        "given_at": timezone.now(),
    }  # fmt: skip
    return Consent.objects.create(verification=case, **{**plain, **facts})


@pytest.fixture
def today(monkeypatch: pytest.MonkeyPatch) -> Callable[[date], None]:
    def be(day: date) -> None:
        monkeypatch.setattr(identity, "_today", lambda: day)

    be(date(2026, 6, 1))
    return be


# The claim


def test_a_consent_lets_the_call_be_made(verification: Verification) -> None:
    work()
    assert len(ScriptedProvider.requests) == 1
    given = verification.consents.get()
    assert (given.purpose, given.text_version, given.locale) == (
        "face_verification",
        "demo-1",
        "en",
    )
    assert (given.text_sha256, given.method, given.given_by) == (ENGLISH, "site", "subject")
    assert given.withdrawn_at is None
    assert given.guardian_relation == ""
    assert not given.is_keeping_granted


def test_no_row_is_called_about_without_a_consent(alice: User) -> None:
    case = row_of_the_site(alice)
    assert engine.claim_call(case.pk) is None
    work()
    case.refresh_from_db()
    assert ScriptedProvider.requests == []
    assert (case.status, case.reason_code) == ("requires_input", "consent_required")
    assert case.stage is None
    assert case.expires_at > timezone.now()
    assert case.fence == 0
    assert [event.action for event in case.events.all()] == ["input_required"]


@pytest.mark.parametrize(
    "facts",
    [
        {"withdrawn_at": timezone.now()},
        {"text_version": "demo-0"},
        {"text_version": ""},
    ],
)
def test_a_consent_that_does_not_hold_is_none(alice: User, facts: dict[str, Any]) -> None:
    case = row_of_the_site(alice)
    agree(case, **facts)
    work()
    assert ScriptedProvider.requests == []


def test_the_consent_of_another_case_is_none(alice: User) -> None:
    case, other = (
        row_of_the_site(alice),
        intake.create(
            user=alice, idcard_name=IDCARD_NAME, idcard_number=IDCARD_NUMBER, consent=CONSENT
        ),
    )
    assert other.consents.exists()
    work()
    case.refresh_from_db()
    assert case.reason_code == "consent_required"
    assert ScriptedProvider.requests == []


def test_a_text_that_is_taken_away_stops_what_waits(
    verification: Verification, settings: Any
) -> None:
    configure(settings, CURRENT="2", TEXTS={"2": {"TEXT": {"en": "I agree to more."}}})
    work()
    verification.refresh_from_db()
    assert ScriptedProvider.requests == []
    assert (verification.status, verification.reason_code) == ("requires_input", "consent_required")


def test_a_newer_text_does_not_stop_what_waits(verification: Verification, settings: Any) -> None:
    texts = {**app_settings.consent.texts, "2": {"TEXT": {"en": "I agree to more."}}}
    configure(settings, CURRENT="2", TEXTS=texts)
    work()
    assert len(ScriptedProvider.requests) == 1


def test_a_consent_that_goes_between_claim_and_call(verification: Verification) -> None:
    claim = engine.claim_call(verification.pk)
    assert claim is not None
    Consent.objects.update(withdrawn_at=timezone.now())
    assert engine.call(claim) is None
    assert ScriptedProvider.requests == []


def test_the_site_hears_of_a_case_that_went_back(alice: User) -> None:
    heard: list[Any] = []

    def listen(verification_id: Any, **kwargs: Any) -> None:
        heard.append(verification_id)

    case = row_of_the_site(alice)
    verification_needs_input.connect(listen)
    try:
        work()
    finally:
        verification_needs_input.disconnect(listen)
    assert heard == [case.pk]


def test_an_overdue_case_without_a_consent_goes_to_a_human(alice: User) -> None:
    case = row_of_the_site(alice)
    Verification.objects.update(deadline_at=db_now(-1))
    work()
    case.refresh_from_db()
    assert (case.status, case.reason_code) == ("in_review", "deadline_passed")
    assert ScriptedProvider.requests == []


def test_what_waits_for_a_consent_goes_on_with_it(alice: User) -> None:
    case = row_of_the_site(alice)
    intake.give_consent(case, CONSENT, user=alice)
    work()
    case.refresh_from_db()
    assert case.status == "verified"
    assert len(ScriptedProvider.requests) == 1


def test_a_case_that_went_back_takes_consent_and_photo(alice: User) -> None:
    case = row_of_the_site(alice)
    work()
    case.refresh_from_db()
    submission = intake.Submission(image=draw_jpeg())
    with pytest.raises(InputError, match="consent_required"):
        intake.submit(case, submission, user=alice)
    intake.submit(case, submission, user=alice, consent=CONSENT)
    work()
    case.refresh_from_db()
    assert case.status == "verified"


def test_a_site_may_see_to_consents_itself(alice: User, settings: Any) -> None:
    configure(settings, REQUIRED=False)
    case = submitted(alice, consent=None)
    work()
    case.refresh_from_db()
    assert case.status == "verified"
    assert not case.consents.exists()
    assert not Verification.objects.unconsented().exists()


# Giving it


def test_the_history_knows_it(alice: User) -> None:
    case = submitted(alice)
    facts = {
        "consent_text_version": "demo-1",
        "consent_text_sha256": ENGLISH,
        "consent_given_by": "subject",
    }
    assert case.events.get(action="created").data == facts
    later = intake.create(user=alice, idcard_name=IDCARD_NAME, idcard_number=IDCARD_NUMBER)
    assert later.events.get().data == {}
    intake.give_consent(later, CONSENT, user=alice)
    event = later.events.get(action="consent_given")
    assert (event.data, event.actor) == (facts, f"user:{alice.pk}")


def test_what_was_said_before_is_not_written_again(alice: User) -> None:
    case = intake.create(
        user=alice, idcard_name=IDCARD_NAME, idcard_number=IDCARD_NUMBER, consent=CONSENT
    )
    intake.give_consent(case, CONSENT, user=alice)
    intake.submit(case, intake.Submission(image=draw_jpeg()), user=alice, consent=CONSENT)
    assert case.consents.count() == 1
    assert not case.events.filter(action="consent_given").exists()
    intake.give_consent(case, {**CONSENT, "keep_photo": True}, user=alice)
    assert case.consents.count() == 2
    assert case.events.filter(action="consent_given").count() == 1


@pytest.mark.parametrize(
    ("declared", "code"),
    [
        ({"text_version": "demo-1", "granted": False}, "consent_required"),
        ({"text_version": "demo-2", "granted": True}, "consent_version_unknown"),
        ({"text_version": "old", "granted": True}, "consent_version_outdated"),
        ({**CONSENT, "text_sha256": "0" * 64}, "consent_version_outdated"),
        ({**CONSENT, "guardian": "yes"}, "consent_invalid"),
        ({**CONSENT, "guardian": 1}, "consent_invalid"),
        ({**CONSENT, "relation": "parent"}, "consent_invalid"),
        ({**CONSENT, "guardian": True, "relation": "a friend"}, "consent_invalid"),
        ({**CONSENT, "guardian": True, "relation": ""}, "consent_invalid"),
        ({**CONSENT, "keep_photo": None}, "consent_invalid"),
        ({**CONSENT, "name": "李四"}, "consent_invalid"),
        ({"granted": True}, "consent_invalid"),
        ({"text_version": "demo-1"}, "consent_invalid"),
        ("demo-1", "consent_invalid"),
    ],
)
def test_what_is_no_consent_is_refused(
    alice: User, settings: Any, declared: Any, code: str
) -> None:
    configure(settings, CURRENT="demo-1")
    texts = {**app_settings.consent.texts, "old": {"TEXT": {"en": "I agreed."}}}
    configure(settings, TEXTS=texts)
    gives: tuple[Callable[[], Verification], ...] = (
        lambda: submitted(alice, consent=declared),
        lambda: intake.create(
            user=alice, idcard_name=IDCARD_NAME, idcard_number=IDCARD_NUMBER, consent=declared
        ),
    )
    for give in gives:
        with pytest.raises(InputError) as refusal:
            give()
        assert (refusal.value.code, refusal.value.field) == (code, "consent")
    assert not Verification.objects.exists()
    assert not Consent.objects.exists()


def test_a_photo_needs_one(alice: User) -> None:
    with pytest.raises(InputError) as refusal:
        submitted(alice, consent=None)
    assert (refusal.value.code, refusal.value.field) == ("consent_required", "consent")
    assert not Verification.objects.exists()


def test_the_language_that_was_read_is_kept(alice: User) -> None:
    with translation.override("zh-hans"):
        assert submitted(alice).consents.get().text_sha256 == CHINESE
    declared = {**CONSENT, "text_sha256": CHINESE, "keep_photo": True}
    given = submitted(alice, consent=declared).consents.get()
    assert (given.locale, given.text_sha256) == ("zh-hans", CHINESE)
    assert given.is_keeping_granted


@pytest.mark.parametrize(
    ("language", "locale"),
    [
        ("en", "en"),
        ("en-gb", "en"),
        ("zh-hans", "zh-hans"),
        ("zh-hant", "zh-hans"),
        ("fr", "en"),
        (None, "en"),
    ],
)
def test_everybody_gets_the_nearest_language(language: str | None, locale: str) -> None:
    with translation.override(language):
        assert consents.current_text(app_settings.level("default")).locale == locale


def test_the_shipped_text_says_who_gets_the_data(settings: Any) -> None:
    configure(settings, TEXTS={"demo-1": DEMO_TEXT})
    for language, word in (("en", "withdraw"), ("zh-hans", "撤回")):
        with translation.override(language):
            text = consents.current_text(app_settings.level("default"))
        assert text.locale == language
        assert "Example Faces Ltd" in text.text
        assert "privacy@example.com" in text.text
        assert word in text.text
        assert not {"{{", "{%"} & set(text.text.split())
        assert text.sha256 == sha256(text.text.encode()).hexdigest()


def test_the_shipped_text_needs_no_templates_of_the_site(settings: Any) -> None:
    settings.TEMPLATES = []
    configure(settings, TEXTS={"demo-1": DEMO_TEXT})
    text = consents.current_text(app_settings.level("default")).text
    assert text.startswith("This is a demonstration.")


def test_a_name_is_not_escaped(settings: Any) -> None:
    entry = {**settings.FACEVERIFY["PROVIDERS"]["default"], "LEGAL": {"NAME": "Face & Co"}}
    settings.FACEVERIFY = {**settings.FACEVERIFY, "PROVIDERS": {"default": entry}}
    configure(settings, TEXTS={"demo-1": DEMO_TEXT})
    assert "Face & Co receives" in consents.current_text(app_settings.level("default")).text


def test_a_consent_comes_too_late(alice: User, verification: Verification) -> None:
    intake.cancel(verification, user=alice)
    with pytest.raises(Conflict, match="already_final"):
        intake.give_consent(verification, CONSENT, user=alice)


def test_none_given_is_none(alice: User, verification: Verification) -> None:
    with pytest.raises(InputError, match="consent_required"):
        intake.give_consent(verification, None, user=alice)


def test_a_record_says_whose_guardian_only_of_guardians(verification: Verification) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        agree(verification, guardian_relation="parent")


def test_a_refused_photo_leaves_no_consent(alice: User) -> None:
    case = intake.create(user=alice, idcard_name=IDCARD_NAME, idcard_number=IDCARD_NUMBER)
    with pytest.raises(InputError, match="image_format"):
        intake.submit(case, intake.Submission(image=b"text"), user=alice, consent=CONSENT)
    assert not case.consents.exists()
    assert case.events.count() == 1


# Withdrawing it


def test_withdrawing_stops_what_waits_and_redacts(alice: User, verification: Verification) -> None:
    intake.withdraw_consent(verification, user=alice)
    assert (verification.status, verification.reason_code) == ("canceled", "consent_withdrawn")
    assert verification.redacted_at is not None
    assert verification.consents.get().withdrawn_at is not None
    work()
    assert ScriptedProvider.requests == []
    actions = [event.action for event in verification.events.order_by("number")]
    assert actions == ["created", "submitted", "consent_withdrawn", "canceled", "redacted"]
    assert {event.actor for event in verification.events.all()} == {f"user:{alice.pk}"}


def test_withdrawing_again_changes_nothing(alice: User, verification: Verification) -> None:
    intake.withdraw_consent(verification, user=alice)
    at, count = verification.consents.get().withdrawn_at, Event.objects.count()
    intake.withdraw_consent(verification, user=alice)
    assert verification.consents.get().withdrawn_at == at
    assert Event.objects.count() == count


def test_a_decision_stands_when_the_consent_is_withdrawn(
    alice: User, verification: Verification
) -> None:
    work()
    intake.withdraw_consent(verification, user=alice)
    assert verification.status == "verified"
    assert verification.redacted_at is not None


def test_what_was_never_given_cannot_be_withdrawn(alice: User) -> None:
    case = intake.create(user=alice, idcard_name=IDCARD_NAME, idcard_number=IDCARD_NUMBER)
    with pytest.raises(Conflict, match="consent_not_given"):
        intake.withdraw_consent(case, user=alice)
    case.refresh_from_db()
    assert case.status == "requires_input"
    assert case.redacted_at is None


@pytest.mark.parametrize("value", [95.0, 72.0, 12.0])
def test_an_answer_that_comes_after_it_decides_nothing(
    alice: User, verification: Verification, monkeypatch: pytest.MonkeyPatch, value: float
) -> None:
    def withdraw_meanwhile(
        self: ScriptedProvider, request: ComparisonRequest, *, about_to_send: Callable[[], None]
    ) -> Comparison:
        about_to_send()
        intake.withdraw_consent(verification, user=alice)
        return similarity(value)

    monkeypatch.setattr(ScriptedProvider, "compare", withdraw_meanwhile)
    assert engine.run(verification.pk)
    verification.refresh_from_db()
    assert (verification.status, verification.reason_code) == ("canceled", "consent_withdrawn")
    assert verification.similarity is None
    assert verification.decided_at is None
    attempt = verification.attempts.get()
    assert (attempt.state, attempt.similarity) == ("answered", value)  # what it cost stays known


def test_withdrawn_before_the_first_byte_no_call_is_made(
    alice: User, verification: Verification
) -> None:
    claim = engine.claim_call(verification.pk)
    assert claim is not None
    intake.withdraw_consent(verification, user=alice)
    answer = engine.call(claim)
    if answer is not None:
        engine.record(claim, answer)
    verification.refresh_from_db()
    assert verification.status == "canceled"
    assert ScriptedProvider.requests == []
    assert verification.attempts.get().is_billed == "no"


# Children


def test_a_child_needs_a_guardian(alice: User, today: Any) -> None:
    for consent in (None, CONSENT):
        with pytest.raises(InputError) as refusal:
            submitted(alice, idcard_number=CHILD, consent=consent)
        assert (refusal.value.code, refusal.value.field) == ("under_age", "idcard_number")
        with pytest.raises(InputError, match="under_age"):
            intake.create(user=alice, idcard_name=IDCARD_NAME, idcard_number=CHILD, consent=consent)
    assert not Verification.objects.exists()
    case = submitted(alice, idcard_number=CHILD, consent=BY_GUARDIAN)
    given = case.consents.get()
    assert (given.given_by, given.guardian_relation) == ("guardian", "parent")
    assert case.events.get(action="created").data["consent_given_by"] == "guardian"
    work()
    case.refresh_from_db()
    assert case.status == "verified"


@pytest.mark.parametrize(
    ("day", "is_child"), [(date(2027, 1, 9), True), (date(2027, 1, 10), False)]
)
def test_on_the_fourteenth_birthday_nobody_is_a_child(
    alice: User, today: Callable[[date], None], day: date, is_child: bool
) -> None:
    today(day)
    if is_child:
        with pytest.raises(InputError, match="under_age"):
            submitted(alice, idcard_number=CHILD)
    else:
        assert submitted(alice, idcard_number=CHILD).status == "processing"


def test_the_day_is_that_of_china(monkeypatch: pytest.MonkeyPatch) -> None:
    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return cls(2027, 1, 9, 16, 30, tzinfo=timezone.get_fixed_timezone(0)).astimezone(tz)

    clock = SimpleNamespace(datetime=Clock, date=date)
    monkeypatch.setattr("django_faceverify.identity.datetime", clock)
    assert identity.age(CHILD) == 14


def test_a_correction_does_not_make_a_child_of_an_adult(alice: User, today: Any) -> None:
    ScriptedProvider.script(similarity(12))
    case = submitted(alice)
    engine.run(case.pk)
    case.refresh_from_db()
    photo = intake.Submission(image=draw_jpeg(seed=2))
    for consent in (None, CONSENT):
        with pytest.raises(InputError, match="under_age"):
            intake.submit(case, photo, user=alice, idcard_number=CHILD, consent=consent)
    case.refresh_from_db()
    assert case.idcard_number.unseal() == IDCARD_NUMBER
    intake.submit(case, photo, user=alice, idcard_number=CHILD, consent=BY_GUARDIAN)
    assert case.status == "processing"


def test_a_childs_case_keeps_its_guardian_for_the_next_photo(alice: User, today: Any) -> None:
    ScriptedProvider.script(similarity(12))
    case = submitted(alice, idcard_number=CHILD, consent=BY_GUARDIAN)
    engine.run(case.pk)
    case.refresh_from_db()
    intake.submit(case, intake.Submission(image=draw_jpeg(seed=2)), user=alice)
    assert case.status == "processing"


@pytest.mark.parametrize("is_required", [True, False])
def test_the_claim_looks_at_the_age_too(
    alice: User, today: Any, settings: Any, is_required: bool
) -> None:
    configure(settings, REQUIRED=is_required)
    case = row_of_the_site(alice, CHILD)
    agree(case)
    work()
    case.refresh_from_db()
    assert ScriptedProvider.requests == []
    assert (case.status, case.reason_code) == ("requires_input", "under_age")
    assert not case.attempts.exists()


def test_a_guardian_may_come_later(alice: User, today: Any) -> None:
    case = row_of_the_site(alice, CHILD)
    with pytest.raises(InputError, match="under_age"):
        intake.give_consent(case, CONSENT, user=alice)
    intake.give_consent(case, BY_GUARDIAN, user=alice)
    work()
    case.refresh_from_db()
    assert case.status == "verified"


def test_a_guardian_who_withdraws_leaves_a_child_alone(alice: User, today: Any) -> None:
    case = row_of_the_site(alice, CHILD)
    agree(case)
    agree(case, given_by="guardian", withdrawn_at=timezone.now())
    work()
    assert ScriptedProvider.requests == []


def test_a_number_that_does_not_open_is_not_anybodys_age(verification: Verification) -> None:
    case = Verification.objects.get()
    case.__dict__["idcard_number"] = case.__dict__["idcard_name"]  # sealed for another column
    assert not consents.lacks_guardian(case)
