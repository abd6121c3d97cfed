"""Somebody leaves in the very moment in which their address is found dead: either deletes them, neither waits for the
other (RULES C1, F3).
"""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import delete

from newsletter.bounces import actions as bounces
from newsletter.clock import TurnedClock
from newsletter.database import Session
from newsletter.signup.tables import SignupRequest
from newsletter.subscribers.tables import DeadSignal, SignalState
from newsletter.unsubscribe.actions import read_token, unsubscribe
from tests.signup.site import Site

ROUNDS = 20


async def dead(site: Site, clock: TurnedClock, email: str) -> str:
    """Let a subscriber's address be found dead, two hours ago; give their id."""
    (person,) = [person for person in await site.people() if person.email == email]
    signal = DeadSignal(
        subscriber_id=person.id,
        domain_tag="x",
        enhanced="5.1.1",
        state=SignalState.HELD,
        at=clock.now() - timedelta(hours=2),
    )
    async with site.installation.database.write() as session:
        session.add(signal)
    return person.id


@pytest.mark.parametrize("asked_again", [True, False])
async def test_leaving_and_being_buried_at_once(site: Site, clock: TurnedClock, *, asked_again: bool) -> None:
    installation = site.installation

    async def leave(session: Session, path: str) -> None:
        subscription_id = read_token(installation.keys, path.removeprefix("/unsubscribe/"))
        await unsubscribe(session, installation, subscription_id, "link")

    async def act(path: str, subscriber_id: str, *, leaving: bool) -> None:
        async with installation.database.write() as session:
            if leaving:
                await leave(session, path)
            else:
                await bounces.settle(session, installation, subscriber_id)

    both: list[tuple[str, str]] = []
    for number in range(ROUNDS):
        email = f"reader{number}@example.com"
        path = await site.subscribe(email)
        both.append((path, await dead(site, clock, email)))
    if asked_again:
        for number in range(ROUNDS):
            await site.ask(f"reader{number}@example.com")
    else:
        # As after some days. Where requests are left, their locks keep the two apart.
        async with installation.database.write() as session:
            await session.execute(delete(SignupRequest))
    await asyncio.gather(*(act(*one, leaving=leaving) for one in both for leaving in (True, False)))
    assert await site.people() == []
    rows = await site.rows()
    assert not [name for name in ("subscription", "signup_request", "agreement", "letter") if rows[name]]
