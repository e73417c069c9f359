"""How often somebody may ask the API: counters in the site's cache, by windows of the clock.

This is the outer layer, cheap and forgetful, in front of the limits in the database
(``quotas.py``), which are the ones that count. So a cache that fails stops nobody. What the
cache is given is a keyed digest of who asks, and a number.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from math import ceil
from time import monotonic, time

from django.core.cache import cache
from django.views.decorators.debug import sensitive_variables

from django_faceverify import identity, journal, sealing
from django_faceverify.conf import app_settings
from django_faceverify.exceptions import InputError, QuotaExceeded

#: seconds without counting after the cache failed; to find out again may take long
SILENCE_AFTER_FAILURE = 15.0
#: one holder of IPv6 addresses usually has as many as this leaves open
IPV6_PREFIX = 64


@dataclass(frozen=True)
class Policy:
    """One limit by its setting, and the seconds of its window."""

    name: str
    setting: str
    seconds: int

    @property
    def limit(self) -> int | None:
        limit: int | None = getattr(app_settings.throttles, self.setting)
        return limit


ADDRESS = Policy("address", "requests_per_address_minute", 60)
PRINCIPAL = Policy("principal", "requests_per_principal_minute", 60)
POSTS = Policy("posts", "posts_per_principal_minute", 60)
IDCARD = Policy("idcard", "posts_per_idcard_hour", 3600)


@dataclass(frozen=True)
class Standing:
    """How much of a limit is left to somebody; ``seconds_left`` until it is whole again."""

    policy: Policy
    limit: int
    used: int
    seconds_left: float

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self.used)

    def require(self) -> None:
        """Raise ``QuotaExceeded`` when this request was one too many."""
        if self.used > self.limit:
            raise QuotaExceeded("throttled", self.seconds_left)


def count(policy: Policy, holder: str) -> Standing | None:
    """Count one request of a holder; ``None`` without a limit or without a cache."""
    limit = policy.limit
    if limit is None:
        return None
    now = time()
    window = int(now // policy.seconds)
    digest = sealing.mac("throttle", policy.name.encode(), holder.encode(), b"%d" % window)
    used = _increase(f"faceverify:{digest}", policy.seconds)
    if used is None:
        return None
    return Standing(policy, limit, used, (window + 1) * policy.seconds - now)


def count_address(address: str) -> Standing | None:
    """Count one request from an address; of IPv6 addresses, a whole network is one holder."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return count(ADDRESS, address)
    if isinstance(ip, ipaddress.IPv6Address):
        address = str(ipaddress.ip_network((ip, IPV6_PREFIX), strict=False))
    return count(ADDRESS, address)


@sensitive_variables()
def require_idcard(number: object) -> None:
    """Count a request about one ID number; raises ``QuotaExceeded``.

    How much is left is told to nobody: others may have asked about the same number. What
    is no number at all is refused elsewhere.
    """
    try:
        index = sealing.blind_index(identity.parse_number(number))
    except InputError:
        return
    if standing := count(IDCARD, index):
        standing.require()


def headers(standings: list[Standing]) -> dict[str, str]:
    """The headers ``RateLimit-Policy`` and ``RateLimit`` (IETF draft 11) for these."""
    if not standings:
        return {}
    return {
        "RateLimit-Policy": ", ".join(
            f'"{one.policy.name}";q={one.limit};w={one.policy.seconds}' for one in standings
        ),
        "RateLimit": ", ".join(
            f'"{one.policy.name}";r={one.remaining};t={ceil(one.seconds_left)}' for one in standings
        ),
    }


class _Cache:
    """Remembers that the cache did not answer, so that not every request waits for it."""

    silent_until = 0.0


def _increase(key: str, seconds: int) -> int | None:
    """Add one to a counter that lives for a window; ``None`` when the cache fails."""
    if monotonic() < _Cache.silent_until:
        return None
    try:
        try:
            return cache.incr(key)
        except ValueError:  # not there yet
            return 1 if cache.add(key, 1, timeout=seconds) else cache.incr(key)
    except Exception as error:  # noqa: BLE001 (caches raise what they like; the database has its own limits)
        _Cache.silent_until = monotonic() + SILENCE_AFTER_FAILURE
        journal.tell("throttle_failed", error=error)
        return None
