"""The door of a web process: it asks the network of each request that would cause mail, and lets in what may come.

What was let in is counted in the database, in the transaction of what it asks for, so that all processes count as one
and none forgets. That a bucket is full is remembered here too, for as long as it stays so: a flood that is held back
costs neither a transaction nor a look into the form.
"""

import math
from collections.abc import Sequence

from newsletter.clock import Clock
from newsletter.database import Session
from newsletter.errors import TooMany
from newsletter.installation import Installation
from newsletter.limits import actions, buckets
from newsletter.limits.actions import Kind
from newsletter.limits.rules import Rate
from newsletter.limits.tagging import current
from newsletter.logs import get_logger
from newsletter.tokens import keyed, new_salt
from newsletter.web import WebRequest, networks, visitor
from newsletter.web.networks import Networks

TOO_MANY = "A lot was asked for from your network just now. Please wait a little, and try again."
_MOST_REMEMBERED = 10_000
_log = get_logger(__name__)


class Door:
    """The door of this process; `write` is to be called now and then."""

    def __init__(self, installation: Installation) -> None:
        settings = installation.settings
        self._installation = installation
        self._open = settings.rate_limits == "off"
        self._trusted = settings.proxies
        self._rates = Rate(settings.limit_network), Rate(settings.limit_network_wide)
        self._closed = _Closed(installation.clock)
        self._refused = 0
        self._warned = False

    def come_in(self, request: WebRequest) -> Networks | None:
        """Give the networks of a request, to be counted with what it asks for; None where no limit holds.

        Raises TooMany where one of them is known to be at its limit.
        """
        if self._open:
            return None
        found = networks.networks_of(self._client(request))
        if wait := max(self._closed.seconds(found.narrow), self._closed.seconds(found.wide)):
            raise self._refuse(wait)
        return found

    async def admit(self, session: Session, comers: Sequence[Networks | None]) -> list[TooMany | None]:
        """Count those that come, each in its turn; give for each why it may not come in, None where it may."""
        names = {name for each in comers if each for name in (each.narrow, each.wide)}
        if not names:
            return [None] * len(comers)
        tags = await current(session, self._installation)
        held = await buckets.take(session, tags, [("network", name) for name in sorted(names)])
        now = self._installation.clock.now().timestamp()
        refused = [self._count(each, held, now) if each else None for each in comers]
        await buckets.write(session, list(held.values()))
        return refused

    async def enter(self, session: Session, comer: Networks | None) -> None:
        """Count one that comes. Raises TooMany."""
        (refused,) = await self.admit(session, [comer])
        if refused:
            raise refused

    def _count(self, comer: Networks, held: dict[buckets.Named, buckets.Bucket], now: float) -> TooMany | None:
        asked = [
            (name, held["network", name], rate)
            for name, rate in zip((comer.narrow, comer.wide), self._rates, strict=True)
        ]
        for name, bucket, rate in asked:
            if (opens := rate.opens(bucket.until, now)) > now:
                self._closed.remember(name, opens - now)
                return self._refuse(opens - now)
        for _, bucket, rate in asked:
            bucket.until = rate.since(bucket.until, now) + rate.step
        return None

    def _refuse(self, seconds: float) -> TooMany:
        self._refused += 1
        return TooMany(TOO_MANY, max(1, math.ceil(seconds)))

    async def write(self) -> None:
        """Write down how often something was held back here."""
        refused, self._refused = self._refused, 0
        if refused:
            async with self._installation.database.write(quietly=True) as session:
                await actions.count(session, self._installation, {Kind.NETWORK: refused})

    def _client(self, request: WebRequest) -> networks.IP | None:
        found = visitor.address_of(request, self._trusted)
        told = any(visitor.told_by(request))
        if told and not self._warned and found is not None and found == networks.read_address(visitor.peer_of(request)):
            self._warn(found)
        return found

    def _warn(self, peer: networks.IP) -> None:
        """Say once where a web server in front seems to be, and isn't believed: all its readers count as one."""
        if not networks.is_trusted(peer, self._trusted) and (peer.is_private or peer.is_loopback):
            self._warned = True
            _log.warning("proxy_not_trusted", set="NEWSLETTER_TRUSTED_PROXIES", why="all readers count as one network")


def door_of(request: WebRequest) -> Door:
    """Give the door of this app."""
    door = request.app.state.door
    assert isinstance(door, Door)
    return door


class _Closed:
    """The networks that are at their limit, and until when by a clock that only grows; under a key of this process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._key = new_salt()
        self._until: dict[bytes, float] = {}

    def seconds(self, name: str) -> float:
        """Give for how long a network must wait yet."""
        until = self._until.get(keyed(self._key, name.encode())) if self._until else None
        return max(0.0, until - self._clock.monotonic()) if until else 0.0

    def remember(self, name: str, seconds: float) -> None:
        """Remember that a network must wait for so long."""
        now = self._clock.monotonic()
        if len(self._until) >= _MOST_REMEMBERED:
            self._until = {key: until for key, until in self._until.items() if until > now}
        if len(self._until) < _MOST_REMEMBERED:
            self._until[keyed(self._key, name.encode())] = now + seconds
