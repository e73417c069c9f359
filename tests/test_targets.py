"""Where webhooks may be sent: a table of everything that is not the public internet."""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_faceverify import targets
from django_faceverify.conf import Webhooks, app_settings
from django_faceverify.exceptions import InputError

NOT_PUBLIC = [
    "0.0.0.0", "0.1.2.3",  # this network
    "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",  # private
    "100.64.0.1", "100.127.255.255",  # shared by a carrier
    "127.0.0.1", "127.1.2.3",  # this machine
    "169.254.169.254", "169.254.0.23", "169.254.170.2",  # clouds: metadata of a machine
    "100.100.100.200", "192.0.0.192", "168.63.129.16", "fd00:ec2::254", "fd20:ce::254",
    "192.0.0.8", "192.0.2.1", "198.51.100.1", "203.0.113.1", "192.88.99.1", "198.18.0.1",
    "198.19.255.255", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::7f00:1", "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "fdff::1", "ff02::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe", "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::", "2002:a00:1::1", "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:2::1", "2001:db8::1", "3fff::1", "5f00::1",
    "100::1", "4000::1",
    "", "localhost", "0x7f.1", "2130706433", "017700000001", "127.1", "1.2.3", "a.b.c.d",
]  # fmt: skip
PUBLIC = [
    "1.1.1.1", "8.8.8.8", "93.184.215.14", "172.15.0.1", "172.32.0.1", "100.63.255.255",
    "100.128.0.1", "169.253.1.1", "168.63.129.15", "192.0.1.1", "223.255.255.255",
    "2606:4700:4700::1111", "2400:3200::1", "2003::1", "::ffff:8.8.8.8", "64:ff9b::808:808",
]  # fmt: skip


def rules(**keys: Any) -> Webhooks:
    facts = {key.lower(): value for key, value in {**targets_defaults(), **keys}.items()}
    return Webhooks(**facts)


def targets_defaults() -> dict[str, Any]:
    return {key: getattr(app_settings.webhooks, key) for key in Webhooks.__dataclass_fields__}


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_not_public(address: str) -> None:
    assert not targets.is_public(address)
    assert not targets.admits(address, rules(allow_loopback=False))


@pytest.mark.parametrize("address", PUBLIC)
def test_public(address: str) -> None:
    assert targets.is_public(address)


