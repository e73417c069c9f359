"""The sandbox as a program that listens: start it, ask it for its URL, stop it."""

from __future__ import annotations

import os
import socket
import socketserver
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from .bill import Bill
from .faceid import SERVICE as FACEID
from .faceid import FaceIDService
from .handler import COMPARE_PATH, FACEID_PATH, Handler, logger
from .pages import Pages
from .register import Register
from .scenarios import ScenarioChooser
from .service import ComparisonService
from .signature import Account, SignatureVerifier
from .tc3 import TC3Verifier

DEFAULT_APPID = "1250000000"
DEFAULT_SECRET_ID = "docs-example-secret-id"  # noqa: S105  made up, as is the key
DEFAULT_SECRET_KEY = "docs-example-secret-key"  # noqa: S105

_WILDCARDS = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104


class SandboxServer(socketserver.ThreadingTCPServer):
    """One thread for each connection; all connections end with the server."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 512

    def __init__(
        self,
        host: str,
        port: int,
        service: ComparisonService,
        faceid: FaceIDService,
        pages: Pages,
    ) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.service = service
        self.faceid = faceid
        self.pages = pages
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__((host, port), Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        """Hang up on everyone, also on clients kept waiting on purpose."""
        with self._lock:
            for connection in self._connections:
                with suppress(OSError):  # it may be closed already
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report a fault of the sandbox by its kind and place; its text may quote the request."""
        error = sys.exc_info()[1]
        if error is None or isinstance(error, (ConnectionError, TimeoutError)):
            return
        place = traceback.extract_tb(error.__traceback__)[-1]
        logger.error("fault: %s in %s:%s", type(error).__name__, place.filename, place.lineno)


class Sandbox:
    """The emulator, listening from construction on and answering after ``start``.

        with Sandbox() as sandbox:
            requests.post(sandbox.url, ...)
            assert len(sandbox.bill.lines) == 1

    Port 0 takes a free one. Raises ``OSError`` if it cannot listen there or cannot write the
    bill, and ``BillError`` if the file at ``bill_path`` is not a bill. With a ``register``,
    the faces of the people in it are compared.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        appid: str = DEFAULT_APPID,
        secret_id: str = DEFAULT_SECRET_ID,
        secret_key: str = DEFAULT_SECRET_KEY,
        bill_path: str | os.PathLike[str] | None = None,
        clock: Callable[[], float] = time.time,
        register: Register | None = None,
    ) -> None:
        self.account = Account(str(appid), secret_id, secret_key)
        self.bill = Bill(Path(bill_path) if bill_path else None, clock)
        chooser = ScenarioChooser(register)
        self.service = ComparisonService(SignatureVerifier(self.account, clock), self.bill, chooser)
        self.faceid = FaceIDService(TC3Verifier(self.account, FACEID, clock), self.bill, chooser)
        pages = Pages((self.service, self.faceid), self.bill, register)
        self._server = SandboxServer(host, port, self.service, self.faceid, pages)
        self._host = host
        self.port: int = self._server.server_address[1]
        self._thread: threading.Thread | None = None
        self._is_stopped = threading.Event()

    @property
    def base_url(self) -> str:
        host = _WILDCARDS.get(self._host, self._host)
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def url(self) -> str:
        """The endpoint to give to a client of ``idcardcompare``."""
        return self.base_url + COMPARE_PATH

    @property
    def faceid_url(self) -> str:
        """The endpoint to give to a client of the successor."""
        return self.base_url + FACEID_PATH

    def start(self) -> Sandbox:
        """Answer in the background until ``stop``."""
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._server.serve_forever,
                kwargs={"poll_interval": 0.05},
                name="faceverify-sandbox",
                daemon=True,
            )
            self._thread.start()
        return self

    def serve_forever(self) -> None:
        """Answer until another thread calls ``stop``, or until Ctrl-C."""
        with self:
            self._is_stopped.wait()

    def stop(self) -> None:
        """Free the port and end every connection; a stopped sandbox stays stopped."""
        if self._thread is not None and not self._is_stopped.is_set():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
        self._server.close_connections()
        self._is_stopped.set()

    def __enter__(self) -> Sandbox:
        return self.start()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.stop()
