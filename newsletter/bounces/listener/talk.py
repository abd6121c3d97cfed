"""One connection to the listener: SMTP, or LMTP where the other side says LHLO.

aiosmtpd knows the commands. What is ours is the door, an end to every wait, and how a mail is read: its beginning is
kept, the rest is let go by, lines may be of any length, and only a dot between two CRLF ends it.
"""

import asyncio
import re
from collections import defaultdict
from typing import AnyStr, Protocol, cast

from aiosmtpd.smtp import SMTP, Envelope, syntax

from newsletter.bounces.listener.answers import AGAIN, NO_COMPLAINT, STORED, Answers
from newsletter.bounces.listener.door import Door, machine_of

LARGEST = 10_000_000
# A report says what it says at its head; the mail that came back stands behind that.
READ = 256_000
# Nobody is slower whose mail we want: who points here is a mail server, and most are on this machine.
SILENT_SECONDS = 60
MESSAGE_SECONDS = 120
# Mail servers that keep connections for the next mail end them after five minutes by themselves.
OLDEST_SECONDS = 600
_LAST_WORDS_SECONDS = 5
_LONGEST_COMMAND = 1024
_LONGEST_LINE = 16 * 1024
_MOST_COMMANDS = {"MAIL": 10_000, "RCPT": 100_000, "DATA": 10_000, "RSET": 10_000, "NOOP": 100, "*": 20}
_PATH = re.compile(r"\s*<([^<>]*)>\s*(.*)", re.DOTALL)
_TOO_LARGE = f"552 5.3.4 No more than {LARGEST} octets are taken."
_CLOSING = "421 4.3.2 The service stops; please try again later."
_TOO_SLOW = "421 4.4.2 Too slow; please try again later."
_LONG_ENOUGH = "421 4.4.2 That was long enough; please connect again."
_FULL = "421 4.7.0 Too many connections; please try again later."


class Talks(Protocol):
    """Those who keep the connections that are open."""

    def begun(self, talk: "Talk") -> None:
        """Hear that one begins."""

    def ended(self, talk: "Talk") -> None:
        """Hear that one is over."""