@given(st.ip_addresses())
def test_never_more_than_the_standard_library_allows(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if targets.is_public(str(address)):
        inner = getattr(address, "ipv4_mapped", None) or address
        is_translated = address in ipaddress.ip_network("64:ff9b::/96")
        assert (inner.is_global and not inner.is_multicast) or is_translated


@pytest.mark.parametrize(
    ("address", "admitted"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("::ffff:127.0.0.1", True),
     ("1.1.1.1", True), ("10.0.0.1", False), ("169.254.169.254", False), ("0.0.0.0", False)],
)  # fmt: skip
def test_development_allows_this_machine_and_no_more(address: str, admitted: bool) -> None:
    assert targets.admits(address, rules(allow_loopback=True)) is admitted


URLS = [
    ("https://example.com/hooks?a=b", "https://example.com/hooks?a=b"),
    ("HTTPS://EXAMPLE.COM", "https://example.com/"),
    ("https://example.com:443/", "https://example.com:443/"),
    ("https://example.com:8443/", "https://example.com:8443/"),
    ("https://钩子.中国/", "https://xn--i8s974k.xn--fiqs8s/"),
    ("https://[2606:4700:4700::1111]/", "https://[2606:4700:4700::1111]/"),
]
REFUSED = [
    ("http://example.com/", "webhook_url_insecure"),
    ("ftp://example.com/", "webhook_url_insecure"),
    ("file:///etc/passwd", "webhook_url_invalid"),
    ("gopher://example.com/", "webhook_url_insecure"),
    ("javascript:alert(1)", "webhook_url_invalid"),
    ("//example.com/", "webhook_url_invalid"),
    ("example.com", "webhook_url_invalid"),
    ("", "webhook_url_invalid"),
    (None, "webhook_url_invalid"),
    (7, "webhook_url_invalid"),
    ("https://", "webhook_url_invalid"),
    ("https:///hooks", "webhook_url_invalid"),
    ("https://user@example.com/", "webhook_url_invalid"),
    ("https://user:password@example.com/", "webhook_url_invalid"),
    ("https://:@example.com/", "webhook_url_invalid"),
    ("https://example.com@127.0.0.1/", "webhook_url_invalid"),
    ("https://example.com/#fragment", "webhook_url_invalid"),
    ("https://exa mple.com/", "webhook_url_invalid"),
    ("https://example.com/\r\nX: y", "webhook_url_invalid"),
    ("https://example.com/\x00", "webhook_url_invalid"),
    ("https://example.com:99999/", "webhook_url_invalid"),
    ("https://example.com:x/", "webhook_url_invalid"),
    ("https://[::1/", "webhook_url_invalid"),
    (f"https://example.com/{'a' * 500}", "webhook_url_invalid"),
    (f"https://example.com/{'钩' * 200}", "webhook_url_invalid"),
    ("https://example.com:22/", "webhook_url_port"),
    ("https://example.com:80/", "webhook_url_port"),
    ("https://example.com:6379/", "webhook_url_port"),
    ("https://localhost/", "webhook_url_not_public"),
    ("https://127.0.0.1/", "webhook_url_not_public"),
    ("https://127.0.0.1:8443/", "webhook_url_not_public"),
    ("https://[::1]/", "webhook_url_not_public"),
    ("http://127.0.0.1/", "webhook_url_not_public"),
]
#: what no parser of ours reads as an address, and the system's resolver does
REFUSED_BY_HOST = [
    "https://10.0.0.1/", "https://169.254.169.254/latest/meta-data/", "https://0/",
    "https://2130706433/", "https://0x7f000001/", "https://0x7f.1/", "https://017700000001/",
    "https://127.1/", "https://[::ffff:127.0.0.1]/", "https://[::ffff:7f00:1]/",
    "https://[64:ff9b::a00:1]/", "https://192.168.0.1:8443/", "https://[fe80::1]/",
]  # fmt: skip


@pytest.mark.parametrize(("url", "sent"), URLS)
def test_a_url_that_may_be_sent_to(url: str, sent: str) -> None:
    assert targets.check_url(url, rules(allow_loopback=False)) == sent
    assert targets.check_url(sent, rules(allow_loopback=False)) == sent


@pytest.mark.parametrize(("url", "code"), REFUSED, ids=lambda value: str(value)[:40])
def test_a_url_that_may_not(url: object, code: str) -> None:
    with pytest.raises(InputError) as caught:
        targets.check_url(url, rules(allow_loopback=False))
    assert (caught.value.code, caught.value.field) == (code, "url")
    assert caught.value.__context__ is None or caught.value.__suppress_context__


@pytest.mark.parametrize("url", REFUSED_BY_HOST)
def test_a_number_in_whatever_spelling(url: str) -> None:
    strict = rules(allow_loopback=False)
    with pytest.raises(InputError) as caught:
        targets.check_host(targets.check_url(url, strict), strict)
    assert caught.value.code == "webhook_url_not_public"


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000/", "http://localhost/x", "http://[::1]:1/"])
def test_development_takes_plain_http_to_this_machine(url: str) -> None:
    assert targets.check_url(url, rules(allow_loopback=True)) == url
    with pytest.raises(InputError):
        targets.check_url("http://example.com/", rules(allow_loopback=True))


def test_one_private_address_among_public_ones_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    def look_up(*args: object, **options: object) -> Any:
        stream = socket.SOCK_STREAM
        return [
            (socket.AF_INET, stream, 6, "", ("1.1.1.1", 0)),
            (socket.AF_INET6, stream, 6, "", ("fd00::1", 0, 0, 0)),
        ]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with pytest.raises(InputError):
        targets.check_host("https://hooks.example.com/", rules())


def test_a_name_that_leads_nowhere_yet_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **options: object) -> Any:
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    targets.check_host("https://not-yet.example.com/", rules(allow_loopback=False))
