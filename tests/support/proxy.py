"""A wire that can be cut: a TCP proxy on loopback, in a thread of its own."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial

from tests.support.loopback import LoopbackServer


class Proxy(LoopbackServer):
    """Hands on to 127.0.0.1:`target` what comes to `port`. Use it as a context manager."""

    def __init__(self, target: int) -> None:
        super().__init__("proxy")
        self._target = target
        self._whole = True
        self._fatal: bytes | None = None
        self._wires: set[asyncio.StreamWriter] = set()

    def cut(self) -> None:
        """End every connection at once, and let no new one come about, until `mend`."""
        self._let(self._cut)

    def cut_answer(self, question: bytes) -> None:
        """Do the same as soon as something with these bytes in it is answered, and let nobody hear the answer."""
        self._let(partial(setattr, self, "_fatal", question))

    @property
    def whole(self) -> bool:
        """Say whether nothing is cut."""
        return self._whole

    def mend(self) -> None:
        """Let new connections come about again."""
        self._let(partial(setattr, self, "_whole", True))

    def _let(self, work: Callable[[], None]) -> None:
        """Do it in the thread of the proxy, and wait until it is done: what is asked next must find it so."""

        async def done() -> None:
            work()

        asyncio.run_coroutine_threadsafe(done(), self._loop).result(10)

    def _close(self) -> None:
        self._cut()

    def _cut(self) -> None:
        self._whole = False
        for wire in self._wires:
            wire.transport.abort()

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._whole:
            writer.transport.abort()
            return
        there, back = await asyncio.open_connection("127.0.0.1", self._target)
        if not self.whole:  # It was cut meanwhile.
            writer.transport.abort()
            back.transport.abort()
            return
        self._wires |= {writer, back}
        wire = _Wire()
        try:
            await asyncio.gather(self._ask(wire, reader, back), self._answer(wire, there, writer))
        finally:
            self._wires -= {writer, back}
            writer.close()
            back.close()

    async def _ask(self, wire: "_Wire", reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async for data in _read(reader, writer):
            wire.doomed = self._fatal is not None and self._fatal in data
            writer.write(data)

    async def _answer(self, wire: "_Wire", reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async for data in _read(reader, writer):
            if wire.doomed:
                self._fatal = None
                self._cut()
                return
            writer.write(data)


@dataclass
class _Wire:
    doomed: bool = False


async def _read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> AsyncIterator[bytes]:
    """Give what comes, as long as the other side takes it; then hang up there, too."""
    try:
        while data := await reader.read(2**16):
            yield data
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()
