"""The clocks: what is due goes, what is not stays, whoever purges and however they die."""

from __future__ import annotations

import os
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from django_faceverify import (
    census,
    intake,
    lifecycle,
    orphans,
    quotas,
    redaction,
    retention,
    tasks,
)
from django_faceverify import verification as engine
from django_faceverify.conf import DAY, THREE_YEARS, app_settings
from django_faceverify.models import (
    Counter,
    Event,
    IdentitySearch,
    Photo,
    RetentionDay,
    Verification,
)
from django_faceverify.models import photo as photo_model
from django_faceverify.models.keys import made_at, new_id
from django_faceverify.models.photo import photo_storage, store_photo
from django_faceverify.models.transactions import committed
from tests.conftest import CONSENT, submitted
from tests.scripted import ScriptedProvider, similarity

pytestmark = pytest.mark.django_db(transaction=True)

MINUTE = 60


@pytest.fixture(autouse=True)
def photo_folder(tmp_path: Path, settings: Any) -> Path:
    """A storage of its own for each test, so that stored files can be counted."""
    folder = tmp_path / "photos"
    alias = {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": str(folder)},
    }
    settings.STORAGES = {**settings.STORAGES, "faceverify": alias}
    return folder


@pytest.fixture
def clocks(settings: Any) -> Any:
    def set_clocks(**clocks: Any) -> None:
        settings.FACEVERIFY = {**settings.FACEVERIFY, "RETENTION": clocks}

    return set_clocks


def decided(user: Any, value: float = 95) -> Verification:
    case = submitted(user)
    ScriptedProvider.script(similarity(value))
    engine.run(case.pk)
    case.refresh_from_db()
    return case


def pass_time(seconds: float) -> None:
    """Let so much time go by: everything that was written becomes older."""
    past = timedelta(seconds=seconds)
    rows = Verification.objects
    rows.filter(ended_at__isnull=False).update(ended_at=F("ended_at") - past)
    rows.filter(redacted_at__isnull=False).update(redacted_at=F("redacted_at") - past)


def counts(report: retention.Report) -> dict[str, int]:
    return {name: number for name, number in report.counts.items() if number}


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


# the clocks


def test_defaults_are_those_of_the_preset(clocks: Any) -> None:
    assert app_settings.retention.preset == "generic"
    assert (app_settings.retention.photo, app_settings.retention.identity) == (7 * DAY, 30 * DAY)
    assert (app_settings.retention.draft, app_settings.retention.audit) == (0, THREE_YEARS)
    clocks(PRESET="CN", IDENTITY=timedelta(days=5 * 366), AUDIT=None)
    assert (app_settings.retention.photo, app_settings.retention.audit) == (0, None)
    assert app_settings.retention.identity == 5 * 366 * DAY


def test_a_life_of_a_case(alice: User, photo_folder: Path) -> None:
    case = decided(alice)
    pass_time(7 * DAY - MINUTE)
    assert counts(retention.purge()) == {}
    assert case.photos.get().read()

    pass_time(2 * MINUTE)
    assert counts(retention.purge()) == {"photo_count": 1}
    assert files(photo_folder) == set()
    case.refresh_from_db()
    assert case.idcard_name.unseal()

    pass_time(23 * DAY - 2 * MINUTE)
    assert counts(retention.purge()) == {}
    pass_time(2 * MINUTE)
    assert counts(retention.purge()) == {"identity_count": 1}
    case.refresh_from_db()
    assert (case.status, case.similarity, case.idcard_name) == ("verified", 95, "")
    last = case.events.latest("number")
    assert (last.action, last.reason_code, last.data["rule"]) == (
        "redacted",
        "retention_over",
        "IDENTITY",
    )

    pass_time(THREE_YEARS - MINUTE)
    assert counts(retention.purge()) == {}
    pass_time(2 * MINUTE)
    assert counts(retention.purge()) == {"case_count": 1}
    for model in (Verification, Photo, Event):
        assert not model.objects.exists()


