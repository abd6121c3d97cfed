"""A worker's dealings with the paces that all workers share: asked in the transaction that marks a window.

Where nothing is limited and nobody has been slowed down, which is most of the time, nothing is asked for a second.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import func, select

from newsletter.database import Session
from newsletter.delivery import ledger
from newsletter.delivery.lane.window import Held, Tried
from newsletter.delivery.ledger import Recipient
from newsletter.delivery.pace import actions as paces
from newsletter.delivery.pace.actions import Business, Grant
from newsletter.delivery.pace.limits import Limits
from newsletter.delivery.pace.rules import by_domain
from newsletter.delivery.pace.slowing import Tally, tally
from newsletter.hearts import Heartbeat, is_alive
from newsletter.installation import Installation
from newsletter.mail.outcome import OutcomeKind, sender_failed
from newsletter.mail.wire.relays import domain_of

_QUIET_SECONDS = 1.0
# Below that no reply is slow, whatever the others do.
_SLOW_SECONDS = 1.0


class Pacer:
    """The paces, as one worker sees them."""

    def __init__(self, installation: Installation) -> None:
        limits = Limits.of(installation.settings)
        self._installation = installation
        self._limited = limits.any
        self._quiet_until = 0.0

    async def turn(
        self,
        session: Session,
        sender: str,
        held: Held | None,
        tried: Sequence[Tried],
        candidates: Sequence[Recipient],
    ) -> Grant | None:
        """Settle a window that is over, and say how many of the next one's candidates may be mailed; None: all of them.

        To be called last in the transaction: what it locks is every worker's.
        """
        time = self._installation.clock.monotonic
        tallies = _tallies(held, tried) if held else {}
        unused = self._unused(held, tried) if held else {}
        if not (self._limited or tallies or unused) and time() < self._quiet_until:
            return None
        business = Business(by_domain(each.email for each in candidates), tallies, unused, held.took if held else 0.0)
        grant = await paces.turn(session, self._installation, domain_of(sender), business, await ledger.now(session))
        if not (self._limited or grant.levels or tallies):
            self._quiet_until = time() + _QUIET_SECONDS
        return grant

    async def caps(self, session: Session, grant: Grant | None, connections: int) -> dict[str, int]:
        """Give how many of this worker's connections some domains may hold at once."""
        if grant is None or not (self._limited or grant.levels):
            return {}
        workers = (await session.execute(select(func.count()).select_from(Heartbeat).where(is_alive()))).scalar_one()
        return paces.caps(self._installation.settings, grant, connections, workers)

    def _unused(self, held: Held, tried: Sequence[Tried]) -> Mapping[str, int]:
        if not self._limited:
            return {}
        done = {recipient.number for recipient, outcome in tried if not sender_failed(outcome)}
        return by_domain(each.email for each in held.recipients if each.number not in done)


def _tallies(held: Held, tried: Sequence[Tried]) -> dict[str, Tally]:
    """Count by domain, where there is anything that could be trouble."""
    if not any(outcome.kind is not OutcomeKind.DELIVERED for _, outcome in tried) and held.took < _SLOW_SECONDS:
        return {}
    return tally(
        (domain_of(recipient.email), outcome, held.seconds.get(recipient.number, 0.0)) for recipient, outcome in tried
    )
