"""The line to a relay: everything that is to be sent in large numbers goes over its connections in one stream.

Several loads may be on the line at once, so that it never runs dry while one of them waits for the database. A carrier
is one connection's errand: it takes mail after mail, from whichever load has some, until there is none. Letters don't
wait for a stream: a carrier gives its connection up as soon as one asks for it.
"""

import asyncio
from typing import Protocol

from newsletter.mail.outcome import Outcome
from newsletter.mail.wire.conversation import Mail
from newsletter.mail.wire.meters import Meter, bucket
from newsletter.mail.wire.smtp import Connections

# How long the line contents itself with the connections that the relay took, before it asks for more again.
_CONTENT_SECONDS = 60.0
# How much of a relay's rate may leave at once.
_BUCKET_SECONDS = 0.2


class Load(Protocol):
    """What is to be sent. `over` is set when nothing of it waits or is on its way."""

    over: asyncio.Event

    @property
    def ready(self) -> int:
        """Give how many mails can be taken now."""

    def take(self) -> Mail | None:
        """Give the next mail; None where there is none for now."""

    def done(self, mail: Mail, outcome: Outcome) -> None:
        """Take note of what became of a mail that was taken."""

    def lose_relay(self, trouble: BaseException) -> None:
        """Stop, because the relay can't be used."""


class Line:
    """The connections to one relay, as a stream. `idle` counts its carriers that have nothing to carry."""

    def __init__(self, connections: Connections) -> None:
        self.connections = connections
        self.idle = 0
        self._loads: list[Load] = []
        self._carriers: dict[asyncio.Task[None], _Carrier] = {}
        self._most = connections.limit
        self._content_until = 0.0
        rate = connections.relay.rate
        self._bucket = bucket(rate, _BUCKET_SECONDS) if rate else None
        self._meter = Meter()
        self._timer: asyncio.TimerHandle | None = None

    async def carry(self, load: Load) -> None:
        """Send a load; come back when it is over."""
        self._loads.append(load)
        try:
            self.wake()
            await load.over.wait()
        finally:
            self._loads.remove(load)

    def wake(self) -> None:
        """Look for mail that can be taken, and have it carried."""
        loop = asyncio.get_running_loop()
        if loop.time() > self._content_until:
            self._most = self.connections.limit
        # However many carry: who waits behind a mail on its way to a slow relay waits long.
        while len(self._carriers) < self._most and self.spare():
            carrier = _Carrier(self)
            self.idle += 1
            self._carriers[loop.create_task(self._carry(carrier))] = carrier

    async def cut_off(self) -> None:
        """Drop the connections that are carrying; each mail on its way is done at once."""
        carriers = list(self._carriers)
        for carrier in carriers:
            carrier.cancel()
        await asyncio.gather(*carriers, return_exceptions=True)

    def _ready(self) -> int:
        ready = sum(load.ready for load in self._loads)
        return min(ready, self._left()) if ready and self._bucket else ready

    def _left(self) -> int:
        """Give how many mails the relay's rate leaves for now; where none, look again as soon as there is one."""
        assert self._bucket is not None
        loop = asyncio.get_running_loop()
        left = self._meter.left(self._bucket, loop.time())
        if not left and self._timer is None:
            self._timer = loop.call_later(1 / self._bucket.rate, self._look_again)
        return left

    def _look_again(self) -> None:
        self._timer = None
        self.wake()

    async def _carry(self, carrier: "_Carrier") -> None:
        trouble: BaseException | None = None
        try:
            while trouble is None and self._ready():
                async with self.connections.borrow() as connection:
                    trouble = await connection.stream(carrier.next, carrier.done)
        except Exception as error:
            trouble = error
        finally:
            del self._carriers[asyncio.current_task()]  # type: ignore[arg-type]  # whoever runs this is a task
            self.idle -= 1
            if trouble is not None:
                self._trouble(trouble)

    def _trouble(self, trouble: BaseException) -> None:
        """Content ourselves with the connections that work; where none does, the relay is lost."""
        if self._carriers:
            self._most = len(self._carriers)
            self._content_until = asyncio.get_running_loop().time() + _CONTENT_SECONDS
            return
        self._most = self.connections.limit
        for load in list(self._loads):
            load.lose_relay(trouble)

    def spare(self) -> bool:
        """Say whether there is more than those carriers will take that have nothing to carry."""
        return self._ready() > self.idle

    def take(self) -> tuple[Mail, Load] | None:
        """Give the next mail, of whichever load."""
        if self.connections.letters or (self._bucket and not self._left()):
            return None
        for load in self._loads:
            if (mail := load.take()) is not None:
                if self._bucket:
                    self._meter = self._meter.take(self._bucket, 1, asyncio.get_running_loop().time())
                return mail, load
        return None


class _Carrier:
    """One connection's errand. While a mail is on its way the next one is asked for, so that the groups never end."""

    def __init__(self, line: Line) -> None:
        self.carrying: dict[Mail, Load] = {}
        self._line = line

    def next(self) -> Mail | None:
        # The last ones are for those with nothing to do, or a slow relay would get them one after the other.
        if self.carrying and not self._line.spare():
            return None
        if (taken := self._line.take()) is None:
            return None
        mail, load = taken
        self._line.idle -= not self.carrying
        self.carrying[mail] = load
        return mail

    def done(self, mail: Mail, outcome: Outcome) -> None:
        load = self.carrying.pop(mail)
        self._line.idle += not self.carrying
        load.done(mail, outcome)