def test_in_china_a_photo_goes_with_the_decision(alice: User, clocks: Any) -> None:
    clocks(PRESET="CN")
    done, open_ = decided(alice), submitted(alice)
    assert counts(retention.purge()) == {"photo_count": 1}
    assert done.photos.get().purged_at
    assert open_.photos.get().read()


def test_a_photo_stays_with_the_name_where_the_person_agreed_to_that(
    alice: User, clocks: Any
) -> None:
    clocks(PHOTO=0, IDENTITY=DAY)
    kept, other = submitted(alice, consent={**CONSENT, "keep_photo": True}), submitted(alice)
    for case in (kept, other):
        ScriptedProvider.script(similarity(95))
        engine.run(case.pk)
    assert counts(retention.purge()) == {"photo_count": 1}
    assert kept.photos.get().read()
    assert census.take().person_count == 1
    assert not Verification.objects.filter(pk=kept.pk, holds="photos").exists()

    pass_time(DAY + MINUTE)
    assert counts(retention.purge()) == {"identity_count": 2}
    assert kept.photos.get().purged_at


def test_who_searched_is_forgotten_with_the_histories(clocks: Any) -> None:
    clocks(AUDIT=30 * DAY)
    for days in (31, 29):
        at = timezone.now() - timedelta(days=days)
        IdentitySearch.objects.create(at=at, actor="user:1", found_count=1)
    assert counts(retention.purge()) == {"search_count": 1}
    assert IdentitySearch.objects.get().at > timezone.now() - timedelta(days=30)
    clocks(AUDIT=None)
    assert counts(retention.purge()) == {}


def test_a_withdrawn_consent_keeps_nothing(alice: User, clocks: Any) -> None:
    clocks(PHOTO=0)
    case = submitted(alice, consent={**CONSENT, "keep_photo": True})
    intake.withdraw_consent(case, user=alice)
    assert case.photos.get().purged_at


def test_what_is_not_decided_is_kept(alice: User) -> None:
    waiting, looked_at = submitted(alice), decided(alice, 72)
    assert looked_at.status == "in_review"
    pass_time(10 * THREE_YEARS)
    assert counts(retention.purge()) == {}
    assert waiting.photos.get().read()


def test_a_draft_goes_when_it_has_expired(alice: User, idcard: dict[str, Any], clocks: Any) -> None:
    draft = intake.create(user=alice, **idcard)
    assert counts(retention.purge()) == {}
    lifecycle.move(draft, "expire", actor="system")
    clocks(DRAFT=timedelta(hours=2))
    assert counts(retention.purge()) == {}
    pass_time(2 * 3600)
    assert counts(retention.purge()) == {"draft_count": 1}
    draft.refresh_from_db()
    assert (draft.status, draft.idcard_number_mask) == ("expired", "")


def test_photos_do_not_outlive_the_name(alice: User, clocks: Any, photo_folder: Path) -> None:
    clocks(PHOTO=None, IDENTITY=timedelta(days=1))
    decided(alice)
    pass_time(DAY)
    assert counts(retention.purge()) == {"identity_count": 1}
    assert files(photo_folder) == set()


def test_without_a_clock_nothing_goes(alice: User, clocks: Any) -> None:
    clocks(PHOTO=None, IDENTITY=None, AUDIT=None)
    case, erased = decided(alice), decided(alice)
    intake.redact(erased, user=alice)
    pass_time(10 * THREE_YEARS)
    assert counts(retention.purge()) == {}
    assert case.photos.get().read()


def test_the_clock_begins_at_the_last_end(alice: User, reviewer: User) -> None:
    """A case that came back to life is not kept by its first end."""
    case = decided(alice)
    Verification.objects.filter(pk=case.pk).update(status="in_review", decision_source="")
    lifecycle.move(case, "ask_again", actor="system", reason_code="better_photo_needed")
    case.refresh_from_db()
    assert case.ended_at is None
    pass_time(30 * DAY)
    assert counts(retention.purge()) == {}


