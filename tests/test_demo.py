"""``make demo``: everything starts, verifies one person, fills the queue, and ends without a trace."""

from __future__ import annotations

import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest
import requests

from django_faceverify.faces import engine
from example_project.cases import CASES
from example_project.demo.children import ChildDied, Children
from example_project.demo.ports import PortInUse, claim

ROOT = Path(__file__).resolve().parent.parent
STATUSES = {
    "requires_input", "processing", "in_review", "verified", "rejected", "canceled", "expired",
}  # fmt: skip


def environment(data_folder: Path) -> dict[str, str]:
    ours = ("FACEVERIFY_", "DJANGO_", "DATABASE_URL", "CELERY_BROKER_URL")
    outside = {name: text for name, text in os.environ.items() if not name.startswith(ours)}
    return outside | {"FACEVERIFY_DATA_DIR": str(data_folder)}


def demo(data_folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "example_project.demo", *arguments],
        cwd=ROOT,
        env=environment(data_folder),
        capture_output=True,
        text=True,
        timeout=180,
    )


@pytest.fixture(scope="module")
def data_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the demo of these tests keeps its data."""
    return tmp_path_factory.mktemp("demo") / "var"


@pytest.fixture(scope="module")
def first_run(data_folder: Path) -> subprocess.CompletedProcess[str]:
    """The demo with ``--once``, on a machine that never saw it."""
    return demo(data_folder, "--once")


def statuses(data_folder: Path) -> list[str]:
    with closing(sqlite3.connect(data_folder / "db.sqlite3")) as database:
        rows = database.execute("SELECT status FROM django_faceverify_verification")
        return [status for (status,) in rows]


def left_over(data_folder: Path) -> list[str]:
    """Programs of the demo that still run."""
    return [
        " ".join(process.cmdline())
        for process in psutil.process_iter()
        if _variable(process, "FACEVERIFY_DATA_DIR") == str(data_folder)
    ]


def _variable(process: psutil.Process, name: str) -> str | None:
    try:
        return process.environ().get(name)
    except psutil.Error:
        return None


def test_once_verifies_one_person_and_ends(
    data_folder: Path, first_run: subprocess.CompletedProcess[str]
) -> None:
    assert (first_run.returncode, first_run.stderr) == (0, "")
    assert "status: verified" in first_run.stdout
    assert "similarity: 95.0" in first_run.stdout
    told = "webhooks received: verification.submitted, verification.verified\n"
    assert told in first_run.stdout
    assert re.search(r"session_id: [0-9a-f]{32}\n", first_run.stdout)
    assert ("Comparing faces" in first_run.stdout) == engine.is_installed()
    assert left_over(data_folder) == []


@pytest.mark.usefixtures("local_engine")
def test_faces_are_really_compared(first_run: subprocess.CompletedProcess[str]) -> None:
    found = dict(re.findall(r"^  (a\S* picture of .+?): (.+)$", first_run.stdout, re.MULTILINE))
    same = found["another picture of the same person"]
    other = found["a picture of another person"]
    assert same.startswith("verified, similarity 99.")
    assert other.startswith("requires_input (face_mismatch), similarity ")
    assert float(other.split()[-1]) < 30
    assert found["a picture of a wall"] == "refused before anybody was asked (no_face)"


@pytest.mark.usefixtures("first_run")
def test_the_queue_is_filled_with_every_status(data_folder: Path) -> None:
    found = statuses(data_folder)
    assert set(found) == STATUSES
    assert len(found) > len(CASES) >= 30


@pytest.mark.usefixtures("first_run")
def test_the_data_is_for_its_owner_only(data_folder: Path) -> None:
    assert data_folder.stat().st_mode & 0o077 == 0
    photos = [path for path in (data_folder / "photos").rglob("*") if path.is_file()]
    assert photos
    for path in [*photos, data_folder / "sealing.key", data_folder / "secret.key"]:
        assert path.stat().st_mode & 0o077 == 0


@pytest.mark.usefixtures("first_run")
def test_the_second_run_adds_its_own_verifications_only(data_folder: Path) -> None:
    before = len(statuses(data_folder))
    assert demo(data_folder, "--once").returncode == 0
    assert len(statuses(data_folder)) == before + (3 if engine.is_installed() else 1)


@pytest.fixture
def running(data_folder: Path) -> Iterator[subprocess.Popen[str]]:
    """The demo while it stays up, in a session of its own so that a signal meets it alone."""
    ports = ("--port", str(claim(0, "", "")), "--sandbox-port", str(claim(0, "", "")))
    process = subprocess.Popen(
        [sys.executable, "-m", "example_project.demo", *ports],
        cwd=ROOT,
        env=environment(data_folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    yield process
    process.kill()
    process.wait()


def output_until(process: subprocess.Popen[str], text: str) -> str:
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if text in line:
            break
    return "".join(lines)


def test_it_stays_up_until_ctrl_c(data_folder: Path, running: subprocess.Popen[str]) -> None:
    shown = output_until(running, "Ctrl-C")
    site, queue, *_ = re.findall(r"http://127\S+", shown)
    landing = requests.get(site, timeout=10)
    style = re.search(r'href="(/static/\S+\.css)"', landing.text)
    assert style is not None
    assert requests.get(site.rstrip("/") + style[1], timeout=10).ok
    assert "login" in requests.get(queue, timeout=10).url
    assert requests.get(f"{site}kyc/api/v1/verifications/", timeout=10).status_code == 401

    running.send_signal(signal.SIGINT)
    rest, _ = running.communicate(timeout=40)
    assert running.returncode == 0
    assert "Traceback" not in rest
    assert left_over(data_folder) == []


def test_no_program_outlives_a_demo_that_is_killed(
    data_folder: Path, running: subprocess.Popen[str]
) -> None:
    if sys.platform != "linux":
        pytest.skip("only Linux tells a program that its parent is gone")
    output_until(running, "Ctrl-C")
    running.kill()
    programs = [
        process
        for process in psutil.process_iter()
        if _variable(process, "FACEVERIFY_DATA_DIR") == str(data_folder)
    ]
    _, alive = psutil.wait_procs(programs, timeout=30)
    assert alive == []


def test_a_port_in_use_is_named(data_folder: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(PortInUse, match=str(port)):
            claim(port, "web server", "--port")
        result = demo(data_folder, "--once", "--port", str(port))
    assert result.returncode == 1
    assert f"Port {port}, wanted for the web server, is in use" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_program_that_dies_is_named_with_the_end_of_its_log(tmp_path: Path) -> None:
    with Children(dict(os.environ), tmp_path) as children:
        child = children.start("worker", "-c", "raise SystemExit('no broker')")
        child.process.wait()
        with pytest.raises(ChildDied, match=r"(?s)The worker ended with code 1.*no broker"):
            children.check()


def test_a_program_that_does_not_stop_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("example_project.demo.children.PATIENCE", 0.2)
    stubborn = "import signal, time; signal.signal(15, signal.SIG_IGN); print(); time.sleep(60)"
    handlers = {number: signal.getsignal(number) for number in (1, 2, 15)}
    try:
        with Children(dict(os.environ), tmp_path) as children:
            child = children.start("worker", "-u", "-c", stubborn)
            while not child.log.read_bytes():
                child.check()
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    assert child.process.returncode == -signal.SIGKILL
