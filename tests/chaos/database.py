"""A PostgreSQL server of our own, which can be crashed as a machine without power is."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from tests.databases import new_database
from tests.private_servers import (
    Server,
    launch_postgresql,
    place_of_its_own,
    running,
    wait_until_ready,
)
from tests.services import probe_database

#: what a site's server does and a test's usually does not: keep every commit
DURABLE = ("fsync=on", "full_page_writes=on", "synchronous_commit=on")


class Database:
    """An empty database on a server that runs until ``stop``."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.server_url = f"postgresql://postgres@127.0.0.1:{server.port}/postgres"
        self.command = launch_postgresql(server)
        for setting in DURABLE:
            self.command += ["-c", setting]
        self.url = ""
        self._runs = ExitStack()
        self._process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        process = self._runs.enter_context(running(self.command, self.server))
        wait_until_ready(process, self.server, lambda: probe_database(self.server_url))
        return process

    def crash(self) -> None:
        """``pg_ctl -m immediate``: no goodbye, no checkpoint; then it recovers from its log."""
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait()
        self._process = self._start()

    def stop(self) -> None:
        self._runs.close()


@contextmanager
def own_database(name: str) -> Iterator[Database]:
    """A server with one empty database; ``Unavailable`` where its programs are missing."""
    with place_of_its_own() as server, ExitStack() as stack:
        database = Database(server)
        stack.callback(database.stop)
        database.url = stack.enter_context(new_database(database.server_url, name))
        yield database
