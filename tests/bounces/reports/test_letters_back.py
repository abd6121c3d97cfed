"""A letter that comes back: a request that its address can't confirm is forgotten, a dead reader is mailed no more."""

from collections.abc import AsyncIterator
from functools import partial

import pytest
from sqlmodel import select

from newsletter.agreements.traces.suppression import suppressed
from newsletter.bounces.alarms import watching
from newsletter.bounces.reports.actions import Taken
from newsletter.delivery import return_address
from newsletter.installation import Installation
from newsletter.mail.outbox import Outbox
from newsletter.mail.wire.lines import Lines
from newsletter.mail.wire.relays import Routes, read_relay
from newsletter.signup.tables import SignupRequest
from newsletter.worker.letters import writers
from tests.bounces.coming_back import CAROL, alive, comes, complaint, follows, report, signals
from tests.signup.site import Site, open_site
from tests.support.peer import SmtpPeer


@pytest.fixture
async def site(installation: Installation) -> AsyncIterator[Site]:
    async with open_site(installation) as opened:
        yield opened


async def mailed(installation: Installation, peer: SmtpPeer) -> str:
    """Mail what waits, as the worker does; give where the last letter comes back to."""
    lines = Lines(Routes((read_relay(peer.url),), {}), 2, "news.example.com")
    returning = partial(return_address.for_letter, installation)
    watcher = partial(watching.watch_letter, installation)
    await Outbox(
        installation.database, installation.clock, lines, writers(installation), watcher, returning
    ).mail_waiting()
    await lines.close()
    assert "books" not in peer.mails[-1].sender
    return peer.mails[-1].sender


async def asked(installation: Installation) -> list[str | None]:
    async with installation.database.read() as session:
        return list((await session.exec(select(SignupRequest.canonical))).all())


async def test_a_question_that_comes_back_otherwise_waits_on(site: Site, peer: SmtpPeer) -> None:
    await site.ask(CAROL)
    address = await mailed(site.installation, peer)
    for status in ("5.2.2", "5.2.1"):
        await comes(site.installation, report(diagnostic=f"550 {status} no", status=status), address)
        await follows(site.installation)
    assert await asked(site.installation) == [CAROL], "neither says that nobody is there"


async def test_one_that_comes_back_dead_is_forgotten_at_once(site: Site, peer: SmtpPeer) -> None:
    await site.ask(CAROL)
    address = await mailed(site.installation, peer)
    assert await comes(site.installation, report(), address) == Taken.ACCEPTED
    await follows(site.installation)
    assert await asked(site.installation) == []
    assert await comes(site.installation, report(), address) == Taken.NOBODY


async def test_whoever_complains_of_being_asked_is_not_asked_by_an_import_either(site: Site, peer: SmtpPeer) -> None:
    await site.ask(CAROL)
    await comes(site.installation, complaint(), await mailed(site.installation, peer))
    await follows(site.installation)
    assert await asked(site.installation) == []
    async with site.installation.database.read() as session:
        assert await suppressed(session, site.installation, [CAROL]) == {CAROL}


async def test_a_welcome_that_comes_back_stops_the_sending(site: Site, peer: SmtpPeer) -> None:
    await site.subscribe(CAROL)
    address = await mailed(site.installation, peer)
    await comes(site.installation, report(), address)
    await follows(site.installation)
    assert await signals(site.installation) == ["held"]
    assert await alive(site.installation) == {CAROL}
