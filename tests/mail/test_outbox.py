"""Letters are mailed once, kept while the relay says "later", and dropped with those they were for."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlmodel import col, delete, select

from newsletter.addresses import Address
from newsletter.agreements.actions import Origin
from newsletter.agreements.notices import actions as notices
from newsletter.clock import TurnedClock
from newsletter.database import Session
from newsletter.installation import Installation
from newsletter.mail.outbox import BATCH, Outbox, WrittenLetter
from newsletter.mail.outcome import Envelope
from newsletter.mail.tables import Letter, LetterKind
from newsletter.mail.wire.lines import Lines
from newsletter.mail.wire.relays import Routes, read_relay
from newsletter.signup.actions import Asked, ask
from newsletter.signup.rules import FIELDS, Signup
from newsletter.signup.tables import SignupRequest
from tests.delivery.cast import found, people
from tests.support.peer import SmtpPeer
from tests.support.waiting import eventually_async

ALICE = "alice@example.com"


class Office:
    """An installation whose letters say nothing but whom they are for."""

    def __init__(self, installation: Installation, peer: SmtpPeer, clock: TurnedClock) -> None:
        self.installation = installation
        self.clock = clock
        self.relay = Lines(Routes((read_relay(peer.url),), {}), 4, "news.example.com")
        self.broken: set[str] = set()

    def outbox(self) -> Outbox:
        """Give a worker's outbox."""
        installation = self.installation
        return Outbox(installation.database, installation.clock, self.relay, {LetterKind.CONFIRMATION: self._write})

    async def _write(self, session: Session, letter: Letter) -> WrittenLetter | None:
        request = await session.get(SignupRequest, letter.request_id)
        assert request is not None
        if request.email in self.broken:
            raise KeyError(request.email)
        if request.email is None:
            return None
        return WrittenLetter(Envelope("news@example.com", request.email), b"Subject: Please confirm\r\n\r\n")

    async def receive(self, *emails: str) -> None:
        """Take signups."""
        newsletter = await found(self.installation)
        async with self.installation.database.write() as session:
            notice = (await notices.in_force(session, newsletter.id, self.clock.now()))["en"]
            for email in emails:
                signup = Signup(Address(email, email), "en", dict.fromkeys(FIELDS))
                asked = Asked(notice, witnessed=True, origin=Origin("subject", "web"), hours=72)
                await ask(session, self.installation, newsletter, signup, asked)

    async def waiting(self) -> list[Letter]:
        """Give the letters that wait."""
        async with self.installation.database.read() as session:
            return list((await session.exec(select(Letter))).all())


@pytest.fixture
async def office(installation: Installation, peer: SmtpPeer, clock: TurnedClock) -> AsyncIterator[Office]:
    made = Office(installation, peer, clock)
    yield made
    await made.relay.close()


async def test_a_letter_is_mailed_once_and_gone(office: Office, peer: SmtpPeer) -> None:
    await office.receive(ALICE)
    assert await office.outbox().mail_waiting() == 1
    assert await office.outbox().mail_waiting() == 0
    assert peer.counted() == {ALICE: 1}
    assert not await office.waiting()


async def test_more_than_a_batch_leave_in_one_go(office: Office, peer: SmtpPeer) -> None:
    everybody = people(2 * BATCH + 3)
    await office.receive(*everybody)
    assert await office.outbox().mail_waiting() == len(everybody)
    assert peer.counted() == dict.fromkeys(everybody, 1)


async def test_later_is_tried_again_after_longer_and_longer(office: Office, peer: SmtpPeer) -> None:
    await office.receive(ALICE)
    peer.defer(ALICE, "451 4.7.1 later", times=3)
    waits: list[timedelta] = []
    for _ in range(3):
        assert await office.outbox().mail_waiting() == 0
        (letter,) = await office.waiting()
        assert await office.outbox().mail_waiting() == 0, "not before its time"
        waits.append(letter.due_at - office.clock.now())
        office.clock.turn(letter.due_at)
    assert timedelta(seconds=30) <= waits[0] < waits[1] < waits[2]
    assert await office.outbox().mail_waiting() == 1
    assert peer.counted() == {ALICE: 1}


async def test_no_is_taken_for_an_answer(office: Office, peer: SmtpPeer) -> None:
    await office.receive(ALICE)
    peer.refuse(ALICE)
    await office.outbox().mail_waiting()
    assert not await office.waiting()