def test_a_case_reopened_meanwhile_is_left_alone(
    alice: User, monkeypatch: pytest.MonkeyPatch, clocks: Any
) -> None:
    clocks(PHOTO=None, IDENTITY=0)
    case = decided(alice)
    found = Verification.objects.get(pk=case.pk)
    Verification.objects.filter(pk=case.pk).update(ended_at=None, status="in_review")
    assert retention._redact(found, "IDENTITY") == 0
    case.refresh_from_db()
    assert (case.status, case.redacted_at) == ("in_review", None)


# counters


def test_counters_go_when_their_window_is_over() -> None:
    quotas.take("calls/day/default/index", quotas.this_day(), 9)
    quotas.take("seen/user/7/index", quotas.this_month(), 9)
    Counter.objects.update(updated_at=F("updated_at") - timedelta(hours=47))
    assert counts(retention.purge()) == {}
    Counter.objects.update(updated_at=F("updated_at") - timedelta(hours=2))
    assert counts(retention.purge()) == {"counter_count": 1}
    assert list(Counter.objects.values_list("scope", flat=True)) == ["seen/user/7/index"]
    Counter.objects.update(window="200001")
    assert counts(retention.purge()) == {"counter_count": 1}


# the record


def test_the_day_is_on_record(alice: User, clocks: Any) -> None:
    clocks(PRESET="CN")
    decided(alice)
    open_ = submitted(alice)
    retention.purge()
    decided(alice)
    retention.purge()
    day = RetentionDay.objects.get()
    assert day.day == timezone.localdate()
    assert (day.photo_count, day.identity_count, day.case_count) == (2, 0, 0)
    assert day.clocks["preset"] == "CN"
    assert day.clocks["photo"] == 0
    assert (day.person_count, day.stored_photo_count) == (1, 1)
    assert day.oldest_photo_at == open_.photos.get().submitted_at
    assert day.folder_count == 256


def test_nothing_is_destroyed_by_counting(alice: User, clocks: Any) -> None:
    clocks(PHOTO=0)
    case = decided(alice)
    assert retention.due_counts() == {
        "photo_count": 1,
        "draft_count": 0,
        "identity_count": 0,
        "case_count": 0,
    }
    assert case.photos.get().read()
    assert not RetentionDay.objects.exists()


# failures


def test_one_case_that_fails_does_not_hold_up_the_others(
    alice: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, clocks: Any
) -> None:
    clocks(PHOTO=0)
    cases = [decided(alice) for _ in range(3)]
    real = redaction.destroy_photos

    def fail_for_one(verification: Verification, **facts: Any) -> int:
        if verification.pk == cases[0].pk:
            raise RuntimeError("张三")
        return real(verification, **facts)

    monkeypatch.setattr(redaction, "destroy_photos", fail_for_one)
    report = retention.purge()
    assert (counts(report), report.failed) == ({"photo_count": 2}, 1)
    assert "RuntimeError" in caplog.text
    assert "张三" not in caplog.text


