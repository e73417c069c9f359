"""``faceverify_erase_subject`` and ``faceverify_export_subject``: one person, whole."""

from __future__ import annotations

import io
import json
import stat
import zipfile
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from django_faceverify import intake, redaction
from django_faceverify import verification as engine
from django_faceverify.management import subject
from django_faceverify.models import Verification
from django_faceverify.models.photo import photo_storage
from tests.conftest import CONSENT, IDCARD_NAME, IDCARD_NUMBER, submitted

pytestmark = pytest.mark.django_db(transaction=True)

OTHER_NUMBER = "000000199001010021"


@pytest.fixture
def cases(alice: User, bob: User) -> list[Verification]:
    """Two about one number, by two accounts, and one about another."""
    found = [submitted(alice, reference="order-7"), submitted(bob)]
    found.append(submitted(bob, idcard_number=OTHER_NUMBER))
    for case in found:
        engine.run(case.pk)
        case.refresh_from_db()
    return found


@pytest.fixture
def number_file(tmp_path: Path) -> str:
    path = tmp_path / "number"
    path.write_text(f"{IDCARD_NUMBER}\n")
    return str(path)


class Typed(StringIO):
    """A terminal at which somebody types."""

    def isatty(self) -> bool:
        return True


def run(name: str, *arguments: str) -> str:
    out = StringIO()
    call_command(f"faceverify_{name}_subject", *arguments, stdout=out, stderr=out)
    return out.getvalue()


def redacted() -> set[Any]:
    return set(Verification.objects.filter(redacted_at__isnull=False).values_list("pk", flat=True))


def refused(name: str, *arguments: str) -> tuple[int, str]:
    with pytest.raises(CommandError) as caught:
        run(name, *arguments)
    return caught.value.returncode, str(caught.value)


# whom it is about


def test_by_a_number_in_a_file(cases: list[Verification], number_file: str) -> None:
    told = run("erase", "--idcard-number-file", number_file, "--yes")
    assert redacted() == {cases[0].pk, cases[1].pk}
    assert told.splitlines() == [f"{case.pk} erased" for case in cases[:2]]
    assert cases[2].photos.get().read()


@pytest.mark.parametrize("arguments", [("--idcard-number-file", "-"), ()])
def test_by_a_number_piped_in(
    cases: list[Verification], monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.setattr("sys.stdin", StringIO(f" {IDCARD_NUMBER.lower()}\n"))
    run("erase", *arguments, "--yes")
    assert redacted() == {cases[0].pk, cases[1].pk}


def test_by_a_number_typed_unseen(
    cases: list[Verification], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", Typed("ERASE\n"))
    monkeypatch.setattr(subject, "getpass", lambda prompt: IDCARD_NUMBER)
    run("erase")
    assert redacted() == {cases[0].pk, cases[1].pk}


def test_by_user_and_by_case(cases: list[Verification]) -> None:
    run("erase", "--user", "alice", "--yes")
    assert redacted() == {cases[0].pk}
    run("erase", "--verification", str(cases[2].pk), "--yes")
    assert redacted() == {cases[0].pk, cases[2].pk}


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--user", "nobody"), 3),
        (("--verification", "x"), 3),
        (("--user", "alice", "--by", "nobody"), 2),
        (("--idcard-number-file", "/no/such/file"), 2),
        (("--user", "alice"), 2),  # nobody can be asked
    ],
)
def test_what_cannot_be_used(
    cases: list[Verification], arguments: tuple[str, ...], code: int, monkeypatch: Any
) -> None:
    monkeypatch.setattr("sys.stdin", StringIO())
    yes = () if arguments == ("--user", "alice") else ("--yes",)
    assert refused("erase", *arguments, *yes)[0] == code
    assert redacted() == set()


def test_a_wrong_number_is_not_repeated(cases: list[Verification], tmp_path: Path) -> None:
    path = tmp_path / "number"
    path.write_text("12345")
    code, text = refused("erase", "--idcard-number-file", str(path), "--yes")
    assert code == 2
    assert "12345" not in text
    assert "idcard_number_length" in text


# erase


def test_erase_asks_first(cases: list[Verification], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Typed("yes\n"))
    assert refused("erase", "--user", "alice") == (2, "Nothing was erased.")
    assert redacted() == set()


def test_erase_twice_is_no_failure(cases: list[Verification]) -> None:
    run("erase", "--user", "alice", "--yes")
    assert run("erase", "--user", "alice", "--yes") == f"{cases[0].pk} was erased before\n"


def test_erase_goes_on_after_a_failure(
    cases: list[Verification], monkeypatch: pytest.MonkeyPatch, number_file: str
) -> None:
    real = redaction.redact

    def fail_for_one(verification: Verification, **facts: Any) -> bool:
        if verification.pk == cases[0].pk:
            raise RuntimeError(IDCARD_NAME)
        return real(verification, **facts)

    monkeypatch.setattr(redaction, "redact", fail_for_one)
    code, text = refused("erase", "--idcard-number-file", number_file, "--yes")
    assert (code, text) == (1, "1 of 2 cases could not be erased.")
    assert redacted() == {cases[1].pk}


def test_erase_says_why_and_by_whom(cases: list[Verification], reviewer: User) -> None:
    reason = ("--reason", "consent_withdrawn", "--by", "reviewer")
    run("erase", "--user", "alice", "--yes", *reason)
    event = cases[0].events.latest("number")
    assert (event.actor, event.reason_code) == (f"user:{reviewer.pk}", "consent_withdrawn")


