"""The demo's programs: start them, notice when one dies, stop them all without a trace."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import monotonic, sleep
from types import TracebackType

PROJECT = Path(__file__).resolve().parent.parent.parent

#: seconds that a program gets to end by itself
PATIENCE = 10.0
TAIL_LINES = 15
PR_SET_PDEATHSIG = 1


class ChildDied(Exception):
    """A program ended that should run; the message says which, and the end of its log."""


class Child:
    """One running program, whose output goes to a log file."""

    def __init__(
        self, name: str, arguments: Sequence[str], environment: Mapping[str, str], log: Path
    ) -> None:
        self.name = name
        self.log = log
        with log.open("wb") as output:
            # A session of its own: Ctrl-C in the terminal reaches the demo only, which then
            # ends its programs in order.
            self.process = subprocess.Popen(  # noqa: S603 (our own programs)
                [sys.executable, *arguments],
                cwd=PROJECT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_end_with_parent if sys.platform == "linux" else None,
            )

    def check(self) -> None:
        """Raise ``ChildDied`` unless it runs."""
        code = self.process.poll()
        if code is not None:
            raise ChildDied(
                f"The {self.name} ended with code {code}. The end of {self.log}:\n\n{self.tail()}"
            )

    def tail(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()[-TAIL_LINES:]
        return "\n".join(f"    {line}" for line in lines)

    def ask_to_stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()

    def wait_or_kill(self, seconds: float) -> None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)
        # Whatever it has started and left behind goes too.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Children:
    """Programs that live as long as the ``with`` statement."""

    def __init__(self, environment: Mapping[str, str], log_folder: Path) -> None:
        self.environment = environment
        self.log_folder = log_folder
        self.running: list[Child] = []

    def __enter__(self) -> Children:
        self.log_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self, name: str, *arguments: str) -> Child:
        log = self.log_folder / f"{name.replace(' ', '-')}.log"
        child = Child(name, arguments, self.environment, log)
        self.running.append(child)
        return child

    def check(self) -> None:
        for child in self.running:
            child.check()

    def stop(self) -> None:
        """End all, the last started first; a second Ctrl-C does not leave any behind."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        for child in reversed(self.running):
            child.ask_to_stop()
        end = monotonic() + PATIENCE
        for child in reversed(self.running):
            child.wait_or_kill(max(0.1, end - monotonic()))
        self.running.clear()

    def watch(self) -> None:
        """Stay until Ctrl-C, or until a program dies."""
        while True:
            self.check()
            sleep(0.5)


def _end_with_parent() -> None:
    """Linux ends the program even when the demo is killed and can end nothing itself."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
