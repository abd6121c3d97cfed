"""The door of the listener: how many may talk at once, all together and from one machine, and how much in a minute.

Whoever is turned away is told to come again later, so nothing is lost by it. Which machine that is stays in memory, for
a minute.
"""

from collections import Counter
from ipaddress import IPv6Address, ip_address, ip_network

from newsletter.clock import Clock

MOST_TALKS = 200
# A Postfix that points here is one machine, stands for the whole world, and opens no more than that by default.
MOST_TALKS_OF_ONE = 100
# Reading thirty thousand mails keeps us busy for about as long.
MOST_RECIPIENTS_A_MINUTE = 30_000
_MINUTE = 60.0


class Door:
    """Who is in, and what each machine has asked for in this minute."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._inside: Counter[str] = Counter()
        self._asked: Counter[str] = Counter()
        self._minute = clock.monotonic()
        self._open = True

    def enter(self, machine: str) -> bool:
        """Let a connection in, if there is room; whoever was let in must `leave`."""
        if not self._open or self._inside.total() >= MOST_TALKS or self._inside[machine] >= MOST_TALKS_OF_ONE:
            return False
        self._inside[machine] += 1
        return True

    def leave(self, machine: str) -> None:
        """Let a connection out."""
        self._inside[machine] -= 1
        if self._inside[machine] <= 0:
            del self._inside[machine]

    def shut(self) -> None:
        """Let nobody in any more."""
        self._open = False

    def ask(self, machine: str) -> bool:
        """Say whether a machine may name one more recipient in this minute."""
        now = self._clock.monotonic()
        if now - self._minute >= _MINUTE:
            self._minute = now
            self._asked.clear()
        self._asked[machine] += 1
        return self._asked[machine] <= MOST_RECIPIENTS_A_MINUTE


def machine_of(peer: object) -> str:
    """Give the machine at the other end of a connection, by its `peername`: with IPv6 its network, as one has many."""
    if not isinstance(peer, tuple):
        return ""
    try:
        address = ip_address(str(peer[0]).partition("%")[0])
    except ValueError:
        return ""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        return str(ip_network((address, 64), strict=False))
    return str(address.ipv4_mapped if isinstance(address, IPv6Address) else address)