# export


def test_export_holds_everything(
    cases: list[Verification], number_file: str, tmp_path: Path
) -> None:
    folder = tmp_path / "export"
    told = run("export", "--idcard-number-file", number_file, "--output", str(folder))
    assert "Cases: 2, photos: 2" in told
    assert IDCARD_NUMBER not in told
    subject_ = json.loads((folder / "subject.json").read_text())
    assert subject_["made_by"] == "system"
    first, second = subject_["verifications"]
    assert [first["id"], second["id"]] == [str(case.pk) for case in cases[:2]]
    assert (first["idcard_name"], first["idcard_number"]) == (IDCARD_NAME, IDCARD_NUMBER)
    assert (first["status"], first["similarity"], first["reference"]) == ("verified", 95, "order-7")
    assert [event["action"] for event in first["events"]][:3] == ["created", "submitted", "called"]
    assert first["attempts"][0]["session_id"] == cases[0].attempts.get().session_id
    assert first["photos"][0]["sha256"]
    assert "idcard_number_index" not in first
    picture = (folder / f"{cases[0].pk}-1.jpg").read_bytes()
    assert picture == cases[0].photos.get().read()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_every_look_is_in_the_history(
    cases: list[Verification], tmp_path: Path, reviewer: User
) -> None:
    arguments = ("--reason", "letter of 3 May", "--by", "reviewer")
    run("export", "--user", "alice", "--output", str(tmp_path / "out"), *arguments)
    looks = cases[0].events.filter(action__in=["revealed", "photo_viewed"]).order_by("number")
    assert [(look.action, look.data.get("column")) for look in looks] == [
        ("revealed", "idcard_name, idcard_number"),
        ("photo_viewed", None),
    ]
    assert {look.actor for look in looks} == {f"user:{reviewer.pk}"}
    assert looks[0].data["reason"] == "subject_rights"
    assert cases[0].reveals.get().note.unseal() == "letter of 3 May"


def test_an_address_and_a_note_are_told_too(alice: User, idcard: Any, tmp_path: Path) -> None:
    address = "https://photos.example.com/me.jpg"
    case = intake.create(
        user=alice, submission=intake.Submission(url=address), consent=CONSENT, **idcard
    )
    case.review_note = "came in person"
    case.save(update_fields=["review_note"])
    run("export", "--user", "alice", "--output", str(tmp_path / "out"))
    [told] = json.loads((tmp_path / "out/subject.json").read_text())["verifications"]
    assert (told["photos"][0]["url"], told["review_note"]) == (address, "came in person")
    look = case.events.get(action="revealed")
    assert look.data["column"] == "idcard_name, idcard_number, photo.url, review_note"


def test_as_an_archive(cases: list[Verification], tmp_path: Path) -> None:
    path = tmp_path / "alice.zip"
    run("export", "--user", "alice", "--output", str(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["subject.json", f"{cases[0].pk}-1.jpg"]
        assert archive.read("subject.json").decode().count(IDCARD_NAME) == 1


def test_without_photos(cases: list[Verification], tmp_path: Path) -> None:
    run("export", "--user", "alice", "--output", str(tmp_path / "out"), "--no-photos")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["subject.json"]
    assert not cases[0].events.filter(action="photo_viewed").exists()


def test_an_erased_case_and_a_lost_photo(cases: list[Verification], tmp_path: Path) -> None:
    photo_storage().delete(cases[0].photos.get().file_name)
    assert "photos: 0" in run("export", "--user", "alice", "--output", str(tmp_path / "1"))
    run("erase", "--user", "alice", "--yes")
    run("export", "--user", "alice", "--output", str(tmp_path / "2"))
    assert cases[0].events.filter(action="revealed").count() == 1  # of the first
    [told] = json.loads((tmp_path / "2/subject.json").read_text())["verifications"]
    assert (told["idcard_name"], told["idcard_number_mask"]) == ("", "")
    assert told["events"][-1]["action"] == "redacted"


def test_a_lost_key_leaves_a_word(cases: list[Verification], tmp_path: Path, settings: Any) -> None:
    keys = {"test": "//79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eA="}
    settings.FACEVERIFY = {**settings.FACEVERIFY, "KEYS": keys}
    run("export", "--user", "alice", "--output", str(tmp_path / "out"))
    [told] = json.loads((tmp_path / "out/subject.json").read_text())["verifications"]
    assert told["idcard_name"] == "(cannot be opened)"


@pytest.mark.parametrize("name", ["out", "out.zip"])
def test_nothing_is_overwritten_and_then_nothing_is_revealed(
    cases: list[Verification], tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_text("mine")
    code, _text = refused("export", "--user", "alice", "--output", str(tmp_path / name))
    assert code == 2
    assert (tmp_path / name).read_text() == "mine"
    assert not cases[0].events.filter(action="revealed").exists()


def test_an_output_that_cannot_be_made(cases: list[Verification], tmp_path: Path) -> None:
    path = str(tmp_path / "no" / "such" / "out.zip")
    assert refused("export", "--user", "alice", "--output", path)[0] == 2


def test_a_reveal_needs_a_reason(cases: list[Verification], tmp_path: Path) -> None:
    arguments = ("--reason", " ", "--output", str(tmp_path / "out"))
    assert refused("export", "--user", "alice", *arguments)[0] == 2
