"""A provider that charges, and fails as networks do: ``python -m tests.chaos.provider BILL SEED``.

It speaks as much of ``POST /face/idcardcompare`` as a client needs, and tells afterwards what
became of a call. A line of the bill is in its file before anything else happens with the answer:
the session id, and what became of the answer.
"""

from __future__ import annotations

import os
import random
import re
import signal
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SESSION_ID = re.compile(rb'name="session_id"\r\n\r\n(\w+)\r\n')
ANSWER = '{"code":%d,"message":"%s","data":{"similarity":%.1f,"session_id":"%s"}}'

#: seconds of one comparison; kills are meant to hit calls that are under way
SECONDS = (0.05, 0.4)
#: seconds for which it is down after SIGUSR1: a gateway answers, and nothing is charged
OUTAGE_SECONDS = 8.0

#: longer than the client waits
STALL_SECONDS = 4.0

#: what becomes of a request, of a thousand
FAULTS = {"throttle": 30, "drop": 10, "charge_and_drop": 10, "charge_and_stall": 5}
#: how often, of a thousand, it cannot tell what became of a call
DOES_NOT_KNOW = 200


class Bill:
    """An append-only file that nobody but the provider writes."""

    def __init__(self, path: str) -> None:
        self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self.others = os.open(f"{path}.turned_away", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self.charged: set[str] = set()

    def charge(self, session_id: str, fate: str) -> None:
        os.write(self.file, f"{session_id} {fate}\n".encode())
        self.charged.add(session_id)

    def turn_away(self, session_id: str) -> None:
        os.write(self.others, f"{session_id}\n".encode())


class Provider(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 100

    def __init__(self, bill: Bill, seed: str) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.bill = bill
        self.fate = random.Random(seed)
        self.down_until = 0.0

    def go_down(self, *_: object) -> None:
        self.down_until = time.monotonic() + OUTAGE_SECONDS

    def draw(self) -> str:
        kinds = [*FAULTS, "answer"]
        weights = [*FAULTS.values(), 1000 - sum(FAULTS.values())]
        return self.fate.choices(kinds, weights)[0]


class Handler(BaseHTTPRequestHandler):
    server: Provider

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        found = SESSION_ID.search(body)
        assert found
        session_id = found[1].decode()
        if time.monotonic() < self.server.down_until:
            self.server.bill.turn_away(session_id)
            self.answer("<html>Bad Gateway</html>", status=502)
            return
        fate = self.server.draw()
        time.sleep(self.server.fate.uniform(*SECONDS))
        if fate == "throttle":
            self.answer(ANSWER % (15, "throttled", 0, session_id))
            return
        if fate != "drop":
            self.server.bill.charge(session_id, fate)
        if fate == "charge_and_stall":
            time.sleep(STALL_SECONDS)
        if fate == "answer":
            self.answer(ANSWER % (0, "OK", 95, session_id))

    def do_GET(self) -> None:
        """What became of a call? It knows as soon as it has charged, and not always then."""
        session_id = self.path.partition("session_id=")[2]
        is_down = time.monotonic() < self.server.down_until
        if is_down or self.server.fate.randrange(1000) < DOES_NOT_KNOW:
            self.answer("{}", status=503)
        elif session_id in self.server.bill.charged:
            self.answer('{"is_known":true,"similarity":95.0}')
        else:
            self.answer('{"is_known":false}')

    def answer(self, text: str, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *args: object) -> None:
        """The bill says all that is to be known."""


def main(bill: str, seed: str) -> None:
    provider = Provider(Bill(bill), seed)
    signal.signal(signal.SIGUSR1, provider.go_down)
    sys.stdout.write(f"http://127.0.0.1:{provider.server_port}/face/idcardcompare\n")
    sys.stdout.flush()
    provider.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
