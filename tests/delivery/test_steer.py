"""Pausing, resuming and cancelling act within a window, and who leaves gets nothing more (RULES E3)."""

import asyncio
from collections import Counter

import pytest

from newsletter.delivery.tables import Mailing, MailingState
from newsletter.errors import Conflict
from newsletter.installation import Installation
from tests.delivery.cast import (
    finish,
    found,
    mailing_to,
    people,
    send,
    standing,
    steer,
    subscribe,
    unsubscribe,
    worker,
)
from tests.support.peer import SmtpPeer
from tests.support.waiting import eventually_async

WINDOW = 4


async def steered_midway(installation: Installation, peer: SmtpPeer, mailing: Mailing, verb: str) -> int:
    """Steer a mailing as soon as some have it; give how many had it by then."""
    peer.slow(0.05)
    async with worker(installation, peer, WINDOW) as sender:
        sending = asyncio.create_task(sender.work_on(mailing.id))
        await eventually_async(lambda: _count(peer, 2 * WINDOW))
        await steer(installation, mailing, verb)
        so_far = len(peer.mails)
        await sending
    peer.slow(0)
    return so_far


async def _count(peer: SmtpPeer, least: int) -> bool:
    return len(peer.mails) >= least


async def test_a_pause_acts_within_a_window_and_nobody_is_lost(installation: Installation, peer: SmtpPeer) -> None:
    mailing = await mailing_to(installation, people(60))
    so_far = await steered_midway(installation, peer, mailing, "pause")
    assert len(peer.mails) <= so_far + 2 * WINDOW
    progress = await standing(installation, mailing)
    assert (progress.state, progress.delivered) == (MailingState.PAUSED, len(peer.mails))
    await steer(installation, mailing, "resume")
    await send(installation, peer, mailing)
    await finish(installation)
    assert peer.counted() == Counter(people(60))
    assert (await standing(installation, mailing)).state == MailingState.FINISHED


async def test_a_cancelled_mailing_stops_for_good(installation: Installation, peer: SmtpPeer) -> None:
    mailing = await mailing_to(installation, people(60))
    so_far = await steered_midway(installation, peer, mailing, "cancel")
    sent = len(peer.mails)
    assert sent <= so_far + 2 * WINDOW
    await send(installation, peer, mailing)
    assert len(peer.mails) == sent
    progress = await standing(installation, mailing)
    assert (progress.queued, progress.delivered, progress.withdrawn) == (0, sent, 60 - sent)
    with pytest.raises(Conflict):
        await steer(installation, mailing, "resume")
    assert (await standing(installation, mailing)).state == MailingState.CANCELLED


async def test_who_leaves_while_it_is_sent_gets_nothing_more(installation: Installation, peer: SmtpPeer) -> None:
    """RULES E3: looked at again right before the mail leaves. They count as withdrawn."""
    mailing = await mailing_to(installation, people(60))
    await steered_midway(installation, peer, mailing, "pause")
    had = set(peer.counted())
    leaving = sorted(set(people(60)) - had)[:5]
    # Two of them read another newsletter and stay; of the others nothing is left.
    await subscribe(installation, await found(installation, "music"), leaving[:2])
    for email in leaving:
        await unsubscribe(installation, email, mailing.newsletter_id)
    await steer(installation, mailing, "resume")
    await send(installation, peer, mailing)
    assert peer.counted() == Counter(set(people(60)) - set(leaving))
    progress = await standing(installation, mailing)
    assert (progress.delivered, progress.withdrawn) == (55, 5)