def test_a_case_that_stays_due_does_not_keep_a_purge_for_ever(
    alice: User, clocks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    clocks(PHOTO=0)
    decided(alice)
    monkeypatch.setattr(redaction, "destroy_photos", lambda verification, **facts: 0)
    assert counts(retention.purge(float("inf"))) == {}


def test_a_purge_ends_in_time_and_the_next_goes_on(
    alice: User, clocks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    clocks(PHOTO=0)
    for _ in range(3):
        decided(alice)
    assert not retention.purge(seconds=0).is_done
    assert Photo.objects.filter(purged_at=None).count() == 3
    monkeypatch.setattr(retention, "BATCH", 1)
    assert counts(retention.purge()) == {"photo_count": 3}


class Killed(BaseException):
    pass


@pytest.mark.parametrize("line", ["before the files", "after the files", "in the transaction"])
def test_killed_anywhere_the_next_purge_and_the_sweep_finish_it(
    alice: User, clocks: Any, monkeypatch: pytest.MonkeyPatch, photo_folder: Path, line: str
) -> None:
    clocks(PHOTO=0)
    for _ in range(3):
        decided(alice)
    kept = submitted(alice).photos.get().file_name
    with monkeypatch.context() as patch:
        if line == "in the transaction":
            patch.setattr(Event.objects, "append_locked", _kill)
        elif line == "before the files":
            patch.setattr(redaction, "discard_photo", _kill)
        else:
            patch.setattr(retention, "_record", _kill)
        with pytest.raises(Killed):
            retention.purge()
    monkeypatch.setattr(orphans, "AGE", timedelta(0))
    retention.purge()
    RetentionDay.objects.update(folder_count=0)
    retention.purge()
    assert files(photo_folder) == {kept}
    held = Photo.objects.exclude(file_name="")
    assert list(held.values_list("file_name", flat=True)) == [kept]
    assert Event.objects.filter(action="photos_destroyed").count() == 3


def test_a_counter_that_is_used_again_meanwhile_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or a limit would begin anew in the midst of its window."""
    long_ago = timezone.now() - timedelta(days=3)
    Counter.objects.create(scope="photos/user/1", window="20000101", used=1, updated_at=long_ago)

    def after_somebody_else(work: Any) -> Any:
        Counter.objects.update(window=quotas.this_day().name, updated_at=timezone.now())
        return committed(work)

    with monkeypatch.context() as patch:
        patch.setattr(retention, "committed", after_somebody_else)
        retention.purge()
    assert quotas.used("photos/user/1", quotas.this_day()) == 1


def _kill(*args: Any, **kwargs: Any) -> Any:
    raise Killed


def test_purges_at_the_same_time_share_the_work(alice: User, clocks: Any) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite writes one at a time; see the other databases")
    clocks(PHOTO=0, IDENTITY=0)
    for _ in range(12):
        decided(alice)
    reports: list[retention.Report] = []

    def work() -> None:
        try:
            reports.append(retention.purge())
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # All of them may be done before a late one begins: it has nothing to count.
    assert len(reports) == 4
    assert sum(report.failed for report in reports) == 0
    assert sum(report.counts.get("photo_count", 0) for report in reports) == 12
    assert sum(report.counts.get("identity_count", 0) for report in reports) == 12
    day = RetentionDay.objects.get()
    assert (day.photo_count, day.identity_count) == (12, 12)
    assert Event.objects.filter(action="redacted").count() == 12


# orphans


@pytest.fixture
def old(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file counts as older than a day."""
    monkeypatch.setattr(orphans, "AGE", timedelta(0))


def sweep_all() -> int:
    return sum(orphans.sweep(f"{number:02x}") for number in range(orphans.FOLDER_COUNT))


def test_a_file_without_a_row_goes(old: None, alice: User, photo_folder: Path) -> None:
    kept = submitted(alice).photos.get().file_name
    store_photo(new_id(), b"left by a crash")
    assert sweep_all() == 1
    assert files(photo_folder) == {kept}


def test_a_young_file_may_still_get_its_row(photo_folder: Path) -> None:
    store_photo(new_id(), b"its row comes in a moment")
    assert sweep_all() == 0
    assert len(files(photo_folder)) == 1


def test_the_age_is_in_the_name() -> None:
    assert abs(made_at(new_id()) - timezone.now()) < timedelta(seconds=5)


def test_the_files_of_others_stay(old: None, photo_folder: Path) -> None:
    for name in ("ab/notes.txt", "probe-1", "ab/0123.fv1", f"ab/{'4' * 32}.fv1"):
        path = photo_folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"not ours")
    assert sweep_all() == 0
    assert len(files(photo_folder)) == 4


def test_a_second_copy_goes_and_the_named_one_stays(
    old: None, alice: User, photo_folder: Path
) -> None:
    photo = submitted(alice).photos.get()
    (photo_folder / photo.file_name.replace(".fv1", "_x7Yz123.fv1")).write_bytes(b"copy")
    assert sweep_all() == 1
    assert photo.read()


def test_a_new_file_of_an_old_photo_stays_until_it_is_old_itself(
    alice: User, photo_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when a key is rotated: the file is there a moment before its row names it."""
    two_days_ago = timezone.now() - timedelta(days=2)
    monkeypatch.setattr(orphans, "made_at", lambda photo_id: two_days_ago)
    photo = submitted(alice).photos.get()
    copy = photo_folder / photo.file_name.replace(".fv1", "_x7Yz123.fv1")
    copy.write_bytes(b"sealed again")
    assert sweep_all() == 0
    os.utime(copy, (two_days_ago.timestamp(), two_days_ago.timestamp()))
    assert sweep_all() == 1
    assert photo.read()


def test_a_foreign_storage_is_not_emptied(
    old: None, photo_folder: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when a copy of the site, with an empty database, is given the site's own storage."""
    monkeypatch.setattr(photo_model, "folder_of", lambda photo_id: "ab")
    monkeypatch.setattr(orphans, "MOST_STRANGERS", 3)
    for _ in range(4):
        store_photo(new_id(), b"somebody else's")
    assert orphans.sweep("ab") == 0
    assert caplog.messages == ["folder_of_strangers folder=ab"]
    assert len(files(photo_folder)) == 4


def test_a_storage_that_cannot_delete(
    old: None, photo_folder: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_photo(new_id(), b"x")

    def fail(file_name: str) -> None:
        raise OSError(file_name)

    with monkeypatch.context() as patch:
        patch.setattr(orphans, "discard_photo", fail)
        assert sweep_all() == 0
    assert "OSError" in caplog.text
    assert sweep_all() == 1


def test_folders_are_swept_once_a_day_by_one_purge(alice: User) -> None:
    retention.purge()
    assert list(retention._folders_to_sweep(timezone.localdate(), float("inf"))) == []
    RetentionDay.objects.update(folder_count=250)
    swept = list(retention._folders_to_sweep(timezone.localdate(), float("inf")))
    assert swept == ["fa", "fb", "fc", "fd", "fe", "ff"]


# the task, and what it costs


def test_the_task_purges(alice: User, clocks: Any) -> None:
    clocks(PHOTO=0)
    case = decided(alice)
    tasks.purge()
    assert case.photos.get().purged_at


def test_every_query_goes_through_an_index(alice: User) -> None:
    """The names of the indexes stand in the plans, where the database tells them."""
    if connection.vendor != "sqlite":
        pytest.skip("plans of small tables read them whole elsewhere")
    for rule in retention.RULES:
        plan = rule.due(app_settings.retention).explain()
        assert "faceverify_redacted" in plan or "faceverify_held" in plan, plan
        assert "TEMP B-TREE" not in plan
        assert "SCAN" not in plan


def test_a_purge_inside_a_transaction_of_the_site(alice: User, clocks: Any) -> None:
    clocks(PHOTO=0)
    case = decided(alice)
    with transaction.atomic():
        retention.purge()
        assert photo_storage().listdir("")[0]
    assert case.photos.get().purged_at


def test_the_migration_begins_the_clocks(alice: User) -> None:
    from importlib import import_module

    from django.apps import apps
    from django.db import connection as here

    case, open_ = decided(alice), submitted(alice)
    Verification.objects.update(ended_at=None, holds="draft")
    migration = import_module("django_faceverify.migrations.0002_retention")

    class Editor:
        connection = here

    migration.begin_the_clocks(apps, Editor)
    case.refresh_from_db()
    open_.refresh_from_db()
    assert (case.holds, case.ended_at) == ("photos", case.decided_at)
    assert (open_.holds, open_.ended_at) == ("photos", None)
