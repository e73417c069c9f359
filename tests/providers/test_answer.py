"""Reading what is not to be trusted: JSON, waits, messages, and the table of codes."""

from __future__ import annotations

import json
import time
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from django_faceverify.providers.answer import Answer, read_object
from django_faceverify.providers.meaning import ARREARS
from django_faceverify.providers.qcloud_codes import CODES, meaning_of
from django_faceverify.reasons import REASONS, ReasonCode
from django_faceverify.transport import parse_retry_after


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("", None),
        ("0", 1),
        ("1", 1),
        (" 30 ", 30),
        ("3600", 3600),
        ("3601", 3600),
        ("999999999", 3600),
        ("9999999999", 3600),
        ("-5", 1),
        ("1.5", None),
        ("9" * 5000, 3600),
        ("-" + "9" * 5000, 1),
        ("0" * 5000 + "7", 7),
        ("soon", None),
        ("30, 60", None),
        ("NaN", None),
        ("1e9", None),
        ("\xff\xfe", None),
        ("１２", None),
        ("١٢", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 1),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 3600),
        ("0\x1f", 1),
        ("9ed, 21 Oct 2015 07:28100430000", None),
        ("Wed, 99 Oct 2015 07:28:00 GMT", None),
        ("Mon, 01 Jan 0001 00:00:00 +2359", 1),
    ],
)
def test_retry_after(value: str | None, seconds: float | None) -> None:
    assert parse_retry_after(value) == seconds


@pytest.mark.parametrize("suffix", ["GMT", "-0000"])
def test_retry_after_date(suffix: str) -> None:
    at = datetime.now(timezone.utc) + timedelta(seconds=90)
    value = format_datetime(at, usegmt=True).replace("GMT", suffix)
    seconds = parse_retry_after(value)
    assert seconds is not None
    assert 80 < seconds <= 90


@settings(max_examples=200, deadline=None)
@given(value=st.text(max_size=40) | st.text("0123456789 :,-+GMT", max_size=20))
def test_retry_after_never_raises(value: str) -> None:
    seconds = parse_retry_after(value)
    assert seconds is None or 1 <= seconds <= 3600


NO_NAN = st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | NO_NAN | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(value=st.dictionaries(st.text(), JSON), indent=st.sampled_from([None, 2]))
def test_any_object_is_read(value: dict[str, object], indent: int | None) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=True)
    assert read_object(text.encode()) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1,}', {"a": 1}),
        ('{"a": [1, 2 ,\n\t],\r\n}', {"a": [1, 2]}),
        ('{"a": ",}", "b": ",]",}', {"a": ",}", "b": ",]"}),
        ('{"a": "\\",}",}', {"a": '",}'}),
        ('{"a": "\\\\",}', {"a": "\\"}),
        ('{"a": 1,,}', None),
        ('{"a": 1,} {', None),
        ('{"a": 1, "a": 2,}', None),
        ('{"a": NaN,}', None),
        ('{"a": "unclosed,}', None),
        ('{"a": 1,] ', None),
    ],
)
def test_only_a_last_comma_is_forgiven(text: str, value: object) -> None:
    assert read_object(text.encode()) == value


@pytest.mark.parametrize(
    "body",
    [
        b'"' + b'\\"' * 500_000,
        b'{"' + b'\\"' * 250_000 + b'",' * 1000,
        b", " * 500_000,
        b"," + b" " * 1_000_000,
        b'"' * 1_000_000,
        b"[" * 1_000_000,
    ],
    ids=lambda body: repr(body[:6]),
)
def test_hostile_text_costs_little_time(body: bytes) -> None:
    started_at = time.process_time()
    assert read_object(body) is None
    assert time.process_time() - started_at < 5


def test_repr_of_an_answer_hides_its_body() -> None:
    assert "secret" not in repr(Answer(status=200, body=b"secret"))


@pytest.mark.parametrize("code", sorted(CODES))
def test_rows_are_consistent(code: int) -> None:
    meaning = CODES[code]
    if code == 0:
        assert (meaning.reason_code, meaning.is_billed) == ("", "yes")
        return
    reason = REASONS[ReasonCode(meaning.reason_code)]
    assert meaning.fixable_by == reason.fixable_by.value
    assert meaning.kind in ("answered", "throttled", "refused", "unknown")
    if meaning.kind in ("throttled", "refused"):
        assert meaning.is_billed == "no"
        assert reason.category.value == "provider"
    if meaning.kind == "unknown":
        assert meaning.is_billed == "unknown"
        assert meaning.reason_code == "provider_protocol"
    if meaning.kind == "answered":
        assert reason.category.value in ("photo", "identity", "registry")
        assert not meaning.is_retryable
    assert meaning.counts_as_try == (code == -5803)


#: the documented codes, by page: face verification, face recognition, gateway
VERIFICATION = """0 3 4 5 6 9 10 11 12 13 14 15 16 21 23 24 25 107 108 213 -4006 -4007 -4009 -4010
    -4011 -4012 -4015 -4016 -4017 -4018 -5001 -5002 -5005 -5007 -5008 -5009 -5010 -5011 -5012
    -5013 -5014 -5015 -5016 -5801 -5802 -5803 -5804 -5805 -5806 -5807 -5809 -5817"""
RECOGNITION = """-1101 -1102 -1103 -1104 -1105 -1106 -1107 -1108 -1109 -1200 -1300 -1301 -1302
    -1303 -1304 -1305 -1306 -1307 -1308 -1309 -1310 -1311 -1312 -1400 -1403"""
GATEWAY = "-71 -79 -81 -96 -97 -2000"


def test_every_documented_code_has_a_row() -> None:
    documented = {int(code) for code in f"{VERIFICATION} {RECOGNITION} {GATEWAY}".split()}
    assert documented - CODES.keys() == set()


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (-4006, "face_incomplete"),
        (-4011, "image_undecodable"),
        (-4012, "no_face"),
        (-4015, "no_face"),
        (-4009, "id_photo_poor"),
        (-1309, "multiple_faces"),
        (-5016, "spoof_suspected"),
        (-5801, "provider_config"),
        (-5802, "provider_unavailable"),
        (-5803, "id_name_mismatch"),
        (-5804, "id_number_invalid"),
        (-5805, "image_url_unreachable"),
        (-5806, "id_number_invalid"),
        (-5809, "id_photo_poor"),
        (-5817, "id_photo_poor"),
        (15, "provider_throttled"),
        (23, "image_too_large"),
        (25, "provider_arrears"),
        (9, "provider_config"),
    ],
)
def test_reasons(code: int, reason: str) -> None:
    assert CODES[code].reason_code == reason


def test_arrears_by_message() -> None:
    assert meaning_of(3, "Account Abnormal,errorno is:2") is ARREARS
    assert meaning_of(3, "") is CODES[3]
    assert meaning_of(4, "account abnormal") is CODES[4]
    assert meaning_of(12345, "") is None
