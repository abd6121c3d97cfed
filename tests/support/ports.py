"""A port for a server."""

import os
import random
import socket
from collections import deque

# Below the ports that outgoing connections take, so that a program that is killed finds its port free again. Of several
# processes of pytest (gw0, gw1, …) each has its own: between asking for a port and listening there is time for another.
_SHARES = 16
_SHARE = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _SHARES
_PORTS = range(20000, 32000)[_SHARE::_SHARES]
# One that was given is not given again before whoever asked for it had time to listen.
_given: deque[int] = deque(maxlen=200)


def free_port() -> int:
    """Give a port of 127.0.0.1 on which nobody listens just now."""
    for port in random.sample(_PORTS, len(_PORTS)):
        if port in _given:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            _given.append(port)
            return port
    raise AssertionError("no port is free")
