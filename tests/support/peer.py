"""A real SMTP server on loopback that keeps what it is sent, byte for byte, and answers as it is told to.

It runs in a thread of its own, so that it answers while a test's event loop is busy, and serves a program in
another process just as well. Replies are scripted by stage: CONNECT, EHLO, MAIL, RCPT, DATA, and END (the
final dot); an address may be `@domain`, for a whole domain.
"""

import asyncio
import re
import time
from collections import Counter
from dataclasses import dataclass, field

from tests.support.loopback import LoopbackServer
from tests.support.mailbox import ReceivedMail

_ADDRESS = re.compile(r"<([^>]*)>")
_EXTENSIONS = ("PIPELINING", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "SIZE 52428800")


class _HungUp(Exception):
    """The script says: end the connection here, without a word."""


@dataclass
class _Script:
    reply: str | None
    times: int | None = None

    def use(self) -> bool:
        if self.times is None:
            return True
        self.times -= 1
        return self.times >= 0


@dataclass
class _Conversation:
    number: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    sender: str | None = None
    recipients: list[str] = field(default_factory=list)


class SmtpPeer(LoopbackServer):
    """An SMTP server. Use it as a context manager; `mails` is what it has accepted so far, in order."""

    def __init__(self, extensions: tuple[str, ...] = _EXTENSIONS) -> None:
        super().__init__("smtp-peer")
        self.mails: list[ReceivedMail] = []
        self.connections = 0
        self.commands: list[str] = []
        self._extensions = extensions
        self._scripts: dict[tuple[str, str], _Script] = {}
        self._delays = [(0, 0.0)]
        self._answered = 0
        self._most: int | None = None
        self.held = 0
        self._goes_on = asyncio.Event()

    @property
    def url(self) -> str:
        """Give what NEWSLETTER_SMTP_URL is to be for this peer."""
        return f"smtp://127.0.0.1:{self.port}"

    def refuse(self, address: str = "", reply: str = "550 5.1.1 no such user", *, stage: str = "RCPT") -> None:
        """Refuse `address` (or everybody) at `stage` with `reply`, until `accept`."""
        self._scripts[stage, address] = _Script(reply)

    def defer(
        self,
        address: str = "",
        reply: str = "451 4.7.1 try later",
        *,
        stage: str = "RCPT",
        times: int | None = None,
    ) -> None:
        """Answer `reply` for `address` (or everybody) at `stage`, `times` times or until `accept`."""
        self._scripts[stage, address] = _Script(reply, times)

    def hang_up(self, address: str = "", *, stage: str = "END", times: int | None = 1) -> None:
        """End the connection at `stage` instead of answering. At END the mail has been taken all the same."""
        self._scripts[stage, address] = _Script(None, times)

    def accept(self, address: str = "") -> None:
        """Forget what was scripted for `address` (or for everybody)."""
        self._scripts = {key: script for key, script in self._scripts.items() if key[1] != address}

    def slow(self, seconds: float, *, after: int = 0) -> None:
        """Take so long over each mail, between its final dot and the answer: from now on, or once it has `after`."""
        self._delays = [*self._delays, (after, seconds)] if after else [(0, seconds)]

    def halt(self, *, after: int = 0) -> None:
        """Answer no final dot any more, or only so many, until `go_on`: so it stays the middle, on any machine.

        `held` counts those that wait for an answer.
        """
        self.held = 0
        self._goes_on = asyncio.Event()
        self._most = self._answered + after

    def go_on(self) -> None:
        """End the halt."""
        self._most = None
        self._loop.call_soon_threadsafe(self._goes_on.set)

    def mails_to(self, address: str) -> list[ReceivedMail]:
        """Give the mails that were accepted for `address`."""
        return [mail for mail in self.mails if address in mail.recipients]

    def counted(self) -> Counter[str]:
        """Give how many mails each address was sent."""
        return Counter(address for mail in self.mails for address in mail.recipients)

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        talk = _Conversation(self.connections, reader, writer)
        try:
            await self._answer(talk, "CONNECT", "", "220 peer.example.com ready")
            while line := await reader.readline():
                await self._obey(talk, line.decode("utf-8", "surrogateescape").rstrip("\r\n"))
        except (_HungUp, ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _obey(self, talk: _Conversation, line: str) -> None:
        self.commands.append(line)
        verb = line[:4].upper()
        named = found.group(1) if (found := _ADDRESS.search(line)) else ""
        if verb in ("EHLO", "HELO"):
            lines = ["peer.example.com", *(self._extensions if verb == "EHLO" else ())]
            greeting = "\r\n".join(f"250{'-' if n < len(lines) - 1 else ' '}{text}" for n, text in enumerate(lines))
            await self._answer(talk, "EHLO", "", greeting)
        elif verb == "MAIL":
            if await self._answer(talk, "MAIL", named, "250 2.1.0 ok"):
                talk.sender, talk.recipients = named, []
        elif verb == "RCPT" and talk.sender is not None:
            if await self._answer(talk, "RCPT", named, "250 2.1.5 ok"):
                talk.recipients.append(named)
        elif verb == "DATA" and talk.recipients:
            if await self._answer(talk, "DATA", talk.recipients[0], "354 go on"):
                await self._take(talk)
        elif verb in ("RSET", "NOOP"):
            talk.sender, talk.recipients = (None, []) if verb == "RSET" else (talk.sender, talk.recipients)
            await self._say(talk, "250 2.0.0 ok")
        elif verb == "QUIT":
            await self._say(talk, "221 2.0.0 goodbye")
            raise _HungUp
        else:
            await self._say(talk, "503 5.5.1 bad sequence of commands")

    async def _take(self, talk: _Conversation) -> None:
        content = bytearray()
        while (line := await talk.reader.readline()) != b".\r\n":
            if not line.endswith(b"\n"):
                raise _HungUp
            content += line[1:] if line.startswith(b".") else line
        await asyncio.sleep([seconds for after, seconds in self._delays if after <= len(self.mails)][-1])
        if self._most is not None and self._answered >= self._most:
            self.held += 1
            await self._goes_on.wait()
        self._answered += 1
        sender, recipients = talk.sender or "", talk.recipients
        talk.sender, talk.recipients = None, []
        mail = ReceivedMail(sender, tuple(recipients), bytes(content), talk.number, time.monotonic())
        script = self._scripted("END", recipients[0])
        if script is None or script.reply is None or script.reply.startswith("2"):
            self.mails.append(mail)
        if script is not None and script.reply is None:
            raise _HungUp
        await self._say(talk, script.reply if script and script.reply else "250 2.0.0 queued")

    async def _answer(self, talk: _Conversation, stage: str, address: str, usual: str) -> bool:
        script = self._scripted(stage, address)
        if script is None:
            await self._say(talk, usual)
            return True
        if script.reply is None:
            raise _HungUp
        await self._say(talk, script.reply)
        if script.reply.startswith("421"):
            raise _HungUp
        return script.reply[:1] in "23"

    def _scripted(self, stage: str, address: str) -> _Script | None:
        for whom in (address, f"@{address.rpartition('@')[2]}", ""):
            if (script := self._scripts.get((stage, whom))) is not None and script.use():
                return script
        return None

    async def _say(self, talk: _Conversation, text: str) -> None:
        talk.writer.write(text.encode() + b"\r\n")
        await talk.writer.drain()
