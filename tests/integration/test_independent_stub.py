"""The wire as a stranger sees it: this server knows the vendor's documents and no code of ours."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.integration.conftest import BuildWorld

pytestmark = pytest.mark.services

APPID, SECRET_ID, SECRET_KEY = "1250000000", "docs-example-secret-id", "docs-example-secret-key"

#: who asks, what the service answers (a code or a similarity), and what must become of it
PEOPLE: list[tuple[str, str, Any, tuple[str, str]]] = [
    ("赵一", "000000198506140010", 91.5, ("verified", "")),
    ("钱二", "000000198506140020", 75, ("in_review", "low_similarity")),
    ("孙三", "000000198506140030", 20.25, ("requires_input", "face_mismatch")),
    ("李四", "000000198506140041", "-5803", ("requires_input", "id_name_mismatch")),
    ("周五", "000000198506140050", "-5804", ("in_review", "id_number_invalid")),
    ("吴六", "000000198506140060", "-5817", ("in_review", "id_photo_poor")),
    ("郑七", "000000198506140070", "-4012", ("requires_input", "no_face")),
    ("王八", "000000198506140080", "-4006", ("requires_input", "face_incomplete")),
    ("冯·九", "000000198506140090", 100.0, ("verified", "")),
    ("陈十", "000000198506140100", 130.5, ("in_review", "provider_protocol")),
    ("褚十一", "000000198506140110", "HTTP 500", ("in_review", "outcome_unknown")),
]
ANSWERS = {name: answer for name, _, answer, _ in PEOPLE}


class Service(ThreadingHTTPServer):
    """Counts the calls by name, and notes whatever is wrong with one."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.calls: Counter[str] = Counter()
        self.session_ids: set[str] = set()
        self.faults: list[str] = []


class Handler(BaseHTTPRequestHandler):
    server: Service

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.expect(self.path == "/face/idcardcompare", "path")
        self.check_signature(self.headers["Authorization"])
        fields = self.read_form(body)
        self.expect(fields.pop("image").startswith(b"\xff\xd8\xff"), "photo")
        texts = {name: value.decode("utf-8") for name, value in fields.items()}
        self.check_fields(texts)
        self.server.calls[texts["idcard_name"]] += 1
        self.server.session_ids.add(texts["session_id"])
        self.answer(ANSWERS[texts["idcard_name"]], texts["session_id"])

    def expect(self, is_right: bool, what: str) -> None:
        if not is_right:
            self.server.faults.append(what)

    def check_signature(self, authorization: str) -> None:
        """Base64 of twenty bytes of HMAC-SHA1, then of the text that they sign."""
        token = base64.b64decode(authorization, validate=True)
        digest, signed = token[:20], token[20:]
        right = hmac.new(SECRET_KEY.encode(), signed, hashlib.sha1).digest()
        self.expect(hmac.compare_digest(digest, right), "signature")
        facts = dict(pair.split("=", 1) for pair in signed.decode("ascii").split("&"))
        self.expect((facts["a"], facts["k"]) == (APPID, SECRET_ID), "account")
        self.expect(abs(int(facts["t"]) - time.time()) < 60, "time")
        self.expect(int(facts["t"]) < int(facts["e"]) <= int(facts["t"]) + 86400, "expiry")

    def read_form(self, body: bytes) -> dict[str, bytes]:
        boundary = self.headers["Content-Type"].removeprefix("multipart/form-data; boundary=")
        first, *parts, last = (b"\r\n" + body).split(b"\r\n--" + boundary.encode())
        self.expect((first, last) == (b"", b"--\r\n"), "boundaries")
        fields = {}
        for part in parts:
            head, _, value = part.partition(b"\r\n\r\n")
            name = re.search(rb'form-data; name="(\w+)"', head)
            assert name is not None
            fields[name[1].decode()] = value
        return fields

    def check_fields(self, texts: dict[str, str]) -> None:
        names = {"appid", "idcard_name", "idcard_number", "session_id"}
        self.expect(set(texts) == names, "fields")
        self.expect(texts["appid"] == APPID, "appid")
        person = (texts["idcard_name"], texts["idcard_number"])
        self.expect(person in {(name, number) for name, number, *_ in PEOPLE}, "person")
        self.expect(re.fullmatch(r"[0-9a-zA-Z-]{16,64}", texts["session_id"]) is not None, "tag")

    def answer(self, answer: Any, session_id: str) -> None:
        if answer == "HTTP 500":
            self.send(500, "text/html", b"<h1>Internal Server Error</h1>")
        elif isinstance(answer, str):
            self.send_json({"code": int(answer), "message": "FAILED", "data": {}})
        else:
            data = {"similarity": answer, "session_id": session_id}
            self.send_json({"code": 0, "message": "OK", "data": data})

    def send_json(self, document: dict[str, Any]) -> None:
        self.send(200, "application/json", json.dumps(document).encode())

    def send(self, status: int, media_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def service() -> Iterator[Service]:
    with Service() as service:
        threading.Thread(target=service.serve_forever, args=(0.05,), daemon=True).start()
        yield service
        service.shutdown()


def test_a_stranger_sees_one_well_formed_call_for_each_person(
    build_world: BuildWorld, service: Service
) -> None:
    endpoint = f"http://127.0.0.1:{service.server_address[1]}/face/idcardcompare"
    world = build_world(endpoint=endpoint)
    people = [{"name": name, "number": number, "reference": name} for name, number, *_ in PEOPLE]
    for verification_id in world.site("create", people=people):
        world.site("wake", verification_id=verification_id, times=1)
    world.start_worker()
    world.sweep_until(world.is_at_rest, "eleven outcomes")
    cases = world.cases()
    fates = {name: (case["status"], case["reason_code"]) for name, case in cases.items()}
    assert fates == {name: fate for name, *_, fate in PEOPLE}
    assert service.faults == []
    assert service.calls == dict.fromkeys(ANSWERS, 1)
    assert service.session_ids == {
        attempt["session_id"] for case in cases.values() for attempt in case["attempts"]
    }
