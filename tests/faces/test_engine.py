"""The real engine on real pictures: who is alike, what is seen, and within which bounds."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from django_faceverify.exceptions import InputError
from django_faceverify.faces import engine, weights
from example_project.demo.pictures import portrait, selfie
from tests.faces import portraits
from tests.faces.portraits import COLLINS, HOPPER
from tests.photos import jpeg, noise, png_bomb

pytestmark = pytest.mark.usefixtures("local_engine")

ROOT = Path(__file__).parent.parent.parent


def compared(one: bytes, other: bytes) -> float:
    return engine.similarity(engine.look(one), engine.look(other))


@pytest.mark.parametrize("name", [HOPPER, COLLINS])
class TestTheSamePerson:
    def test_in_another_picture(self, name: str) -> None:
        assert compared(portrait(name), selfie(name)) > 95

    def test_in_the_same_picture(self, name: str) -> None:
        assert compared(portrait(name), portrait(name)) >= 99.9

    def test_in_grey(self, name: str) -> None:
        grey = jpeg(portraits.picture(name).convert("L"))
        assert compared(portrait(name), grey) > 95

    def test_as_a_poor_jpeg(self, name: str) -> None:
        assert compared(portrait(name), jpeg(portraits.picture(name), quality=10)) > 90

    @pytest.mark.parametrize("degrees", [10, 90, 180, 270])
    def test_turned(self, name: str, degrees: int) -> None:
        turned = jpeg(portraits.picture(name).rotate(degrees, expand=True))
        assert compared(portrait(name), turned) > 95


def test_two_people_are_not_alike() -> None:
    assert compared(portrait(HOPPER), portrait(COLLINS)) < 30
    assert compared(portrait(HOPPER), selfie(COLLINS)) < 30
    assert compared(selfie(HOPPER), portrait(COLLINS)) < 30


def test_a_face_that_fills_its_picture_is_found() -> None:
    tight = jpeg(portraits.picture().crop((165, 105, 335, 320)))
    assert compared(portrait(HOPPER), tight) > 90


def test_what_exif_says_is_done() -> None:
    assert compared(portrait(HOPPER), portraits.on_its_side()) > 95


def test_the_facts() -> None:
    facts = engine.look(portrait(HOPPER)).facts
    assert facts.face_count == 1
    assert 150 <= facts.face_width <= 175
    assert facts.sharpness > 1000
    assert 90 < facts.brightness < 140


def test_a_picture_without_a_face() -> None:
    assert engine.look(portraits.nobody()).facts.face_count == 0
    assert engine.look(jpeg(noise())).facts.face_count == 0


def test_several_faces() -> None:
    assert engine.look(portraits.two_people()).facts.face_count == 2


def test_a_face_far_away_is_measured() -> None:
    assert 10 <= engine.look(portraits.far_away()).facts.face_width < 40


@pytest.mark.parametrize("name", [HOPPER, COLLINS])
def test_blur_lowers_the_sharpness(name: str) -> None:
    sharpness = [
        engine.look(portraits.blurred(share, name)).facts.sharpness
        for share in (0.01, 0.02, 0.04, 0.08)
    ]
    assert sharpness == sorted(sharpness, reverse=True)


@pytest.mark.parametrize(
    "upload", [b"", b"GIF89a", b"\xff\xd8\xff damaged", png_bomb(12_000, 12_000)]
)
def test_what_is_no_picture_is_refused_by_the_photo_pipeline(upload: bytes) -> None:
    with pytest.raises(InputError):
        engine.look(upload)


def test_no_description_is_printed() -> None:
    assert "description" not in repr(engine.look(portrait(HOPPER)))


def test_eight_threads_get_the_numbers_of_one() -> None:
    names = [HOPPER, COLLINS] * 8
    alone = {name: engine.look(portrait(name)) for name in (HOPPER, COLLINS)}
    with ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(lambda name: engine.look(portrait(name), patience=60), names))
    for name, sight in zip(names, seen, strict=True):
        assert sight.facts == alone[name].facts
        assert sight.description.tolist() == alone[name].description.tolist()


def test_nobody_waits_longer_than_they_say() -> None:
    inside, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        with engine._engine.turn(5):
            inside.set()
            go_on.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    inside.wait(10)
    try:
        with pytest.raises(engine.EngineBusy):
            engine.look(portrait(HOPPER), patience=0.05)
    finally:
        go_on.set()
        holder.join()
    assert engine.look(portrait(HOPPER)).facts.face_count == 1


def test_a_forked_process_does_not_wait_for_a_lock_of_its_parent() -> None:
    with engine._engine.turn(5):
        child = os.fork()
        if child == 0:
            os._exit(
                0 if engine._engine._nets is None and engine._engine._lock.acquire(timeout=0) else 1
            )
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_changed_file_of_weights_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = weights.find_folder()
    assert folder is not None
    shutil.copytree(folder, tmp_path / "models")
    file = tmp_path / "models" / weights.RECOGNIZER.file_name
    data = bytearray(file.read_bytes())
    data[5_000_000] ^= 1
    file.write_bytes(data)
    monkeypatch.setattr(weights, "find_folder", lambda: tmp_path / "models")
    monkeypatch.setattr(engine, "_engine", engine._Engine())
    with pytest.raises(engine.EngineUnavailable, match="not the file that was measured"):
        engine.look(portrait(HOPPER))


MEASURE = """
import resource, sys
from pathlib import Path
from django_faceverify.faces import engine
engine.look(Path(sys.argv[1]).read_bytes())
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
facts = engine.look(Path(sys.argv[2]).read_bytes()).facts
print(facts.face_count, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_a_huge_photo_takes_bounded_memory(tmp_path: Path) -> None:
    for name, data in (("small", portrait(HOPPER)), ("huge", portraits.huge())):
        (tmp_path / name).write_bytes(data)
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(tmp_path / "small"), str(tmp_path / "huge")],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    count, kilobytes = map(int, done.stdout.split())
    assert count == 1
    assert kilobytes < 120_000  # 25 megapixels alone are 75 MB


def test_without_a_package_it_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "PACKAGES", ("json", "no_such_package"))
    assert engine.missing_packages() == ["no_such_package"]
    assert not engine.is_installed()
