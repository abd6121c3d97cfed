"""A listener that runs, and a mail server that talks to it, line by line."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

from sqlmodel import select

from newsletter.bounces.listener.running import Listener
from newsletter.bounces.reports.tables import Received
from newsletter.installation import Installation
from tests.support.ports import free_port

GREETING = "EHLO relay.example.com"


@asynccontextmanager
async def listening(
    installation: Installation, port: int = 0, worker: str = "worker-0"
) -> AsyncIterator[tuple[Listener, int]]:
    """Give the listener of a worker and its port; in the end it is stopped."""
    port = port or free_port()
    listener = Listener(at_port(installation, port), worker)
    await listener.keep()
    try:
        yield listener, port
    finally:
        await listener.stop()


def at_port(installation: Installation, port: int) -> Installation:
    """Give the same installation, set to listen there."""
    settings = installation.settings.model_copy(update={"inbound_listen": f"127.0.0.1:{port}"})
    return dataclasses.replace(installation, settings=settings)


class MailServer:
    """The other end of a connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def say(self, *lines: str) -> str:
        """Say something; give the answer to it."""
        await self.send("".join(f"{line}\r\n" for line in lines).encode())
        return await self.hear()

    async def send(self, raw: bytes) -> None:
        self._writer.write(raw)
        await self._writer.drain()

    async def hear(self) -> str:
        """Give what is said next, "" where the connection has ended."""
        heard = ""
        while line := (await self._reader.readline()).decode():
            heard += line
            if line[3:4] != "-":
                break
        return heard.strip()

    async def hand_over(self, raw: bytes, *recipients: str, sender: str = "") -> list[str]:
        """Hand a mail over; give what was said of each recipient, or else of the mail."""
        assert (await self.say(f"MAIL FROM:<{sender}>")).startswith("250")
        said = [await self.say(f"RCPT TO:<{recipient}>") for recipient in recipients]
        taken = [one for one in said if one.startswith("250")]
        if not taken:
            await self.say("RSET")
            return said
        assert (await self.say("DATA")).startswith("354")
        return [await self.content(raw)]

    async def content(self, raw: bytes) -> str:
        """Send a mail as it goes over the wire; give the answer."""
        lines = raw.replace(b"\r\n", b"\n").split(b"\n")
        dotted = [b"." + line if line.startswith(b".") else line for line in lines]
        await self.send(b"\r\n".join(dotted).removesuffix(b"\r\n") + b"\r\n.\r\n")
        return await self.hear()


@asynccontextmanager
async def connected(port: int, greeting: str = GREETING) -> AsyncIterator[MailServer]:
    """Give a mail server that was greeted, and has greeted; with no greeting, one that only connects."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    server = MailServer(reader, writer)
    try:
        if greeting:
            assert (await server.hear()).startswith("220")
            assert (await server.say(greeting)).startswith("250")
        yield server
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def hands_over(port: int, raw: bytes, *recipients: str, sender: str = "") -> list[str]:
    """Hand a mail over on a connection of its own."""
    async with connected(port) as server:
        return await server.hand_over(raw, *recipients, sender=sender)


def codes(said: Sequence[str]) -> list[str]:
    """Give the codes of what was said."""
    return [each[:9] for each in said]


async def counted(installation: Installation) -> dict[str, int]:
    """Give how much was counted, by what was done with it."""
    async with installation.database.read() as session:
        return {each.taken: each.count for each in (await session.exec(select(Received))).all()}
