"""How often somebody may ask: counted in any cache, and never more than a hint of who it was."""

from __future__ import annotations

import logging
import uuid
from typing import Any

import pytest
from django.core.cache import cache

from django_faceverify import throttles
from django_faceverify.exceptions import QuotaExceeded
from django_faceverify.throttles import PRINCIPAL, count, count_address, require_idcard
from tests.services import require

LIMITS = {
    "REQUESTS_PER_ADDRESS_MINUTE": 3,
    "REQUESTS_PER_PRINCIPAL_MINUTE": 2,
    "POSTS_PER_PRINCIPAL_MINUTE": 1,
    "POSTS_PER_IDCARD_HOUR": 2,
}
NUMBER = "000000199001010011"
LOCAL = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
#: a moment at which a minute and an hour begin
HOUR = 1_800_000_000.0


@pytest.fixture(params=["locmem", "redis", "dummy"])
def cache_kind(request: pytest.FixtureRequest, settings: Any) -> str:
    """A cache of each kind, empty."""
    kind = str(request.param)
    place = uuid.uuid4().hex
    entry: dict[str, Any] = {**LOCAL, "LOCATION": place}
    if kind == "redis":
        backend = "django.core.cache.backends.redis.RedisCache"
        entry = {"BACKEND": backend, "LOCATION": require("redis"), "KEY_PREFIX": place}
    elif kind == "dummy":
        entry = {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}
    settings.CACHES = {"default": entry}
    return kind


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch, settings: Any) -> list[float]:
    """The clock, which a test may set, and limits."""
    settings.FACEVERIFY = {**settings.FACEVERIFY, "THROTTLES": LIMITS}
    moment = [HOUR]
    monkeypatch.setattr(throttles, "time", lambda: moment[0])
    monkeypatch.setattr(throttles._Cache, "silent_until", 0.0)
    return moment


def counted(holder: str = "user:1") -> throttles.Standing:
    standing = count(PRINCIPAL, holder)
    assert standing is not None
    return standing


def test_each_cache_counts(cache_kind: str, now: list[float]) -> None:
    now[0] += 20
    used = [counted().used for _ in range(3)]
    assert used == ([1, 1, 1] if cache_kind == "dummy" else [1, 2, 3])
    standing = counted("user:2")
    assert (standing.used, standing.remaining, standing.seconds_left) == (1, 1, 40.0)
    standing.require()
    if cache_kind != "dummy":
        with pytest.raises(QuotaExceeded) as refused:
            counted().require()
        assert (refused.value.code, refused.value.retry_after) == ("throttled", 40.0)
    now[0] += 40
    assert counted().used == 1


@pytest.fixture
def local(settings: Any, now: list[float]) -> list[float]:
    settings.CACHES = {"default": {**LOCAL, "LOCATION": uuid.uuid4().hex}}
    return now


def test_a_window_of_an_hour(local: list[float]) -> None:
    for _ in range(2):
        require_idcard(NUMBER)
    with pytest.raises(QuotaExceeded) as refused:
        require_idcard("000000 19900101 0011")  # the same number, as people write it
    assert refused.value.retry_after == 3600
    require_idcard("000000199001010038")
    local[0] += 3600
    require_idcard(NUMBER)


@pytest.mark.parametrize("odd", [None, "", 7, [], "x", "1" * 5000, "\ud800", "\x00"])
def test_what_is_no_number_is_not_counted(local: list[float], odd: object) -> None:
    for _ in range(5):
        require_idcard(odd)


def test_addresses(local: list[float]) -> None:
    def used(address: str) -> int:
        standing = count_address(address)
        assert standing is not None
        return standing.used

    assert [used("192.0.2.1"), used("192.0.2.1"), used("192.0.2.2")] == [1, 2, 1]
    assert [used("2001:db8::1"), used("2001:db8::ffff:1"), used("2001:db8:0:1::1")] == [1, 2, 1]
    assert [used(odd) for odd in ("", "unknown", "x" * 5000, "\ud7ff")] == [1] * 4


def test_without_a_limit_nothing_is_counted(local: list[float], settings: Any) -> None:
    unlimited = dict.fromkeys(LIMITS)
    settings.FACEVERIFY = {**settings.FACEVERIFY, "THROTTLES": unlimited}
    assert count(PRINCIPAL, "user:1") is None
    require_idcard(NUMBER)
    assert not cache._cache  # type: ignore[attr-defined]  # the memory of LocMemCache


def test_nothing_in_the_cache_says_who_it_was(local: list[float]) -> None:
    require_idcard(NUMBER)
    count_address("192.0.2.77")
    count(PRINCIPAL, "user:4711")
    held = str(cache._cache)  # type: ignore[attr-defined]  # the memory of LocMemCache
    assert held.count("faceverify:") == 3
    for secret in (NUMBER, "192.0.2.77", "4711"):
        assert secret not in held


def test_a_cache_that_fails_stops_nobody(
    now: list[float], settings: Any, caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    backend = "django.core.cache.backends.redis.RedisCache"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": "redis://127.0.0.1:1/0"}}
    with caplog.at_level(logging.WARNING):
        assert [count(PRINCIPAL, "user:1") for _ in range(3)] == [None] * 3
        require_idcard(NUMBER)
    assert [record.getMessage() for record in caplog.records] == [
        "throttle_failed error=ConnectionError"
    ]
    settings.CACHES = {"default": {**LOCAL, "LOCATION": uuid.uuid4().hex}}
    assert count(PRINCIPAL, "user:1") is None
    monkeypatch.setattr(throttles._Cache, "silent_until", 0.0)
    assert counted().used == 1


def test_headers() -> None:
    one = throttles.Standing(throttles.ADDRESS, limit=600, used=700, seconds_left=0.2)
    two = throttles.Standing(throttles.POSTS, limit=60, used=1, seconds_left=59.5)
    assert throttles.headers([]) == {}
    assert throttles.headers([one, two]) == {
        "RateLimit-Policy": '"address";q=600;w=60, "posts";q=60;w=60',
        "RateLimit": '"address";r=0;t=1, "posts";r=59;t=60',
    }