class Talk(SMTP):
    """One connection."""

    # What aiosmtpd keeps of a line; a longer one comes in pieces.
    line_length_limit = _LONGEST_LINE
    command_size_limits: dict[str, int] = defaultdict(lambda: _LONGEST_COMMAND)  # noqa: RUF012 (as aiosmtpd has it)

    def __init__(self, answers: Answers, door: Door, talks: Talks, host: str) -> None:
        super().__init__(
            answers,
            data_size_limit=LARGEST,
            enable_SMTPUTF8=True,
            hostname=host,
            ident="ESMTP and LMTP",
            timeout=SILENT_SECONDS,
            command_call_limit=_MOST_COMMANDS,
            loop=asyncio.get_running_loop(),
        )
        self._answers = answers
        self._door = door
        self._talks = talks
        self._machine = ""
        self._let_in = False
        self._by_recipient = False
        self._storing = False
        self._in_a_mail = False
        self._stops = ""
        self._age: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let a connection in, if there is room."""
        self._machine = machine_of(transport.get_extra_info("peername"))
        self._let_in = self._door.enter(self._machine)
        self._talks.begun(self)
        self._age = self.loop.call_later(OLDEST_SECONDS, self._retire)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        """Make room for another."""
        if self._let_in:
            self._let_in = False
            self._door.leave(self._machine)
        if self._age is not None:
            self._age.cancel()
        self._talks.ended(self)
        super().connection_lost(error)

    def stop(self) -> None:
        """End it: at once, or after the answer to a mail that is being stored."""
        self._stops = _CLOSING
        if not self._storing:
            self._hang_up(_CLOSING)

    def _retire(self) -> None:
        """End it for its age, after the mail it brings: nobody keeps a place by saying a little now and then."""
        self._stops = self._stops or _LONG_ENOUGH
        if not self._in_a_mail:
            self._hang_up(self._stops)

    def cut_off(self) -> None:
        """End it, whatever it is doing."""
        if self.transport is not None:
            cast(asyncio.Transport, self.transport).abort()

    async def _handle_client(self) -> None:
        if not self._let_in:
            self._hang_up(_FULL)
            return
        try:
            await super()._handle_client()
        except ConnectionError:  # They are gone.
            self.cut_off()

    async def push(self, status: AnyStr) -> None:
        """Answer; after a 421 the connection is over."""
        await super().push(status)
        if str(status).startswith("421") and self.transport is not None:
            self.transport.close()

    def _timeout_cb(self) -> None:
        self._hang_up(_TOO_SLOW)

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        found = _PATH.fullmatch(arg)
        return (found[1] or "<>", found[2]) if found else (None, None)

    async def smtp_HELO(self, hostname: str) -> None:  # noqa: N802 (as aiosmtpd calls it)
        """Begin to talk SMTP, as one did before 1995."""
        self._by_recipient = False
        await super().smtp_HELO(hostname)

    async def smtp_EHLO(self, hostname: str) -> None:  # noqa: N802 (as aiosmtpd calls it)
        """Begin to talk SMTP."""
        self._by_recipient = False
        await super().smtp_EHLO(hostname)

    @syntax("LHLO hostname")
    async def smtp_LHLO(self, hostname: str) -> None:  # noqa: N802 (as aiosmtpd calls it)
        """Begin to talk LMTP (RFC 2033), where each recipient of a mail is answered for."""
        await super().smtp_EHLO(hostname)
        self._by_recipient = True

    async def smtp_VRFY(self, arg: str) -> None:  # noqa: ARG002, N802 (as aiosmtpd calls it)
        """Tell nothing."""
        await self.push("252 2.5.2 Send it, and see.")

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 (as aiosmtpd calls it)
        """Take a mail."""
        if await self.check_helo_needed():
            return
        assert self.envelope is not None
        if arg or not self.envelope.rcpt_tos:
            await self.push("501 5.5.4 Syntax: DATA" if arg else "503 5.5.1 Name a recipient first.")
            return
        self._in_a_mail = True
        try:
            await self._take_a_mail(self.envelope)
        finally:
            self._in_a_mail = self._storing = False
        self._set_post_data_state()  # type: ignore[no-untyped-call]  # aiosmtpd has no types there
        self._reset_timeout()
        if self._stops:
            self._hang_up(self._stops)

    async def _take_a_mail(self, envelope: Envelope) -> None:
        await self.push("354 End it with a dot on a line of its own.")
        self._reset_timeout(MESSAGE_SECONDS)
        raw = await self._read()
        self._reset_timeout(MESSAGE_SECONDS)
        self._storing = True
        for answer in await self._answered(envelope, raw):
            await self.push(answer)

    async def _answered(self, envelope: Envelope, raw: bytes | None) -> list[str]:
        count = len(envelope.rcpt_tos)
        answers = [_TOO_LARGE] * count if raw is None else await self._answers.take(envelope, raw)
        # One answer for all: tried again where one of them must be, refused where none could be taken.
        return answers if self._by_recipient else [min(answers, key=_AGAIN_FIRST.index)]

    async def _read(self) -> bytes | None:
        """Read a mail to its end; give its beginning, None where it is too large."""
        kept, size, begins = bytearray(), 0, True
        while True:
            try:
                line = await self._reader.readuntil(b"\r\n")
            except asyncio.LimitOverrunError as more:
                line = await self._reader.read(more.consumed)
            if begins and line == b".\r\n":
                return None if size > LARGEST else bytes(kept)
            size += len(line)
            if len(kept) < READ:
                kept += line[1:] if begins and line.startswith(b".") else line
            begins = line.endswith(b"\r\n")

    def _hang_up(self, last_words: str) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self._writer.write(f"{last_words}\r\n".encode("ascii"))
            self.transport.close()
            # One that does not listen never hears the end.
            self.loop.call_later(_LAST_WORDS_SECONDS, self.cut_off)


_AGAIN_FIRST = (AGAIN, STORED, NO_COMPLAINT, _TOO_LARGE)
