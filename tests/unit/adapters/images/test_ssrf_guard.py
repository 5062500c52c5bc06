"""Which addresses count as public, and what an allow-list adds (G2 of the fault matrix: images)."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from consumer.adapters.images.ssrf_guard import AllowList, is_public, parse

PRIVATE = [
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.192",
    "192.168.1.1",
    "198.18.0.1",
    "203.0.113.7",
    "224.0.0.251",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:127.0.0.1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::10.0.0.1",
    "64:ff9b:1::8.8.8.8",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2002:a9fe:a9fe::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%lo",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    "2606:4700::1%eth0",
]
PUBLIC = ["8.8.8.8", "93.184.215.14", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1", "2606:4700::6810:1"]


@pytest.mark.parametrize("text", PRIVATE)
def test_what_leads_to_a_network_that_is_not_everybodys_is_not_public(text: str) -> None:
    assert not is_public(ip_address(text))


@pytest.mark.parametrize("text", PUBLIC)
def test_what_anybody_can_reach_is_public(text: str) -> None:
    assert is_public(ip_address(text))


@pytest.mark.parametrize(
    ("entry", "text", "held"),
    [
        ("10.0.0.0/8", "10.200.0.1", True),
        ("10.0.0.0/8", "11.0.0.1", False),
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "127.0.0.2", False),
        ("127.0.0.0/8", "::ffff:127.0.0.1", True),
        ("fd00::/8", "fd00::1", True),
        ("fd00::/8", "10.0.0.1", False),
        ("cdn.internal", "10.0.0.1", False),
    ],
)
def test_an_allowed_network_holds_its_addresses_however_they_are_written(entry: str, text: str, held: bool) -> None:
    assert AllowList([entry]).holds(ip_address(text)) is held


@pytest.mark.parametrize(
    ("host", "named"),
    [
        ("cdn.internal", True),
        ("CDN.Internal.", True),
        ("evil.cdn.internal", False),
        ("cdn.internal.evil.example", False),
    ],
)
def test_an_allowed_name_is_that_name_only(host: str, named: bool) -> None:
    assert AllowList(["cdn.Internal"]).names(host) is named


@pytest.mark.parametrize("text", ["", "localhost", "1.2.3", "127.1", "0x7f000001", "1.2.3.4.5"])
def test_what_is_no_address_is_left_to_the_resolver(text: str) -> None:
    assert parse(text) is None
