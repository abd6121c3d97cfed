"""A port for a server."""

import os
import random
import socket

# Below the ports that outgoing connections take, so that a program that is killed finds its port free again. Of several
# processes of pytest (gw0, gw1, …) each has its own: between asking for a port and listening there is time for another.
_SHARES = 16
_SHARE = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _SHARES
_PORTS = range(20000, 32000)[_SHARE::_SHARES]


def free_port() -> int:
    """Give a port of 127.0.0.1 on which nobody listens just now."""
    for port in random.sample(_PORTS, 200):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no port is free")
