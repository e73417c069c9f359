"""What the filter takes out of records that hold more than they may, whoever wrote them."""

from __future__ import annotations

import base64
import io
import json
import logging
import logging.config
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from django_faceverify import logs
from django_faceverify.logs import REDACTED, redact
from tests.conftest import draw_jpeg

NAME, NUMBER, SHORT_NUMBER = "欧阳娜娜", "110101199003078515", "110101900307851"
PICTURE = draw_jpeg(64, 64)
FACTS = {"idcard_name": NAME, "idcard_number": NUMBER, "status": "ok"}

TELLTALES = [
    f"about {NUMBER}",
    f"about {NUMBER[:-1]}X.",
    f"about {NUMBER[:-1]}x.",
    f"id{NUMBER}",
    f"about {SHORT_NUMBER},",
    "about 110101 19900307 8515",
    "about 110101-19900307-8515",
    f"idcard_name={NAME}&idcard_number=1&status=ok",
    f"name={NAME}, status=ok",
    f"name = '{NAME}'",
    f"Name: {NAME}",
    f'{{"name" : "{NAME}',  # cut off
    f"Person(name='{NAME}', number='{NUMBER}')",
    json.dumps(FACTS),
    json.dumps(FACTS, ensure_ascii=False),
    json.dumps(json.dumps(FACTS)),
    json.dumps(json.dumps(FACTS, ensure_ascii=False), ensure_ascii=False),
    repr(FACTS),
    repr(json.dumps(FACTS, ensure_ascii=False)),
    str(json.dumps(FACTS).encode()),
    base64.b64encode(PICTURE).decode(),
    base64.urlsafe_b64encode(PICTURE).decode(),
    PICTURE.hex(),
    repr(PICTURE),
    f"image={PICTURE!r}",
    f"data:image/jpeg;base64,{base64.b64encode(PICTURE).decode()}",
]


def tells(text: str) -> list[str]:
    """Which forms of the person above a text still holds."""
    forms = [
        NAME, json.dumps(NAME)[1:-1], json.dumps(NAME)[1:7], NAME[:2], NUMBER, NUMBER[:-1],
        SHORT_NUMBER, "19900307", base64.b64encode(PICTURE)[60:120].decode(),
        base64.urlsafe_b64encode(PICTURE)[60:120].decode(), PICTURE.hex()[60:120],
        repr(PICTURE[60:90])[2:-1],
    ]  # fmt: skip
    return [form for form in forms if form in text]


@pytest.mark.parametrize("text", TELLTALES, ids=lambda text: text[:30])
def test_a_person_is_taken_out(text: str) -> None:
    assert tells(text)
    assert tells(redact(text)) == []
    assert REDACTED in redact(text)
    assert redact(redact(text)) == redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "Verification 01890000-0000-7000-8000-000000000000 failed: provider_unavailable",
        f"session {uuid.UUID(int=0x12345678901234567890123456789012).hex}",
        "root mac=2026a:7b4b163d8046b328725128040141c1a3bcb681563a18e2cc991e480fd94d93b1",
        f"session {uuid.UUID(int=0xA2345678901234567890123456789012)}",
        "at 1763800000000 ms, after 0.25 s, status 503",
        "File '/srv/site/views.py', line 5, in name",
        "KeyError: 'idcard_name'",
        "filename=views.py username=bob",
        "the ID number is invalid",
        "",
    ],
)
def test_what_tells_nothing_stays(text: str) -> None:
    assert redact(text) == text


def test_random_bytes_never_break_it() -> None:
    for size in (0, 1, 63, 64, 500, 5000):
        for _ in range(50):
            redact(os.urandom(size).decode("latin-1"))
            redact(repr(os.urandom(size)))


