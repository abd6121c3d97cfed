"""Erasing anybody at any instant breaks no mailing and changes no figure (RULES C8)."""

import random  # noqa: TID251 (seeded: the same story each time)
from collections import Counter
from contextlib import suppress

import pytest
from sqlmodel import select

from newsletter.delivery.lane import sending
from newsletter.delivery.lane.content import Edition
from newsletter.delivery.lane.window import Held
from newsletter.delivery.tables import MailingState
from newsletter.installation import Installation
from newsletter.mail.wire.line import Line
from newsletter.mail.wire.smtp import Outcome, OutcomeKind, Stage
from newsletter.subscribers.tables import Subscriber
from tests.delivery.cast import (
    erase,
    finish,
    mailing_to,
    people,
    send,
    standing,
    unsubscribe,
    wait_for_leases,
    wait_for_retries,
    worker,
)
from tests.support.peer import SmtpPeer

READERS = 45
FATES = [
    *[Outcome(OutcomeKind.DELIVERED, Stage.DATA, 250)] * 4,
    Outcome(OutcomeKind.DEFERRED, Stage.RCPT, 451, "4.7.1"),
    Outcome(OutcomeKind.NOT_ATTEMPTED, Stage.RCPT, 421),
    Outcome(OutcomeKind.REFUSED, Stage.RCPT, 550, "5.1.1"),
    Outcome(OutcomeKind.REFUSED, Stage.DATA, 554, "5.6.0"),
    Outcome(OutcomeKind.IN_DOUBT, Stage.DATA),
]


async def test_figures_stay_when_readers_are_erased_afterwards(installation: Installation, peer: SmtpPeer) -> None:
    mailing = await mailing_to(installation, people(10))
    peer.refuse("reader001@example.com", "550 5.7.1 no")
    await send(installation, peer, mailing)
    await finish(installation)
    before = await standing(installation, mailing)
    for email in people(10):
        await erase(installation, email)
    assert await standing(installation, mailing) == before


class _ErasingSender(sending.Sender):
    """A worker of whose every window one reader is erased while it leaves."""

    installation: Installation

    async def _send_window(self, edition: Edition, held: Held, line: Line) -> list[sending.Tried]:
        tried = await super()._send_window(edition, held, line)
        await erase(self.installation, held.recipients[0].email)
        return tried


async def test_one_erased_while_their_mail_is_leaving_counts_as_delivered(
    installation: Installation, peer: SmtpPeer
) -> None:
    mailing = await mailing_to(installation, people(6))
    async with worker(installation, peer, 3, kind=_ErasingSender) as sender:
        assert isinstance(sender, _ErasingSender)
        sender.installation = installation
        await sender.work_on(mailing.id)
    await finish(installation)
    assert peer.counted() == Counter(people(6))
    progress = await standing(installation, mailing)
    assert (progress.state, progress.delivered) == (MailingState.FINISHED, 6)


async def test_one_erased_while_deferred_counts_as_withdrawn(installation: Installation, peer: SmtpPeer) -> None:
    mailing = await mailing_to(installation, people(6))
    peer.defer("reader002@example.com")
    await send(installation, peer, mailing)
    await erase(installation, "reader002@example.com")
    await wait_for_retries(installation)
    await send(installation, peer, mailing)
    await finish(installation)
    progress = await standing(installation, mailing)
    assert (progress.state, progress.delivered, progress.withdrawn) == (MailingState.FINISHED, 5, 1)


class _LostError(Exception):
    """The worker is lost here."""


class _FatefulSender(sending.Sender):
    """A worker whose mails meet invented fates, whose readers leave meanwhile, and who is lost now and then."""

    chance: random.Random
    installation: Installation

    async def _send_window(self, edition: Edition, held: Held, line: Line) -> list[sending.Tried]:
        fate = self.chance.random()
        if fate < 0.1:
            raise _LostError
        if fate < 0.5:
            await goodbye(self.installation, self.chance)
        return [(recipient, self.chance.choice(FATES)) for recipient in held.recipients]


async def goodbye(installation: Installation, chance: random.Random) -> None:
    async with installation.database.read() as session:
        remaining = sorted((await session.exec(select(Subscriber.canonical))).all())
    if remaining:
        await chance.choice([erase, unsubscribe])(installation, chance.choice(remaining))


@pytest.mark.parametrize("seed", range(5))
async def test_whoever_goes_whenever_the_counts_add_up(installation: Installation, peer: SmtpPeer, seed: int) -> None:
    """A small mailing with random outcomes, crashes and goodbyes between all its steps.

    `standing` asserts at each look that the counts add up to the audience.
    """
    chance = random.Random(seed)  # noqa: S311 (seeded: the same story each time)
    mailing = await mailing_to(installation, people(READERS))
    delivered, progress = 0, await standing(installation, mailing)
    async with worker(installation, peer, 4, kind=_FatefulSender) as sender:
        assert isinstance(sender, _FatefulSender)
        sender.chance, sender.installation = chance, installation
        for _ in range(100):
            with suppress(_LostError):
                await sender.work_on(mailing.id)
            if chance.random() < 0.3:
                await goodbye(installation, chance)
            await finish(installation)
            progress = await standing(installation, mailing)
            assert progress.delivered >= delivered, "a figure went back"
            delivered = progress.delivered
            if progress.state == MailingState.FINISHED:
                break
            await wait_for_leases(installation)
            await wait_for_retries(installation)
    assert (progress.state, progress.queued, progress.deferred) == (MailingState.FINISHED, 0, 0)
    assert progress.audience == READERS
    for email in people(READERS):
        await erase(installation, email)
    assert await standing(installation, mailing) == progress
