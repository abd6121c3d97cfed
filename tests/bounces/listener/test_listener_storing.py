"""A mail server hears yes when its mail is on the disk, and "again later" where it can't be put there."""

import asyncio
import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, make_url, text

from newsletter.bounces.listener import answers as listener_answers
from newsletter.bounces.listener.storing import Incoming, Storing
from newsletter.bounces.reports.actions import Taken
from newsletter.database import Database, sync_engine
from newsletter.installation import Installation
from tests.bounces.coming_back import CAROL, report, reports, return_address, sent
from tests.bounces.listener.listening import codes, connected, hands_over, listening
from tests.delivery.cast import people
from tests.support.peer import SmtpPeer
from tests.support.proxy import Proxy
from tests.support.waiting import eventually, eventually_async

TAKEN, AGAIN = "250 2.0.0", "451 4.3.0"


@contextmanager
def locked(installation: Installation) -> Iterator[Connection]:
    """Let somebody else have the reports for themselves."""
    engine = sync_engine(installation.settings.database)
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("LOCK TABLE report IN ACCESS EXCLUSIVE MODE"))
        yield connection
    engine.dispose()


async def test_a_database_that_is_busy_is_tried_again_later(
    installation: Installation, peer: SmtpPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sent(installation, peer, [CAROL])
    async with listening(installation) as (_, port):
        with locked(installation), monkeypatch.context() as hasty:
            hasty.setattr(listener_answers, "_STORING_SECONDS", 0.2)
            assert codes(await hands_over(port, report(), return_address(peer))) == [AGAIN]
        assert codes(await hands_over(port, report(), return_address(peer))) == [TAKEN]
    assert len(await reports(installation)) == 1


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
async def test_a_database_that_is_away_is_tried_again_later(installation: Installation, peer: SmtpPeer) -> None:
    await sent(installation, peer, [CAROL])
    address = make_url(installation.settings.database)
    with Proxy(address.port or 5432) as wire:
        database = Database(address.set(port=wire.port).render_as_string(hide_password=False))
        async with listening(dataclasses.replace(installation, database=database)) as (_, port):
            wire.cut()
            eventually(lambda: not wire.whole, what="the cut")
            assert codes(await hands_over(port, report(), return_address(peer))) == [AGAIN]
            wire.mend()
            eventually(lambda: wire.whole, what="the mending")
            assert codes(await hands_over(port, report(), return_address(peer))) == [TAKEN]
        await database.close()
    assert len(await reports(installation)) == 1


async def test_one_that_cannot_be_stored_takes_nobody_with_it(installation: Installation, peer: SmtpPeer) -> None:
    await sent(installation, peer, people(5))
    async with installation.database.write() as session:
        if installation.database.on_sqlite:
            when = "CREATE TRIGGER unlucky BEFORE INSERT ON report WHEN NEW.number = 2"
            await session.execute(text(f"{when} BEGIN SELECT RAISE(ABORT, 'unlucky'); END"))
        else:
            await session.execute(text("ALTER TABLE report ADD CONSTRAINT unlucky CHECK (number <> 2)"))
    storing = Storing(installation)
    mails = [Incoming(report(email), return_address(peer, email), from_null=True) for email in people(5)]
    taken = await asyncio.gather(*(storing.store(mail) for mail in mails), return_exceptions=True)
    assert sorted(str(each) if isinstance(each, Taken) else "failed" for each in taken) == ["accepted"] * 4 + ["failed"]
    assert len(await reports(installation)) == 4


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
async def test_what_is_being_stored_at_the_end_is_answered_for(installation: Installation, peer: SmtpPeer) -> None:
    await sent(installation, peer, [CAROL])
    async with listening(installation) as (listener, port), connected(port) as idle:
        with locked(installation) as connection:
            storing = asyncio.create_task(hands_over(port, report(), return_address(peer)))

            async def waits() -> bool:
                return bool(connection.execute(text("SELECT 1 FROM pg_locks WHERE NOT granted")).first())

            await eventually_async(waits, what="the storing")
            stopping = asyncio.create_task(listener.stop())
            assert codes([await idle.hear(), await idle.hear()]) == ["421 4.3.2", ""]
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", port)
        assert codes(await storing) == [TAKEN]
        await stopping
    assert len(await reports(installation)) == 1


async def test_a_port_that_another_has_is_taken_over(sqlite_installation: Installation) -> None:
    async with listening(sqlite_installation) as (first, port), listening(sqlite_installation, port) as (second, _):
        assert (first.listens, second.listens) == (True, False)
        await first.stop()
        await second.keep()
        assert codes(await hands_over(port, report(), "nobody@example.net")) == ["550 5.1.1"]


async def test_it_listens_only_where_it_is_wanted(sqlite_installation: Installation) -> None:
    for change in ({"bounce_domain": ""}, {"inbound_listen": "off"}):
        settings = sqlite_installation.settings.model_copy(update=change)
        assert settings.inbound is None
