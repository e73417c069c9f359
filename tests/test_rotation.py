"""New keys: everything comes under them, nothing is lost, and old keys are not dropped early."""

from __future__ import annotations

import base64
from io import StringIO
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from django_faceverify import intake, rotation, webhooks
from django_faceverify.audit import proof
from django_faceverify.doctor import site
from django_faceverify.exceptions import SealBroken
from django_faceverify.models import Photo, Verification, WebhookEndpoint
from django_faceverify.models.fields import Sealed, SealedTextField
from django_faceverify.models.photo import photo_storage
from django_faceverify.webhooks.endpoints import secrets_of
from tests.conftest import CONSENT, IDCARD_NAME, IDCARD_NUMBER, draw_jpeg, submitted
from tests.webhooks.fixtures import Told

pytestmark = pytest.mark.django_db(transaction=True)

NEW_KEY = base64.b64encode(bytes(range(32, 64))).decode()


def use_keys(settings: Any, **keys: str) -> None:
    settings.FACEVERIFY = {**settings.FACEVERIFY, "KEYS": keys}


@pytest.fixture
def old_key(settings: Any) -> str:
    key: str = settings.FACEVERIFY["KEYS"]["test"]
    return key


@pytest.fixture
def case(alice: User, reviewer: User) -> Verification:
    """A case with a value in every sealed column, and a photo by its address beside it."""
    submitted(alice, idcard_number="000000199001010028")
    intake.create(
        user=alice,
        idcard_name=IDCARD_NAME,
        idcard_number=IDCARD_NUMBER,
        consent=CONSENT,
        submission=intake.Submission(url="https://example.com/face.jpg"),
    )
    case = submitted(alice, jpeg=draw_jpeg(seed=7))
    case.review_note = "passport seen"
    case.save(update_fields=["review_note"])
    return case


def rotate(*arguments: str) -> str:
    out = StringIO()
    call_command("faceverify_rotate_keys", *arguments, stdout=out, stderr=out)
    return out.getvalue()


def files() -> set[str]:
    storage = photo_storage()
    folders, _ = storage.listdir("")
    return {f"{folder}/{name}" for folder in folders for name in storage.listdir(folder)[1]}


def test_everything_comes_under_the_first_key(
    settings: Any, case: Verification, old_key: str
) -> None:
    picture, before = case.photos.get().read(), files()
    use_keys(settings, new=NEW_KEY, test=old_key)
    assert "Sealed anew under new: 6" in rotate()
    assert set(rotation.remaining()) == {"new"}
    assert rotation.remaining()["new"] == {
        "verification.idcard_name": 3,
        "verification.idcard_number": 3,
        "verification.idcard_number_index": 3,
        "verification.review_note": 1,
        "photo.url": 1,
        "photo files": 2,
    }
    assert "Sealed anew under new: 0" in rotate()
    assert len(files()) == len(before)
    use_keys(settings, new=NEW_KEY)
    again = Verification.objects.get(pk=case.pk)
    assert again.idcard_name.unseal() == IDCARD_NAME
    assert again.review_note.unseal() == "passport seen"
    assert again.photos.get().read() == picture
    assert case.pk in [found.pk for found in intake.find_by_idcard_number(IDCARD_NUMBER)]


def test_secrets_of_webhooks_come_along(settings: Any, told: Told, old_key: str) -> None:
    """Both of them, while the one before still signs."""
    secrets = [webhooks.rotate_secret(told.endpoint), told.secret]
    use_keys(settings, new=NEW_KEY, test=old_key)
    assert "Sealed anew under new: 1" in rotate()
    assert rotation.remaining()["new"] == {
        "webhookendpoint.secret": 1,
        "webhookendpoint.old_secret": 1,
    }
    use_keys(settings, new=NEW_KEY)
    assert secrets_of(WebhookEndpoint.objects.get()) == secrets


def test_every_sealed_column_is_found() -> None:
    """Of whichever model; a new one needs no line here or there."""
    found = {
        (model, item.name)
        for model in rotation.sealed_models()
        for item in rotation.sealed_fields(model)
    }
    assert found == {
        (model, item.name)
        for model in apps.get_models()
        for item in model._meta.get_fields()
        if isinstance(item, SealedTextField)
    }
    assert (Photo, "url") in found


