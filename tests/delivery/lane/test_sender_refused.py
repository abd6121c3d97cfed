"""The relay's trouble, or the sender's, is no recipient's: it is told of, nobody is refused, and all get theirs."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from newsletter.delivery.lane import sending
from newsletter.delivery.lane.sending import Sender, Tried
from newsletter.delivery.tables import Mailing, MailingState
from newsletter.installation import Installation
from tests.delivery.cast import finish, mailing_to, people, send, standing, steer, wait_for_leases, worker
from tests.support.peer import SmtpPeer
from tests.support.waiting import eventually_async

SENDER = "@bounces.example.com"


async def trouble(installation: Installation, mailing: Mailing) -> str | None:
    """Give what the mailing says keeps it."""
    async with installation.database.read() as session:
        return (await session.get_one(Mailing, mailing.id)).trouble


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        ("550 5.7.1 not your domain", "refused the sender's address (code 550): let it allow"),
        ("553 5.1.8 no such sender", "refused the sender's address (code 553): let it allow"),
        ("530 5.7.0 authenticate first", "wants us to sign in, or to use TLS (code 530)"),
    ],
)
async def test_a_sender_that_is_refused_pauses_the_mailing_and_fails_nobody(
    installation: Installation, peer: SmtpPeer, reply: str, told: str
) -> None:
    mailing = await mailing_to(installation, people(30))
    peer.refuse(reply=reply, stage="MAIL")
    await send(installation, peer, mailing)
    progress = await standing(installation, mailing)
    assert (progress.state, progress.queued, progress.refused) == (MailingState.PAUSED, 30, 0)
    assert told in (await trouble(installation, mailing) or "")
    asked = len(peer.commands)
    await send(installation, peer, mailing)
    assert len(peer.commands) == asked, "it is not tried again by itself"
    peer.accept()
    await steer(installation, mailing, "resume")
    await send(installation, peer, mailing)
    await finish(installation)
    assert peer.counted() == Counter(people(30))
    assert (await standing(installation, mailing)).state == MailingState.FINISHED
    assert await trouble(installation, mailing) is None


async def test_a_sender_refused_in_the_middle_fails_nobody_either(installation: Installation, peer: SmtpPeer) -> None:
    mailing = await mailing_to(installation, people(30))
    async with worker(installation, peer, 5, lanes=2) as sender:
        peer.defer(SENDER, "250 2.1.0 ok", stage="MAIL", times=12)
        peer.refuse(reply="550 5.7.1 too much for your account", stage="MAIL")
        await sender.work_on(mailing.id)
    progress = await standing(installation, mailing)
    assert progress.state == MailingState.PAUSED
    assert progress.delivered == len(peer.mails) > 0
    peer.accept()
    await steer(installation, mailing, "resume")
    await send(installation, peer, mailing)
    progress = await standing(installation, mailing)
    assert (peer.counted(), progress.delivered, progress.refused) == (Counter(people(30)), 30, 0)


class Crash(Exception):
    """The worker ends here."""


class CrashingSender(Sender):
    """Ends when a window is over, before that is recorded."""

    async def _send_window(self, *window: Any) -> list[Tried]:
        await super()._send_window(*window)
        raise Crash


async def test_nor_does_a_crash_before_it_is_recorded_fail_anybody(installation: Installation, peer: SmtpPeer) -> None:
    mailing = await mailing_to(installation, people(30))
    peer.defer(SENDER, "550 5.7.1 not your domain", stage="MAIL", times=5)
    async with worker(installation, peer, 5, kind=CrashingSender) as lost:
        with pytest.raises(Crash):
            await lost.work_on(mailing.id)
    await wait_for_leases(installation)
    await send(installation, peer, mailing)
    assert peer.counted() == Counter(people(30))
    assert (await standing(installation, mailing)).delivered == 30


async def test_a_relay_that_is_down_is_told_of_until_mail_flows(
    installation: Installation, peer: SmtpPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "relay_wait", lambda _failures: 0.05)
    mailing = await mailing_to(installation, people(30))
    peer.refuse(reply="421 4.3.2 maintenance", stage="CONNECT")
    async with worker(installation, peer, 5) as sender:
        working = asyncio.create_task(sender.work_on(mailing.id))
        told = await eventually_async(lambda: trouble(installation, mailing), what="the trouble is told of")
        assert f"The relay 127.0.0.1:{peer.port} takes nothing just now (code 421)" in (told or "")
        progress = await standing(installation, mailing)
        assert (progress.state, progress.queued) == (MailingState.SENDING, 30)
        peer.accept()
        await working
    assert peer.counted() == Counter(people(30))
    assert (await standing(installation, mailing)).delivered == 30
    assert await trouble(installation, mailing) is None
