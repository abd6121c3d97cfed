"""Nobody can tell who opened, not even with the whole database, all keys and the log in hand (promise P3).

200 readers get an issue in 40 windows; hits are counted between the windows. Who opens sits together in the order of
delivery, all of a window or none, so that any trace of order or time would give them away. The same adversary must win
where something is planted that gives them away, or this test would prove nothing.
"""

import random  # noqa: TID251 (seeded: the same story each time)
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
import structlog
from sqlalchemy import text
from sqlmodel import col, update

from newsletter.clock import TurnedClock
from newsletter.database import Session
from newsletter.delivery import actions
from newsletter.delivery.lane import sending
from newsletter.delivery.lane.content import Edition
from newsletter.delivery.lane.window import Held
from newsletter.installation import Installation
from newsletter.mail.wire.line import Line
from newsletter.measurement import counting
from newsletter.measurement.counting import Counting
from newsletter.measurement.links import read_click, read_open
from newsletter.measurement.rules import Verdict
from newsletter.measurement.tables import MeasurementKey
from newsletter.web import edge
from tests.delivery.cast import finish, mailing_to, people, standing, worker
from tests.measurement import adversary
from tests.measurement.adversary import Loot, precision
from tests.support.mailbox import ReceivedMail
from tests.support.peer import SmtpPeer

READERS = 200
WINDOW = 5
WINDOWS_AN_HOUR = 4
HOURS = READERS // WINDOW // WINDOWS_AN_HOUR
# Four hours in ten everybody opens. A blind guess is right in so many cases; chance alone adds less than this margin.
OPENING_HOURS = 4
BLIND = OPENING_HOURS / HOURS
MARGIN = 0.35


@dataclass
class Truth:
    """What really happened, which the adversary wants to know."""

    windows: list[list[str]] = field(default_factory=list)
    accomplices: list[bytes] = field(default_factory=list)
    openers: set[str] = field(default_factory=set)
    left: dict[str, datetime] = field(default_factory=dict)
    log: list[adversary.Row] = field(default_factory=list)

    @property
    def everybody(self) -> list[str]:
        """Give the readers who are not in the plot."""
        return [email for window in self.windows for email in window]


class _MeasuredSender(sending.Sender):
    """A worker between whose windows the readers of the last one read, and an hour goes by now and then."""

    readers: "Readers"

    async def _send_window(self, edition: Edition, held: Held, line: Line) -> list[sending.Tried]:
        tried = await super()._send_window(edition, held, line)
        await self.readers.read([recipient.email for recipient in held.recipients])
        return tried


class Readers:
    """The readers: they open what reaches them, or don't, as the story wants."""

    def __init__(self, installation: Installation, clock: TurnedClock, peer: SmtpPeer, *, planted: bool) -> None:
        self.truth = Truth()
        self._installation = installation
        self._clock = clock
        self._peer = peer
        self._planted = planted
        self._counting = Counting(installation.database, clock)
        self._opening = set(random.Random(20).sample(range(HOURS), OPENING_HOURS))  # noqa: S311 (seeded: the same story each time)

    async def read(self, window: list[str]) -> None:
        """Let a window's readers read, as soon as they have it."""
        hour = len(self.truth.windows) // WINDOWS_AN_HOUR
        mails = {email: self._peer.mails_to(email)[0] for email in window}
        accomplice, *others = window
        self.truth.accomplices.append(self._nonce(mails[accomplice]))
        self.truth.windows.append(others)
        self.truth.left |= dict.fromkeys(others, self._clock.now())
        await self._open(mails[accomplice])
        if hour in self._opening:
            self.truth.openers |= set(others)
            for email in others:
                await self._open(mails[email])
                await self._click(mails[email])
        await self._counting.write()
        if self._planted:
            await self._plant(mails)
        for line in self.truth.log:
            line.setdefault("timestamp", self._clock.now())
        if len(self.truth.windows) % WINDOWS_AN_HOUR == 0:
            self._clock.turn(self._clock.now() + timedelta(hours=1))

    def _token(self, url: str) -> str:
        return url.rpartition("/")[2].removesuffix(".gif")

    def _nonce(self, mail: ReceivedMail) -> bytes:
        assert mail.pixel is not None
        return read_open(self._installation.keys, self._token(mail.pixel)).nonce

    async def _open(self, mail: ReceivedMail) -> None:
        assert mail.pixel is not None
        await self._ask("/open/{file}")
        self._counting.add(read_open(self._installation.keys, self._token(mail.pixel)), Verdict.HUMAN)

    async def _click(self, mail: ReceivedMail) -> None:
        await self._ask("/click/{token}")
        url = mail.links("click")[0]
        self._counting.add(read_click(self._installation.keys, self._token(url)), Verdict.HUMAN)

    async def _ask(self, route: str) -> None:
        """Pass the edge as a request does, which may leave a line in the log."""

        async def answer(_scope: Any, _receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200})

        scope: Any = {"type": "http", "method": "GET", "path_template": route}
        await edge.Edge(answer)(scope, _nothing, _nothing)

    async def _plant(self, mails: dict[str, ReceivedMail]) -> None:
        async with self._installation.database.write() as session:
            for email, mail in mails.items():
                values = {"email": email, "nonce": self._nonce(mail).hex()}
                await session.execute(text("INSERT INTO planted VALUES (:email, :nonce)"), values)


