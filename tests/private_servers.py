"""Servers that a test run starts for itself: a free port, a folder of their own, no trace left."""

from __future__ import annotations

import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

START_SECONDS = 60.0
STOP_SECONDS = 15.0

#: who runs the servers when we are root, which they refuse; the first that this machine knows
UNPRIVILEGED = ("postgres", "mysql", "nobody")

#: where Linux distributions put programs that are not for people to call
HIDDEN = ("/usr/lib/rabbitmq/bin", "/usr/lib/postgresql/*/bin", "/usr/sbin", "/usr/local/sbin")


class Unavailable(Exception):
    """There is no such service here; the text says why."""


@dataclass
class Server:
    """What a server is started with; a ``Launch`` may add to its environment."""

    folder: Path
    port: int
    environment: dict[str, str] = field(default_factory=lambda: dict(os.environ))

    def prepare(self, *command: str) -> None:
        """Run a program that has to end well before the server can start."""
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, **run_as()
        )
        if done.returncode:
            output = (done.stderr or done.stdout).decode(errors="replace")
            raise Unavailable(f"{Path(command[0]).name} failed: {last_line(output)}")


#: prepares a server's folder and returns the command that runs it in the foreground
Launch = Callable[[Server], list[str]]


@contextmanager
def private_server(launch: Launch, usual_url: str, probe: Callable[[str], None]) -> Iterator[str]:
    """Run a server until the end of the block; gives its URL once ``probe`` is content with it."""
    with place_of_its_own() as server:
        url = usual_url.replace(f":{urlsplit(usual_url).port}", f":{server.port}")
        with running(launch(server), server) as process:
            wait_until_ready(process, server, lambda: probe(url))
            yield url


@contextmanager
def place_of_its_own() -> Iterator[Server]:
    """A folder and a port for a server, until the end of the block."""
    server = Server(Path(tempfile.mkdtemp(prefix="faceverify-server-")), free_port())
    server.environment["HOME"] = str(server.folder)
    try:
        if who := run_as():
            os.chown(server.folder, who["user"], who["group"])
        yield server
    finally:
        shutil.rmtree(server.folder, ignore_errors=True)


@contextmanager
def running(command: list[str], server: Server) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server in a session of its own: Ctrl-C is for the tests, which end it properly."""
    with output_of(server).open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=server.folder,
            env=server.environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **run_as(),
        )
    try:
        yield process
    finally:
        for ending in (signal.SIGTERM, signal.SIGKILL):  # the second for what outlives its parent
            with suppress(ProcessLookupError):
                os.killpg(process.pid, ending)
            with suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)


def wait_until_ready(
    process: subprocess.Popen[bytes], server: Server, probe: Callable[[], None]
) -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(Exception):  # drivers raise what they like at a server that starts
            probe()
            return
        time.sleep(0.1)
    said = last_line(output_of(server).read_text(errors="replace"))
    raise Unavailable(f"a private one did not start: {said}")


def output_of(server: Server) -> Path:
    return server.folder / "output.log"


def last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "no reason given"


def run_as() -> dict[str, Any]:
    """As whom servers run: as we do, but not as root."""
    if os.geteuid() != 0:
        return {}
    known = {user.pw_name: user for user in pwd.getpwall()}
    user = next(known[name] for name in UNPRIVILEGED if name in known)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def program(name: str) -> str:
    """Where a program is; ``Unavailable`` when it is not installed."""
    hidden = [folder for pattern in HIDDEN for folder in sorted(glob.glob(pattern), reverse=True)]
    found = shutil.which(name, path=os.pathsep.join([*hidden, os.environ.get("PATH", "")]))
    if found is None:
        raise Unavailable(f"{name} is not installed")
    return found


def launch_postgresql(server: Server) -> list[str]:
    data = str(server.folder / "data")
    server.prepare(
        *(program("initdb"), "-D", data, "-U", "postgres", "-A", "trust"),
        *("-E", "UTF8", "--locale=C", "--no-sync"),
    )
    return [
        *(program("postgres"), "-D", data, "-h", "127.0.0.1", "-p", str(server.port)),
        *("-k", str(server.folder), "-c", "fsync=off", "-c", "full_page_writes=off"),
    ]


def launch_mariadb(server: Server) -> list[str]:
    data = f"--datadir={server.folder / 'data'}"
    server.prepare(
        *(program("mariadb-install-db"), "--no-defaults", data, "--skip-test-db"),
        "--auth-root-authentication-method=normal",
    )
    return [
        *(program("mariadbd"), "--no-defaults", data),
        *("--bind-address=127.0.0.1", f"--port={server.port}"),
        *(f"--socket={server.folder / 'socket'}", f"--pid-file={server.folder / 'pid'}"),
        "--innodb-flush-log-at-trx-commit=0",
    ]


def launch_redis(server: Server) -> list[str]:
    return [
        *(program("redis-server"), "--bind", "127.0.0.1", "--port", str(server.port)),
        *("--save", "", "--appendonly", "no", "--daemonize", "no", "--dir", str(server.folder)),
    ]


def launch_rabbitmq(server: Server) -> list[str]:
    """The port mapper of Erlang is started along: a node's own would live on after it."""
    nothing = str(server.folder / "nothing")
    server.environment |= {
        "RABBITMQ_NODENAME": f"faceverify{server.port}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(server.port),
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_MNESIA_BASE": str(server.folder / "data"),
        "RABBITMQ_LOG_BASE": str(server.folder / "log"),
        "RABBITMQ_CONFIG_FILE": nothing,
        "RABBITMQ_CONF_ENV_FILE": nothing,
        "RABBITMQ_ENABLED_PLUGINS_FILE": nothing,
        "ERL_EPMD_PORT": str(free_port()),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
    }
    return ["/bin/sh", "-c", '"$0" & exec "$1"', program("epmd"), program("rabbitmq-server")]
