"""A mail sink that takes mails faster than any sender here can give them: it looks for the ends of lines and of mails
only, and answers once for all that has arrived.

`python -m benchmarks.lean_sink PORT` takes mail until a stop signal, and then says how much, in JSON.
"""

import json
import select
import signal
import socket
import sys
from dataclasses import asdict, dataclass

_CHUNK = 64 * 1024
_END = b"\r\n.\r\n"
_REPLIES = {
    b"EHLO": b"250-lean.example.com\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n",
    b"DATA": b"354 Go on\r\n",
    b"QUIT": b"221 Bye\r\n",
}
_OK = b"250 OK\r\n"


@dataclass
class Tally:
    """How much was taken, on all connections."""

    mails: int = 0
    octets: int = 0


class Conversation:
    """One connection's state: bytes in, replies out. Mails that have no line at all are not expected."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._rest = b""
        self._in_mail = False
        self._size = 0

    def take(self, chunk: bytes) -> bytes:
        """Give the replies to what has arrived."""
        rest, replies = self._rest + chunk, []
        while True:
            end = rest.find(_END if self._in_mail else b"\r\n")
            if end < 0:
                break
            if self._in_mail:
                self._tally.mails += 1
                self._tally.octets += self._size + end + 2
                self._in_mail, self._size, rest = False, 0, rest[end + len(_END) :]
                replies.append(_OK)
            else:
                verb, rest = rest[:4].upper(), rest[end + 2 :]
                self._in_mail = verb == b"DATA"
                replies.append(_REPLIES.get(verb, _OK))
        if self._in_mail and len(rest) >= len(_END):
            # What can't be part of an end any more is counted and dropped.
            self._size += len(rest) - (len(_END) - 1)
            rest = rest[-(len(_END) - 1) :]
        self._rest = rest
        return b"".join(replies)


def serve(port: int, tally: Tally) -> None:
    """Take mail on a port of this machine for good."""
    listener = socket.create_server(("127.0.0.1", port), backlog=200)
    waiting = select.epoll()
    waiting.register(listener, select.EPOLLIN)
    talks: dict[int, tuple[socket.socket, Conversation]] = {}
    # One room for all that arrives: asking for new room each time would cost more than all the rest.
    room = bytearray(_CHUNK)
    view = memoryview(room)
    while True:
        for number, _ in waiting.poll():
            if number == listener.fileno():
                peer, _address = listener.accept()
                peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                peer.sendall(b"220 lean.example.com ESMTP\r\n")
                waiting.register(peer, select.EPOLLIN)
                talks[peer.fileno()] = peer, Conversation(tally)
                continue
            peer, talk = talks[number]
            try:
                size = peer.recv_into(room)
                if size and (replies := talk.take(bytes(view[:size]))):
                    peer.sendall(replies)
            except OSError:
                size = 0
            if not size:
                waiting.unregister(peer)
                del talks[number]
                peer.close()


def main() -> None:
    """Serve until SIGTERM, then tell."""
    tally = Tally()

    def end(_number: int, _frame: object) -> None:
        sys.stdout.write(json.dumps(asdict(tally)))
        sys.stdout.flush()
        sys.exit()

    signal.signal(signal.SIGTERM, end)
    serve(int(sys.argv[1]), tally)


if __name__ == "__main__":
    main()
