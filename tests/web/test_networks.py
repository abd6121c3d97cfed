"""From which network somebody comes: headers are read from the right, and believed of trusted proxies alone."""

from ipaddress import ip_address, ip_network

import pytest

from newsletter.web.networks import NOWHERE, Networks, client, networks_of, read_address

TRUSTED = (ip_network("127.0.0.1"), ip_network("10.0.0.0/8"), ip_network("2001:db8:f::/48"))


@pytest.mark.parametrize(
    ("address", "narrow", "wide"),
    [
        ("203.0.113.7", "203.0.113.7/32", "203.0.113.0/24"),
        ("2001:db8:1:2345:6::7", "2001:db8:1:2345::/64", "2001:db8:1:2300::/56"),
        ("::ffff:203.0.113.7", "203.0.113.7/32", "203.0.113.0/24"),
    ],
)
def test_the_networks_of_an_address(address: str, narrow: str, wide: str) -> None:
    assert networks_of(read_address(address)) == Networks(narrow, wide)


def test_all_without_an_address_are_one_network() -> None:
    assert networks_of(client("", "", "", TRUSTED)) == NOWHERE


@pytest.mark.parametrize(
    ("peer", "plain", "named", "found"),
    [
        # Nobody is believed who isn't trusted.
        ("203.0.113.7", "198.51.100.1", "for=198.51.100.1", "203.0.113.7"),
        ("127.0.0.1", "198.51.100.1", "", "198.51.100.1"),
        ("::ffff:127.0.0.1", "198.51.100.1", "", "198.51.100.1"),
        # What stands further left may be made up.
        ("127.0.0.1", "192.0.2.66, 198.51.100.1", "", "198.51.100.1"),
        ("127.0.0.1", "192.0.2.66, 198.51.100.1, 10.1.2.3", "", "198.51.100.1"),
        ("127.0.0.1", "10.9.9.9, 10.1.2.3", "", "10.9.9.9"),
        ("127.0.0.1", "198.51.100.1:4711", "", "198.51.100.1"),
        ("127.0.0.1", "2001:db8:1::7", "", "2001:db8:1::7"),
        ("127.0.0.1", "[2001:db8:1::7]:4711", "", "2001:db8:1::7"),
        ("127.0.0.1", "2001:db8:1::7, 2001:db8:f::1", "", "2001:db8:1::7"),
        # RFC 7239.
        ("127.0.0.1", "", 'for=192.0.2.66, for="[2001:db8:1::7]:4711";proto=https;by=10.0.0.1', "2001:db8:1::7"),
        ("127.0.0.1", "", 'For="198.51.100.1:80"; host="a,b;for=192.0.2.66"', "198.51.100.1"),
        # Who hides, or talks nonsense, is whoever says so.
        ("127.0.0.1", "198.51.100.1, unknown", "", "127.0.0.1"),
        ("127.0.0.1", "198.51.100.1, unknown, 10.1.2.3", "", "10.1.2.3"),
        ("127.0.0.1", "", "for=_hidden", "127.0.0.1"),
        ("127.0.0.1", "", "proto=https", "127.0.0.1"),
        ("127.0.0.1", "198.51.100.1,", "", "127.0.0.1"),
        ("127.0.0.1", "", "", "127.0.0.1"),
        # A proxy writes one of the headers, and may pass on the other as a stranger wrote it.
        ("127.0.0.1", "198.51.100.1", "for=192.0.2.66", "127.0.0.1"),
        ("127.0.0.1", "198.51.100.1", "for=198.51.100.1", "198.51.100.1"),
    ],
)
def test_where_somebody_comes_from(peer: str, plain: str, named: str, found: str) -> None:
    assert client(peer, plain, named, TRUSTED) == ip_address(found)


def test_a_header_without_end_is_read_from_the_right() -> None:
    assert client("127.0.0.1", "192.0.2.66, " * 10_000 + "10.1.2.3, " * 40 + "10.0.0.1", "", TRUSTED) in TRUSTED[1]
