"""What comes back in the demonstration: readers' mail hosts take an issue, and moments later some send a mail back.

It goes the way that it goes in life: from the null sender, by SMTP, to the listener of the worker. One that finds the
door shut is brought again a few times, and then let go: in a demonstration nothing hangs on it.
"""

import asyncio
from collections.abc import Sequence

import aiosmtplib

from newsletter.clock import Clock
from newsletter.demo.replies import HOST, Copy, reply_to
from newsletter.logs import get_logger
from newsletter.tokens import new_id

# Before each time it is brought, in seconds. The first is how long it takes a host to find out.
_PAUSES = (2.0, 2.0, 5.0, 15.0, 30.0)
_SMTP_SECONDS = 10
_log = get_logger(__name__)


class Hosts:
    """The mail hosts of the readers. They send back to a listener at that port of this machine."""

    def __init__(self, clock: Clock, port: int, pauses: Sequence[float] = _PAUSES) -> None:
        self._clock = clock
        self._port = port
        self._pauses = pauses
        self._bringing: set[asyncio.Task[None]] = set()

    def take(self, return_address: str, readers: Sequence[str], raw: bytes) -> None:
        """Take a mail, within a running event loop; what comes back for it is brought later."""
        for reader in readers:
            task = asyncio.create_task(self._answer(Copy(reader, return_address, raw, self._clock.now(), new_id())))
            self._bringing.add(task)
            task.add_done_callback(self._bringing.discard)

    async def stop(self) -> None:
        """Let go what has not been brought."""
        for task in (bringing := tuple(self._bringing)):
            task.cancel()
        await asyncio.gather(*bringing, return_exceptions=True)

    async def _answer(self, copy: Copy) -> None:
        if (reply := reply_to(copy)) is not None:
            await self._bring(reply, copy.return_address)

    async def _bring(self, reply: bytes, return_address: str) -> None:
        kind = ""
        for pause in self._pauses:
            await asyncio.sleep(pause)
            try:
                await self._hand_over(reply, return_address)
            except (aiosmtplib.SMTPException, OSError) as error:
                kind = type(error).__name__
            else:
                return
        _log.warning("demo_reply_dropped", kind=kind, tries=len(self._pauses))

    async def _hand_over(self, reply: bytes, return_address: str) -> None:
        listener = aiosmtplib.SMTP(
            hostname="127.0.0.1", port=self._port, local_hostname=HOST, timeout=_SMTP_SECONDS, start_tls=False
        )
        await listener.connect()
        try:
            await listener.sendmail("", [return_address], reply)
            await listener.quit()
        finally:
            listener.close()
