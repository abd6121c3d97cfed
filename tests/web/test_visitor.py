"""From which network somebody comes, and no more than that."""

import pytest

from newsletter.web.visitor import UNKNOWN, network


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("192.0.2.7", "192.0.2.7/32"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7/32"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", UNKNOWN),
        ("testclient", UNKNOWN),
        ("/run/newsletter.sock", UNKNOWN),
    ],
)
def test_an_address_is_its_network(host: str, expected: str) -> None:
    assert network(host) == expected
