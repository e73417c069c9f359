"""The vendor's own Python client, and recorded requests of it and of the vendor's Node client."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from qcloud_image import CIBuffer, CIFile, CIUrl, Client
from qcloud_image.conf import Conf

from django_faceverify.sandbox import Sandbox, scenario_number

from .caller import APPID, EXAMPLE_NUMBER, JPEG, NAME, SECRET_ID, SECRET_KEY, request

SAMPLES = json.loads(Path(__file__).with_name("samples.json").read_text("utf-8"))
RECORDED = SAMPLES["requests"]
PHOTO_URL = "http://img.example.com/a.jpg"

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")  # the client leaves files open


@pytest.fixture
def client(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Client:
    # The client has its host built in; its Host header stays the vendor's.
    monkeypatch.setattr(Conf, "_Conf__SERVICE_ADDR", f"127.0.0.1:{sandbox.port}")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return Client(APPID, SECRET_ID, SECRET_KEY, "BUCKET")


@pytest.fixture(params=["url", "file", "buffer"])
def picture(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    photo = tmp_path / "照片 1.jpg"
    photo.write_bytes(JPEG)
    pictures = {"url": CIUrl(PHOTO_URL), "file": CIFile(photo), "buffer": CIBuffer(JPEG)}
    return pictures[request.param]


def test_success(client: Client, picture: Any) -> None:
    assert client.face_idcardcompare(EXAMPLE_NUMBER, NAME, picture) == {
        "data": {"similarity": 100.0, "session_id": ""},
        "code": 0,
        "message": "OK",
        "httpcode": 200,
    }


def test_name_mismatch(client: Client, picture: Any) -> None:
    assert client.face_idcardcompare(scenario_number("004"), NAME, picture)["code"] == -5803


def test_wrong_key(client: Client, picture: Any) -> None:
    impostor = Client(APPID, SECRET_ID, "guessed", "BUCKET")
    assert impostor.face_idcardcompare(EXAMPLE_NUMBER, NAME, picture)["code"] == 14


def test_too_large(client: Client) -> None:
    photo = CIBuffer(JPEG + bytes(6 * 1024 * 1024))
    answer = client.face_idcardcompare(EXAMPLE_NUMBER, NAME, photo)
    assert (answer["code"], answer["httpcode"]) == (23, 200)


def recorded_body(name: str) -> bytes:
    recorded = RECORDED[name]
    if "body_text" in recorded:
        return str(recorded["body_text"]).encode()
    return base64.b64decode(recorded["body_base64"])


def issued_at(name: str) -> int:
    token = base64.b64decode(RECORDED[name]["authorization"])[20:].decode()
    return int(dict(pair.split("=") for pair in token.split("&"))["t"])


def replay(name: str, body: bytes, seconds_later: int = 1) -> Any:
    """Send a recorded request to a sandbox whose clock stands when it was recorded."""
    headers = {
        "Content-Type": RECORDED[name]["content_type"],
        "Authorization": RECORDED[name]["authorization"],
    }
    with Sandbox(clock=lambda: issued_at(name) + seconds_later) as sandbox:
        return request(sandbox.url, body, headers).json


@pytest.mark.parametrize("name", RECORDED)
def test_recorded_requests(name: str) -> None:
    as_recorded = recorded_body(name)
    assert replay(name, as_recorded, seconds_later=91 * 24 * 3600)["code"] == 9
    photo = as_recorded.replace(b"x" * 46, JPEG)  # the docs print a row of x for the photo
    assert replay(name, photo)["code"] == -5804  # the recorded number is nobody's
    answer = replay(name, photo.replace(b"110101199003070000", EXAMPLE_NUMBER.encode()))
    session_id = "s-1" if name == "node_sdk_url" else ""
    assert answer["data"] == {"similarity": 100.0, "session_id": session_id}


def test_photo_as_printed_in_the_docs() -> None:
    body = recorded_body("idcardcompare_image_ok")
    assert replay("idcardcompare_image_ok", body)["code"] == -4011
