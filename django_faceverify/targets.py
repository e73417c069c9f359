"""Where a webhook may be sent: only to the public internet, whatever a name leads to.

An address is judged twice. ``check_url`` judges what somebody typed; ``is_public`` judges
the number that the name leads to at the moment of connecting, which alone is binding.
"""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

import requests

from django_faceverify.conf import Webhooks
from django_faceverify.exceptions import InputError
from django_faceverify.transport import is_loopback, is_private

MAX_URL = 500

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

#: IPv4 that is not a public host (IANA's special-purpose registry), and one that is, but
#: from within a cloud is the machine's own service: 168.63.129.16
NOT_PUBLIC_IPV4 = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
#: all that IPv6 gives to public hosts, and what of it is for other uses: protocols (Teredo
#: among them), documentation, and 6to4, which carries an IPv4 address past the list above
PUBLIC_IPV6 = ipaddress.IPv6Network("2000::/3")
NOT_PUBLIC_IPV6 = tuple(
    ipaddress.IPv6Network(network)
    for network in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)
#: IPv6 that stands for the IPv4 address in its last 32 bits: mapped, and translated (NAT64)
CARRIES_IPV4 = tuple(
    ipaddress.IPv6Network(network) for network in ("::ffff:0:0/96", "64:ff9b::/96")
)


def is_public(address: str) -> bool:
    """Whether a numeric address is of a host on the public internet."""
    number = _carried(address)
    if isinstance(number, ipaddress.IPv4Address):
        return not any(number in network for network in NOT_PUBLIC_IPV4)
    if isinstance(number, ipaddress.IPv6Address):
        return number in PUBLIC_IPV6 and not any(number in network for network in NOT_PUBLIC_IPV6)
    return False


def admits(address: str, rules: Webhooks) -> bool:
    """Whether a delivery may connect to this numeric address."""
    if is_public(address):
        return True
    number = _carried(address)
    return rules.allow_loopback and number is not None and number.is_loopback


def check_url(url: object, rules: Webhooks) -> str:
    """The URL as it will be sent to; ``InputError`` when it may not.

    Looks at the text only: ``check_host`` looks at where the name leads.
    """
    if not isinstance(url, str) or not url.isprintable() or len(url) > MAX_URL:
        raise InputError("webhook_url_invalid", "url")
    try:
        sent = requests.Request("POST", url).prepare().url or ""
        parts = urlsplit(sent)
        port = parts.port
    except (ValueError, UnicodeError):  # the error of requests is one; its text quotes the URL
        raise InputError("webhook_url_invalid", "url") from None
    if not parts.hostname or parts.fragment or "@" in parts.netloc or len(sent) > MAX_URL:
        raise InputError("webhook_url_invalid", "url")
    if not is_private(sent):
        raise InputError("webhook_url_insecure", "url")
    if is_loopback(sent):
        if not rules.allow_loopback:
            raise InputError("webhook_url_not_public", "url")
    elif (port or 443) not in rules.ports:
        raise InputError("webhook_url_port", "url")
    return sent


def check_host(url: str, rules: Webhooks) -> None:
    """Raise ``InputError`` when the host's name leads to an address that is not admitted.

    One that leads nowhere passes: it may not exist yet, and each delivery looks anew.
    """
    host = urlsplit(url).hostname
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return
    if not all(admits(str(entry[4][0]), rules) for entry in found):
        raise InputError("webhook_url_not_public", "url")


def _carried(address: str) -> Address | None:
    """The address, or the IPv4 address that it carries; ``None`` when it is not numeric."""
    try:
        number = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    if isinstance(number, ipaddress.IPv6Address) and any(
        number in network for network in CARRIES_IPV4
    ):
        return ipaddress.IPv4Address(int(number) & 0xFFFFFFFF)
    return number
