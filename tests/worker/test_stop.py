"""A stop signal ends the program with 0 within ten seconds, whatever the relay is doing (DESIGN §5)."""

import asyncio
from collections import Counter
from dataclasses import replace

from newsletter.clock import SystemClock
from newsletter.delivery.tables import Mailing, MailingState
from newsletter.installation import Installation
from newsletter.worker import Worker
from newsletter.worker.names import is_alone
from tests.delivery.cast import in_doubt, mailing_to, people, standing, wait_for_retries
from tests.support.peer import SmtpPeer
from tests.support.waiting import eventually_async

CONNECTIONS = 4
_LONGEST_STOP = 10.0


def served_by(peer: SmtpPeer, installation: Installation) -> Installation:
    settings = installation.settings.model_copy(update={"smtp_url": peer.url, "smtp_connections": CONNECTIONS})
    return replace(installation, settings=settings, clock=SystemClock())


async def test_a_worker_sends_what_is_there_and_stops_while_the_relay_is_stuck(
    installation: Installation, peer: SmtpPeer
) -> None:
    """What the relay had begun to take is in doubt; all others get it from the next worker, once (promise P4)."""
    everybody = people(30)
    ours = served_by(peer, installation)
    mailing = await mailing_to(ours, everybody)
    peer.slow(60)
    worker = Worker(ours)
    await worker.start()
    await eventually_async(lambda: _stuck(peer))
    async with asyncio.timeout(_LONGEST_STOP):
        await worker.stop()
    doubtful = await in_doubt(ours, mailing)
    assert len(doubtful) == CONNECTIONS
    peer.slow(0)
    worker = Worker(ours)
    await worker.start()
    try:
        await wait_for_retries(ours)
        await eventually_async(lambda: _finished(ours, mailing.id))
    finally:
        await worker.stop()
    assert peer.counted() == Counter(set(everybody) - doubtful)
    assert (await standing(ours, mailing)).in_doubt == CONNECTIONS


async def _stuck(peer: SmtpPeer) -> bool:
    return peer.commands.count("DATA") >= CONNECTIONS


async def _finished(installation: Installation, mailing_id: str) -> bool:
    async with installation.database.read() as session:
        return (await session.get_one(Mailing, mailing_id)).state == MailingState.FINISHED


async def test_two_workers_on_one_machine_have_two_names_and_a_successor_gets_the_old_one(
    sqlite_installation: Installation, peer: SmtpPeer
) -> None:
    ours = served_by(peer, sqlite_installation)
    left, right = Worker(ours), Worker(ours)
    names = {left._name, right._name}
    assert len(names) == 2
    # Only who is alone takes back what others have leased.
    assert not is_alone(ours.settings.data_dir, left._lock)
    left._lock.close()
    assert is_alone(ours.settings.data_dir, right._lock)
    heir = Worker(ours)
    assert heir._name == left._name
    heir._lock.close()
    right._lock.close()