@pytest.fixture
def output() -> Iterator[io.StringIO]:
    """What a handler of the site's writes that was installed after everything else."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(name)s %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    yield stream
    root.removeHandler(handler)


@pytest.mark.parametrize("name", ["django_faceverify", "django_faceverify.providers"])
def test_it_stands_on_our_loggers(output: io.StringIO, name: str) -> None:
    logging.getLogger(name).error("about %s, %r", NUMBER, FACTS)
    assert tells(output.getvalue()) == []
    assert REDACTED in output.getvalue()


def test_it_stands_on_loggers_that_are_made_later(output: io.StringIO) -> None:
    later = logging.getLogger(f"django_faceverify.plugin_{uuid.uuid4().hex}")
    later.warning("about %s", NUMBER)
    assert tells(output.getvalue()) == []
    assert later.filters == [logs.FILTER]
    logging.getLogger("django_faceverifying").warning("somebody else's")
    assert logging.getLogger("django_faceverifying").filters == []


def test_it_survives_that_the_site_configures_logging(tmp_path: Path) -> None:
    names = ("django_faceverify", "django_faceverify.configured")
    file = tmp_path / "site.log"
    before = [(logging.getLogger(name), logging.getLogger(name).propagate) for name in names]
    try:
        logging.config.dictConfig({
            "version": 1,
            "disable_existing_loggers": False,
            "handlers": {"file": {"class": "logging.FileHandler", "filename": str(file)}},
            "loggers": {
                name: {"handlers": ["file"], "level": "DEBUG", "propagate": False}
                for name in names
            },
        })  # fmt: skip
        for logger, _ in before:
            logger.filters.clear()
            logger.debug("about %s", NUMBER)
    finally:
        for logger, propagate in before:
            for handler in list(logger.handlers):
                handler.close()
                logger.removeHandler(handler)
            logger.propagate = propagate
            logger.setLevel(logging.NOTSET)
    lines = file.read_text("utf-8").splitlines()
    assert len(lines) == 2
    assert all(REDACTED in line and not tells(line) for line in lines)


def test_tracebacks_are_kept_as_redacted_text(
    output: io.StringIO, caplog: pytest.LogCaptureFixture
) -> None:
    try:
        raise ValueError(f"no such person: {FACTS}")
    except ValueError:
        logging.getLogger("django_faceverify").exception("it failed", stack_info=True)
    text = output.getvalue()
    assert "Traceback" in text
    assert "ValueError: no such person" in text
    assert tells(text) == []
    assert caplog.records[-1].exc_info is None  # its frames would hold what the text does not


def test_extra_facts_are_redacted(caplog: pytest.LogCaptureFixture) -> None:
    extra: dict[str, Any] = {
        "idcard_name": NAME, "body": FACTS, "line": f"about {NUMBER}", "photo": PICTURE,
        "number_": int(NUMBER), "status": "ok", "count": 3, "nothing": None, "flag": True,
    }  # fmt: skip
    logging.getLogger("django_faceverify").warning("see", extra=extra)
    [record] = caplog.records
    assert tells(str(vars(record))) == []
    kept = {key: vars(record)[key] for key in ("status", "count", "nothing", "flag")}
    assert kept == {"status": "ok", "count": 3, "nothing": None, "flag": True}


def test_arguments_that_do_not_fit_are_not_printed(output: io.StringIO) -> None:
    logging.getLogger("django_faceverify").warning("%d of %s", NAME, f"name={NAME}")
    assert "arguments that do not fit" in output.getvalue()
    assert tells(output.getvalue()) == []


def test_what_tells_nothing_keeps_its_arguments(caplog: pytest.LogCaptureFixture) -> None:
    """Trackers of errors group records by the message without its arguments."""
    logging.getLogger("django_faceverify").warning("%s of %s", 1, 2)
    [record] = caplog.records
    assert (record.msg, record.args) == ("%s of %s", (1, 2))


def test_guarding_twice_is_guarding_once() -> None:
    factory = logging.getLogRecordFactory()
    logs.guard()
    assert logging.getLogRecordFactory() is factory
    assert logging.getLogger("django_faceverify").filters == [logs.FILTER]
