"""A connection to the web server, with an end to every wait: uvicorn itself waits only between two requests.

A stranger who sends half a head, half a body or nothing, or reads no answer, holds a descriptor and memory. So a head
must be there in time, however it trickles; a body may take as long as it needs, as long as it keeps coming; an answer
likewise, as long as it is read. Whoever finds no room is told to come again, and let go.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import ClassVar, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from newsletter.serving.room import Room, network_of

_LARGEST_HEAD = 64 * 1024


@dataclass(frozen=True, slots=True)
class Patience:
    """How long is waited, in seconds: for a head; for each further piece of a body, `least` octets; until anything of
    an answer is read (the system's own buffers may hold megabytes of it); for a request after an answer; and for
    whoever was told the last word.
    """

    head: float = 10.0
    piece: float = 20.0
    least: int = 4096
    reading: float = 60.0
    idle: float = 15.0
    last_word: float = 2.0


def timed(room: Room, patience: Patience | None = None) -> type[HttpToolsProtocol]:
    """Give the protocol for a server whose connections share a room."""
    return type("Timed", (_Timed,), {"room": room, "patience": patience or Patience()})


class _Timed(HttpToolsProtocol):
    """A connection, and what is waited for in it."""

    room: ClassVar[Room]
    patience: ClassVar[Patience]
    _network: str | None = None
    _refused = False
    _timer: asyncio.TimerHandle | None = None
    _reader_timer: asyncio.TimerHandle | None = None
    _in_head = False
    _in_body = False
    _head = 0
    _came = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Let a connection in, if there is room, and wait for its first request."""
        peer = transport.get_extra_info("peername")
        network = network_of(peer[0] if isinstance(peer, tuple) else None)
        if not self.room.enter(network):
            self._refused = True
            self.transport = transport
            self._part(503, "Too many connections; please try again in a moment.")
            return
        self._network = network
        super().connection_made(transport)
        self._begin_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Make room for another."""
        self._await_nothing()
        if self._reader_timer is not None:
            self._reader_timer.cancel()
        if self._network is not None:
            self.room.leave(self._network)
            self._network = None
            super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what comes; the clock of a head begins with its first octet."""
        if self._refused or self.transport.is_closing():
            return
        self._came += len(data)
        if not self._in_head and not self._in_body and not self._is_answering():
            self._begin_head()
        if self._in_head:
            self._head += len(data)
        super().data_received(data)
        if self._in_head and self._head > _LARGEST_HEAD:
            self._part(431, "The head of the request is too large.")

    def on_headers_complete(self) -> None:
        """A head is whole: the body may follow."""
        self._in_head, self._in_body, self._came = False, True, 0
        self._await(self.patience.piece, self._look_at_the_body)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """A request is whole: now it is we who work."""
        self._in_head = self._in_body = False
        if self.cycle.response_complete:
            self._await(self.patience.idle, self._cut_off)
        else:
            self._await_nothing()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """An answer is given: what is left of its request gets no more time, and nobody keeps the connection without
        reading it.
        """
        super().on_response_complete()
        if not self.pipeline:
            self._await(self.patience.idle, self._cut_off)

    def pause_writing(self) -> None:
        """Somebody does not read what we answer: look again whether they do."""
        super().pause_writing()
        left = self.transport.get_write_buffer_size()
        self._reader_timer = self.loop.call_later(self.patience.reading, self._look_at_the_reader, left)

    def resume_writing(self) -> None:
        """They have read."""
        super().resume_writing()
        if self._reader_timer is not None:
            self._reader_timer.cancel()

    def _begin_head(self) -> None:
        self._in_head, self._head = True, 0
        self._await(self.patience.head, self._too_slow)

    def _look_at_the_body(self) -> None:
        # Where it is we who do not take it, nobody is slow.
        if self._came < self.patience.least and not self.flow.read_paused:
            self._too_slow()
            return
        self._came = 0
        self._await(self.patience.piece, self._look_at_the_body)

    def _look_at_the_reader(self, before: int) -> None:
        left = self.transport.get_write_buffer_size()
        if left >= before:
            self._cut_off()
            return
        self._reader_timer = self.loop.call_later(self.patience.reading, self._look_at_the_reader, left)

    def _await(self, seconds: float, then: Callable[[], None]) -> None:
        self._await_nothing()
        self._timer = self.loop.call_later(seconds, then)

    def _await_nothing(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _is_answering(self) -> bool:
        cycle = cast("RequestResponseCycle | None", self.cycle)
        return cycle is not None and not cycle.response_complete

    def _too_slow(self) -> None:
        self._part(408, "The request took too long.")

    def _part(self, status: int, sentence: str) -> None:
        """Say the last word, where nothing else was said, and end the connection."""
        if self._refused or not self._is_answering() or not self.cycle.response_started:
            self.transport.write(
                f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\ncontent-type: text/plain; charset=utf-8\r\n"
                f"content-length: {len(sentence)}\r\nconnection: close\r\nretry-after: 5\r\n\r\n{sentence}".encode()
            )
        self.transport.close()
        # One that does not listen never hears the end.
        self._await(self.patience.last_word, self._cut_off)

    def _cut_off(self) -> None:
        self.transport.abort()
