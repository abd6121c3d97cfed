"""How much of this process strangers may hold: so many connections in all, and so many of them from one network.

Whoever holds them all keeps nobody else out: the other half of the room is for other networks. A reverse proxy is one
network too, and half is more than any keeps open. Descriptors are what connections are made of, and the database, the
relay and the journals need theirs: connections get at most half of what the process may have. Which network holds how
many stays in memory, for as long as it does.
"""

import resource
from collections import Counter
from ipaddress import IPv6Address, ip_address, ip_network

_IPV4, _IPV6 = 24, 56


def raise_descriptors() -> int:
    """Let the process have as many descriptors as its limit can be raised to; give how many. Where the system forbids
    that, it keeps what it has.
    """
    try:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    except OSError:
        return 1024
    if soft == hard:
        return soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (OSError, ValueError):
        return soft
    return hard


class Room:
    """Who is in: `most` connections at once, where `descriptors` allow it."""

    def __init__(self, most: int, descriptors: int) -> None:
        self.most = min(most, descriptors // 2) if descriptors > 0 else most
        self.most_of_one = max(1, self.most // 2)
        self._inside: Counter[str] = Counter()

    def enter(self, network: str) -> bool:
        """Let a connection in, if there is room; whoever was let in must `leave`."""
        if self._inside.total() >= self.most or self._inside[network] >= self.most_of_one:
            return False
        self._inside[network] += 1
        return True

    def leave(self, network: str) -> None:
        """Let a connection out."""
        self._inside[network] -= 1
        if self._inside[network] <= 0:
            del self._inside[network]


def network_of(address: str | None) -> str:
    """Give the network of an address: of IPv4 its 256 neighbours, of IPv6 what one customer has; "" of none."""
    try:
        found = ip_address((address or "").partition("%")[0])
    except ValueError:
        return ""
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return str(ip_network((found, _IPV6 if isinstance(found, IPv6Address) else _IPV4), strict=False))
