"""What a mail server answers, read from bytes that come in any pieces. No socket, no clock.

A reply is one line or several with the same code, the last marked by its missing hyphen (RFC 5321 section 4.2). How the
bytes were chopped changes nothing, and a server that never comes to an end costs no more than `LONGEST_REPLY` octets.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

# A real reply has some hundred octets; the longest are a few thousand.
LONGEST_REPLY = 32 * 1024
_LINE = re.compile(rb"([2-5][0-9][0-9])(?:([ -])|$)")


class InvalidReply(ValueError):
    """The server speaks no SMTP: a line without a code, a code that changes within a reply, or a reply without end."""


class Reply(NamedTuple):
    """A code, and the text of its lines."""

    code: int
    text: bytes


class ReplyReader:
    """Reads the replies of one connection."""

    def __init__(self) -> None:
        self._rest = b""
        self._size = 0
        self._begun: Reply | None = None

    @property
    def between(self) -> bool:
        """Say whether no reply has begun that has not come to its end."""
        return not self._rest and self._begun is None

    def read(self, data: bytes) -> Iterator[Reply]:
        """Give the replies that `data` completes. Raises InvalidReply, after those that came before the fault."""
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            if (reply := self._take(line)) is not None:
                yield reply
        self._bound(len(self._rest))

    def _take(self, line: bytes) -> Reply | None:
        self._bound(len(line) + 1)
        line = line.rstrip(b"\r")
        found = _LINE.match(line)
        if found is None:
            raise InvalidReply("The server answered with something that is no SMTP reply.")
        code, text = int(found[1]), line[4:]
        if self._begun is not None and self._begun.code != code:
            raise InvalidReply("The server changed the code within a reply.")
        reply = Reply(code, text if self._begun is None else self._begun.text + b"\n" + text)
        if found[2] == b"-":
            self._begun = reply
            self._size += len(line)
            return None
        self._begun = None
        self._size = 0
        return reply

    def _bound(self, more: int) -> None:
        if self._size + more > LONGEST_REPLY:
            raise InvalidReply("The server's reply has no end.")
