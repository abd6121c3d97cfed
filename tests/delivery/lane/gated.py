"""A relay that keeps mail waiting until it is told to go on, and a sender whose windows can be seen meanwhile."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from newsletter.delivery.lane.sending import Sender
from newsletter.delivery.lane.window import Held, Window
from newsletter.installation import Installation
from tests.delivery.cast import worker
from tests.support.peer import SmtpPeer
from tests.support.waiting import eventually_async


class GatedPeer(SmtpPeer):
    """Takes no content until `open` is called. Counts how many mails to each domain were on their way at once."""

    def __init__(self) -> None:
        super().__init__()
        self.at_once: Counter[str] = Counter()
        self.most_at_once: Counter[str] = Counter()
        self._gate = asyncio.Event()
        self._held = ""

    def hold(self, domain: str = "") -> None:
        """Let only mail to this domain wait."""
        self._held = domain

    def open(self) -> None:
        """Take everything from now on."""
        self._loop.call_soon_threadsafe(self._gate.set)

    async def holds(self, count: int) -> None:
        """Wait until so many mails wait for `open`."""

        async def held() -> bool:
            return self.at_once.total() == count

        await eventually_async(held, what=f"{count} on their way")

    @property
    def asked_for(self) -> set[str]:
        """Give for whom it was asked to take mail."""
        return {line.partition("<")[2].rstrip(">") for line in self.commands if line.startswith("RCPT")}

    async def _take(self, talk: Any) -> None:
        domain = talk.recipients[0].partition("@")[2]
        self.at_once[domain] += 1
        self.most_at_once[domain] = max(self.most_at_once[domain], self.at_once[domain])
        try:
            if domain.endswith(self._held):
                await self._gate.wait()
            await super()._take(talk)
        finally:
            self.at_once[domain] -= 1


class WatchedSender(Sender):
    """Shows the window that is on its way, and how large those were that it sent."""

    window: Window | None = None
    sizes: tuple[int, ...] = ()

    async def _send_window(self, edition: Any, held: Held, line: Any) -> Any:
        self.sizes += (len(held.recipients),)
        return await super()._send_window(edition, held, line)

    async def _look_after(self, window: Window, held: Held, line: Any) -> None:
        self.window = window
        await super()._look_after(window, held, line)

    async def waits_for(self, count: int) -> None:
        """Wait until so many of the window have not been begun and may still be."""

        async def waiting() -> bool:
            return self.window is not None and len(self.window.waiting) == count

        await eventually_async(waiting, what=f"only {count} waiting")


@asynccontextmanager
async def stuck_worker(
    installation: Installation, peer: GatedPeer, window: int, begun: int, mailing_id: str
) -> AsyncIterator[tuple[WatchedSender, "asyncio.Task[None]"]]:
    """Give a worker's sender in the middle of a window, of which the relay has begun to take only so many."""
    async with worker(installation, peer, window, kind=WatchedSender) as sender, AsyncExitStack() as letters:
        assert isinstance(sender, WatchedSender)
        connections = sender._lines.pick("books@example.com").connections
        for _ in range(window - begun):
            await letters.enter_async_context(connections.borrow())
        working = asyncio.create_task(sender.work_on(mailing_id))
        await sender.waits_for(window - begun)
        await peer.holds(begun)
        yield sender, working
        peer.open()
        await letters.aclose()
        await working
