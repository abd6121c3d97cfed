"""From which network a request comes. Pure.

What a header says of that is believed of a trusted proxy alone, and read from the right: there stands what the nearest
proxy has seen itself, and what a stranger made up stands further left (RULES H1).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from newsletter.settings import Network

IP = IPv4Address | IPv6Address
# Nobody stands behind more proxies than that.
_MOST_HOPS = 32
_PREFIXES = {4: (32, 24), 6: (64, 56)}


@dataclass(frozen=True, slots=True)
class Networks:
    """The narrow network of an address, which is a household's or an office's, and the wide one around it."""

    narrow: str
    wide: str


NOWHERE = Networks("nowhere", "around nowhere")


def networks_of(address: IP | None) -> Networks:
    """Give the /32 and the /24 of IPv4, the /64 and the /56 of IPv6; without an address, one for all such."""
    if address is None:
        return NOWHERE
    # By hand, for every request: a network of the standard library costs ten times as much.
    number, bits = int(address), address.max_prefixlen
    narrow, wide = (
        f"{type(address)(number >> bits - prefix << bits - prefix)}/{prefix}" for prefix in _PREFIXES[address.version]
    )
    return Networks(narrow, wide)


def client(peer: str, x_forwarded_for: str, forwarded: str, trusted: Sequence[Network]) -> IP | None:
    """Give the address from which a request comes to us, which a trusted proxy may tell in either header.

    Where the two tell different things, one of them was made up and passed on: then it is the proxy's own.
    """
    nearest = read_address(peer)
    if nearest is None or not is_trusted(nearest, trusted):
        return nearest
    told = [hops for hops in (_plain(x_forwarded_for), _named(forwarded)) if hops]
    clients = {_from_the_right(nearest, hops, trusted) for hops in told}
    return clients.pop() if len(clients) == 1 else nearest


def is_trusted(address: IP, trusted: Sequence[Network]) -> bool:
    """Say whether it is one of the trusted proxies."""
    return any(address.version == network.version and address in network for network in trusted)


def _from_the_right(nearest: IP, hops: Sequence[str], trusted: Sequence[Network]) -> IP:
    for hop in reversed(hops[-_MOST_HOPS:]):
        address = read_address(hop)
        if address is None:
            return nearest  # Hidden, or nonsense: then it is whoever said so.
        nearest = address
        if not is_trusted(address, trusted):
            break
    return nearest


def _plain(header: str) -> list[str]:
    """Read X-Forwarded-For: addresses with commas between them."""
    return [part.strip() for part in header.split(",")] if header.strip() else []


def _named(header: str) -> list[str]:
    """Read Forwarded (RFC 7239): the `for` of each element, in which quotes may stand."""
    if not header.strip():
        return []
    hops = []
    for element in _split(header, ","):
        named = [pair.partition("=") for pair in _split(element, ";")]
        values = [value.strip() for name, _, value in named if name.strip().lower() == "for"]
        hops.append(values[0].strip('"') if len(values) == 1 else "")
    return hops


def _split(text: str, separator: str) -> list[str]:
    """Split at a separator that stands outside of quotes."""
    parts, quoted = [""], False
    for character in text:
        quoted ^= character == '"'
        if character == separator and not quoted:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def read_address(text: str) -> IP | None:
    """Read an address as headers have it, with a port or without; None where it is none."""
    host = text.strip().strip('"')
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address