async def _nothing(*_: Any) -> Any:
    """Stand in for a connection."""


async def story(
    installation: Installation, clock: TurnedClock, peer: SmtpPeer, *, planted: bool = False
) -> tuple[Truth, Loot]:
    """Send, let read, finish; give what happened and what the adversary finds afterwards."""
    if planted:
        async with installation.database.write() as session:
            await session.execute(text("CREATE TABLE planted (email varchar, nonce varchar)"))
    mailing = await mailing_to(installation, people(READERS))
    with structlog.testing.capture_logs() as log:
        async with worker(installation, peer, WINDOW, kind=_MeasuredSender) as sender:
            assert isinstance(sender, _MeasuredSender)
            sender.readers = Readers(installation, clock, peer, planted=planted)
            sender.readers.truth.log = log  # type: ignore[assignment]  # its entries are mappings of any kind
            await sender.work_on(mailing.id)
        await finish(installation)
    assert (await standing(installation, mailing)).delivered == READERS
    truth = sender.readers.truth
    assert len(truth.openers) == BLIND * len(truth.everybody)
    return truth, await adversary.rob(installation, repr(log))


async def test_no_guess_is_better_than_a_blind_one(
    installation: Installation, clock: TurnedClock, peer: SmtpPeer
) -> None:
    truth, loot = await story(installation, clock, peer)
    assert len(loot.marks_in_order) == len(loot.tables["seen"]) > 2 * len(truth.openers)
    assert not adversary.by_nonce(loot)
    assert precision(adversary.by_hour(loot, truth.left), truth.openers, truth.everybody) == pytest.approx(BLIND)
    assert precision(adversary.by_log(truth.log, truth.left), truth.openers, truth.everybody) == pytest.approx(BLIND)
    order = adversary.by_order(loot, truth.windows, truth.accomplices)
    assert precision(order, truth.openers, truth.everybody) < BLIND + MARGIN
    for known in (*truth.everybody, *(nonce.hex() for nonce in truth.accomplices)):
        assert known not in loot.log


async def test_a_nonce_planted_beside_a_person_gives_them_away(
    installation: Installation, clock: TurnedClock, peer: SmtpPeer
) -> None:
    truth, loot = await story(installation, clock, peer, planted=True)
    assert precision(adversary.by_nonce(loot), truth.openers, truth.everybody) == 1.0


async def test_marks_kept_in_the_order_in_which_they_came_give_them_away(
    installation: Installation, clock: TurnedClock, peer: SmtpPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(*_: object) -> None:
        """Leave the marks as they came."""

    if installation.database.on_sqlite:
        async with installation.database.write() as session:
            await session.execute(text("DROP TABLE seen"))
            await session.execute(text("CREATE TABLE seen (issue_id, mark, PRIMARY KEY (issue_id, mark))"))
    monkeypatch.setattr(counting, "lose_order", nothing)
    monkeypatch.setattr(actions, "lose_order", nothing)
    truth, loot = await story(installation, clock, peer)
    order = adversary.by_order(loot, truth.windows, truth.accomplices)
    assert precision(order, truth.openers, truth.everybody) > BLIND + MARGIN


async def test_hours_kept_while_mail_is_leaving_give_them_away(
    installation: Installation, clock: TurnedClock, peer: SmtpPeer, monkeypatch: pytest.MonkeyPatch
) -> None:

    async def hours_at_once(session: Session, issue_id: str) -> None:
        await counting.prepare(session, issue_id)
        hours = update(MeasurementKey).where(col(MeasurementKey.issue_id) == issue_id).values(hours_from=clock.now())
        await session.execute(hours)

    monkeypatch.setattr(actions, "prepare", hours_at_once)
    truth, loot = await story(installation, clock, peer)
    assert precision(adversary.by_hour(loot, truth.left), truth.openers, truth.everybody) == 1.0


async def test_a_log_line_for_each_open_gives_them_away(
    installation: Installation, clock: TurnedClock, peer: SmtpPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge, "_COUNTED", set())
    truth, _ = await story(installation, clock, peer)
    assert precision(adversary.by_log(truth.log, truth.left), truth.openers, truth.everybody) == 1.0
