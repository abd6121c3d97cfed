"""A wire that can be cut: a TCP proxy on loopback, in a thread of its own."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Self


class Proxy:
    """Hands on to 127.0.0.1:`target` what comes to `port`. Use it as a context manager."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._whole = True
        self._fatal: bytes | None = None
        self._wires: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._port: Future[int] = Future()
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._port.result(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        self._loop.close()

    @property
    def port(self) -> int:
        """Give the port it listens on, on 127.0.0.1."""
        return self._port.result(0)

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

    def _run(self) -> None:
        self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self._port.set_result(server.sockets[0].getsockname()[1])
        await self._stop.wait()
        server.close()
        self._cut()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _cut(self) -> None:
        self._whole = False
        for wire in self._wires:
            wire.transport.abort()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
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
