"""What is wrong with a photo is said before it is stored or paid for."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils.translation import override

from django_faceverify import intake, redaction, verification
from django_faceverify.conf import app_settings
from django_faceverify.exceptions import InputError
from django_faceverify.faces import engine, quality
from django_faceverify.faces.sight import Facts
from django_faceverify.models import Photo, Verification
from django_faceverify.models.photo import photo_storage
from example_project.demo.pictures import portrait, selfie
from tests.api.asking import as_file
from tests.conftest import CONSENT, draw_jpeg
from tests.faces import portraits

GOOD = Facts(face_count=1, face_width=160, sharpness=300, brightness=110)
FAULTS: dict[str, Callable[[], bytes]] = {
    "no_face": portraits.nobody,
    "multiple_faces": portraits.two_people,
    "face_too_small": portraits.far_away,
    "image_blurry": lambda: portraits.blurred(0.09),
}


@pytest.mark.parametrize(
    ("facts", "fault"),
    [
        (GOOD, ""),
        (Facts(face_count=1, face_width=48, sharpness=8), ""),
        (Facts(face_count=0), "no_face"),
        (Facts(face_count=2, face_width=160, sharpness=300), "multiple_faces"),
        (Facts(face_count=1, face_width=47, sharpness=300), "face_too_small"),
        (Facts(face_count=1, face_width=160, sharpness=7.9), "image_blurry"),
    ],
)
def test_the_rules(facts: Facts, fault: str) -> None:
    assert quality.find_fault(facts, app_settings.quality) == fault


def test_the_measures_are_the_sites_own(settings: Any) -> None:
    settings.FACEVERIFY = {**settings.FACEVERIFY, "QUALITY": {"MIN_FACE_WIDTH": 200}}
    assert quality.find_fault(GOOD, app_settings.quality) == "face_too_small"


def test_switched_off_nothing_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "look", None)
    assert quality.inspect(portrait(portraits.HOPPER)) is None


def test_the_facts_are_described_for_people() -> None:
    kept = {"face_count": 1, "face_width": 160, "sharpness": 300.0, "brightness": 110.0}
    with override("zh-hans"):
        told = quality.describe(kept)
    assert told["清晰度"] == 300.0
    assert list(told.values()) == list(kept.values())
    assert quality.describe(None) == {}


@pytest.fixture
def _without_the_extra(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Switched on, on a machine that has none of the packages."""
    settings.FACEVERIFY = {**settings.FACEVERIFY, "QUALITY": {"CHECK": True}}
    for name in ("cv2", "django_faceverify.faces.nets"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setattr(engine, "_engine", engine._Engine())


@pytest.mark.usefixtures("_without_the_extra")
def test_without_the_extra_photos_pass_and_that_is_told(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(engine.EngineUnavailable, match="not installed"):
        engine.look(portrait(portraits.HOPPER))
    assert quality.inspect(portrait(portraits.HOPPER)) is None
    assert "quality_unchecked error=EngineUnavailable" in caplog.text


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("quality_checked")
class TestSubmission:
    def test_a_good_photo_keeps_its_facts(self, alice: User, idcard: dict[str, Any]) -> None:
        case = intake.create(
            user=alice,
            consent=CONSENT,
            submission=intake.Submission(image=selfie(portraits.HOPPER)),
            **idcard,
        )
        facts = Photo.objects.get(verification=case).facts
        assert facts is not None
        assert facts["face_count"] == 1
        assert facts.keys() == quality.LABELS.keys()
        assert verification.run(case.pk)
        case.refresh_from_db()
        assert case.status == "verified"
        assert Photo.objects.get(verification=case).facts == facts

    @pytest.mark.parametrize("fault", FAULTS)
    def test_a_bad_photo_opens_no_case(
        self, alice: User, idcard: dict[str, Any], fault: str
    ) -> None:
        submission = intake.Submission(image=FAULTS[fault]())
        with pytest.raises(InputError) as caught:
            intake.create(user=alice, consent=CONSENT, submission=submission, **idcard)
        assert caught.value.args == (fault, "image")
        assert not Verification.objects.exists()

    def test_a_bad_photo_uses_up_no_try(self, alice: User, idcard: dict[str, Any]) -> None:
        case = intake.create(user=alice, consent=CONSENT, **idcard)
        before = set(photo_storage().listdir("")[0])
        with pytest.raises(InputError):
            intake.submit(case, intake.Submission(image=portraits.nobody()), user=alice)
        case.refresh_from_db()
        assert (case.status, case.photo_count, case.try_count) == ("requires_input", 0, 0)
        assert not case.photos.exists()
        assert set(photo_storage().listdir("")[0]) == before

    @pytest.mark.parametrize(
        ("language", "sentence"), [("en", "No face was found"), ("zh-hans", "未检测到人脸")]
    )
    def test_the_api_says_it_in_the_persons_language(
        self,
        client: Any,
        settings: Any,
        alice: User,
        idcard: dict[str, Any],
        language: str,
        sentence: str,
    ) -> None:
        settings.LANGUAGE_CODE = language
        client.force_login(alice)
        answer = client.post(
            "/kyc/api/v1/verifications/",
            {**idcard, "consent": json.dumps(CONSENT), "image": as_file(portraits.nobody())},
        )
        assert answer.status_code == 400
        (error,) = answer.json()["errors"]
        assert (error["pointer"], error["code"]) == ("#/image", "no_face")
        assert sentence in error["detail"]

    def test_the_facts_go_with_the_photo(self, alice: User, idcard: dict[str, Any]) -> None:
        submission = intake.Submission(image=selfie(portraits.HOPPER))
        case = intake.create(user=alice, consent=CONSENT, submission=submission, **idcard)
        redaction.redact(case, actor="system", reason_code="subject_request")
        assert Photo.objects.get(verification=case).facts is None

    def test_an_address_is_not_looked_at(self, alice: User, idcard: dict[str, Any]) -> None:
        submission = intake.Submission(url="https://example.com/me.jpg")
        case = intake.create(user=alice, consent=CONSENT, submission=submission, **idcard)
        assert Photo.objects.get(verification=case).facts is None


@pytest.mark.django_db
def test_switched_off_any_photo_is_taken(alice: User, idcard: dict[str, Any]) -> None:
    submission = intake.Submission(image=draw_jpeg())
    case = intake.create(user=alice, consent=CONSENT, submission=submission, **idcard)
    assert Photo.objects.get(verification=case).facts is None
