"""The answers of the service, and the bytes they become (vendor docs 641/12433).

Every outcome is HTTP 200 with a bare ``application/json``; ``code`` tells them apart. Only
the scenarios that play a broken service look different.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol

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


class Spoken(Protocol):
    """The answer of either service: what the log, the bill and the wire need of it."""

    @property
    def code(self) -> int | str: ...
    @property
    def session_id(self) -> str: ...
    @property
    def similarity(self) -> float | None: ...
    @property
    def scenario(self) -> str: ...
    @property
    def delivery(self) -> Delivery: ...
    def to_body(self) -> bytes: ...


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

    def to_body(self) -> bytes:
        if self.delivery is Delivery.TRAILING_COMMA:
            values = (json.dumps(self.similarity), json.dumps(self.session_id))
            return (_AS_PRINTED_IN_THE_DOCS % values).encode()
        return to_json({"data": self._data(), "code": self.code, "message": self.message})

    def _data(self) -> dict[str, Any]:
        if self.similarity is None:
            return {}
        return {"similarity": self.similarity, "session_id": self.session_id}


@dataclass(frozen=True)
class Reply:
    """An HTTP answer without its transport."""

    status: HTTPStatus
    content_type: str
    body: bytes


def render(answer: Spoken) -> Reply:
    if answer.delivery is Delivery.SERVER_ERROR:
        return Reply(HTTPStatus.INTERNAL_SERVER_ERROR, "text/html", _HTML_ERROR)
    body = _NOT_JSON if answer.delivery is Delivery.NOT_JSON else answer.to_body()
    return Reply(HTTPStatus.OK, JSON_TYPE, body)


def to_json(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode("utf-8")
