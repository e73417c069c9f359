"""The answers of the service, and the bytes they become (vendor docs 641/12433).

Every outcome is HTTP 200 with a bare ``application/json``; ``code`` tells them apart. Only
the scenarios that play a broken service look different.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from .codes import MESSAGES, Code
from .scenarios import Delivery

JSON_TYPE = "application/json"  # bare: one of the vendor's clients stumbles over a charset

_HTML_ERROR = b"<html><head><title>500</title></head><body><h1>Internal error</h1></body></html>"
_NOT_JSON = b"similarity=95.0;code=0;message=OK"
_AS_PRINTED_IN_THE_DOCS = """{
  "data":{
    "similarity":%s,
    "session_id":%s,
  },
  "code":0,
  "message":"OK"
}"""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What one call gets; ``session_id`` repeats the caller's tag, empty if it gave none."""

    code: Code
    message: str
    session_id: str = ""
    similarity: float | None = None
    scenario: str = ""
    delivery: Delivery = Delivery.JSON

    @classmethod
    def refused(cls, code: Code, session_id: str = "") -> Answer:
        return cls(code=code, message=MESSAGES[code], session_id=session_id)


@dataclass(frozen=True)
class Reply:
    """An HTTP answer without its transport."""

    status: HTTPStatus
    content_type: str
    body: bytes


def render(answer: Answer) -> Reply:
    if answer.delivery is Delivery.SERVER_ERROR:
        return Reply(HTTPStatus.INTERNAL_SERVER_ERROR, "text/html", _HTML_ERROR)
    return Reply(HTTPStatus.OK, JSON_TYPE, _render_body(answer))


def _render_body(answer: Answer) -> bytes:
    if answer.delivery is Delivery.NOT_JSON:
        return _NOT_JSON
    if answer.delivery is Delivery.TRAILING_COMMA:
        values = (json.dumps(answer.similarity), json.dumps(answer.session_id))
        return (_AS_PRINTED_IN_THE_DOCS % values).encode()
    return to_json({"data": _data(answer), "code": answer.code, "message": answer.message})


def _data(answer: Answer) -> dict[str, Any]:
    if answer.similarity is None:
        return {}
    return {"similarity": answer.similarity, "session_id": answer.session_id}


def to_json(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode("utf-8")