async def test_it_is_given_up_after_four_days(office: Office, peer: SmtpPeer) -> None:
    await office.receive(ALICE)
    peer.defer(ALICE)
    await office.outbox().mail_waiting()
    office.clock.turn(office.clock.now() + timedelta(days=4, minutes=1))
    await office.outbox().mail_waiting()
    assert not await office.waiting()


async def test_a_relay_out_of_reach_delays_a_letter_by_minutes_at_most(office: Office, peer: SmtpPeer) -> None:
    await office.receive(ALICE)
    peer.hang_up(stage="CONNECT", times=None)
    for _ in range(6):
        await office.outbox().mail_waiting()
        (letter,) = await office.waiting()
        assert letter.due_at - office.clock.now() < timedelta(minutes=3)
        office.clock.turn(letter.due_at)
    peer.accept()
    assert await office.outbox().mail_waiting() == 1


async def test_a_request_that_is_gone_takes_its_letter_along(office: Office, peer: SmtpPeer) -> None:
    await office.receive(ALICE)
    async with office.installation.database.write() as session:
        await session.execute(delete(SignupRequest).where(col(SignupRequest.email) == ALICE))
    assert await office.outbox().mail_waiting() == 0
    assert not peer.mails
    assert not await office.waiting()


async def test_a_letter_without_a_need_is_dropped(office: Office, peer: SmtpPeer) -> None:
    await office.receive(ALICE)
    async with office.installation.database.write() as session:
        await session.execute(update(SignupRequest).values(email=None, canonical=None))
    await office.outbox().mail_waiting()
    assert not peer.mails
    assert not await office.waiting()


async def test_one_that_cannot_be_written_stops_nobody_else(office: Office, peer: SmtpPeer) -> None:
    await office.receive(ALICE, *people(5))
    office.broken = {ALICE}
    assert await office.outbox().mail_waiting() == 5
    (letter,) = await office.waiting()
    office.broken = set()
    office.clock.turn(letter.due_at)
    assert await office.outbox().mail_waiting() == 1
    assert peer.counted()[ALICE] == 1


async def test_two_workers_never_mail_the_same_letter_at_once(office: Office, peer: SmtpPeer) -> None:
    await office.receive(*people(3 * BATCH))
    peer.slow(0.02)
    taken = await asyncio.gather(*(office.outbox().mail_waiting() for _ in range(3)))
    assert sum(taken) == 3 * BATCH
    assert peer.counted() == dict.fromkeys(people(3 * BATCH), 1)


async def test_a_worker_that_stops_waits_no_longer_for_a_slow_relay(office: Office, peer: SmtpPeer) -> None:
    """What the relay has not answered is mailed again: its link is the same, so twice does no harm."""
    await office.receive(ALICE)
    peer.slow(60)
    outbox = office.outbox()
    mailing = asyncio.create_task(outbox.mail_waiting())
    await eventually_async(lambda: _data(peer))
    outbox.cut_off()
    assert await asyncio.wait_for(mailing, 30) == 0
    (letter,) = await office.waiting()
    peer.slow(0)
    office.clock.turn(letter.due_at)
    assert await office.outbox().mail_waiting() == 1


async def _data(peer: SmtpPeer) -> bool:
    return "DATA" in peer.commands


async def test_a_lease_that_a_lost_worker_left_is_taken_back(office: Office, peer: SmtpPeer) -> None:
    await office.receive(ALICE)
    async with office.installation.database.write() as session:
        await session.execute(update(Letter).values(leased_until=9e12))
    assert await office.outbox().mail_waiting() == 0
    await office.outbox().recover()
    assert await office.outbox().mail_waiting() == 1


async def test_a_signup_s_letter_has_a_lane_of_its_own(office: Office, peer: SmtpPeer) -> None:
    """However many letters of a notice mailing wait, and however slowly they leave."""
    await office.receive(ALICE, "bob@example.com")
    async with office.installation.database.write() as session:
        bob = select(SignupRequest.id).where(SignupRequest.email == "bob@example.com")
        await session.execute(update(Letter).where(col(Letter.request_id).in_(bob)).values(bulk=True))
    assert await office.outbox().mail_waiting() == 1
    assert [mail.recipients for mail in peer.mails] == [(ALICE,)]
    assert await office.outbox().mail_waiting(bulk=True) == 1
    assert await office.waiting() == []
