"""The lines to all relays: which one takes whose mail, and who stands in for a relay that can't be used.

A sender has its relays in order of preference (`relays.py`). One that failed rests for a while, and the next one takes
its mail; after the rest it is tried again by one window or letter, while the others keep to the stand-in.
"""

import asyncio
from collections.abc import Callable

from newsletter.mail.dkim.signing import Signer
from newsletter.mail.outcome import Envelope, Outcome, OutcomeKind, Stage
from newsletter.mail.wire.line import Line
from newsletter.mail.wire.relays import Choice, Relay, Routes, Standing
from newsletter.mail.wire.smtp import Connections


class Lines:
    """The lines of one process. `limit` is how many connections a relay gets that says nothing else."""

    def __init__(self, routes: Routes, limit: int, local_hostname: str, signer: Signer | None = None) -> None:
        self.signer = signer
        self._routes = routes
        self._lines = {
            relay: Line(Connections(relay, relay.connections or limit, local_hostname)) for relay in routes.all
        }
        self._standings: dict[Relay, Standing] = {}

    def first(self, sender: str) -> Line:
        """Give the line that mail from this address prefers."""
        return self._lines[self._routes.route(sender)[0]]

    def pick(self, sender: str) -> Line:
        """Give the line that mail from this address takes now; where all relays rest, that of the first to end it."""
        now = asyncio.get_running_loop().time()
        route = self._routes.route(sender)
        relay = Choice.pick(route, self._standings, now).relay
        if relay is None:
            relay = min(route, key=lambda each: self._standings[each].rests_until)
        # So that it is the next one's turn where it fails again, also while all rest.
        if relay in self._standings:
            self._standings[relay] = self._standings[relay].tried(now)
        return self._lines[relay]

    def stands_in(self, sender: str) -> bool:
        """Say whether there is a relay for mail from this address that does not rest."""
        now = asyncio.get_running_loop().time()
        return Choice.pick(self._routes.route(sender), self._standings, now).relay is not None

    def note(self, line: Line, *, usable: bool) -> None:
        """Remember how a relay has done."""
        relay = line.connections.relay
        if usable:
            self._standings.pop(relay, None)
        else:
            now = asyncio.get_running_loop().time()
            self._standings[relay] = self._standings.get(relay, Standing()).failed(now)

    async def send(
        self, envelope: Envelope, content: bytes, begun: Callable[[], object] = lambda: None, *, sender: str = ""
    ) -> Outcome:
        """Sign one mail, send it, and give what became of it: over the first relay that can be used.

        The relays are those of `sender`, where the envelope's is a return address.

        Raises UnsignableMail for what is no mail.
        """
        if self.signer is not None:
            content = (await self.signer.sign([content]))[0] + content
        outcome = Outcome(OutcomeKind.NOT_ATTEMPTED, Stage.CONNECT)
        for _ in self._routes.route(sender or envelope.sender):
            line = self.pick(sender or envelope.sender)
            outcome = await line.connections.send(envelope, content, begun)
            unusable = outcome.kind is OutcomeKind.NOT_ATTEMPTED and outcome.stage is Stage.CONNECT
            self.note(line, usable=not unusable)
            if not unusable:
                break
        return outcome

    async def cut_off(self) -> None:
        """Drop the connections that are carrying; each mail on its way is done at once."""
        await asyncio.gather(*(line.cut_off() for line in self._lines.values()))

    async def close(self) -> None:
        """Say goodbye on every connection."""
        await asyncio.gather(*(line.connections.close() for line in self._lines.values()))
        if self.signer is not None:
            self.signer.close()
