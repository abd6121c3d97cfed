"""From where a request comes: the address of its client, as its own connection or a trusted proxy tells it.

All that is ever made of it is a network, and of that whoever keeps it keeps a keyed hash, not for long (RULES A11, H1).
"""

from collections.abc import Sequence
from typing import Any

from litestar.connection import ASGIConnection

from newsletter.settings import Network
from newsletter.web.networks import IP, client, networks_of
from newsletter.web.pages import installation_of


def network_of(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """Give the narrow network from which a request comes, such as 192.0.2.7/32."""
    return networks_of(address_of(connection, installation_of(connection).settings.proxies)).narrow


def address_of(connection: ASGIConnection[Any, Any, Any, Any], trusted: Sequence[Network]) -> IP | None:
    """Give the address from which a request comes; None where it has none, as on a local socket."""
    plain, named = told_by(connection)
    return client(peer_of(connection), plain, named, trusted)


def peer_of(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """Give the host at the other end of the connection itself."""
    return connection.client.host if connection.client else ""


def told_by(connection: ASGIConnection[Any, Any, Any, Any]) -> tuple[str, str]:
    """Give what X-Forwarded-For and Forwarded say, however many there are of them."""
    told: dict[bytes, list[str]] = {b"x-forwarded-for": [], b"forwarded": []}
    for name, value in connection.scope["headers"]:
        if name in told:
            told[name].append(value.decode("latin-1"))
    plain, named = (", ".join(values) for values in told.values())
    return plain, named
