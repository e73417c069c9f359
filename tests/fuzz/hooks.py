"""What schemathesis has to know to be taken seriously: texts of our formats, and real ids.

It is loaded by ``SCHEMATHESIS_HOOKS``; ``FACEVERIFY_FUZZ`` names the file with what there is.
"""

from __future__ import annotations

import base64
import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import schemathesis
from hypothesis import strategies as st

from django_faceverify.sandbox import scenario_number
from example_project.demo.pictures import portrait

there_is: dict[str, Any] = json.loads(Path(os.environ["FACEVERIFY_FUZZ"]).read_text("utf-8"))

#: what the sandbox answers at once and in words
SCENARIOS = ("001", "002", "003", "004", "005", "006", "010", "011", "012")

#: refusals of what is right by its shape: they depend on the case, or on what is in the picture
DEPENDS = {
    "consent_required", "image_format", "image_too_small", "image_undecodable", "image_animated",
}  # fmt: skip


def _cursor(position: str) -> str:
    return base64.b64encode(urlencode({"p": position}).encode()).decode()


def _texts(most: int, keep: str = "") -> st.SearchStrategy[str]:
    letters = st.characters(exclude_categories=["C"], include_characters=keep)
    return st.text(letters, min_size=5, max_size=most)


FORMATS: dict[str, st.SearchStrategy[Any]] = {
    "idcard-number": st.sampled_from([scenario_number(name) for name in SCENARIOS]),
    "idcard-name": st.sampled_from(["张三", "欧阳娜娜", "阿卜杜·热合曼", "Ada O'Neil-Li"]),
    "consent-text-version": st.just("demo-1"),
    "consent-text-sha256": st.just(there_is["text_sha256"]),
    "level": st.just("default"),
    "cursor": st.sampled_from([_cursor("2026-05-03 08:00:00+00:00")]),
    "number-cursor": st.integers(0, 99).map(lambda number: _cursor(str(number))),
    "line": _texts(100),
    "words": _texts(200, keep="\n\t"),
    "date-time": st.datetimes(datetime(1971, 1, 1), datetime(8999, 1, 1)).map(
        lambda moment: f"{moment.isoformat()}Z"
    ),
    "uri": st.just("https://photos.example.com/me.jpg"),
    **{name: st.sampled_from(ids) for name, ids in there_is["ids"].items()},
}
for name, strategy in FORMATS.items():
    schemathesis.openapi.format(name, strategy)
for kind in ("image/jpeg", "image/png"):
    schemathesis.openapi.media_type(kind, st.just(portrait("grace_hopper.jpg")))


@schemathesis.hook
def map_path_parameters(
    context: Any, path_parameters: dict[str, Any] | None
) -> dict[str, Any] | None:
    """A photo is asked for under its own case."""
    photo = (path_parameters or {}).get("photo_id")
    owner = there_is["case_of_photo"].get(photo) if isinstance(photo, str) else None
    return {**(path_parameters or {}), "verification_id": owner} if owner else path_parameters


@schemathesis.hook
def filter_headers(context: Any, headers: dict[str, Any] | None) -> bool:
    """For which host a request is, Django judges before us, and answers in its own way."""
    return not any(name.lower() == "host" for name in headers or ())


@schemathesis.hook
def filter_failure(context: Any, failure: Any, case: Any, response: Any) -> bool:
    """What depends on more than the shape is no contradiction."""
    if response.status_code != 400 or "positive" not in type(failure).__name__.lower():
        return True
    errors = response.json().get("errors") or [{}]
    return errors[0].get("code") not in DEPENDS
