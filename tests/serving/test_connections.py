"""Nobody holds a connection to the web server by silence, half a request or reading nothing. Over real sockets."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn

from newsletter.serving.connections import Patience, timed
from newsletter.serving.room import Room

HASTY = Patience(head=0.3, piece=0.3, least=1000, reading=2.0, idle=0.3, last_word=0.3)
PATIENT = Patience(head=3600, piece=3600, idle=3600)
ONE = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
MUCH = 32 * 1024 * 1024
Asgi = Callable[[Any, Any, Any], Awaitable[None]]


async def polite(scope: Any, receive: Any, send: Any) -> None:
    """Read the whole body, and say how long it was."""
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size, more = size + len(message.get("body", b"")), message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": f"{size} octets".encode()})


async def hurried(scope: Any, receive: Any, send: Any) -> None:
    """Answer before the body was read."""
    await send({"type": "http.response.start", "status": 404, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


async def talkative(scope: Any, receive: Any, send: Any) -> None:
    """Answer at length."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(MUCH // 65536):
        await send({"type": "http.response.body", "body": bytes(65536), "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(60):
        while not holds():  # noqa: ASYNC110 (what is waited for knows nothing of us)
            await asyncio.sleep(0.01)


class Served:
    """A server, and who is in."""

    def __init__(self, room: Room, port: int) -> None:
        self.room, self.port = room, port

    @asynccontextmanager
    async def connected(self, *, small: bool = False) -> AsyncIterator["Client"]:
        limit = 1024 if small else 2**16
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=limit)
        try:
            yield Client(reader, writer)
        finally:
            writer.transport.abort()

    async def empties(self) -> None:
        """Wait until nobody is in."""
        await until(lambda: not self.room._inside)


class Client:
    """A stranger."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, content: bytes) -> None:
        self.writer.write(content)
        await self.writer.drain()

    async def all(self) -> bytes:
        """Give what is said until the end of the connection."""
        async with asyncio.timeout(60):
            heard = bytearray()
            try:
                while part := await self.reader.read(65536):
                    heard += part
            except ConnectionError:
                pass
            return bytes(heard)

    async def answer(self) -> bytes:
        """Give an answer without a body of its own, up to its end."""
        async with asyncio.timeout(60):
            return await self.reader.readuntil(b"\r\n\r\n")


@asynccontextmanager
async def serving(app: Asgi = polite, patience: Patience = HASTY, most: int = 100) -> AsyncIterator[Served]:
    room = Room(most, 10**6)
    config = uvicorn.Config(
        app,
        port=0,
        log_config=None,
        lifespan="off",
        http=timed(room, patience),
        ws="none",
        timeout_keep_alive=3600,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    running = asyncio.create_task(server._serve())
    try:
        await until(lambda: server.started)
        yield Served(room, server.servers[0].sockets[0].getsockname()[1])
    finally:
        server.should_exit = True
        await running


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"GET",
        b"GET / HTTP/1.1\r\nhost: x\r\n",
        b"\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nhalf",
        b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n5\r\nha",
    ],
)
async def test_a_request_that_does_not_come_is_waited_for_no_longer(said: bytes) -> None:
    async with serving() as served, served.connected() as stranger:
        await stranger.send(said)
        assert (await stranger.all()).startswith(b"HTTP/1.1 408 ")
        await served.empties()


async def test_a_head_that_trickles_is_no_better() -> None:
    async with serving() as served, served.connected() as stranger:
        heard = asyncio.create_task(stranger.all())
        await stranger.send(b"GET / HTTP/1.1\r\nx-more: ")
        while not heard.done():
            stranger.writer.write(b"x")
            await asyncio.sleep(0.01)
        assert (await heard).startswith(b"HTTP/1.1 408 ")


async def test_between_requests_blank_lines_buy_no_time() -> None:
    async with serving() as served, served.connected() as stranger:
        await stranger.send(ONE)
        heard = asyncio.create_task(stranger.all())
        while not heard.done():
            stranger.writer.write(b"\r\n")
            await asyncio.sleep(0.01)
        assert (await heard).count(b"HTTP/1.1 ") == 2
        await served.empties()


async def test_who_says_nothing_more_after_an_answer_is_let_go() -> None:
    """Whatever uvicorn itself would wait: with 3600 seconds here."""
    async with serving() as served, served.connected() as stranger:
        await stranger.send(ONE)
        assert (await stranger.all()).startswith(b"HTTP/1.1 200 ")
        await served.empties()


async def test_a_body_takes_as_long_as_it_needs_as_long_as_it_comes() -> None:
    """For many times as long as a piece may take."""
    piece = bytes(HASTY.least * 2)
    async with serving() as served, served.connected() as uploading:
        loop, count = asyncio.get_running_loop(), 0
        await uploading.send(b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n")
        end = loop.time() + 5 * HASTY.piece
        while loop.time() < end:
            await uploading.send(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            await asyncio.sleep(HASTY.piece / 20)
            count += 1
        await uploading.send(b"0\r\n\r\n")
        heard = await uploading.all()
        assert heard.startswith(b"HTTP/1.1 200 ")
        assert f"{count * len(piece)} octets".encode() in heard


async def test_a_body_that_trickles_is_given_up() -> None:
    async with serving() as served, served.connected() as stranger:
        heard = asyncio.create_task(stranger.all())
        await stranger.send(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n")
        while not heard.done():
            stranger.writer.write(b"x")
            await asyncio.sleep(0.01)
        assert (await heard).startswith(b"HTTP/1.1 408 ")


async def test_nor_does_half_a_body_that_was_answered_hold_anything() -> None:
    async with serving(hurried) as served, served.connected() as stranger:
        await stranger.send(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\nhalf")
        assert (await stranger.answer()).startswith(b"HTTP/1.1 404 ")
        await served.empties()


async def test_nor_does_whoever_sends_the_rest_of_it_and_then_nothing() -> None:
    async with serving(hurried) as served, served.connected() as stranger:
        await stranger.send(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\n")
        assert (await stranger.answer()).startswith(b"HTTP/1.1 404 ")
        await stranger.send(b"rest")
        await served.empties()


async def test_who_reads_nothing_is_let_go() -> None:
    async with serving(talkative) as served, served.connected(small=True) as stranger:
        await stranger.send(ONE)
        await served.empties()


async def test_who_reads_on_gets_everything() -> None:
    async with serving(talkative) as served, served.connected() as reader:
        await reader.send(ONE.replace(b"host", b"connection: close\r\nhost"))
        assert len(await reader.all()) > MUCH


async def test_a_head_has_a_size() -> None:
    async with serving(patience=PATIENT) as served, served.connected() as stranger:
        await stranger.send(b"GET / HTTP/1.1\r\n")
        heard = asyncio.create_task(stranger.all())
        while not heard.done():
            stranger.writer.write(b"x" * 10_000)
            await asyncio.sleep(0)
        assert (await heard).startswith((b"HTTP/1.1 431 ", b"HTTP/1.1 400 "))


async def test_requests_in_a_row_and_in_a_line_are_answered() -> None:
    async with serving() as served, served.connected() as browser:
        await browser.send(ONE * 5)
        for _ in range(5):
            assert (await browser.answer()).startswith(b"HTTP/1.1 200 ")
            await browser.reader.readuntil(b"0\r\n\r\n")
        await browser.send(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\nbody" + ONE)
        assert b"4 octets" in await browser.all()


async def test_with_no_room_left_one_is_told_to_come_again() -> None:
    async with serving(patience=PATIENT, most=4) as served:
        async with served.connected() as first, served.connected() as second:
            await first.send(b"GET")
            await second.send(b"GET")
            await until(lambda: served.room._inside.total() == 2)
            async with served.connected() as third:
                heard = await third.all()
                assert heard.startswith(b"HTTP/1.1 503 ")
                assert b"retry-after: " in heard
        await served.empties()
        async with served.connected() as later:
            await later.send(ONE)
            assert (await later.answer()).startswith(b"HTTP/1.1 200 ")
