"""What is set about the pace holds for a mailing: what is granted leaves, the others wait, and all get theirs."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import select

from newsletter.delivery.pace.tables import Pace, SendingDay
from newsletter.delivery.progress import Progress
from newsletter.delivery.tables import Mailing, MailingState
from newsletter.installation import Installation
from tests.delivery.cast import finish, mailing_to, people, send, standing, wait_for_retries, worker
from tests.delivery.lane.gated import GatedPeer
from tests.support.peer import SmtpPeer
from tests.support.waiting import eventually_async

FEW = people(12, "few.example")
MANY = people(18, "many.example")
ALL = FEW + MANY


def paced(installation: Installation, **settings: Any) -> Installation:
    return replace(installation, settings=installation.settings.model_copy(update=settings))


async def wait_for_paces(installation: Installation) -> None:
    """Turn time on until every meter is full again, it is the next day, and the deferred are due: by moving it back."""
    async with installation.database.write() as session:
        await session.execute(update(SendingDay).values(used=0))
    await wait_for_retries(installation)


async def come_back(installation: Installation, peer: SmtpPeer, mailing: Mailing, most: int) -> list[int]:
    """Come back until all have it; give how many got it each time."""
    got: list[int] = []
    while (await standing(installation, mailing)).queued and len(got) < most:
        before = len(peer.mails)
        await wait_for_paces(installation)
        await send(installation, peer, mailing)
        got.append(len(peer.mails) - before)
    return got


async def waiting(installation: Installation, mailing: Mailing) -> Progress:
    """Give how a mailing stands of which somebody is held back: they are queued, as if nothing had been tried."""
    await finish(installation)
    progress = await standing(installation, mailing)
    assert progress.state == MailingState.SENDING
    assert (progress.deferred, progress.refused, progress.in_doubt) == (0, 0, 0)
    return progress


async def ended(installation: Installation, peer: SmtpPeer, mailing: Mailing, everybody: list[str]) -> None:
    """See that nobody was left out, and nobody had it twice."""
    await finish(installation)
    assert peer.counted() == Counter(everybody)
    progress = await standing(installation, mailing)
    assert (progress.state, progress.delivered) == (MailingState.FINISHED, len(everybody))


async def test_a_domain_gets_what_its_pace_grants_and_the_others_all(
    installation: Installation, peer: SmtpPeer
) -> None:
    limited = paced(installation, domain_pace="few.example=60/h")
    mailing = await mailing_to(limited, ALL)
    await send(limited, peer, mailing)
    # A bucket holds some seconds' worth, or one mail at least.
    assert peer.counted() == Counter([*MANY, *(each for each in FEW if each in peer.counted())])
    assert len(peer.mails) == 19
    assert (await waiting(limited, mailing)).queued == 11
    await send(limited, peer, mailing)
    assert len(peer.mails) == 19, "the block is not due before the pace grants more"
    assert await come_back(limited, peer, mailing, 30) == [1] * 11
    await ended(limited, peer, mailing, ALL)


async def test_no_hour_sees_more_than_its_limit(installation: Installation, peer: SmtpPeer) -> None:
    limited = paced(installation, hourly_limit=300)
    mailing = await mailing_to(limited, ALL)
    await send(limited, peer, mailing)
    assert len(peer.mails) == 5, "a minute's worth at once"
    assert (await waiting(limited, mailing)).queued == 25
    assert await come_back(limited, peer, mailing, 6) == [5] * 5
    await ended(limited, peer, mailing, ALL)


async def test_a_domain_that_warms_up_sends_its_day_and_goes_on_the_next(
    installation: Installation, peer: SmtpPeer
) -> None:
    limited = paced(installation, warm_up="example.com=2100-01-01 12 5000")
    mailing = await mailing_to(limited, ALL)
    await send(limited, peer, mailing)
    assert len(peer.mails) == 12
    assert (await waiting(limited, mailing)).queued == 18
    assert await come_back(limited, peer, mailing, 5) == [12, 6]
    await ended(limited, peer, mailing, ALL)


async def test_two_workers_share_what_is_granted(installation: Installation, peer: SmtpPeer) -> None:
    limited = paced(installation, warm_up="example.com=2100-01-01 12 5000", domain_pace="*=3600/h")
    mailing = await mailing_to(limited, ALL)
    async with worker(limited, peer, 5, "left") as left, worker(limited, peer, 5, "right") as right:
        await asyncio.gather(left.work_on(mailing.id), right.work_on(mailing.id))
    assert 2 <= len(peer.mails) <= 12
    await come_back(limited, peer, mailing, 20)
    await ended(limited, peer, mailing, ALL)


async def test_what_was_granted_and_did_not_leave_is_given_back(installation: Installation, peer: SmtpPeer) -> None:
    limited = paced(installation, warm_up="example.com=2100-01-01 12 5000")
    mailing = await mailing_to(limited, ALL)
    peer.refuse(reply="550 5.7.1 not your domain", stage="MAIL")
    await send(limited, peer, mailing)
    async with installation.database.read() as session:
        [used] = (await session.exec(select(SendingDay.used))).all()
    assert used == 0
    assert (await standing(limited, mailing)).queued == 30


@pytest.mark.parametrize(
    ("stage", "reply"),
    [("RCPT", "421 4.7.0 too much from you"), ("RCPT", "452 4.5.3 later"), ("END", "451 4.3.0 busy")],
)
async def test_a_domain_that_asks_for_it_is_slowed_down_and_no_other(
    installation: Installation, peer: SmtpPeer, stage: str, reply: str
) -> None:
    mailing = await mailing_to(installation, ALL)
    for email in FEW:
        peer.defer(email, reply, stage=stage)
    # One window, so that however they are shuffled there are enough of them in it.
    await send(installation, peer, mailing, connections=len(ALL))
    assert peer.counted() == Counter(MANY)
    async with installation.database.read() as session:
        [slowed] = (await session.exec(select(Pace))).all()
    assert slowed.level >= 1
    assert slowed.trouble == ("closing" if reply.startswith("421") else "burst")
    for email in FEW:
        peer.accept(email)
    for _ in range(30):
        if (await standing(installation, mailing)).delivered == 30:
            break
        await wait_for_paces(installation)
        await send(installation, peer, mailing)
    await ended(installation, peer, mailing, ALL)


@pytest.fixture
def gated() -> Iterator[GatedPeer]:
    """Give a relay that is stuck with what it is sent for few.example, and counts what is on its way at once."""
    with GatedPeer() as server:
        server.hold("few.example")
        yield server


async def test_a_slow_domain_holds_no_more_connections_than_it_may_and_the_others_go_on(
    installation: Installation, gated: GatedPeer
) -> None:
    limited = paced(installation, domain_pace="few.example=2")
    mailing = await mailing_to(limited, ALL)
    # One window with a connection for everybody in it.
    async with worker(limited, gated, len(ALL)) as sender:
        working = asyncio.create_task(sender.work_on(mailing.id))

        async def others_have_it() -> bool:
            return set(MANY) <= set(gated.counted()) and gated.at_once["few.example"] == 2

        await eventually_async(others_have_it, what="all others have it")
        gated.open()
        await working
    assert gated.most_at_once["few.example"] == 2
    await ended(limited, gated, mailing, ALL)
