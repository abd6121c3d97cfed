"""A port for a server."""

import random
import socket

# Below the ports that outgoing connections take, so that a program that is killed finds its port free again.
_PORTS = range(20000, 32000)


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
