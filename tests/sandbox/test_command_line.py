from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from .caller import EXAMPLE_NUMBER, NAME, compare, get, sign

ROOT = Path(__file__).parents[2]
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start ``python -m django_faceverify.sandbox`` with these arguments."""
    processes = []

    def start_one(*arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "django_faceverify.sandbox", *arguments]
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, cwd=ROOT)
        processes.append(process)
        return process

    yield start_one
    for process in processes:
        with suppress(ProcessLookupError):
            process.kill()
        process.communicate()


def read_introduction(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    lines = []
    for line in process.stdout:
        lines.append(line)
        if "Ctrl-C" in line:
            break
    return "".join(lines)


def url_in(introduction: str) -> str:
    match = re.search(r"http://\S+/face/idcardcompare", introduction)
    assert match
    return match[0]


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_runs_until_told_to_stop(start: Start, tmp_path: Path, ending: signal.Signals) -> None:
    bill = tmp_path / "bill.jsonl"
    process = start("--port", "0", "--bill", str(bill))
    introduction = read_introduction(process)
    assert "docs-example-secret-key" in introduction
    assert str(bill) in introduction
    authorization = sign()
    assert compare(url_in(introduction), Authorization=authorization).code == 0
    process.send_signal(ending)
    _, log = process.communicate(timeout=10)
    assert process.returncode == 0
    assert "POST /face/idcardcompare session_id=- scenario=example code=0 status=200" in log
    assert "Traceback" not in log
    assert not any(secret in log for secret in (EXAMPLE_NUMBER, NAME, authorization))
    assert bill.read_text().count("\n") == 1


def test_own_credentials_are_kept_quiet(start: Start) -> None:
    process = start(
        *("--port", "0", "--quiet", "--appid", "7"),
        *("--secret-id", "us", "--secret-key", "hush-hush"),
    )
    introduction = read_introduction(process)
    assert "hush-hush" not in introduction
    assert "docs-example" not in introduction
    authorization = sign(appid="7", secret_id="us", secret_key="hush-hush")
    assert compare(url_in(introduction), Authorization=authorization).code == 6
    process.terminate()
    assert process.communicate(timeout=10)[1] == ""


def test_port_in_use(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        process = start("--port", str(port))
        output, complaint = process.communicate(timeout=10)
    assert (process.returncode, output) == (2, "")
    assert complaint == (
        f"Port {port} on 127.0.0.1 is in use: stop the program that uses it, "
        "or choose another port with --port.\n"
    )


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--port", "70000"], "a port is a number from 0 to 65535"),
        (["--port", "0", "--bill", "/nowhere/at/all"], "The bill /nowhere/at/all cannot be"),
        (["--port", "0", "--bill", __file__], "is not a line of a bill"),
        (["--port", "0", "--host", "192.0.2.1"], "Cannot listen on port 0 of 192.0.2.1"),
    ],
)
def test_cannot_start(start: Start, arguments: list[str], complaint: str) -> None:
    process = start(*arguments)
    _, complaints = process.communicate(timeout=10)
    assert process.returncode == 2
    assert complaint in complaints
    assert "Traceback" not in complaints


def test_warns_if_others_can_reach_it(start: Start) -> None:
    process = start("--host", "0.0.0.0", "--port", "0", "--quiet")
    url = url_in(read_introduction(process))
    assert url.startswith("http://127.0.0.1:")
    assert get(url.replace("/face/idcardcompare", "/health")).body == b"ok"
    process.terminate()
    assert process.communicate(timeout=10)[1].startswith("Warning: other machines")


def test_needs_only_the_standard_library() -> None:
    program = (
        "import sys, django_faceverify.sandbox.__main__; "
        "print([name for name in sys.modules if name.split('.')[0] not in sys.stdlib_module_names"
        " and not name.startswith(('django_faceverify', '_distutils', '__'))])"
    )
    command = [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, '.'); {program}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "[]\n"
