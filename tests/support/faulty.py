"""An SMTP server with a fault: it does what SMTP asks of it, but for what it was told to get wrong.

It runs in the test's own event loop and works on raw bytes, so that it can cut a connection at any of them. `accepted`
is its own record: who was sent what, at the very moment it takes responsibility. Nothing of EHLO counts as a fault.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ssl import SSLContext

HANGS = b"hangs"
_ADDRESS = re.compile(rb"<([^>]*)>")
_USUAL = {
    "MAIL": b"250 2.1.0 ok\r\n",
    "RCPT": b"250 2.1.5 ok\r\n",
    "DATA": b"354 go on\r\n",
    "END": b"250 2.0.0 ok\r\n",
}


class _Cut(Exception):
    """The script says: the connection ends here."""


@dataclass
class Faults:
    """What the server gets wrong. Stages are MAIL, RCPT, DATA, END, RSET."""

    pipelining: bool = True
    replies: dict[tuple[str, str], bytes] = field(default_factory=dict)
    """What is said instead, by stage and address ("" is everybody; at MAIL the sender). Where empty, the reply is left
    out; at `HANGS` the server does nothing more on that connection.
    """
    extra: dict[str, bytes] = field(default_factory=dict)
    """What is said before the reply, once, by stage."""
    invites_nobody: bool = False
    """DATA is answered with 354 also where no recipient was accepted."""
    forgets_after: frozenset[str] = frozenset()
    """After the reply at these stages, whatever input is there already is thrown away."""
    forgets_after_refusal: bool = False
    piece: int | None = None
    """Replies are written in pieces of so many octets."""
    pause: float = 0.0
    """Seconds after each piece."""
    delay: float = 0.0
    """Seconds before each reply."""
    cut_reading: int | None = None
    """The connection ends when so many octets were read."""
    cut_writing: int | None = None
    """The connection ends when so many octets were written."""
    deaf_in_content: bool = False
    """Once DATA was answered nothing is read any more, until `Faulty.cut`."""


@dataclass
class Faulty:
    """A running server, and its record."""

    port: int
    faults: Faults
    accepted: list[tuple[str, bytes]] = field(default_factory=list)
    to_nobody: list[bytes] = field(default_factory=list)
    commands: list[bytes] = field(default_factory=list)
    connections: int = 0
    read: int = 0
    written: int = 0
    cut: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def people(self) -> list[str]:
        """Give the addresses it took mail for, in order."""
        return [recipient for recipient, _ in self.accepted]


@asynccontextmanager
async def faulty(
    faults: Faults, *, implicit_tls: SSLContext | None = None, starttls: SSLContext | None = None
) -> AsyncIterator[Faulty]:
    """Run a server with these faults on loopback, secured from the beginning, on demand, or not at all."""
    running = Faulty(0, faults)
    talks: set[asyncio.Task[None]] = set()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talks.add(task)
        running.connections += 1
        try:
            await _Talk(running, reader, writer, starttls).go_on()
        except (_Cut, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(converse, "127.0.0.1", 0, ssl=implicit_tls)
    running.port = server.sockets[0].getsockname()[1]
    try:
        yield running
    finally:
        server.close()
        for task in talks:
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)


class _Talk:
    def __init__(
        self,
        running: Faulty,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        starttls: SSLContext | None,
    ) -> None:
        self._starttls = starttls
        self._running = running
        self._faults = running.faults
        self._reader = reader
        self._writer = writer
        self._input = b""
        self._counting = False
        self._sender: str | None = None
        self._recipients: list[str] = []
        self._extra = dict(running.faults.extra)

    async def go_on(self) -> None:
        self._writer.write(b"220 faulty.example.com ready\r\n")
        while True:
            line = await self._line()
            if line[:4] == b"EHLO":
                self._writer.write(b"250-faulty.example.com\r\n" + b"250-PIPELINING\r\n" * self._faults.pipelining)
                self._writer.write(b"250-STARTTLS\r\n" * (self._starttls is not None))
                self._writer.write(b"250 ENHANCEDSTATUSCODES\r\n")
                self._counting = True
                self._running.read = self._running.written = 0
            elif line == b"STARTTLS" and self._starttls is not None:
                self._writer.write(b"220 2.0.0 go on\r\n")
                await self._writer.start_tls(self._starttls)
            elif line[:4] == b"QUIT":
                self._writer.write(b"221 2.0.0 goodbye\r\n")
                return
            else:
                self._running.commands.append(line)
                await self._obey(line)

    async def _obey(self, line: bytes) -> None:
        verb = line[:4].decode("ascii", "replace").upper()
        found = _ADDRESS.search(line)
        named = found[1].decode() if found else ""
        if verb == "MAIL" and self._sender is None:
            if await self._answer("MAIL", named):
                self._sender = named
        elif verb == "RCPT" and self._sender is not None:
            if await self._answer("RCPT", named):
                self._recipients.append(named)
        elif verb == "DATA" and (self._recipients or (self._faults.invites_nobody and self._sender is not None)):
            if await self._answer("DATA", self._recipients[0] if self._recipients else "nobody"):
                await self._take()
        elif verb == "RSET":
            self._sender, self._recipients = None, []
            await self._answer("RSET", "", b"250 2.0.0 ok\r\n")
        elif verb == "DATA" and self._sender is not None:
            await self._say("DATA", b"554 5.5.1 no valid recipients\r\n")
        else:
            await self._say(verb, b"503 5.5.1 bad sequence of commands\r\n")

    async def _take(self) -> None:
        if self._faults.deaf_in_content:
            await self._running.cut.wait()
            self._writer.transport.abort()
            raise _Cut
        lines = []
        while (line := await self._line()) != b".":
            lines.append((line[1:] if line.startswith(b".") else line) + b"\r\n")
        content = b"".join(lines)
        recipients, self._sender, self._recipients = self._recipients, None, []
        if not recipients:
            self._running.to_nobody.append(content)
            await self._say("END", b"554 5.5.1 no valid recipients\r\n")
            return
        reply = self._scripted("END", recipients[0])
        if reply is None or reply == HANGS or reply[:1] in b"2":
            self._running.accepted += [(recipient, content) for recipient in recipients]
        await self._answer("END", recipients[0])

    def _scripted(self, stage: str, address: str) -> bytes | None:
        replies = self._faults.replies
        return replies.get((stage, address), replies.get((stage, "")))

    async def _answer(self, stage: str, address: str, usual: bytes | None = None) -> bool:
        scripted = self._scripted(stage, address)
        reply = scripted if scripted is not None else usual or _USUAL[stage]
        if reply == HANGS:
            await self._running.cut.wait()
            raise _Cut
        await self._say(stage, reply)
        if reply.startswith(b"421"):
            raise _Cut
        return reply[:1] in b"23"

    async def _say(self, stage: str, reply: bytes) -> None:
        reply = self._extra.pop(stage, b"") + reply
        await asyncio.sleep(self._faults.delay)
        size = self._faults.piece or max(len(reply), 1)
        for start in range(0, len(reply), size):
            await self._write(reply[start : start + size])
        refused = reply[:1] in b"45"
        if stage in self._faults.forgets_after or (refused and self._faults.forgets_after_refusal):
            self._input = b""

    async def _write(self, piece: bytes) -> None:
        limit = self._faults.cut_writing
        if limit is not None and self._running.written + len(piece) >= limit:
            self._writer.write(piece[: limit - self._running.written])
            self._running.written = limit
            raise _Cut
        self._writer.write(piece)
        self._running.written += len(piece)
        await self._writer.drain()
        if self._faults.piece is not None:
            await asyncio.sleep(self._faults.pause)

    async def _line(self) -> bytes:
        limit = self._faults.cut_reading
        while b"\r\n" not in self._input:
            if limit is not None and self._counting and self._running.read >= limit:
                raise _Cut
            data = await self._reader.read(65536)
            if not data:
                raise _Cut
            self._input += self._within_limit(data) if self._counting else data
        line, self._input = self._input.split(b"\r\n", 1)
        return line

    def _within_limit(self, data: bytes) -> bytes:
        limit = self._faults.cut_reading
        data = data if limit is None else data[: limit - self._running.read]
        self._running.read += len(data)
        return data
