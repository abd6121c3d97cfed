"""From which network a request comes: all that is ever made of a visitor's address.

The network is an IPv4 address by itself or the /64 that an IPv6 address is in, which one customer has for themselves.
Whoever keeps it keeps a keyed hash of it, and not for long (RULES A11, H1).
"""

from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from litestar.connection import ASGIConnection

UNKNOWN = "unknown"
_IPV4, _IPV6 = 32, 64


def network_of(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """Give the network from which a request comes, such as 192.0.2.7/32."""
    return network(connection.client.host if connection.client else "")


def network(host: str) -> str:
    """Give the network that a host's address is in; UNKNOWN for what is no address, as of a local socket."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return UNKNOWN
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return str(ip_network((address, _IPV6 if isinstance(address, IPv6Address) else _IPV4), strict=False))