def test_the_history_stays_under_its_key(settings: Any, case: Verification, old_key: str) -> None:
    use_keys(settings, new=NEW_KEY, test=old_key)
    rotate()
    assert all(event.mac.startswith("test:") for event in case.events.all())
    assert list(proof.examine()) == []


def test_a_key_in_use_is_not_retired(settings: Any, case: Verification, old_key: str) -> None:
    with pytest.raises(CommandError, match="first key"):
        rotate("--retire", "test")
    use_keys(settings, new=NEW_KEY, test=old_key)
    with pytest.raises(CommandError, match="in use: 13 values"):
        rotate("--retire", "test")
    rotate()
    with pytest.raises(CommandError, match="proves"):
        rotate("--retire", "test")
    assert "test can be taken off" in rotate("--retire", "test", "--without-history")


def test_a_lost_key_is_told(settings: Any, case: Verification) -> None:
    use_keys(settings, new=NEW_KEY)
    with pytest.raises(CommandError, match="Not on the ring, and still in use: test"):
        rotate("--check")
    output = StringIO()
    with pytest.raises(CommandError):
        call_command("faceverify_rotate_keys", stdout=output, stderr=output)
    assert f"stays as it is: verification {case.pk}" in output.getvalue()


def test_whoever_is_faster_wins(
    settings: Any, case: Verification, old_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A correction that comes between the read and the update is kept."""
    use_keys(settings, new=NEW_KEY, test=old_key)
    pages = rotation._pages

    def overtaken(*arguments: Any) -> Any:
        for page in pages(*arguments):
            again = Verification.objects.get(pk=case.pk)
            again.idcard_name = "李四"
            again.save(update_fields=["idcard_name"])
            for photo in Photo.objects.exclude(file_name=""):
                photo_storage().open(photo.file_name).close()
            yield page

    with monkeypatch.context() as patch:
        patch.setattr(rotation, "_pages", overtaken)
        assert rotation.rotate().overtaken == 1
    assert Verification.objects.get(pk=case.pk).idcard_name.unseal() == "李四"
    assert rotation.rotate().overtaken == 0
    assert set(rotation.remaining()) == {"new"}


def test_an_overtaken_file_is_not_left_behind(
    settings: Any, case: Verification, old_key: str
) -> None:
    use_keys(settings, new=NEW_KEY, test=old_key)
    photo, before, progress = case.photos.get(), files(), rotation.Progress()
    Photo.objects.filter(pk=photo.pk).update(width=photo.width)
    rotation._rotate_file(photo.pk, photo.file_name, progress)
    assert progress.resealed == 1
    rotation._rotate_file(photo.pk, photo.file_name, progress)  # a second rotator, too late
    assert (progress.resealed, progress.broken) == (1, [])
    assert len(files()) == len(before)


def test_a_reader_of_the_old_file_finds_the_new_one(
    settings: Any, case: Verification, old_key: str
) -> None:
    reader = case.photos.get()
    picture = reader.read()
    use_keys(settings, new=NEW_KEY, test=old_key)
    rotate()
    assert reader.read() == picture
    Photo.objects.filter(pk=reader.pk).update(file_name="")
    photo_storage().delete(reader.file_name)
    with pytest.raises(SealBroken, match="photo_lost"):
        reader.read()


def test_only_a_token_can_be_compared(case: Verification) -> None:
    name = case.__dict__["idcard_name"]
    assert isinstance(name, Sealed)
    assert Verification.objects.filter(idcard_name=name).get().pk == case.pk


def key_findings() -> list[tuple[str, str]]:
    return [(finding.level, finding.text) for finding in site.look_at_keys()]


def test_the_doctor_counts_cases_by_key(settings: Any, case: Verification, old_key: str) -> None:
    assert key_findings()[1:] == [("ok", "test: 3 cases")]
    use_keys(settings, new=NEW_KEY, test=old_key)
    assert key_findings()[1:] == [("warning", "test: 3 cases wait for faceverify_rotate_keys")]
    use_keys(settings, new=NEW_KEY, test=NEW_KEY)
    assert key_findings()[1][0] == "error"
    use_keys(settings, new=NEW_KEY)
    level, text = key_findings()[1]
    assert level == "error"
    assert "not on the ring" in text
